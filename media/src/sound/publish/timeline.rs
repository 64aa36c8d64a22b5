//! When blocks were captured, on one smooth clock: pure. A device's own times jitter by
//! milliseconds, and its clock runs apart from the machine's by some hundred ppm; frames follow
//! each other by 20 ms, and slowly come to where the device's times are on average.

use visita_protocol::time::MediaTime;

use super::super::BLOCK_US;

/// How much of the difference is taken over with each block: a hundredth, so that jitter is
/// averaged over a second.
const SHARE: i64 = 100;
/// The most that a block's length is changed, in microseconds: 2,000 ppm, more than any clock.
const MOST_US: i64 = 20;
/// A difference beyond this isn't jitter: blocks were lost, or the device stood still.
const JUMP_US: u64 = 60_000;

/// The times of a device's blocks.
#[derive(Clone, Debug, Default)]
pub(super) struct Timeline {
    next: Option<u64>,
}

impl Timeline {
    /// The time of the next block, which the device says was captured at `measured`.
    pub(super) fn block(&mut self, measured: MediaTime) -> MediaTime {
        let time = match self.next {
            Some(expected) if expected.abs_diff(measured.0) <= JUMP_US => {
                let difference = measured.0 as i64 - expected as i64;
                let step = (difference / SHARE).clamp(-MOST_US, MOST_US);
                expected.saturating_add_signed(step)
            }
            _ => measured.0,
        };
        self.next = Some(time + BLOCK_US);
        MediaTime(time)
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
                if let Some(last) = last {
                    assert!((9_980..=10_020).contains(&(time - last)));
                }
                last = Some(time);
                if number > 1_000 {
                    assert!((time - exact).abs() < 2_000, "{ppm} ppm: {}", time - exact);
                }
            }
        }
    }

    #[test]
    fn a_device_that_stood_still_goes_on_at_its_time() {
        let mut timeline = Timeline::default();
        assert_eq!(timeline.block(MediaTime(50_000)), MediaTime(50_000));
        assert_eq!(timeline.block(MediaTime(60_010)), MediaTime(60_000));
        assert_eq!(timeline.block(MediaTime(900_000)), MediaTime(900_000));
    }
}
