//! Where a frame's time goes: stamps for measurements, off unless somebody asks.

use std::{fmt, sync::Arc};

use visita_media::{Picture, stats::Percentiles};
use visita_protocol::{
    id::{MemberId, TrackId},
    time::MediaTime,
};

/// A moment in a participant's or a frame's life; its time is that of the call.
#[derive(Clone, Debug)]
pub enum Stamp {
    /// On the way into a room.
    Step(Step),
    /// The source gave it.
    Captured {
        /// When it was captured.
        captured: MediaTime,
    },
    /// It came out of the encoder.
    Encoded {
        /// Its track.
        track: TrackId,
        /// When it was captured.
        captured: MediaTime,
    },
    /// Its last chunk was taken by the socket.
    Sent {
        /// Its track.
        track: TrackId,
        /// When it was captured.
        captured: MediaTime,
    },
    /// Its last chunk came.
    Arrived {
        /// Who sent it.
        from: MemberId,
        /// Its track.
        track: TrackId,
        /// When it was captured.
        captured: MediaTime,
    },
    /// It is a picture again.
    Decoded {
        /// Who sent it.
        from: MemberId,
        /// Its track.
        track: TrackId,
        /// The picture.
        picture: Picture,
    },
    /// A picture was put where whoever paints takes it from.
    Shown {
        /// Who sent it.
        from: MemberId,
        /// The picture.
        picture: Picture,
    },
    /// A track of sound is over.
    Heard {
        /// Who sent it.
        from: MemberId,
        /// Which.
        track: TrackId,
        /// From capture to being mixed, for each block, in microseconds.
        mixed_us: Percentiles,
        /// From capture to being heard, as far as the device says.
        heard_us: Percentiles,
    },
    /// A track of pictures is over.
    Ended {
        /// Who sent it.
        from: MemberId,
        /// Which.
        track: TrackId,
        /// What decoding alone took, for each frame, in microseconds.
        decode_us: Percentiles,
    },
}

/// The way into a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// TCP and TLS stand.
    Connected,
    /// The WebSocket stands.
    Upgraded,
    /// The host knows the participant.
    Welcomed,
    /// It is in the room.
    Joined,
    /// The host wants its pictures.
    Asked,
}

/// Takes the stamps, at once and on whichever thread they are made.
#[derive(Clone)]
pub struct Trace(Arc<dyn Fn(Stamp) + Send + Sync>);

impl Trace {
    /// A taker.
    pub fn new(take: impl Fn(Stamp) + Send + Sync + 'static) -> Self {
        Self(Arc::new(take))
    }

    pub(crate) fn stamp(&self, stamp: Stamp) {
        (self.0)(stamp);
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trace")
    }
}
