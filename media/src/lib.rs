//! Capture, conversion and codecs: pictures from a camera (or something that stands for one) to
//! encoded frames, and back. No network, no window.
//!
//! [`publish::Publisher`] and [`receive::Receiver`] are the two halves of a call; the rest is
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
pub mod source;
pub mod stats;

pub use picture::Picture;
