//! Identities, each a type of its own. None of them names a person, so all can be logged, but
//! for [`Secret`], whose value is never printed.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use ts_rs::TS;

/// A participant of one relay: unique while the relay runs, never given twice.
/// One joining is one member; a resumed session keeps its member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(transparent)]
pub struct MemberId(pub u32);

impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m{}", self.0)
    }
}

/// A track of one member; the member chooses the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(transparent)]
pub struct TrackId(pub u8);

impl fmt::Display for TrackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t{}", self.0)
    }
}

/// An identity that isn't the hexadecimal text it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} lower-case hexadecimal digits")]
pub struct BadHex {
    /// How many digits the identity has.
    pub expected: usize,
}

fn parse_hex<const N: usize>(text: &str) -> Result<[u8; N], BadHex> {
    let bad = BadHex { expected: 2 * N };
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return Err(bad);
    }
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(bad),
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(pair[0])? << 4 | value(pair[1])?;
    }
    Ok(bytes)
}

fn to_hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

macro_rules! hex_identity {
    ($(#[$doc:meta])* $name:ident, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, TS)]
        #[ts(type = "string")]
        pub struct $name(pub [u8; $bytes]);

        impl $name {
            /// The value as lower-case hexadecimal digits.
            pub fn hex(&self) -> String {
                to_hex(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = BadHex;
            fn from_str(text: &str) -> Result<Self, BadHex> {
                parse_hex(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.hex())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

macro_rules! printable {
    ($name:ident) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.hex())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.hex())
            }
        }
    };
}

hex_identity!(
    /// A room: 64 random bits, on the wire as 16 hexadecimal digits. This, never the room's
    /// name, stands in URLs.
    RoomId,
    8
);
printable!(RoomId);

hex_identity!(
    /// A session between a participant and a relay: 128 random bits.
    SessionId,
    16
);
printable!(SessionId);

hex_identity!(
    /// A ward: the first 64 bits of the SHA-256 of its CA certificate. Advertised, so that two
    /// wards of one name can be told apart.
    WardId,
    8
);
printable!(WardId);

hex_identity!(
    /// Says that two participants read one machine's clock: equal only for processes of one boot
    /// of one machine. Derived from the boot's random identity, so it says nothing else.
    ClockId,
    8
);
printable!(ClockId);

hex_identity!(
    /// The SHA-256 of a ward's CA certificate (DER): what participants pin.
    Fingerprint,
    32
);
printable!(Fingerprint);

hex_identity!(
    /// What resumes a session: 128 random bits. Its value reaches no log.
    Secret,
    16
);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// Whether the two are equal, in a time that doesn't depend on where they differ.
    pub fn matches(&self, other: &Secret) -> bool {
        let differing = self
            .0
            .iter()
            .zip(other.0)
            .fold(0, |differing, (a, b)| differing | (a ^ b));
        std::hint::black_box(differing) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_goes_both_ways_and_refuses_all_else() {
        let id: RoomId = "00ff10abcdef0123".parse().unwrap();
        assert_eq!(id.hex(), "00ff10abcdef0123");
        for bad in [
            "",
            "00ff10abcdef012",
            "00FF10ABCDEF0123",
            "00ff10abcdef012g",
            "00ff10abcdef01234",
        ] {
            assert_eq!(bad.parse::<RoomId>(), Err(BadHex { expected: 16 }));
        }
    }

    #[test]
    fn a_secret_is_never_printed() {
        assert_eq!(format!("{:?}", Secret([7; 16])), "Secret(…)");
    }
}
