//! The time, read in one place.

use visita_protocol::time::Now;

/// The time now, for the state machines.
pub(crate) fn now() -> Now {
    Now(visita_media::clock::now().0)
}
