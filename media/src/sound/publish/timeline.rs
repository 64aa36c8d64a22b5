//! When blocks were captured, on one smooth clock: pure. A device's own times jitter by
//! milliseconds, and on a busy machine one is now and then wrong by tens of milliseconds: the system
//! was asked for the device's delay late, or the block was fetched late. Its clock runs apart from the
//! machine's by some hundred ppm, and samples get lost. So frames follow each other by 20 ms, and each
//! second they begin to move to where the middle one of that second's times was.

use visita_protocol::time::MediaTime;

use super::super::BLOCK_US;

/// Blocks whose times are judged together: a second.
const WINDOW: usize = 100;
/// The most that a block's length is changed, in microseconds: more than any clock runs apart, and
/// little enough that no receiver takes it for a line that got worse.
const MOST_US: i64 = 40;
/// A difference of most of a second beyond this isn't jitter.
const JUMP_US: i64 = 60_000;
/// A block that is so late shows by itself that the device stood still.
const STILL_US: i64 = 500_000;

/// The times of a device's blocks.
#[derive(Clone, Debug, Default)]
pub(super) struct Timeline {
    next: Option<u64>,
    /// By how much each block since the last judgement is later than it should be, in microseconds.
    late: Vec<i64>,
    /// What each block is moved by until the next.
    step: i64,
    judged: bool,
}

impl Timeline {
    /// The time of the next block, which the device says was captured at `measured`.
    pub(super) fn block(&mut self, measured: MediaTime) -> MediaTime {
        let Some(expected) = self.next else {
            return self.begin(measured);
        };
        let late = measured.0 as i64 - expected as i64;
        if late > STILL_US {
            return self.begin(measured);
        }
        // What it will be by when the last of them has been moved.
        let left = (WINDOW - self.late.len()) as i64;
        self.late.push(late - self.step * left);
        if self.late.len() == WINDOW {
            self.late.sort_unstable();
            let late = self.late[WINDOW / 2];
            self.late.clear();
            // The very first time may have been one of those that are wrong.
            if late.abs() > JUMP_US || !self.judged {
                self.judged = true;
                self.step = 0;
                return self.goes_on(expected.saturating_add_signed(late));
            }
            self.step = (late / WINDOW as i64).clamp(-MOST_US, MOST_US);
        }
        self.goes_on(expected.saturating_add_signed(self.step))
    }

    fn goes_on(&mut self, time: u64) -> MediaTime {
        self.next = Some(time + BLOCK_US);
        MediaTime(time)
    }

    fn begin(&mut self, measured: MediaTime) -> MediaTime {
        *self = Self {
            next: Some(measured.0 + BLOCK_US),
            ..Self::default()
        };
        measured
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_is_averaged_and_drift_is_followed() {
        for ppm in [-500_i64, 0, 500] {
            let mut timeline = Timeline::default();
            let mut last = None;
            for number in 0..60_000_i64 {
                let exact = 1_000_000 + number * 10_000 + number * ppm / 100;
                let jitter = number * 7919 % 8_001 - 4_000;
                let time = timeline.block(MediaTime((exact + jitter) as u64)).0 as i64;
                if let Some(last) = last.filter(|_| number > 200) {
                    assert!((9_960..=10_040).contains(&(time - last)), "{}", time - last);
                }
                last = Some(time);
                if number > 1_000 {
                    assert!((time - exact).abs() < 3_000, "{ppm} ppm: {}", time - exact);
                }
            }
        }
    }

    #[test]
    fn times_that_are_early_for_a_while_move_nothing() {
        let mut timeline = Timeline::default();
        for number in 0..6_000_u64 {
            let exact = 1_000_000 + number * 10_000;
            // A quarter of each second, and the very first.
            let early = if number % 100 < 25 {
                90_000
            } else {
                number % 7 * 500
            };
            let time = timeline.block(MediaTime(exact - early)).0;
            if number > 300 {
                assert!(
                    time.abs_diff(exact) < 3_000,
                    "{number}: {}",
                    time as i64 - exact as i64
                );
            }
        }
    }

    #[test]
    fn samples_that_got_lost_are_made_up_for_in_ten_seconds() {
        let mut timeline = Timeline::default();
        let mut lost = 0;
        for number in 0..6_000_u64 {
            // 30 ms every fifteen seconds, less than a jump.
            if number % 1_500 == 1_499 {
                lost += 30_000;
            }
            let exact = 1_000_000 + number * 10_000 + lost;
            let time = timeline.block(MediaTime(exact)).0;
            if number % 1_500 > 1_000 && number % 1_500 < 1_499 {
                assert!(time.abs_diff(exact) < 500, "{number}");
            }
        }
    }

    #[test]
    fn a_device_that_stood_still_goes_on_at_its_time() {
        let mut timeline = Timeline::default();
        assert_eq!(timeline.block(MediaTime(50_000)), MediaTime(50_000));
        assert_eq!(timeline.block(MediaTime(60_010)), MediaTime(60_000));
        assert_eq!(timeline.block(MediaTime(900_000)), MediaTime(900_000));
        // And one whose clock is another one, or that lost much, within two seconds.
        for (away, number) in [(-600_000, 0), (200_000, 1), (-100_000, 2)] {
            let mut last = 0;
            let exact = |at: i64| 2_000_000 + away + (200 * number + at) * 10_000;
            for at in 0..200 {
                last = timeline.block(MediaTime(exact(at) as u64)).0 as i64;
            }
            assert!(
                (last - exact(199)).abs() < 1_000,
                "{away}: {}",
                last - exact(199)
            );
        }
    }
}
