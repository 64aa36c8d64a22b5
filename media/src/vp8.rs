//! VP8 (RFC 6386) by the system's libvpx: for members who have no H.264. Where no libvpx is linked
//! ([`AVAILABLE`] is false), nothing can be made of it, and nobody is told that it could.

pub mod decode;
pub mod encode;
pub mod header;

#[cfg(target_os = "linux")]
mod native;
#[cfg(not(target_os = "linux"))]
#[path = "vp8/absent.rs"]
mod native;

pub use native::AVAILABLE;

/// What libvpx says went wrong: its return code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("libvpx returned {0}")]
pub struct Failure(pub u32);
