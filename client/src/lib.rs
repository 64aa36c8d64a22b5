//! One participant of a call: finding the host, trusting it, the session, and the call.

pub mod about;
pub mod address;
pub mod backoff;
pub mod call;
pub mod carrier;
mod clock;
mod compress;
mod dial;
pub mod discover;
pub mod error;
mod lane;
pub mod link;
pub mod lobby;
pub mod pictures;
mod probe;
pub mod rate;
pub mod report;
pub mod session;
pub mod trace;
pub mod trust;
pub mod uplink;
mod ways;

pub use call::Call;
pub use error::Error;
