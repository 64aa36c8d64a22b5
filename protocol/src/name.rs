//! Names that people give: parsed at the edge, and never printed by accident. None of these
//! types implements `Display`, and their `Debug` shows only a length.

use std::fmt;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::error::Code;

/// The longest name, in characters (Unicode scalar values). Long enough for two given names and
/// two family names with "y", short enough for one line of a log of visits.
pub const MAX_NAME_CHARS: usize = 80;

/// The longest chat message, in characters.
pub const MAX_CHAT_CHARS: usize = 2_000;

/// Text as people should see it: no control characters, and none that change the direction of
/// what stands beside it. Inner white space becomes single spaces.
fn tidy(text: &str) -> String {
    let invisible = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{feff}'
                | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{fff9}'..='\u{fffb}')
    };
    text.split_whitespace()
        .map(|word| word.chars().filter(|&c| !invisible(c)).collect::<String>())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $max:expr, $empty:expr, $long:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
        #[serde(try_from = "String", into = "String")]
        #[ts(type = "string")]
        pub struct $name(String);

        impl $name {
            /// Tidies `text` (control and direction characters out, white space folded).
            /// Fails with a code when nothing is left or too much.
            pub fn new(text: &str) -> Result<Self, Code> {
                // Bounded before any work: a name of 10 MB must not cost more than a short one.
                if text.len() > 16 * $max {
                    return Err($long);
                }
                let text = tidy(text);
                match text.chars().count() {
                    0 => Err($empty),
                    n if n > $max => Err($long),
                    _ => Ok(Self(text)),
                }
            }

            /// The text, for showing it to people. Never for a log, a URL or a notification.
            pub fn reveal(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Code;
            fn try_from(text: String) -> Result<Self, Code> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({} chars)"), self.0.chars().count())
            }
        }
    };
}

name!(
    /// What a person is called.
    PersonName,
    MAX_NAME_CHARS,
    Code::NameEmpty,
    Code::NameTooLong
);
name!(
    /// What a room is called. It may hold a person's name, so it is treated as one.
    RoomName,
    MAX_NAME_CHARS,
    Code::NameEmpty,
    Code::NameTooLong
);
name!(
    /// What a person wrote.
    ChatText,
    MAX_CHAT_CHARS,
    Code::ChatEmpty,
    Code::ChatTooLong
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_tidied_bounded_and_never_printed() {
        assert_eq!(
            PersonName::new("  Ana \u{202e}María\n\tde  la O\u{0} ")
                .unwrap()
                .reveal(),
            "Ana María de la O"
        );
        assert_eq!(PersonName::new("\u{202e} \u{200b}"), Err(Code::NameEmpty));
        assert_eq!(PersonName::new(&"x".repeat(10_000)), Err(Code::NameTooLong));
        assert_eq!(
            PersonName::new("👩‍👩‍👧 مريم <b>x</b>").unwrap().reveal(),
            "👩‍👩‍👧 مريم <b>x</b>"
        );
        assert_eq!(
            format!("{:?}", PersonName::new("Ana").unwrap()),
            "PersonName(3 chars)"
        );
    }
}
