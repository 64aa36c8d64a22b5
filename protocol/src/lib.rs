//! Visita's protocol: what goes over the wire, and the rules of rooms and forwarding as pure
//! state machines. Nothing here does I/O or reads a clock; time is passed in.
//!
//! PROTOCOL.md describes the same for somebody who writes another client.

pub mod budget;
pub mod chunk;
pub mod code;
pub mod compress;
pub mod control;
pub mod error;
pub mod frame;
pub mod id;
pub mod keyframe;
pub mod line;
pub mod losses;
pub mod media;
pub mod name;
pub mod publisher;
pub mod pulse;
pub mod receiver;
pub mod red;
pub mod room;
pub mod sealed;
pub mod session;
pub mod sframe;
pub mod sound;
pub mod speakers;
pub mod time;
pub mod travel;
pub mod trouble;
pub mod way;
pub mod webrtc;

/// The protocol version that this crate speaks. Both sides say which they speak in
/// [`control::Hello`] and [`control::Welcome`].
pub const VERSION: u8 = 1;

/// Every version this crate speaks, best first.
pub const VERSIONS: &[u8] = &[VERSION];
