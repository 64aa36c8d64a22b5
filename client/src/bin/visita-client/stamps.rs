//! `--stamps`: when each frame was where, printed at the end of the call. Only for measurements.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use visita_client::trace::{Stamp, Trace};
use visita_media::{clock, marker, stats::Percentiles};
use visita_protocol::time::MediaTime;

use crate::{exit::Failure, print};

/// Half an hour of sound and picture both ways; what comes after isn't kept.
const MOST: usize = 1 << 20;

#[derive(Clone, Default)]
pub(crate) struct Stamps(Arc<Mutex<Vec<Value>>>);

impl Stamps {
    /// What is to be stamped.
    pub(crate) fn trace(&self) -> Trace {
        let stamps = self.clone();
        Trace::new(move |stamp| {
            let now = clock::now();
            let Some(line) = line(&stamp, now) else {
                return;
            };
            let mut lines = stamps.lines();
            if lines.len() < MOST {
                lines.push(line);
            }
        })
    }

    /// A line for each.
    pub(crate) fn print(&self) -> Result<(), Failure> {
        self.lines().iter().try_for_each(print)
    }

    fn lines(&self) -> MutexGuard<'_, Vec<Value>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn line(stamp: &Stamp, now: MediaTime) -> Option<Value> {
    let frame = |name: &str, track, captured: &MediaTime| json!({"stamp": name, "track": track, "captured": captured.0, "at": now.0});
    Some(match stamp {
        Stamp::Encoded { track, captured } => frame("encoded", track, captured),
        Stamp::Sent { track, captured } => frame("sent", track, captured),
        Stamp::Arrived {
            track, captured, ..
        } => frame("arrived", track, captured),
        // The time that stands in the pixels, not the one that came beside them.
        Stamp::Shown { picture, .. } => {
            let captured = marker::read(picture)?.time.0;
            json!({"stamp": "shown", "captured": captured, "at": now.0})
        }
        Stamp::Heard {
            track,
            mixed_us,
            heard_us,
            ..
        } => {
            json!({"stamp": "heard", "track": track, "mixed_us": shares(mixed_us), "heard_us": shares(heard_us)})
        }
        Stamp::Step(_) | Stamp::Captured { .. } | Stamp::Decoded { .. } | Stamp::Ended { .. } => {
            return None;
        }
    })
}

fn shares(micros: &Percentiles) -> Value {
    json!({"p50": micros.at(0.5), "p95": micros.at(0.95)})
}
