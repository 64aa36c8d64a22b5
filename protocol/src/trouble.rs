//! What went wrong in a page, as it may stand in a log: which kind of error, and where in our own
//! files. Never its message, which can hold what people wrote or what they are called.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// An error in a page.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Trouble {
    /// Which kind of error.
    pub kind: Kind,
    /// How it came to light.
    pub seen: Seen,
    /// In which of the page's own files.
    pub file: File,
    /// The line, from 1; 0 if it isn't known.
    pub line: u16,
    /// The column, from 1; 0 if it isn't known.
    pub column: u16,
}

/// The kinds of errors that JavaScript and the web have; others are [`Kind::Other`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "TroubleKind")]
pub enum Kind {
    /// `Error`.
    Error,
    /// `TypeError`.
    TypeError,
    /// `RangeError`.
    RangeError,
    /// `ReferenceError`.
    ReferenceError,
    /// `SyntaxError`.
    SyntaxError,
    /// `DOMException` named `NotSupportedError`.
    NotSupported,
    /// `DOMException` named `InvalidStateError`.
    InvalidState,
    /// `DOMException` named `NotAllowedError` or `SecurityError`.
    NotAllowed,
    /// `DOMException` named `QuotaExceededError`.
    Quota,
    /// `DOMException` named `EncodingError` or `DataError`.
    Encoding,
    /// `DOMException` named `NetworkError`.
    Network,
    /// Anything else.
    Other,
}

/// How an error came to light.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "TroubleSeen")]
pub enum Seen {
    /// Nothing caught it.
    Thrown,
    /// A promise was rejected, and nobody took it.
    Rejected,
    /// The page caught it and went on.
    Caught,
}

/// The name of one of the page's files, such as `views/call.js`. Whether there is such a file is
/// for the one who keeps them to say; before that it isn't printed.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(try_from = "String", into = "String")]
#[ts(rename = "TroubleFile", type = "string")]
pub struct File(String);

/// The longest name of a file, in bytes.
const MAX_FILE: usize = 64;

/// Not the name of a file of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a file of the page")]
pub struct BadFile;

impl File {
    /// The name, to look the file up by.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for File {
    type Error = BadFile;

    fn try_from(name: String) -> Result<Self, BadFile> {
        let stem = name.strip_suffix(".js").ok_or(BadFile)?;
        let part = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        (name.len() <= MAX_FILE && stem.split('/').all(part))
            .then_some(Self(name))
            .ok_or(BadFile)
    }
}

impl From<File> for String {
    fn from(file: File) -> Self {
        file.0
    }
}

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("File")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<Trouble> {
        serde_json::from_str(text).ok()
    }

    #[test]
    fn what_is_known_is_read() {
        let text = r#"{"kind":"type_error","seen":"rejected","file":"views/call.js","line":12,"column":3}"#;
        let trouble = parse(text).unwrap();
        assert_eq!(
            (trouble.kind, trouble.seen),
            (Kind::TypeError, Seen::Rejected)
        );
        assert_eq!(
            (trouble.file.as_str(), trouble.line, trouble.column),
            ("views/call.js", 12, 3)
        );
        assert_eq!(serde_json::to_string(&trouble).unwrap(), text);
        assert!(
            !format!("{trouble:?}").contains("call"),
            "not before it is known"
        );
    }

    #[test]
    fn free_text_has_no_place() {
        let with = |kind: &str, file: &str, more: &str| {
            parse(&format!(
                r#"{{"kind":"{kind}","seen":"thrown","file":"{file}","line":1,"column":1{more}}}"#
            ))
        };
        assert!(with("error", "main.js", "").is_some());
        assert!(with("Ana Ortega", "main.js", "").is_none());
        assert!(with("error", "main.js", r#","message":"Ana Ortega""#).is_none());
        let long = format!("{}.js", "a".repeat(MAX_FILE));
        for file in [
            "", ".js", "main", "Ana.js", "a b.js", "../a.js", "/a.js", "a//b.js", "a.js?x", "á.js",
            &long,
        ] {
            assert!(with("error", file, "").is_none(), "{file}");
        }
    }
}
