//! Where a picture's time goes, for whoever measures it: with `VISITA_LOG=visita::way=trace` the log
//! has a line for each station of each picture, with its time of capture and the time now on the
//! same clock. `benches/waterfall/paint.mjs` reads them.

use tracing::{Level, enabled, trace};
use visita_client::trace::{Stamp, Trace};
use visita_media::clock;
use visita_protocol::time::MediaTime;

/// What a call is to stamp; nothing unless somebody asked.
pub fn trace() -> Option<Trace> {
    enabled!(target: "visita::way", Level::TRACE).then(|| {
        Trace::new(|stamp| match stamp {
            Stamp::Arrived { captured, .. } => station("arrived", captured),
            Stamp::Decoded { picture, .. } => station("decoded", picture.time()),
            _ => {}
        })
    })
}

/// The picture has got so far.
pub fn station(at: &'static str, captured: MediaTime) {
    trace!(target: "visita::way", at, captured = captured.0, now = clock::now().0);
}
