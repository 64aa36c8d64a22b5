//! What a call's report counts: pure, time passed in.

use visita_protocol::time::MediaTime;

/// Percentiles of whole numbers, to within 1 %, in a few kilobytes however long the call lasts.
#[derive(Clone)]
pub struct Percentiles {
    buckets: Vec<u32>,
    count: u64,
}

/// Numbers of one power of two are told apart in this many steps (2⁷: half a step is 0.4 %).
const STEP_BITS: u32 = 7;
const STEPS: u64 = 1 << STEP_BITS;

fn bucket(value: u64) -> usize {
    if value < STEPS {
        return value as usize;
    }
    let power = value.ilog2();
    let step = (value >> (power - STEP_BITS)) - STEPS;
    (u64::from(power - STEP_BITS + 1) * STEPS + step) as usize
}

/// The middle of a bucket.
fn value_of(bucket: usize) -> u64 {
    let (power, step) = (bucket as u64 / STEPS, bucket as u64 % STEPS);
    if power == 0 {
        return step;
    }
    let width = 1 << (power - 1);
    (STEPS + step) * width + width / 2
}

impl Percentiles {
    /// Of nothing yet.
    pub const fn new() -> Self {
        Self {
            buckets: Vec::new(),
            count: 0,
        }
    }

    /// Counts a number.
    pub fn add(&mut self, value: u64) {
        let bucket = bucket(value);
        if self.buckets.len() <= bucket {
            self.buckets.resize(bucket + 1, 0);
        }
        self.buckets[bucket] = self.buckets[bucket].saturating_add(1);
        self.count += 1;
    }

    /// Counts all that another one counted.
    pub fn merge(&mut self, other: &Self) {
        if self.buckets.len() < other.buckets.len() {
            self.buckets.resize(other.buckets.len(), 0);
        }
        for (own, more) in self.buckets.iter_mut().zip(&other.buckets) {
            *own = own.saturating_add(*more);
        }
        self.count += other.count;
    }

    /// How many numbers were counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The smallest number that at least `share` (0 to 1) of all are not above; `None` of nothing.
    pub fn at(&self, share: f64) -> Option<u64> {
        let rank = ((share.clamp(0.0, 1.0) * self.count as f64).ceil() as u64).max(1);
        let mut seen = 0;
        let found = self.buckets.iter().position(|&count| {
            seen += u64::from(count);
            seen >= rank
        });
        found.map(value_of)
    }
}

impl Default for Percentiles {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Percentiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Percentiles(of {}: p50 {:?}, p95 {:?})",
            self.count,
            self.at(0.5),
            self.at(0.95)
        )
    }
}

/// W3C's totalFreezesDuration (webrtc-stats): the time between two pictures counts as frozen when
/// it is at least the larger of three times the mean of the last 30 such times, and that mean
/// plus 150 ms.
#[derive(Clone, Debug, Default)]
pub struct Freezes {
    last: Option<MediaTime>,
    recent: std::collections::VecDeque<u64>,
    frozen_us: u64,
    count: u64,
}

/// How many times between pictures the mean is of.
const WINDOW: usize = 30;
/// With fewer, the mean says nothing (libwebrtc's kMinFrameSamplesToDetectFreeze).
const LEAST: usize = 5;
/// The least a freeze exceeds the mean, in microseconds.
const EXCESS_US: u64 = 150_000;

impl Freezes {
    /// Nothing shown yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A picture is shown now.
    pub fn shown(&mut self, now: MediaTime) {
        let Some(last) = self.last.replace(now) else {
            return;
        };
        let interval = now.0.saturating_sub(last.0);
        if self.recent.len() >= LEAST {
            let mean = self.recent.iter().sum::<u64>() / self.recent.len() as u64;
            if interval >= (3 * mean).max(mean + EXCESS_US) {
                self.frozen_us += interval;
                self.count += 1;
            }
        }
        if self.recent.len() == WINDOW {
            self.recent.pop_front();
        }
        self.recent.push_back(interval);
    }

    /// The sender stopped on purpose, or nobody looks: the time to the next picture is no freeze.
    pub fn paused(&mut self) {
        self.last = None;
    }

    /// How long the picture stood still, in milliseconds.
    pub fn frozen_ms(&self) -> u64 {
        self.frozen_us / 1000
    }

    /// How often.
    pub fn count(&self) -> u64 {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_near_the_exact_ones() {
        let mut percentiles = Percentiles::new();
        let mut exact: Vec<u64> = (0..10_000)
            .map(|number: u64| number * number % 1_000_003)
            .collect();
        for &value in &exact {
            percentiles.add(value);
        }
        exact.sort_unstable();
        for share in [0.0, 0.01, 0.5, 0.9, 0.95, 0.99, 1.0] {
            let rank = ((share * 10_000.0_f64).ceil() as usize).max(1);
            let (got, want) = (percentiles.at(share).unwrap(), exact[rank - 1]);
            assert!(
                got.abs_diff(want) <= want / 100 + 1,
                "{share}: {got}, not {want}"
            );
        }
        assert_eq!(percentiles.count(), 10_000);
    }

    #[test]
    fn percentiles_of_two_halves_are_those_of_the_whole() {
        let (mut all, mut halves) = (Percentiles::new(), [Percentiles::new(), Percentiles::new()]);
        for value in 0..10_000_u64 {
            all.add(value * value);
            halves[usize::from(value >= 3_000)].add(value * value);
        }
        let [mut merged, second] = halves;
        merged.merge(&second);
        assert_eq!((merged.count, merged.buckets), (all.count, all.buckets));
    }

    #[test]
    fn every_number_is_near_its_bucket() {
        for value in (0..64)
            .map(|bit| 1_u64 << bit)
            .flat_map(|value| [value - 1, value, value + value / 3])
        {
            let near = value_of(bucket(value));
            assert!(near.abs_diff(value) <= value / 200, "{value} → {near}");
        }
    }

    #[test]
    fn nothing_has_no_percentiles_and_small_numbers_are_exact() {
        let mut percentiles = Percentiles::new();
        assert_eq!(percentiles.at(0.5), None);
        for value in [3, 1, 2] {
            percentiles.add(value);
        }
        assert_eq!(
            (
                percentiles.at(0.0),
                percentiles.at(0.5),
                percentiles.at(1.0)
            ),
            (Some(1), Some(2), Some(3))
        );
    }

    fn frozen(intervals_ms: &[u64]) -> (u64, u64) {
        let mut freezes = Freezes::new();
        let mut now = 1_000_000;
        freezes.shown(MediaTime(now));
        for interval in intervals_ms {
            now += interval * 1000;
            freezes.shown(MediaTime(now));
        }
        (freezes.frozen_ms(), freezes.count())
    }

    #[test]
    fn a_freeze_is_what_w3c_says() {
        let steady = [33; 40];
        assert_eq!(frozen(&steady), (0, 0));
        // Mean 33: the threshold is max(99, 183).
        assert_eq!(frozen(&[&steady[..], &[182]].concat()), (0, 0));
        assert_eq!(frozen(&[&steady[..], &[183]].concat()), (183, 1));
        assert_eq!(
            frozen(&[&steady[..], &[500], &steady[..], &[700]].concat()),
            (1200, 2)
        );
        // Mean 200: the threshold is max(600, 350).
        let slow = [200; 40];
        assert_eq!(frozen(&[&slow[..], &[599]].concat()), (0, 0));
        assert_eq!(frozen(&[&slow[..], &[600]].concat()), (600, 1));
    }

    #[test]
    fn a_pause_is_no_freeze() {
        let mut freezes = Freezes::new();
        for number in 0..20 {
            freezes.shown(MediaTime(number * 33_000));
        }
        freezes.paused();
        for number in 200..220 {
            freezes.shown(MediaTime(number * 33_000));
        }
        assert_eq!(freezes.frozen_ms(), 0);
    }
}
