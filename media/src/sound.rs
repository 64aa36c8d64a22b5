//! Sound: from a microphone (or something that stands for one) to Opus packets, and back to a
//! loudspeaker. Inside, sound is mono at 48 kHz in `f32`, ±1 at full scale.
//!
//! [`publish::Publisher`] and [`listen::Listener`] are the two halves of a call. The device's own
//! threads only move samples through rings (`device`); everything else happens on threads of ours.

pub mod devices;
pub mod jitter;
pub mod level;
pub mod listen;
pub mod mix;
pub mod opus;
pub mod played;
pub mod process;
pub mod publish;
pub mod source;
pub mod stretch;

mod device;
mod resample;
mod retry;

#[doc(hidden)]
pub use device::callback::in_callback;

/// Samples a second, everywhere inside.
pub const RATE: u32 = 48_000;
/// Samples of an Opus frame: 20 ms.
pub const FRAME: usize = 960;
/// Samples of a block, the step in which sound is processed, mixed and played: 10 ms, which is what
/// the processing takes.
pub const BLOCK: usize = 480;
/// A frame's duration, in microseconds.
pub const FRAME_US: u64 = 20_000;
/// A block's duration, in microseconds.
pub const BLOCK_US: u64 = 10_000;

/// Why there is no sound. The words are for a log; screens have their own for each kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such device, or none at all.
    #[error("no such sound device was found; connect one, or choose another")]
    Missing,
    /// The system doesn't let this program use it.
    #[error("this program may not use the sound device; allow it in the system's settings")]
    Denied,
    /// Another program has it.
    #[error("the sound device is in use by another program; close that one first")]
    Busy,
    /// It stopped.
    #[error("the sound device stopped ({0}); check its cable, or choose another")]
    Lost(String),
    /// It can nothing that is of use here.
    #[error("the sound device can't be used ({0}); choose another")]
    Unsupported(String),
    /// A file that can't be played.
    #[error("the file can't be played: {0}")]
    File(String),
    /// Anything else.
    #[error("no sound: {0}")]
    Failed(String),
}

impl Error {
    /// Whether it may pass by itself, so that opening again is worth trying.
    pub fn may_pass(&self) -> bool {
        matches!(self, Error::Missing | Error::Busy | Error::Lost(_))
    }
}
