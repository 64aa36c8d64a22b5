//! What the relay is told: one structure, from a TOML file, the environment, or the app.

use std::{
    net::{Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use ipnet::IpNet;
use serde::Deserialize;

use crate::origin::Origin;

/// The port that participants expect.
pub const DEFAULT_PORT: u16 = 3000;

/// Everything that can be set. An unknown key in a file is an error that names its line.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where to listen. Port 0 = any free port.
    pub listen: SocketAddr,
    /// The folder that keeps the ward's CA and the host's certificate.
    pub data: PathBuf,
    /// What the ward is called on other devices' screens. The machine's name when absent.
    pub ward: Option<String>,
    /// How the relay is reached from outside, when that isn't its own address: for links, QR
    /// codes, and as an origin of its own. `https://host[:port]`.
    pub public_url: Option<Origin>,
    /// Further names under which the machine is reached: for the certificate and for `Host`.
    pub host_names: Vec<String>,
    /// Origins of other pages that may use API and socket; `null` must be listed to be allowed.
    pub allowed_origins: Vec<Origin>,
    /// Other relays that the pages served here may talk to.
    pub connect_origins: Vec<Origin>,
    /// Reverse proxies whose `X-Forwarded-*` headers are believed, as address ranges.
    pub trusted_proxies: Vec<IpNet>,
    /// What a bearer must show to read `/metrics` from another machine; absent: only the machine
    /// itself may read it.
    pub metrics_token: Option<String>,
    /// The UDP port for media by WebRTC. The listener's number when absent; 0 = none.
    pub udp_port: Option<u16>,
    /// Whether to be found on the LAN. A loopback listener never advertises.
    pub advertise: bool,
    /// Over what sessions may go.
    pub carriers: Carriers,
    /// Serve the page from this folder instead of the embedded files (for working on the page).
    pub ui: Option<PathBuf>,
    /// What one participant, address or room may cost the others.
    pub limits: Limits,
}

/// Over what sessions may go. `https` is always there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Carriers {
    /// WebSockets, those of the lobby included. Without them pages do as they do where a browser
    /// or a network refuses WebSockets: for tests, and for proxies that can't pass them on.
    pub ws: bool,
}

impl Default for Carriers {
    fn default() -> Self {
        Self { ws: true }
    }
}

/// Bounds on everything that comes from outside.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The largest packet or media chunk, in bytes.
    pub max_packet: u32,
    /// Control messages a second from one connection; a burst of four seconds' worth is let in.
    pub messages_per_s: u32,
    /// Lines of chat a second from one connection; a burst of five seconds' worth is let in.
    pub chats_per_s: u32,
    /// Changes of tracks, views and rooms a second from one connection; a burst of four seconds'
    /// worth is let in.
    pub changes_per_s: u32,
    /// Media chunks a second from one connection; a burst of two seconds' worth is let in.
    pub chunks_per_s: u32,
    /// Bytes a second from one connection; a burst of two seconds' worth is let in.
    pub bytes_per_s: u32,
    /// Connections from one address that are not yet in a session. A whole ward may stand behind
    /// one address. Sessions that are established don't count and are never struck.
    pub connections_per_address: u32,
    /// Sessions from one address, those that are waited for included. Those that are established
    /// are never struck.
    pub sessions_per_address: u32,
    /// Rooms that one address may make a minute; as many at once.
    pub new_rooms_per_minute: u32,
    /// Connections in all.
    pub connections: u32,
    /// Sessions in all, those that are waited for included.
    pub sessions: u32,
    /// Rooms.
    pub rooms: u32,
    /// Members of one room.
    pub members: u32,
    /// Seconds for a TLS handshake.
    pub handshake_s: u32,
    /// Seconds for a request's head, and between two requests.
    pub header_s: u32,
    /// Seconds for the rest of a request, and for taking all of the answer.
    pub answer_s: u32,
    /// Seconds from the socket's opening to the hello.
    pub hello_s: u32,
    /// Seconds that a session may stand outside any room.
    pub idle_s: u32,
    /// Seconds that a broken session is waited for.
    pub grace_s: u32,
    /// Seconds that an empty room stays listed.
    pub empty_room_s: u32,
    /// Seconds that six digits lead into a room.
    pub code_valid_s: u32,
    /// Wrong codes from one address before it waits, and waits longer each time.
    pub wrong_codes_per_address: u32,
    /// Wrong codes a minute of all addresses together; six minutes' worth may come at once.
    pub wrong_codes_per_minute: u32,
    /// Milliseconds in which a participant gives three signs of life. After one and a second without
    /// any it is shown as reconnecting, after three and a second its connection is ended.
    pub heartbeat_ms: u32,
    /// Seconds for connections to end by themselves when the relay stops.
    pub shutdown_s: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_packet: 256 * 1024,
            messages_per_s: 50,
            // Times the grace time both stay far below what is kept for one who is away.
            chats_per_s: 2,
            changes_per_s: 5,
            // 1080p JPEG at 15 a second in chunks of 4 KB is half of both.
            chunks_per_s: 2_000,
            bytes_per_s: 4 << 20,
            // A browser that opens the page has up to six connections for a moment, and one more
            // while it shows the list of rooms; 256 people may do so behind one address.
            connections_per_address: 2_048,
            sessions_per_address: 512,
            // Each of them may make a room, and others still can.
            new_rooms_per_minute: 256,
            connections: 4_096,
            sessions: 1_024,
            rooms: 512,
            members: 64,
            handshake_s: 10,
            header_s: 15,
            answer_s: 30,
            hello_s: 10,
            idle_s: 120,
            grace_s: 30,
            empty_room_s: 60,
            // Read aloud over a telephone and typed by who seldom types; `protocol::code::tries`
            // says what the other two come to.
            code_valid_s: 600,
            wrong_codes_per_address: 5,
            wrong_codes_per_minute: 10,
            heartbeat_ms: 3_000,
            shutdown_s: 3,
        }
    }
}

impl Limits {
    /// The time between whose thirds a participant gives signs of life.
    pub fn heartbeat(&self) -> Duration {
        Duration::from_millis(self.heartbeat_ms.into())
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv6Addr::UNSPECIFIED, DEFAULT_PORT)),
            data: default_data(),
            ward: None,
            public_url: None,
            host_names: Vec::new(),
            allowed_origins: Vec::new(),
            connect_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            metrics_token: None,
            udp_port: None,
            advertise: true,
            carriers: Carriers::default(),
            ui: None,
            limits: Limits::default(),
        }
    }
}

/// Why a configuration can't be used. Each says where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file can't be read.
    #[error(
        "The configuration file {path} can't be read ({source}). Check the path and the permissions."
    )]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file's text isn't a configuration.
    #[error("{path}, line {line}: {message}. Correct that line, or remove it to get the default.")]
    Parse {
        /// Which.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
    /// A value outside what makes sense.
    #[error("{key} = {value} isn't usable: {reason}.")]
    Value {
        /// Which.
        key: &'static str,
        /// What it was.
        value: String,
        /// What would be.
        reason: &'static str,
    },
}

impl Config {
    /// Reads a TOML file.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            Error::Parse {
                path: path.to_owned(),
                line: text
                    .get(..at)
                    .map_or(0, |before| before.matches('\n').count())
                    + 1,
                message: printable(&error.message().replace('\n', ", ")),
            }
        })?;
        config.check()?;
        Ok(config)
    }

    /// Whether the values can work at all.
    pub fn check(&self) -> Result<(), Error> {
        let limits = &self.limits;
        let positive = [
            ("limits.messages_per_s", limits.messages_per_s),
            ("limits.chats_per_s", limits.chats_per_s),
            ("limits.changes_per_s", limits.changes_per_s),
            ("limits.chunks_per_s", limits.chunks_per_s),
            ("limits.new_rooms_per_minute", limits.new_rooms_per_minute),
            ("limits.connections", limits.connections),
            ("limits.sessions", limits.sessions),
            ("limits.rooms", limits.rooms),
            ("limits.members", limits.members),
            ("limits.handshake_s", limits.handshake_s),
            ("limits.header_s", limits.header_s),
            ("limits.answer_s", limits.answer_s),
            ("limits.hello_s", limits.hello_s),
            ("limits.idle_s", limits.idle_s),
            ("limits.code_valid_s", limits.code_valid_s),
            (
                "limits.wrong_codes_per_address",
                limits.wrong_codes_per_address,
            ),
            (
                "limits.wrong_codes_per_minute",
                limits.wrong_codes_per_minute,
            ),
        ];
        for (key, value) in positive {
            if value == 0 {
                return Err(Error::Value {
                    key,
                    value: "0".to_owned(),
                    reason: "use 1 or more",
                });
            }
        }
        let at_least = |key, value: u32, least, reason| {
            if value < least {
                return Err(Error::Value {
                    key,
                    value: value.to_string(),
                    reason,
                });
            }
            Ok(())
        };
        // A message of 2,000 characters of four bytes each must fit, with room for its escapes.
        at_least(
            "limits.max_packet",
            limits.max_packet,
            16 << 10,
            "use 16384 (bytes) or more",
        )?;
        at_least(
            "limits.bytes_per_s",
            limits.bytes_per_s,
            16 << 10,
            "use 16384 or more",
        )?;
        at_least(
            "limits.connections_per_address",
            limits.connections_per_address,
            16,
            "use 16 or more",
        )?;
        at_least(
            "limits.sessions_per_address",
            limits.sessions_per_address,
            16,
            "use 16 or more",
        )?;
        at_least(
            "limits.heartbeat_ms",
            limits.heartbeat_ms,
            100,
            "use 100 (milliseconds) or more",
        )?;
        if self
            .metrics_token
            .as_ref()
            .is_some_and(|token| token.len() < 16)
        {
            return Err(Error::Value {
                key: "metrics_token",
                value: "…".to_owned(),
                reason: "use 16 characters or more, chosen at random",
            });
        }
        if let Some(name) = self.host_names.iter().find(|name| !host_name(name)) {
            return Err(Error::Value {
                key: "host_names",
                value: format!("{name:?}"),
                reason: "use DNS names: letters, digits, hyphens and dots",
            });
        }
        if self.public_url.as_ref().is_some_and(Origin::is_null) {
            return Err(Error::Value {
                key: "public_url",
                value: "null".to_owned(),
                reason: "use https://name or https://name:port",
            });
        }
        Ok(())
    }
}

/// Without control characters, which a terminal would obey.
fn printable(text: &str) -> String {
    let mut printable = String::new();
    for character in text.chars() {
        if character.is_control() {
            printable.extend(character.escape_default());
        } else {
            printable.push(character);
        }
    }
    printable
}

/// Whether this can be a DNS name.
pub(crate) fn host_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 253
        && name.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
        })
}

/// Where data goes when nobody says: the user's own data folder.
fn default_data() -> PathBuf {
    let folder = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    folder("XDG_DATA_HOME")
        .or_else(|| folder("LOCALAPPDATA"))
        .or_else(|| folder("HOME").map(|home| home.join(".local/share")))
        .map_or_else(
            || PathBuf::from("visita-data"),
            |base| base.join("visita/relay"),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, Error> {
        Config::parse(text, Path::new("visita.toml"))
    }

    #[test]
    fn a_file_sets_what_it_names_and_leaves_the_rest() {
        let config = parse(
            "listen = \"127.0.0.1:0\"\nward = \"Ward 3\"\nallowed_origins = [\"https://page.example\", \"null\"]\n\
             trusted_proxies = [\"10.0.0.0/8\", \"::1/128\"]\n[limits]\nmembers = 3\n",
        )
        .unwrap();
        assert_eq!(config.limits.members, 3);
        assert_eq!(config.limits.rooms, Limits::default().rooms);
        assert_eq!(config.allowed_origins.len(), 2);
    }

    #[test]
    fn an_error_names_its_line() {
        let unknown = parse("advertise = false\n\n[limits]\nmembres = 3\n")
            .unwrap_err()
            .to_string();
        assert!(
            unknown.contains("visita.toml, line 4: unknown field `membres`"),
            "{unknown}"
        );
        let wrong = parse("advertise = false\nlisten = \"here\"\n")
            .unwrap_err()
            .to_string();
        assert!(wrong.contains("line 2"), "{wrong}");
        let hidden = parse("\"a\\u001b[31mb\" = 1\n").unwrap_err().to_string();
        assert!(!hidden.contains('\u{1b}'), "{hidden:?}");
        let syntax = parse("advertise = \n").unwrap_err().to_string();
        assert!(syntax.contains("line 1"), "{syntax}");
        assert!(
            parse("metrics_token = \"short\"")
                .unwrap_err()
                .to_string()
                .contains("metrics_token")
        );
        assert!(parse("host_names = [\"a b\"]").is_err());
        assert!(parse("[limits]\nmembers = 0").is_err());
    }
}
