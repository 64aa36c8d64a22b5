//! A sender's packets on their way to the mixer: put in order, waited for, repaired, stretched.
//! Pure: packets and the time go in, blocks of 10 ms come out.
//!
//! [`plan`] decides and never looks at sound, [`Buffer`] does what it says with Opus and
//! [`super::stretch`]. The crate `neteq` (0.9) was looked at for this. It reads the clock itself in
//! nine places, so an hour can't be simulated and a trace can't be played twice alike; it fills
//! holes with noise instead of what the decoder makes up, and repairs nothing; it aims at least at
//! 80 ms at first. And the page needs the same decisions in JavaScript.

mod buffer;
mod delays;
pub mod plan;
mod seen;

pub use buffer::{Buffer, Counts, Heard};
