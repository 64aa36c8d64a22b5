//! Time as values: nothing in this crate reads a clock.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A moment on the caller's own monotonic clock, in microseconds from any fixed origin.
/// The state machines only compare and subtract moments of one clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Now(pub u64);

impl Now {
    /// The time since `earlier`, zero when `earlier` lies ahead.
    pub fn since(self, earlier: Now) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// The moment `before` earlier.
    pub fn minus(self, before: Duration) -> Now {
        Now(self.0.saturating_sub(before.as_micros() as u64))
    }

    /// The moment `after` later.
    pub fn plus(self, after: Duration) -> Now {
        Now(self.0.saturating_add(after.as_micros() as u64))
    }
}

/// A media timestamp: microseconds on the sender's clock, one clock for its sound and picture.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS,
)]
#[serde(transparent)]
#[ts(type = "number")]
pub struct MediaTime(pub u64);

/// A wall-clock time for people: milliseconds since 1970 (UTC), as the relay's machine believes.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS,
)]
#[serde(transparent)]
#[ts(type = "number")]
pub struct WallMs(pub u64);
