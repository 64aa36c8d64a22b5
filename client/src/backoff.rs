//! When to try again: pure, with the dice passed in.

use std::time::Duration;

/// The first pause. Short: most breaks are a moment without Wi-Fi.
pub const FIRST: Duration = Duration::from_millis(250);
/// The longest pause, so that a host that comes back is found within seconds.
pub const LONGEST: Duration = Duration::from_secs(4);

/// Pauses that double from [`FIRST`] to [`LONGEST`], each shortened by chance by up to half, so
/// that a whole ward that lost its host doesn't come back in one instant.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// The pause before the next attempt. `dice`: from 0 to 1, new each time.
    pub fn next(&mut self, dice: f64) -> Duration {
        let full = FIRST
            .saturating_mul(1 << self.attempts.min(16))
            .min(LONGEST);
        self.attempts = self.attempts.saturating_add(1);
        full.mul_f64(1.0 - dice.clamp(0.0, 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_are_spread() {
        let mut backoff = Backoff::default();
        let pauses: Vec<_> = (0..7).map(|_| backoff.next(0.0).as_millis()).collect();
        assert_eq!(pauses, [250, 500, 1000, 2000, 4000, 4000, 4000]);
        assert_eq!(Backoff::default().next(1.0), FIRST / 2);
        for _ in 0..100 {
            assert!(backoff.next(0.5) <= LONGEST);
        }
    }
}
