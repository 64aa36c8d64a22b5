//! Who asks: the `Host` that a request names, the `Origin` of the page behind it, and what a
//! reverse proxy says about both. Pure: headers in, a decision out.

use std::{fmt, net::IpAddr, str::FromStr};

use http::{HeaderMap, HeaderValue, header};
use ipnet::IpNet;
use serde::{Deserialize, Deserializer};

/// Where a page comes from: scheme, host and port, or `null` (a file, a sandboxed frame).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin(String);

/// Text that isn't an origin.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("expected https://host or https://host:port, without a path")]
pub struct BadOrigin;

impl Origin {
    /// Whether it is the origin that says nothing.
    pub fn is_null(&self) -> bool {
        self.0 == "null"
    }

    /// The origin as text, in lower case and without a default port.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// This address, over HTTPS.
    pub(crate) fn of(address: std::net::SocketAddr) -> Self {
        Self(if address.port() == 443 {
            format!("https://{}", address.to_string().trim_end_matches(":443"))
        } else {
            format!("https://{address}")
        })
    }

    /// The host, when it is a name.
    pub(crate) fn name(&self) -> Option<String> {
        let (host, _) = split(self.authority())?;
        (!host.starts_with('[') && host.parse::<IpAddr>().is_err()).then_some(host)
    }

    /// Host and port as a `Host` header has them.
    fn authority(&self) -> &str {
        self.0
            .split_once("://")
            .map_or("", |(_, authority)| authority)
    }

    /// The same place as a WebSocket's scheme has it.
    pub(crate) fn socket(&self) -> String {
        match self.0.strip_prefix("http") {
            Some(rest) => format!("ws{rest}"),
            None => self.0.clone(),
        }
    }

    fn new(scheme: &str, authority: &str) -> Option<Self> {
        let (host, port) = split(authority)?;
        let default = match scheme {
            "https" => 443,
            "http" => 80,
            // An app's page: `tauri://localhost` and the like.
            _ => 0,
        };
        Some(Self(match port {
            Some(port) if port != default => format!("{scheme}://{host}:{port}"),
            _ => format!("{scheme}://{host}"),
        }))
    }
}

impl FromStr for Origin {
    type Err = BadOrigin;
    fn from_str(text: &str) -> Result<Self, BadOrigin> {
        if text == "null" {
            return Ok(Self(text.to_owned()));
        }
        let text = text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
        let (scheme, authority) = text.split_once("://").ok_or(BadOrigin)?;
        let plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'-' | b'.');
        if scheme.is_empty() || !scheme.bytes().all(plain) {
            return Err(BadOrigin);
        }
        Self::new(scheme, authority).ok_or(BadOrigin)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// Host in lower case and port of an authority; `None` if it isn't one.
fn split(authority: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        host.parse::<std::net::Ipv6Addr>().ok()?;
        (
            format!("[{}]", host.to_ascii_lowercase()),
            rest.strip_prefix(':').or((!rest.is_empty()).then_some("x")),
        )
    } else {
        match authority.split_once(':') {
            Some((host, port)) => (host.to_ascii_lowercase(), Some(port)),
            None => (authority.to_ascii_lowercase(), None),
        }
    };
    let valid =
        host.starts_with('[') || crate::config::host_name(host.strip_suffix('.').unwrap_or(&host));
    let port = match port {
        Some(port) => Some(port.parse().ok()?),
        None => None,
    };
    valid.then_some((host, port))
}

/// Why a request isn't served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It names a host that this isn't: somebody's DNS name was pointed here (rebinding).
    Host,
    /// It comes from a page that isn't on the list.
    Origin,
}

/// A request as it really is: proxies' words taken into account where they are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The address of the one who asks.
    pub(crate) address: IpAddr,
    /// The scheme, host and port by which it reached us.
    pub(crate) own: Origin,
    /// The origin of another page that may use us, to be named in the answer.
    pub(crate) foreign: Option<Origin>,
}

/// The rules, from the configuration.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    /// Names in lower case by which this machine is reached.
    pub(crate) names: Vec<String>,
    pub(crate) public: Option<Origin>,
    pub(crate) allowed: Vec<Origin>,
    pub(crate) proxies: Vec<IpNet>,
}

/// Every header by which a proxy speaks.
const FORWARDING: [&str; 10] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-port",
    "x-real-ip",
    "x-client-ip",
    "true-client-ip",
    "cdn-loop",
];

impl Policy {
    /// Judges a request. `authority` is the target's, when it is absolute.
    pub(crate) fn judge(
        &self,
        peer: IpAddr,
        headers: &HeaderMap,
        authority: Option<&str>,
    ) -> Result<Asked, Refusal> {
        let peer = peer.to_canonical();
        let trusted = self.trusts(peer);
        let mut host = authority
            .or_else(|| text(headers, header::HOST.as_str()))
            .ok_or(Refusal::Host)?;
        if headers.get_all(header::HOST).iter().count() > 1 {
            return Err(Refusal::Host);
        }
        let mut scheme = "https";
        let mut address = peer;
        if trusted {
            if let Some(forwarded) = last_line(headers, "x-forwarded-host") {
                // The last is the one that the nearest proxy wrote.
                host = last(forwarded);
            }
            if last_line(headers, "x-forwarded-proto").map(last) == Some("http") {
                scheme = "http";
            }
            address = self.client(peer, headers);
        }
        let own = Origin::new(scheme, host).ok_or(Refusal::Host)?;
        if !self.is_own(&own) {
            return Err(Refusal::Host);
        }
        let foreign = match headers.get(header::ORIGIN) {
            None => None,
            Some(origin) => self.foreign(origin, &own)?,
        };
        Ok(Asked {
            address,
            own,
            foreign,
        })
    }

    /// `None` for a page of our own.
    fn foreign(&self, origin: &HeaderValue, own: &Origin) -> Result<Option<Origin>, Refusal> {
        let origin: Origin = origin
            .to_str()
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or(Refusal::Origin)?;
        if !origin.is_null() && (origin == *own || Some(&origin) == self.public.as_ref()) {
            return Ok(None);
        }
        if self.allowed.contains(&origin) {
            Ok(Some(origin))
        } else {
            Err(Refusal::Origin)
        }
    }

    /// An address can't be rebound; a name must be one of ours.
    fn is_own(&self, asked: &Origin) -> bool {
        if self
            .public
            .as_ref()
            .is_some_and(|public| public.authority() == asked.authority())
        {
            return true;
        }
        let Some((host, _)) = split(asked.authority()) else {
            return false;
        };
        let host = host.trim_end_matches('.');
        host.starts_with('[')
            || host.parse::<IpAddr>().is_ok()
            || host == "localhost"
            || self.names.iter().any(|name| name == host)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.proxies.iter().any(|range| range.contains(&address))
    }

    /// The nearest address that isn't a trusted proxy's.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut nearest = peer;
        let listed = headers.get_all("x-forwarded-for");
        for value in listed.iter().rev().filter_map(|value| value.to_str().ok()) {
            for address in value
                .rsplit(',')
                .map(|address| address.trim().parse::<IpAddr>())
            {
                let Ok(address) = address else { return nearest };
                nearest = address.to_canonical();
                if !self.trusts(nearest) {
                    return nearest;
                }
            }
        }
        nearest
    }

    /// Whether a request is the machine's own: from loopback, to loopback, through nobody.
    pub(crate) fn is_local(peer: IpAddr, headers: &HeaderMap) -> bool {
        let host = text(headers, header::HOST.as_str()).and_then(split);
        let local_host = host.is_some_and(|(host, _)| {
            let literal = host.trim_matches(['[', ']']).parse::<IpAddr>();
            host == "localhost" || literal.is_ok_and(|address| address.is_loopback())
        });
        peer.to_canonical().is_loopback()
            && local_host
            && !headers.keys().any(|name| {
                FORWARDING.contains(&name.as_str())
                    // Of these there are more than is worth listing.
                    || name.as_str().starts_with("cf-")
                    || name.as_str().starts_with("x-original-")
            })
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The last line of a header: the one that the nearest proxy added.
fn last_line<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let line = headers.get_all(name).iter().next_back();
    line.and_then(|value| value.to_str().ok())
}

fn last(list: &str) -> &str {
    list.rsplit(',').next().unwrap_or(list).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    fn policy() -> Policy {
        Policy {
            names: vec!["ward.local".to_owned()],
            public: Some("https://visits.example.org".parse().unwrap()),
            allowed: vec!["https://page.example:8443".parse().unwrap()],
            proxies: vec!["10.0.0.0/8".parse().unwrap()],
        }
    }

    const GUEST: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 1, 9));
    const PROXY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

    #[test]
    fn origins_are_compared_as_browsers_write_them() {
        let same = |a: &str, b: &str| a.parse::<Origin>().unwrap() == b.parse::<Origin>().unwrap();
        assert!(same("https://Page.example:443/", "https://page.example"));
        assert!(same("https://[::1]:3000", "https://[::1]:3000"));
        assert!(!same("https://page.example", "http://page.example"));
        for bad in [
            "",
            "page.example",
            "https://",
            "https://a b",
            "https://a/b",
            "https://a:x",
            "https://u@a",
        ] {
            assert!(bad.parse::<Origin>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_that_is_not_ours_is_refused() {
        let judge = |host: &str| {
            policy()
                .judge(GUEST, &headers(&[("host", host)]), None)
                .map(|asked| asked.own.0)
        };
        assert_eq!(
            judge("192.168.1.5:3000").unwrap(),
            "https://192.168.1.5:3000"
        );
        assert_eq!(judge("[fd00::1]:3000").unwrap(), "https://[fd00::1]:3000");
        assert_eq!(judge("WARD.local:3000").unwrap(), "https://ward.local:3000");
        assert_eq!(judge("localhost:3000").unwrap(), "https://localhost:3000");
        assert_eq!(
            judge("visits.example.org").unwrap(),
            "https://visits.example.org"
        );
        assert_eq!(judge("evil.example:3000"), Err(Refusal::Host));
        assert_eq!(judge("visits.example.org:81"), Err(Refusal::Host));
        assert_eq!(
            policy().judge(GUEST, &HeaderMap::new(), None),
            Err(Refusal::Host)
        );
    }

    #[test]
    fn only_own_and_listed_origins_may_ask() {
        let judge = |origin: &str| {
            let headers = headers(&[("host", "192.168.1.5:3000"), ("origin", origin)]);
            policy()
                .judge(GUEST, &headers, None)
                .map(|asked| asked.foreign.map(|origin| origin.0))
        };
        assert_eq!(judge("https://192.168.1.5:3000"), Ok(None));
        assert_eq!(judge("https://visits.example.org"), Ok(None));
        assert_eq!(
            judge("https://page.example:8443"),
            Ok(Some("https://page.example:8443".to_owned()))
        );
        for foreign in [
            "https://page.example",
            "http://192.168.1.5:3000",
            "null",
            "https://192.168.1.5:3001",
            "junk",
        ] {
            assert_eq!(judge(foreign), Err(Refusal::Origin), "{foreign}");
        }
        let mut policy = policy();
        policy.allowed.push("null".parse().unwrap());
        let null = headers(&[("host", "localhost"), ("origin", "null")]);
        assert!(policy.judge(GUEST, &null, None).is_ok());
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let forwarded = headers(&[
            ("host", "127.0.0.1:3000"),
            ("x-forwarded-for", "6.6.6.6, 203.0.113.7, 10.1.1.1"),
            ("x-forwarded-host", "visits.example.org"),
            ("x-forwarded-proto", "https"),
        ]);
        let asked = policy().judge(PROXY, &forwarded, None).unwrap();
        assert_eq!(asked.address, "203.0.113.7".parse::<IpAddr>().unwrap());
        assert_eq!(asked.own.as_str(), "https://visits.example.org");
        let asked = policy().judge(GUEST, &forwarded, None).unwrap();
        assert_eq!(
            (asked.address, asked.own.as_str()),
            (GUEST, "https://127.0.0.1:3000")
        );
        let elsewhere = headers(&[("host", "127.0.0.1"), ("x-forwarded-host", "evil.example")]);
        assert_eq!(policy().judge(PROXY, &elsewhere, None), Err(Refusal::Host));
    }

    #[test]
    fn local_means_from_here_to_here_through_nobody() {
        let here: IpAddr = "::ffff:127.0.0.1".parse().unwrap();
        assert!(Policy::is_local(
            here,
            &headers(&[("host", "127.0.0.1:3000")])
        ));
        assert!(Policy::is_local(here, &headers(&[("host", "[::1]:3000")])));
        assert!(!Policy::is_local(here, &headers(&[("host", "ward.local")])));
        assert!(!Policy::is_local(GUEST, &headers(&[("host", "localhost")])));
        for name in FORWARDING
            .into_iter()
            .chain(["cf-connecting-ip", "cf-ray", "x-original-for"])
        {
            assert!(!Policy::is_local(
                here,
                &headers(&[("host", "localhost"), (name, "x")])
            ));
        }
    }
}
