//! The only clocks of this crate.

use std::{
    sync::LazyLock,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use visita_protocol::time::{Now, WallMs};

static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// This moment, for state machines.
pub(crate) fn now() -> Now {
    Now(ORIGIN.elapsed().as_micros() as u64)
}

/// A moment of ours as the system's.
pub(crate) fn instant(at: Now) -> Instant {
    *ORIGIN + Duration::from_micros(at.0)
}

/// This moment, for people.
pub(crate) fn wall() -> WallMs {
    WallMs(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_millis() as u64,
    )
}
