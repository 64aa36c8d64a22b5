//! How well each participant is connected, out of the relay's own figures. Pure: figures and the
//! time go in, words' keys come out.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use serde::Serialize;
use visita_protocol::{id::MemberId, time::Now};
use visita_relay::Line;

use super::steady::{Patience, Steady};

/// How well somebody is connected. The page has the words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// Everything arrives.
    #[default]
    Good,
    /// Some pictures are left out, or come late.
    Weak,
    /// Most pictures are left out, or come so late that one can't converse.
    Poor,
}

/// Over how much of the past frames are counted.
const WINDOW: Duration = Duration::from_secs(6);

/// One bad moment isn't a bad line; and one that recovered should have done so for good.
const PATIENCE: Patience = Patience {
    worse: Duration::from_secs(4),
    better: Duration::from_secs(10),
};

/// From where on a line is weak, and from where on poor.
struct Limits {
    /// Frames left out, in percent of those that were for this participant. A temporal layer that
    /// is left out is half of them.
    left_out: [u64; 2],
    /// There and back. ITU-T G.114: beyond 150 ms one way people begin to talk over each other;
    /// beyond 400 ms one way no conversation is possible.
    round_trip: [Duration; 2],
}

const LIMITS: Limits = Limits {
    left_out: [5, 60],
    round_trip: [Duration::from_millis(300), Duration::from_millis(800)],
};

/// Everybody's lines.
#[derive(Debug, Default)]
pub(crate) struct Lines(BTreeMap<MemberId, Known>);

#[derive(Debug, Default)]
struct Known {
    /// What the relay counted, and when; the oldest is the window's beginning.
    counted: VecDeque<(Now, u64, u64)>,
    round_trip: Option<Duration>,
    quality: Steady<Quality>,
}

impl Lines {
    /// Takes the relay's figures of now. Who isn't among them is forgotten.
    pub(crate) fn take(&mut self, now: Now, lines: &[(MemberId, Line)]) {
        self.0
            .retain(|member, _| lines.iter().any(|(here, _)| here == member));
        for (member, line) in lines {
            self.0.entry(*member).or_default().take(now, line);
        }
    }

    /// How well somebody is connected; `None` when it isn't known yet.
    pub(crate) fn quality(&self, member: MemberId) -> Option<Quality> {
        let known = self.0.get(&member)?;
        known.round_trip?;
        Some(known.quality.told())
    }

    /// There and back, as it was last measured.
    pub(crate) fn round_trip(&self, member: MemberId) -> Option<Duration> {
        self.0.get(&member)?.round_trip
    }
}

impl Known {
    fn take(&mut self, now: Now, line: &Line) {
        self.round_trip = line.round_trip;
        self.counted.push_back((now, line.frames, line.dropped));
        while self
            .counted
            .get(1)
            .is_some_and(|(at, ..)| now.since(*at) >= WINDOW)
        {
            self.counted.pop_front();
        }
        let left_out = self.counted.front().map_or(0, |(_, frames, dropped)| {
            let frames = line.frames.saturating_sub(*frames);
            let dropped = line.dropped.saturating_sub(*dropped);
            (100 * dropped).checked_div(frames).unwrap_or(0)
        });
        let measured = by(&left_out, &LIMITS.left_out)
            .max(by(&line.round_trip.unwrap_or_default(), &LIMITS.round_trip));
        self.quality.take(now, measured, PATIENCE);
    }
}

fn by<T: PartialOrd>(value: &T, [weak, poor]: &[T; 2]) -> Quality {
    if value > poor {
        Quality::Poor
    } else if value > weak {
        Quality::Weak
    } else {
        Quality::Good
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHO: MemberId = MemberId(7);

    struct Simulated {
        lines: Lines,
        second: u64,
        line: Line,
    }

    impl Simulated {
        fn new() -> Self {
            Self {
                lines: Lines::default(),
                second: 0,
                line: Line::default(),
            }
        }

        /// So many seconds with 30 frames each, of which so many are left out.
        fn pass(&mut self, seconds: u64, dropped: u64, round_trip_ms: u64) -> Option<Quality> {
            for _ in 0..seconds {
                self.second += 1;
                self.line.frames += 30;
                self.line.dropped += dropped;
                self.line.round_trip = Some(Duration::from_millis(round_trip_ms));
                self.lines
                    .take(Now(self.second * 1_000_000), &[(WHO, self.line)]);
            }
            self.lines.quality(WHO)
        }
    }

    #[test]
    fn nothing_is_said_before_it_is_known() {
        let mut lines = Lines::default();
        lines.take(Now(0), &[(WHO, Line::default())]);
        assert_eq!(lines.quality(WHO), None);
        assert_eq!(lines.quality(MemberId(8)), None);
    }

    #[test]
    fn a_line_gets_weak_poor_and_good_again() {
        let mut simulated = Simulated::new();
        assert_eq!(simulated.pass(20, 0, 5), Some(Quality::Good));
        // One second's trouble isn't told.
        assert_eq!(simulated.pass(1, 1, 5), Some(Quality::Good));
        assert_eq!(simulated.pass(20, 0, 5), Some(Quality::Good));
        // Its upper temporal layer goes: weak, and steadily so.
        assert_eq!(simulated.pass(8, 15, 5), Some(Quality::Weak));
        assert_eq!(simulated.pass(60, 15, 5), Some(Quality::Weak));
        // Nearly everything goes.
        assert_eq!(simulated.pass(15, 28, 5), Some(Quality::Poor));
        // On its way back through what the window still holds it is told as weak first.
        assert_eq!(simulated.pass(12, 0, 5), Some(Quality::Poor));
        assert_eq!(simulated.pass(3, 0, 5), Some(Quality::Weak));
        assert_eq!(simulated.pass(10, 0, 5), Some(Quality::Good));
    }

    #[test]
    fn a_late_line_is_weak_although_nothing_is_lost() {
        let mut simulated = Simulated::new();
        assert_eq!(simulated.pass(20, 0, 350), Some(Quality::Weak));
        assert_eq!(simulated.pass(20, 0, 2000), Some(Quality::Poor));
    }

    #[test]
    fn who_left_is_forgotten() {
        let mut simulated = Simulated::new();
        simulated.pass(20, 28, 5);
        simulated.lines.take(Now(30_000_000), &[]);
        assert!(simulated.lines.0.is_empty());
    }
}
