//! One participant of a call: finding the host, trusting it, the session, and the call.

pub mod address;
pub mod backoff;
pub mod carrier;
mod clock;
mod compress;
pub mod discover;
pub mod error;
pub mod rate;
pub mod session;
pub mod trust;
pub mod uplink;

pub use error::Error;
