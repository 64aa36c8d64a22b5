//! Where a host is: what people type, paste or scan, parsed once.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The port that hosts listen on unless told otherwise.
pub const DEFAULT_PORT: u16 = 3000;

/// The longest host name (RFC 1035), in bytes.
const MAX_HOST: usize = 253;

/// A host's address: a name or an IP address, and a port. Always `https`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostUrl {
    host: Host,
    port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Host {
    Ip(IpAddr),
    Name(String),
}

/// Why text isn't a host's address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing was given.
    #[error(
        "the address is empty; give the host's address, such as 192.0.2.5 or https://192.0.2.5:3000"
    )]
    Empty,
    /// Another scheme than `https`.
    #[error("hosts speak https only; give https://… or the address alone")]
    Scheme,
    /// The port isn't a number from 1 to 65535.
    #[error("the port isn't a number from 1 to 65535; leave it out for {DEFAULT_PORT}")]
    Port,
    /// The host is neither an IP address nor a name.
    #[error(
        "neither an IP address nor a host's name; write it as 192.0.2.5, [2001:db8::5] or tablet.local"
    )]
    Host,
}

impl HostUrl {
    /// The address of a socket.
    pub fn from_socket(address: SocketAddr) -> Self {
        Self {
            host: Host::Ip(address.ip()),
            port: address.port(),
        }
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The name or IP address alone, without brackets.
    pub fn host(&self) -> String {
        match &self.host {
            Host::Ip(ip) => ip.to_string(),
            Host::Name(name) => name.clone(),
        }
    }

    /// The IP address, if the host was given by one.
    pub fn ip(&self) -> Option<IpAddr> {
        match self.host {
            Host::Ip(ip) => Some(ip),
            Host::Name(_) => None,
        }
    }

    /// `host:port` as it stands in a URL and in the HTTP header `Host`.
    pub fn authority(&self) -> String {
        match &self.host {
            Host::Ip(IpAddr::V6(ip)) => format!("[{ip}]:{}", self.port),
            Host::Ip(ip) => format!("{ip}:{}", self.port),
            Host::Name(name) => format!("{name}:{}", self.port),
        }
    }
}

impl fmt::Display for HostUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}", self.authority())
    }
}

impl FromStr for HostUrl {
    type Err = Error;

    /// Takes what people have at hand: an address alone, with a port, or a page's whole URL (its
    /// path says nothing about the host and is ignored).
    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let rest = match text.split_once("://") {
            Some((scheme, rest))
                if ["https", "wss"]
                    .iter()
                    .any(|s| scheme.eq_ignore_ascii_case(s)) =>
            {
                rest
            }
            Some(_) => return Err(Error::Scheme),
            None => text,
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.is_empty() {
            return Err(Error::Empty);
        }
        if let Ok(ip) = authority.parse::<Ipv6Addr>() {
            return Ok(Self {
                host: Host::Ip(ip.into()),
                port: DEFAULT_PORT,
            });
        }
        if let Some(bracketed) = authority.strip_prefix('[') {
            let (ip, after) = bracketed.split_once(']').ok_or(Error::Host)?;
            let ip: Ipv6Addr = ip.parse().map_err(|_| Error::Host)?;
            let port = match after.strip_prefix(':') {
                Some(port) => parse_port(port)?,
                None if after.is_empty() => DEFAULT_PORT,
                None => return Err(Error::Host),
            };
            return Ok(Self {
                host: Host::Ip(ip.into()),
                port,
            });
        }
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, parse_port(port)?),
            None => (authority, DEFAULT_PORT),
        };
        Ok(Self {
            host: parse_host(host)?,
            port,
        })
    }
}

fn parse_port(text: &str) -> Result<u16, Error> {
    match text.parse() {
        Ok(port) if port != 0 && text.bytes().all(|b| b.is_ascii_digit()) => Ok(port),
        _ => Err(Error::Port),
    }
}

fn parse_host(text: &str) -> Result<Host, Error> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Ok(Host::Ip(ip));
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let name = text.strip_suffix('.').unwrap_or(text);
    // Only digits and dots is an IP address that was mistyped, not a name.
    let mistyped = name.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if mistyped || name.len() > MAX_HOST || !name.split('.').all(label) {
        return Err(Error::Host);
    }
    Ok(Host::Name(name.to_ascii_lowercase()))
}

impl Serialize for HostUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HostUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_or_paste_is_understood() {
        for (text, url) in [
            ("192.0.2.5", "https://192.0.2.5:3000"),
            (" 192.0.2.5:4000 ", "https://192.0.2.5:4000"),
            ("https://192.0.2.5:3000/", "https://192.0.2.5:3000"),
            ("HTTPS://192.0.2.5/Familiar/#x", "https://192.0.2.5:3000"),
            ("wss://192.0.2.5:1/api/v1/ws", "https://192.0.2.5:1"),
            ("Tablet-3.local.", "https://tablet-3.local:3000"),
            ("localhost:65535", "https://localhost:65535"),
            ("2001:db8::5", "https://[2001:db8::5]:3000"),
            ("[2001:DB8::5]", "https://[2001:db8::5]:3000"),
            ("https://[::1]:443/Paciente", "https://[::1]:443"),
        ] {
            let parsed: HostUrl = text.parse().unwrap();
            assert_eq!(parsed.to_string(), url, "{text}");
            assert_eq!(parsed.to_string().parse::<HostUrl>().unwrap(), parsed);
        }
    }

    #[test]
    fn all_else_says_what_is_wrong() {
        for (text, error) in [
            ("", Error::Empty),
            ("https:///x", Error::Empty),
            ("http://192.0.2.5", Error::Scheme),
            ("192.0.2.5:", Error::Port),
            ("192.0.2.5:0", Error::Port),
            ("192.0.2.5:+80", Error::Port),
            ("192.0.2.5:70000", Error::Port),
            ("192.0.2", Error::Host),
            ("192.0.2.256", Error::Host),
            ("two words", Error::Host),
            ("[::1", Error::Host),
            ("[::1]x", Error::Host),
            ("user@host", Error::Host),
            ("-a.local", Error::Host),
            ("a..local", Error::Host),
        ] {
            assert_eq!(text.parse::<HostUrl>(), Err(error), "{text}");
        }
        assert_eq!("a".repeat(300).parse::<HostUrl>(), Err(Error::Host));
    }
}
