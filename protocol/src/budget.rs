//! How much picture a line takes now: what the estimate of its rate allows, and no more at once than
//! keeps sound waiting for a moment. Pure.

use std::time::Duration;

use crate::time::Now;

/// What is assumed of a line of which nothing is known yet, in bits a second: sound and one picture.
pub const FIRST: u64 = 2_000_000;
/// The least that is believed, in bits a second: below it only sound goes, which asks nobody.
const LEAST: u64 = 40_000;
/// For how long what wasn't used may be saved up.
const SAVED: Duration = Duration::from_millis(100);

/// A budget of bytes that grows with time.
#[derive(Debug)]
pub struct Budget {
    bits_per_s: u64,
    /// Microseconds' worth of bits that may still be sent, times the rate; may be owed.
    left: i64,
    at: Now,
}

impl Budget {
    /// For a line of which nothing is known yet.
    pub fn new(now: Now) -> Self {
        let mut budget = Self {
            bits_per_s: FIRST,
            left: 0,
            at: now,
        };
        budget.left = budget.most();
        budget
    }

    fn most(&self) -> i64 {
        (self.bits_per_s * SAVED.as_micros() as u64 / 1_000_000) as i64
    }

    fn turn(&mut self, now: Now) {
        let passed = now.since(self.at).as_micros().min(10_000_000) as u64;
        self.at = self.at.max(now);
        let grown = (self.bits_per_s * passed / 1_000_000) as i64;
        self.left = (self.left + grown).min(self.most());
    }

    /// So many bits a second are believed to pass from now on.
    pub fn rate(&mut self, now: Now, bits_per_s: u64) {
        self.turn(now);
        self.bits_per_s = bits_per_s.max(LEAST);
        // What is owed was owed at another rate; it isn't paid for longer than what may be saved.
        self.left = self.left.clamp(-self.most(), self.most());
    }

    /// How long until another picture may go; nothing if it may go now.
    pub fn wait(&mut self, now: Now) -> Option<Duration> {
        self.turn(now);
        // A whole microsecond more, so that it has really come by then.
        (self.left <= 0).then(|| {
            Duration::from_micros((1 - self.left) as u64 * 1_000_000 / self.bits_per_s + 1)
        })
    }

    /// So many bytes went.
    pub fn spend(&mut self, bytes: usize) {
        self.left -= 8 * bytes as i64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many bits go in a second, when frames of so many bytes always wait.
    fn sent(budget: &mut Budget, from_s: u64, bytes: usize) -> u64 {
        let mut bits = 0;
        let mut now = Now(from_s * 1_000_000);
        let end = now.plus(Duration::from_secs(1));
        while now < end {
            if let Some(wait) = budget.wait(now) {
                now = now.plus(wait);
            } else {
                budget.spend(bytes);
                bits += 8 * bytes as u64;
            }
        }
        bits
    }

    #[test]
    fn what_goes_is_what_the_rate_allows_whatever_the_frames_are() {
        for rate in [100_000, 1_000_000, 20_000_000] {
            for bytes in [100, 2_500, 20_000] {
                let mut budget = Budget::new(Now(0));
                budget.rate(Now(0), rate);
                sent(&mut budget, 0, bytes);
                let bits = sent(&mut budget, 1, bytes);
                let most = rate + 16 * bytes as u64;
                assert!(
                    bits <= most && bits + 16 * bytes as u64 >= rate,
                    "{rate} {bytes}: {bits}"
                );
            }
        }
    }

    #[test]
    fn a_frame_goes_at_once_after_a_pause_and_a_pause_saves_little() {
        let mut budget = Budget::new(Now(0));
        assert_eq!(budget.wait(Now(0)), None);
        budget.spend(100_000);
        assert!(budget.wait(Now(1)).is_some());
        assert_eq!(budget.wait(Now(60_000_000)), None);
        let bits = sent(&mut budget, 60, 1_000);
        assert!(bits <= FIRST + FIRST / 10 + 16_000, "{bits}");
    }

    #[test]
    fn a_line_that_gets_slower_owes_no_more_than_a_moment() {
        let mut budget = Budget::new(Now(0));
        budget.spend(1 << 20);
        budget.rate(Now(0), 0);
        let wait = budget.wait(Now(0)).unwrap();
        assert!(wait <= SAVED + Duration::from_millis(1), "{wait:?}");
    }
}
