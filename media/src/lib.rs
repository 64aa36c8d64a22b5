//! Capture, conversion and codecs: pictures from a camera and sound from a microphone (or something
//! that stands for them) to encoded frames, and back. No network, no window.
//!
//! [`publish::Publisher`] and [`receive::Receiver`] are the two halves of a call's pictures,
//! [`sound::publish::Publisher`] and [`sound::listen::Listener`] those of its sound; the rest is
//! what they are made of.

pub mod clock;
pub mod convert;
pub mod h264;
pub mod jpeg;
pub mod marker;
pub mod picture;
pub mod publish;
pub mod receive;
mod slot;
pub mod sound;
pub mod source;
pub mod stats;
mod video;
pub mod vp8;

pub use picture::Picture;
