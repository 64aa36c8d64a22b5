//! The offer that brings the `webrtc` carrier up, and its answer: `POST /api/v1/webrtc`.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    id::{Secret, SessionId, TrackId},
    media::Codec,
};

/// The largest offer that is read, in bytes: a hundred media have half of it.
pub const MAX_OFFER: usize = 128 * 1024;

/// The label of the data channel that carries frames which RTP can't: unordered.
pub const FRAMES: &str = "frames";

/// The label of the data channel that a session's control may go over: ordered and reliable.
pub const CONTROL: &str = "control";

/// The RTP header extension that holds a frame's header ([`crate::frame`]), on each of its packets:
/// so a track can go over either way, frame by frame, and is on its sender's clock on both.
pub const HEADER: &str = "urn:visita:frame-header";

/// A participant's offer of another way for its media, and for its control if it resumes there.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct Offer {
    /// The session that it is for, from its welcome.
    pub session: SessionId,
    /// What proves it, from the same.
    pub secret: Secret,
    /// The offer (RFC 8829): at most one sound and one picture to send, then pairs of a sound and a
    /// picture to receive, then the data channels [`FRAMES`] and, if there is to be one, [`CONTROL`].
    pub sdp: String,
    /// Which of the participant's tracks it sends this way.
    #[serde(default)]
    pub tracks: Vec<Sent>,
}

/// Ends a session in order, beside its connection: `DELETE /api/v1/webrtc`. Or only takes an offer
/// back, for when what is sent over UDP doesn't arrive: `DELETE /api/v1/webrtc/way`.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct Leave {
    /// The session, from its welcome.
    pub session: SessionId,
    /// What proves it, from the same.
    pub secret: Secret,
}

/// A track that comes by RTP: what is received in this codec is of this track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Sent {
    /// The codec.
    pub codec: Codec,
    /// The track, as announced.
    pub track: TrackId,
}

/// The relay's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Answer {
    /// The answer (RFC 8829), with all of the relay's candidates.
    pub sdp: String,
}
