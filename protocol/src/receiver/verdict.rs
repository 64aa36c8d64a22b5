//! What becomes of the frames that a receiver is offered.

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// The receiver doesn't get this track.
    NotSelected,
    /// It will be sent.
    Queued,
    /// It won't.
    Dropped {
        /// Why.
        reason: Reason,
        /// Whether a key frame of the track is needed before any other frame can be sent.
        key_frame: bool,
    },
}

/// Why a frame of a selected track isn't sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It refers to a frame that wasn't sent, or the track waits for its first key frame.
    Reference,
    /// It belongs to another spatial layer than the one that is shown.
    Spatial,
    /// It belongs to an upper temporal layer, and the receiver is slow.
    Temporal,
    /// It isn't a key frame, or one too many, and the receiver is very slow.
    KeyFramesOnly,
    /// It is a picture, and the receiver has hardly line enough for sound.
    SoundOnly,
    /// It waited in a queue that was emptied or grew too old.
    Purged,
    /// Its sequence isn't above that of the frames before.
    Late,
    /// It is larger than any frame may be, or sound that refers to other frames.
    Invalid,
}

impl Reason {
    /// Every reason, in the order of [`Counters`]' array.
    pub const ALL: [Reason; 8] = [
        Reason::Reference,
        Reason::Spatial,
        Reason::Temporal,
        Reason::KeyFramesOnly,
        Reason::SoundOnly,
        Reason::Purged,
        Reason::Late,
        Reason::Invalid,
    ];

    /// A name for metrics.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Reference => "reference",
            Reason::Spatial => "spatial",
            Reason::Temporal => "temporal",
            Reason::KeyFramesOnly => "key_frames_only",
            Reason::SoundOnly => "sound_only",
            Reason::Purged => "purged",
            Reason::Late => "late",
            Reason::Invalid => "invalid",
        }
    }
}

/// What a receiver got and didn't get since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Control messages taken out.
    pub control: u64,
    /// Sound frames taken out whole.
    pub sound: u64,
    /// Sound frames that were queued and thrown away.
    pub sound_purged: u64,
    /// Picture frames taken out whole.
    pub picture: u64,
    /// Payload bytes of those frames.
    pub bytes: u64,
    pub(super) dropped: [u64; Reason::ALL.len()],
}

impl Counters {
    /// How many frames were dropped for this reason.
    pub fn dropped(&self, reason: Reason) -> u64 {
        self.dropped[reason as usize]
    }
}
