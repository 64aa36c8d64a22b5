//! Links that lead to a host: `visita://HOST:PORT?fp=sha256:…` for the app, and the `https://`
//! address that a host shows as a QR code for browsers; and into one of its rooms:
//! `visita://HOST:PORT/i/ROOM?fp=…` and `https://HOST:PORT/#/i/ROOM`. Text from outside becomes a [`Link`] or an
//! error here, and nothing else reads it.

use std::{fmt, str::FromStr};

use visita_protocol::{
    control::RoomKind,
    id::{Fingerprint, RoomId},
};

use crate::address::{self, HostUrl};

/// The scheme that the app opens.
pub const SCHEME: &str = "visita";

/// The longest text that is looked at, in bytes. An address with a fingerprint has a tenth of it.
const MAX_LEN: usize = 1024;
/// The port of an `https` address that names none.
const HTTPS_PORT: u16 = 443;
/// What stands before the fingerprint's digits, plain or as some programs write a colon in a query.
const PREFIXES: [&str; 2] = ["sha256:", "sha256%3a"];

/// Where a host is, and who it must be. Nothing in it is a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The host.
    pub url: HostUrl,
    /// The ward's CA, if the link says so: a link with it proves what a person would compare.
    pub fingerprint: Option<Fingerprint>,
    /// The room, if the link invites to one.
    pub invitation: Option<Invitation>,
}

/// Which room a link invites to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// What for.
    pub kind: RoomKind,
    /// Which.
    pub room: RoomId,
}

impl Invitation {
    /// `i/ROOM` for a visit, `m/ROOM` for a meeting, as in `ui/call/door.js`.
    fn read(text: &str) -> Option<Self> {
        let (letter, room) = text.split_once('/')?;
        let kind = match letter {
            "i" => RoomKind::Bed,
            "m" => RoomKind::Meeting,
            _ => return None,
        };
        let room = room.parse().ok()?;
        Some(Self { kind, room })
    }
}

impl fmt::Display for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = match self.kind {
            RoomKind::Bed => "i",
            RoomKind::Meeting => "m",
        };
        write!(f, "{letter}/{}", self.room)
    }
}

/// Why text isn't a link to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Longer than any link of a host's.
    #[error("the link is too long")]
    TooLong,
    /// Neither `visita://` nor `https://`.
    #[error("not a link to a Visita host")]
    Scheme,
    /// No host's address.
    #[error("the link names no host's address")]
    Address,
    /// Something else than `fp`, or a fingerprint that isn't one.
    #[error("the link's fingerprint can't be read")]
    Fingerprint,
}

impl FromStr for Link {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        if text.len() > MAX_LEN {
            return Err(Error::TooLong);
        }
        let (scheme, rest) = text.split_once("://").ok_or(Error::Scheme)?;
        if scheme.eq_ignore_ascii_case(SCHEME) {
            return visita(rest);
        }
        if scheme.eq_ignore_ascii_case("https") {
            let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
            let url = host(authority, HTTPS_PORT)?;
            let fragment = rest.split_once("#/").map(|(_, fragment)| fragment);
            return Ok(Self {
                url,
                fingerprint: None,
                invitation: fragment.and_then(Invitation::read),
            });
        }
        Err(Error::Scheme)
    }
}

/// `HOST[:PORT][/][i/ROOM][?fp=…]` and nothing more: what a later version adds, an older one mustn't
/// half understand.
fn visita(rest: &str) -> Result<Link, Error> {
    let (before, query) = match rest.split_once('?') {
        Some((before, query)) => (before, Some(query)),
        None => (rest, None),
    };
    let (authority, path) = before.split_once('/').unwrap_or((before, ""));
    let invitation = Invitation::read(path);
    if authority.contains('#') || invitation.is_none() && !path.is_empty() {
        return Err(Error::Address);
    }
    Ok(Link {
        url: host(authority, address::DEFAULT_PORT)?,
        fingerprint: query.map(fingerprint).transpose()?,
        invitation,
    })
}

fn host(authority: &str, port: u16) -> Result<HostUrl, Error> {
    if authority.contains(char::is_whitespace) {
        return Err(Error::Address);
    }
    let url: HostUrl = authority.parse().map_err(|_| Error::Address)?;
    // A bare IPv6 address can't be told from one with a port, so a link has it in brackets.
    let bare = authority.matches(':').count() > 1 && !authority.starts_with('[');
    if bare {
        return Err(Error::Address);
    }
    let after_host = authority.rsplit(']').next().unwrap_or_default();
    if after_host.contains(':') {
        return Ok(url);
    }
    format!("{authority}:{port}")
        .parse()
        .map_err(|_| Error::Address)
}

fn fingerprint(query: &str) -> Result<Fingerprint, Error> {
    let value = query.strip_prefix("fp=").ok_or(Error::Fingerprint)?;
    let value = value.to_ascii_lowercase();
    let digits = PREFIXES
        .iter()
        .find_map(|prefix| value.strip_prefix(prefix))
        .ok_or(Error::Fingerprint)?;
    digits.parse().map_err(|_| Error::Fingerprint)
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}://{}", self.url.authority())?;
        if let Some(invitation) = self.invitation {
            write!(f, "/{invitation}")?;
        }
        match self.fingerprint {
            Some(fingerprint) => write!(f, "?fp=sha256:{fingerprint}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FP: &str = "a3f109c27be4d5108f6629b1c04e77da3382915ff0ac6be45d21907c88e36b4f";

    #[test]
    fn a_hosts_links_are_understood() {
        let pinned = Some(FP.parse().unwrap());
        for (text, url, fingerprint) in [
            (
                format!("visita://192.0.2.5:4000?fp=sha256:{FP}"),
                "https://192.0.2.5:4000",
                pinned,
            ),
            (
                format!("VISITA://tablet.local/?fp=SHA256%3A{}", FP.to_uppercase()),
                "https://tablet.local:3000",
                pinned,
            ),
            (
                format!("visita://[2001:db8::5]?fp=sha256:{FP}"),
                "https://[2001:db8::5]:3000",
                pinned,
            ),
            (
                " visita://192.0.2.5\n".into(),
                "https://192.0.2.5:3000",
                None,
            ),
            // What a host's QR code says to browsers, alone and behind a proxy.
            (
                "https://192.0.2.5:3000".into(),
                "https://192.0.2.5:3000",
                None,
            ),
            (
                "https://192.0.2.5:3000/Familiar/#room=00ff".into(),
                "https://192.0.2.5:3000",
                None,
            ),
            (
                "https://visits.example/".into(),
                "https://visits.example:443",
                None,
            ),
            (
                "https://[2001:db8::5]/".into(),
                "https://[2001:db8::5]:443",
                None,
            ),
        ] {
            let link: Link = text
                .parse()
                .unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(
                (link.url.to_string().as_str(), link.fingerprint),
                (url, fingerprint),
                "{text}"
            );
        }
    }

    #[test]
    fn an_invitation_names_its_room() {
        let bed = Invitation {
            kind: RoomKind::Bed,
            room: RoomId([0, 0xff, 0x10, 0xab, 0xcd, 0xef, 1, 0x23]),
        };
        let meeting = Invitation {
            kind: RoomKind::Meeting,
            ..bed
        };
        for (text, invitation) in [
            (
                "visita://192.0.2.5/i/00ff10abcdef0123".to_owned(),
                Some(bed),
            ),
            (
                format!("visita://192.0.2.5:4000/m/00ff10abcdef0123?fp=sha256:{FP}"),
                Some(meeting),
            ),
            (
                "https://192.0.2.5:3000/#/i/00ff10abcdef0123".into(),
                Some(bed),
            ),
            (
                "https://192.0.2.5:3000/#/m/00ff10abcdef0123".into(),
                Some(meeting),
            ),
            // A page of a newer version still leads to its host.
            ("https://192.0.2.5:3000/#/i/00ff10abcdef0123/x".into(), None),
            ("https://192.0.2.5:3000/#/z/00ff10abcdef0123".into(), None),
        ] {
            let link: Link = text.parse().unwrap();
            assert_eq!(link.invitation, invitation, "{text}");
        }
    }

    #[test]
    fn all_else_is_refused() {
        let long = format!("visita://{}", "a".repeat(MAX_LEN));
        for (text, error) in [
            ("", Error::Scheme),
            ("192.0.2.5:3000", Error::Scheme),
            ("http://192.0.2.5", Error::Scheme),
            ("WIFI:S:Ward;T:WPA;P:secret;;", Error::Scheme),
            ("javascript://192.0.2.5", Error::Scheme),
            ("visita:192.0.2.5", Error::Scheme),
            ("visita://", Error::Address),
            ("visita://user@192.0.2.5", Error::Address),
            ("visita://user:secret@192.0.2.5", Error::Address),
            ("visita://192.0.2.5/room", Error::Address),
            ("visita://192.0.2.5//", Error::Address),
            ("visita://192.0.2.5/i/00ff", Error::Address),
            ("visita://192.0.2.5/i/00FF10ABCDEF0123", Error::Address),
            ("visita://192.0.2.5/z/00ff10abcdef0123", Error::Address),
            ("visita://192.0.2.5/i/00ff10abcdef0123/", Error::Address),
            ("visita://192.0.2.5#fp", Error::Address),
            ("visita://192.0.2.5:0", Error::Address),
            ("visita://2001:db8::5", Error::Address),
            ("visita://two words", Error::Address),
            ("visita://https://192.0.2.5", Error::Address),
            ("https://user@192.0.2.5/", Error::Address),
            ("visita://192.0.2.5?", Error::Fingerprint),
            ("visita://192.0.2.5?fp=", Error::Fingerprint),
            ("visita://192.0.2.5?fp=sha256:12", Error::Fingerprint),
            ("visita://192.0.2.5?room=1", Error::Fingerprint),
            (long.as_str(), Error::TooLong),
        ] {
            assert_eq!(text.parse::<Link>(), Err(error), "{text}");
        }
        let more = format!("visita://192.0.2.5?fp=sha256:{FP}");
        for more in [
            format!("{more}&fp=sha256:{FP}"),
            format!("{more}&x=1"),
            format!("{more}#x"),
        ] {
            assert_eq!(more.parse::<Link>(), Err(Error::Fingerprint), "{more}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_link_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = String::from_utf8_lossy(&bytes).parse::<Link>();
        }

        #[test]
        fn what_looks_like_a_link_is_one_or_an_error(
            text in r"(visita|https|VISITA)://[a-z0-9.:\[\]%@/-]{0,40}(\?[a-z0-9=:%&#]{0,80})?"
        ) {
            if let Ok(link) = text.parse::<Link>() {
                prop_assert_eq!(link.to_string().parse::<Link>(), Ok(link));
            }
        }

        #[test]
        fn a_link_is_what_it_was_written_from(
            ip in any::<std::net::IpAddr>(), port in 1u16.., fingerprint in any::<Option<[u8; 32]>>(),
            invitation in any::<Option<(bool, [u8; 8])>>()
        ) {
            let url = HostUrl::from_socket((ip, port).into());
            let invitation = invitation.map(|(bed, room)| Invitation {
                kind: if bed { RoomKind::Bed } else { RoomKind::Meeting },
                room: RoomId(room),
            });
            let link = Link { url, fingerprint: fingerprint.map(Fingerprint), invitation };
            prop_assert_eq!(link.to_string().parse::<Link>(), Ok(link));
        }
    }
}
