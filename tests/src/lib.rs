//! What the whole-system tests stand on: a host, the programs, and a line that can be cut.

// This is test code that happens to be a library, so that several test programs share it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

pub mod host;
pub mod lan;
pub mod line;
#[cfg(target_os = "linux")]
pub mod link;
pub mod program;
pub mod pulse;
pub mod seen;
pub mod stranger;
#[cfg(target_os = "linux")]
pub mod ward;
