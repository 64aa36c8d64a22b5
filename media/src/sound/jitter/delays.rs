//! How late packets come, and how late to play so that nearly all are there: pure, whole numbers
//! only, so that the page's twin counts the same.

use std::collections::VecDeque;

use super::plan::TICK_US;

/// Packets are judged by half-seconds: what matters is how late the latest of each was, since one
/// late packet holds up those behind it (libwebrtc's resampled delay, `resample_interval_ms`).
const SPAN_US: u64 = 500_000;
/// Half a minute is remembered (libwebrtc's forget factor of 0.983 at two values a second).
const REMEMBERED: usize = 60;
/// The fastest way of a packet is looked for among so many of the last half-seconds: two seconds
/// (libwebrtc's `max_history_ms`) let a longer way, or clocks that drift, be noticed soon.
const FASTEST_OF: usize = 5;
/// One half-second of so many may be worse than what is aimed at (the 95 % quantile), and one in
/// any case: a single gap must not make everybody wait for half a minute.
const LEFT_OUT_OF: usize = 20;
/// The least to wait, in microseconds: less would be at the mercy of the system's scheduling.
const LEAST_US: u64 = 20_000;
/// The most: beyond it a conversation is none, and holes are better.
const MOST_US: u64 = 400_000;
/// What is aimed at in the first two seconds, unless it is known to be too little.
const FIRST_US: u64 = 40_000;
const FIRST_SPANS: usize = 4;

/// What was seen of the packets' delays.
#[derive(Clone, Debug)]
pub(super) struct Delays {
    spans: VecDeque<Span>,
    target: u64,
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            spans: VecDeque::new(),
            target: FIRST_US,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Span {
    number: u64,
    fastest: i64,
    slowest: i64,
    /// How much slower the slowest was than the fastest of the last seconds.
    late: u64,
}

impl Delays {
    /// A packet took so long, between two clocks: the difference alone says nothing.
    pub(super) fn add(&mut self, arrival: u64, transit: i64) {
        let number = arrival / SPAN_US;
        match self.spans.back_mut() {
            Some(span) if span.number >= number => {
                span.fastest = span.fastest.min(transit);
                span.slowest = span.slowest.max(transit);
            }
            _ => {
                if self.spans.len() == REMEMBERED {
                    self.spans.pop_front();
                }
                self.spans.push_back(Span {
                    number,
                    fastest: transit,
                    slowest: transit,
                    late: 0,
                });
            }
        }
        let fastest = self.fastest().unwrap_or(transit);
        let newest = self.spans.back().map_or(number, |span| span.number);
        for span in self.spans.iter_mut().rev() {
            if span.number + FASTEST_OF as u64 <= newest {
                break;
            }
            // What was late only against what is out of sight by now wasn't late: the way had
            // become longer.
            span.late = span.late.min((span.slowest - fastest).max(0) as u64);
        }
        if let Some(span) = self.spans.back_mut() {
            span.late = (span.slowest - fastest).max(0) as u64;
        }
        self.aim();
    }

    /// How long the fastest packet of the last seconds took.
    pub(super) fn fastest(&self) -> Option<i64> {
        let newest = self.spans.back()?.number;
        let recent = |span: &&Span| span.number + FASTEST_OF as u64 > newest;
        let spans = self.spans.iter().rev().take_while(recent);
        spans.map(|span| span.fastest).min()
    }

    /// How much later than the fastest packet to play, in microseconds.
    pub(super) fn target(&self) -> u64 {
        self.target
    }

    fn aim(&mut self) {
        let mut lates: Vec<u64> = self.spans.iter().map(|span| span.late).collect();
        lates.sort_unstable_by(|a, b| b.cmp(a));
        let left_out = (lates.len() / LEFT_OUT_OF).max(1);
        let late = lates.get(left_out).copied().unwrap_or(0);
        // A packet that comes right after a tick is first seen at the next.
        let target = (late + TICK_US).clamp(LEAST_US, MOST_US);
        self.target = if lates.len() < FIRST_SPANS {
            target.max(FIRST_US)
        } else {
            target
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets every 20 ms with these delays, over and over.
    fn seen(seconds: u64, delays: &[i64]) -> Delays {
        let mut seen = Delays::default();
        for (number, delay) in (0..seconds * 50).zip(delays.iter().cycle()) {
            let sent = number as i64 * 20_000;
            seen.add((sent + delay) as u64, 5_000_000 + delay);
        }
        seen
    }

    #[test]
    fn a_clean_line_waits_for_the_least() {
        assert_eq!(seen(1, &[1_000]).target(), FIRST_US);
        assert_eq!(seen(10, &[1_000]).target(), LEAST_US);
        assert_eq!(seen(10, &[1_000]).fastest(), Some(5_001_000));
    }

    #[test]
    fn what_is_often_late_is_waited_for() {
        let mut delays = [1_000; 40];
        delays[20] = 81_000;
        assert_eq!(seen(10, &delays).target(), 90_000);
    }

    #[test]
    fn what_was_late_once_is_not() {
        let mut delays = [1_000; 500];
        delays[300] = 301_000;
        assert_eq!(seen(10, &delays).target(), LEAST_US);
    }

    #[test]
    fn it_is_never_waited_for_more_than_the_most() {
        let mut delays = [1_000; 20];
        delays[7] = 30_000_000;
        assert_eq!(seen(40, &delays).target(), MOST_US);
    }

    #[test]
    fn a_longer_way_becomes_the_usual_one() {
        let mut seen = seen(10, &[1_000]);
        for number in 500..650 {
            seen.add(number * 20_000, 5_101_000);
        }
        assert_eq!(seen.fastest(), Some(5_101_000));
        for number in 650..800 {
            seen.add(number * 20_000, 5_101_000);
        }
        assert_eq!(seen.target(), LEAST_US);
    }

    #[test]
    fn it_stays_small_and_whole_whatever_comes() {
        let mut seen = Delays::default();
        for number in 0..100_000_u64 {
            seen.add(
                number * 1_000,
                (number as i64 * 7919 % 100_000_007) - 50_000_000,
            );
        }
        assert!(seen.spans.len() <= REMEMBERED);
        assert!((LEAST_US..=MOST_US).contains(&seen.target()));
    }
}
