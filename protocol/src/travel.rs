//! Over what a participant's pictures and sound travel, and why not over something better: coarse
//! words, told to the relay so that whoever keeps it can see what a ward's network lets through.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A step of the ladder, and the reason for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
pub struct Travel {
    /// Over what.
    pub step: Step,
    /// Why not over something better.
    pub why: Why,
}

/// Over what pictures and sound travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// UDP.
    Webrtc,
    /// As frames over the WebSocket, pictures in a codec for moving ones.
    Frames,
    /// As frames over the WebSocket, pictures as JPEG alone.
    Jpeg,
    /// They don't: the connection takes none, and there is no other.
    None,
    /// A step of a newer version.
    #[serde(other)]
    Unknown,
}

/// Why they don't travel over UDP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// They do.
    None,
    /// It is being tried for the first time.
    Trying,
    /// The participant has no UDP.
    Missing,
    /// The relay has none.
    Off,
    /// The relay didn't take the offer, or it couldn't be made.
    Refused,
    /// Nothing came back: the network lets none through.
    Silent,
    /// It was up, and broke.
    Lost,
    /// A reason of a newer version.
    #[serde(other)]
    Unknown,
}

impl Step {
    /// Its word on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Step::Webrtc => "webrtc",
            Step::Frames => "frames",
            Step::Jpeg => "jpeg",
            Step::None => "none",
            Step::Unknown => "unknown",
        }
    }
}

impl Why {
    /// Its word on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Why::None => "none",
            Why::Trying => "trying",
            Why::Missing => "missing",
            Why::Off => "off",
            Why::Refused => "refused",
            Why::Silent => "silent",
            Why::Lost => "lost",
            Why::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_words_are_those_of_the_wire() {
        for step in [Step::Webrtc, Step::Frames, Step::Jpeg, Step::None] {
            assert_eq!(serde_json::to_value(step).unwrap(), step.word());
        }
        for why in [
            Why::None,
            Why::Trying,
            Why::Missing,
            Why::Off,
            Why::Refused,
            Why::Silent,
            Why::Lost,
        ] {
            assert_eq!(serde_json::to_value(why).unwrap(), why.word());
        }
    }

    #[test]
    fn what_only_a_newer_version_knows_is_unknown() {
        let way: Travel = serde_json::from_str(r#"{"step":"quic","why":"quarantined"}"#).unwrap();
        assert_eq!((way.step, way.why), (Step::Unknown, Why::Unknown));
    }
}
