//! What happens in a call, in the page's words.

use std::collections::BTreeMap;

use serde::Serialize;
use visita_client::{
    Error,
    call::{Camera, Levels, Microphone, Speaker},
};
use visita_media::{sound, source};
use visita_protocol::{
    control::{Carries, RelayMessage},
    error::Code,
    id::MemberId,
    travel::Travel,
};

/// What happens in a call, as the page takes it.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CallEvent {
    /// The relay said something.
    Relay {
        /// What.
        message: RelayMessage,
    },
    /// The connection to the relay changed.
    Connection {
        /// How it is.
        state: ConnectionState,
        /// Why it ended, unless it was left.
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<EndCode>,
    },
    /// Over what the call travels from now on.
    Way {
        /// All that is said.
        control: Control,
        /// Pictures and sound, and why not over something better.
        #[serde(flatten)]
        way: Travel,
    },
    /// The own camera changed.
    Camera {
        /// How it is.
        state: CameraState,
    },
    /// A member's picture changed in a way that the page can't see for itself.
    Picture {
        /// Whose.
        member: MemberId,
        /// How it is.
        state: PictureState,
        /// Columns and rows: there are none.
        width: u16,
        /// The same.
        height: u16,
    },
    /// The own microphone changed.
    Microphone {
        /// How it is.
        state: MicState,
    },
    /// Whether the others can be heard changed.
    Sound {
        /// How it is.
        state: SoundState,
    },
    /// What the line carries of what is sent changed.
    Uplink {
        /// Sound alone: the own picture isn't sent for now.
        carries: Carries,
    },
    /// Sound is taken from, or goes to, this device from now on.
    Device {
        /// Which way.
        device: Which,
        /// What it is called.
        name: String,
    },
    /// How loud everybody is, for the meters: ten times a second while there is sound.
    Levels {
        /// One's own microphone, in decibels below full scale, 0 to −127.
        own: i8,
        /// Somebody speaks into a muted microphone.
        #[serde(rename = "talkingMuted")]
        talking_muted: bool,
        /// The same of those who are heard.
        members: BTreeMap<MemberId, i8>,
    },
}

/// What carries what is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// A WebSocket.
    Websocket,
}

/// A device of sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// It hears.
    Microphone,
    /// It is heard.
    Speaker,
}

/// Digital silence, in decibels below full scale.
const SILENCE: f32 = sound::level::SILENCE;

/// A level as whole decibels: finer than any meter.
pub(crate) fn decibels(dbov: f32) -> i8 {
    dbov.clamp(SILENCE, 0.0).round() as i8
}

impl From<Levels> for CallEvent {
    fn from(levels: Levels) -> Self {
        let members = levels.members.into_iter();
        Self::Levels {
            own: decibels(levels.own.unwrap_or(SILENCE)),
            talking_muted: levels.talking_while_muted,
            members: members
                .map(|(member, dbov)| (member, decibels(dbov)))
                .collect(),
        }
    }
}

/// How a picture is that isn't painted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PictureState {
    /// It comes, and can't be opened here.
    Undecodable,
}

/// How the connection to the relay is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// In the room.
    Connected,
    /// Broken, and being resumed.
    Reconnecting,
    /// Over. Nothing follows.
    Ended,
}

/// Why a call ended, or never began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum EndCode {
    /// A code of the protocol's.
    Code(Code),
    /// One of the app's own.
    Own(OwnCode),
}

/// Ends that no relay tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnCode {
    /// Nobody answers, or nobody who is a Visita host.
    Unreachable,
    /// Not the host that was trusted before.
    PinMismatch,
}

impl From<Error> for EndCode {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(code) => Self::Code(code),
            Error::Mismatch(_) => Self::Own(OwnCode::PinMismatch),
            Error::Unreachable { .. } | Error::NotAHost { .. } | Error::Certificate { .. } => {
                Self::Own(OwnCode::Unreachable)
            }
            Error::NotResumed { .. } => Self::Code(Code::SessionGone),
            Error::Protocol(_) => Self::Code(Code::Version),
            Error::Overflow => Self::Code(Code::RateLimited),
            _ => Self::Code(Code::Internal),
        }
    }
}

/// How the own camera is, as the page knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CameraState {
    /// Switched off.
    Off,
    /// Being opened.
    Starting,
    /// Pictures come.
    On,
    /// This program may not use it.
    Denied,
    /// There is none.
    Missing,
    /// Another program has it.
    Busy,
    /// It stopped.
    Lost,
    /// It gives nothing that can be used.
    Failed,
}

impl From<&source::Error> for CameraState {
    fn from(error: &source::Error) -> Self {
        match error {
            source::Error::Missing => Self::Missing,
            source::Error::Denied => Self::Denied,
            source::Error::Busy => Self::Busy,
            source::Error::Lost(_) => Self::Lost,
            _ => Self::Failed,
        }
    }
}

impl From<&Camera> for CameraState {
    fn from(camera: &Camera) -> Self {
        match camera {
            Camera::Off => Self::Off,
            Camera::Starting => Self::Starting,
            Camera::On { .. } => Self::On,
            Camera::Failed(error) => error.into(),
        }
    }
}

/// How the own microphone is, as the page knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MicState {
    /// Not in use.
    Off,
    /// Being opened.
    Starting,
    /// Sound comes.
    On,
    /// Nothing that it hears leaves this device.
    Muted,
    /// This program may not use it.
    Denied,
    /// There is none.
    Missing,
    /// Another program has it.
    Busy,
    /// It stopped.
    Lost,
    /// It gives nothing that can be used.
    Failed,
}

impl From<&sound::Error> for MicState {
    fn from(error: &sound::Error) -> Self {
        match error {
            sound::Error::Missing => Self::Missing,
            sound::Error::Denied => Self::Denied,
            sound::Error::Busy => Self::Busy,
            sound::Error::Lost(_) => Self::Lost,
            _ => Self::Failed,
        }
    }
}

impl From<&Microphone> for MicState {
    fn from(microphone: &Microphone) -> Self {
        match microphone {
            Microphone::Off => Self::Off,
            Microphone::Starting => Self::Starting,
            Microphone::On { .. } => Self::On,
            Microphone::Muted => Self::Muted,
            Microphone::Failed(error) => error.into(),
        }
    }
}

/// Whether the others can be heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SoundState {
    /// They can.
    On,
    /// The loudspeaker was taken away, and is tried again.
    Interrupted,
    /// There is none.
    Missing,
}

impl From<&Speaker> for SoundState {
    fn from(speaker: &Speaker) -> Self {
        match speaker {
            Speaker::On { .. } => Self::On,
            Speaker::Failed(sound::Error::Missing) => Self::Missing,
            Speaker::Failed(_) => Self::Interrupted,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use visita_protocol::travel::{Step, Why};

    use super::*;

    #[test]
    fn levels_are_small_and_what_the_page_reads() {
        let levels = Levels {
            own: Some(-23.4),
            talking_while_muted: true,
            members: vec![(MemberId(4), -60.6), (MemberId(9), f32::NEG_INFINITY)],
        };
        assert_eq!(
            serde_json::to_value(CallEvent::from(levels)).unwrap(),
            json!({
                "type": "levels", "own": -23, "talkingMuted": true,
                "members": { "4": -61, "9": -127 },
            })
        );
        let none = Levels {
            own: None,
            talking_while_muted: false,
            members: Vec::new(),
        };
        assert_eq!(
            serde_json::to_value(CallEvent::from(none)).unwrap(),
            json!({ "type": "levels", "own": -127, "talkingMuted": false, "members": {} })
        );
    }

    #[test]
    fn what_the_line_carries_is_said_alike_in_both_directions() {
        let carries = Carries::Sound;
        assert_eq!(
            serde_json::to_value(CallEvent::Uplink { carries }).unwrap(),
            json!({ "type": "uplink", "carries": "sound" })
        );
        let message = RelayMessage::Line { carries };
        assert_eq!(
            serde_json::to_value(CallEvent::Relay { message }).unwrap(),
            json!({ "type": "relay", "message": { "type": "line", "carries": "sound" } })
        );
    }

    #[test]
    fn over_what_a_call_travels_is_told_as_the_page_reads_it() {
        let event = CallEvent::Way {
            control: Control::Websocket,
            way: Travel {
                step: Step::Frames,
                why: Why::Missing,
            },
        };
        assert_eq!(
            serde_json::to_value(event).unwrap(),
            json!({ "type": "way", "control": "websocket", "step": "frames", "why": "missing" })
        );
    }

    #[test]
    fn a_device_is_told_as_the_page_reads_it() {
        let event = CallEvent::Device {
            device: Which::Speaker,
            name: "Bed".into(),
        };
        assert_eq!(
            serde_json::to_value(event).unwrap(),
            json!({ "type": "device", "device": "speaker", "name": "Bed" })
        );
    }

    #[test]
    fn every_way_in_which_sound_can_fail_has_its_word() {
        let word = |error: &sound::Error| serde_json::to_value(MicState::from(error)).unwrap();
        let lost = sound::Error::Lost("x".into());
        assert_eq!(
            [
                sound::Error::Missing,
                sound::Error::Denied,
                sound::Error::Busy,
                lost.clone()
            ]
            .map(|error| word(&error)),
            ["missing", "denied", "busy", "lost"].map(|word| json!(word))
        );
        assert_eq!(
            word(&sound::Error::Unsupported("x".into())),
            json!("failed")
        );
        let heard = |speaker: Speaker| serde_json::to_value(SoundState::from(&speaker)).unwrap();
        assert_eq!(
            heard(Speaker::Failed(sound::Error::Missing)),
            json!("missing")
        );
        assert_eq!(heard(Speaker::Failed(lost)), json!("interrupted"));
        assert_eq!(heard(Speaker::On { name: "x".into() }), json!("on"));
    }
}
