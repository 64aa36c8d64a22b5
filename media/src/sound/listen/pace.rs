//! When blocks are played, on one smooth clock: pure. A device asks for its blocks in bursts, two or
//! three at once and then none for as long, and the thread that mixes is woken late now and then. By
//! such times a sender's buffer would be too late and too early in turn, and pieces would be taken
//! out and put in for nothing. So its time is that of the earliest of the last blocks, one block's
//! length after another: by then what is to be played must be there, since a burst may begin any
//! time.

use std::collections::VecDeque;

use super::super::BLOCK_US;

/// Blocks that are looked at: half a second holds some bursts of any device.
const WINDOW: usize = 50;
/// So many of them may be earlier than the pace: what happens once in half a second is no burst.
const EARLIER: usize = 1;
/// A block that is so much later than the pace shows by itself that the device stood still.
const STILL_US: i64 = 100_000;

/// The pace of a device's blocks.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace {
    blocks: u64,
    /// When the last blocks were asked for, if each had come a block's length after another.
    begins: VecDeque<i64>,
}

impl Pace {
    /// The next block is asked for at this time: by the pace it is played at the time answered.
    pub(super) fn block(&mut self, now_us: u64) -> u64 {
        let since = (self.blocks * BLOCK_US) as i64;
        let begin = now_us as i64 - since;
        self.blocks += 1;
        if self.begins.len() == WINDOW {
            self.begins.pop_front();
        }
        if self
            .begin()
            .is_some_and(|by_pace| begin - by_pace > STILL_US)
        {
            self.begins.clear();
        }
        self.begins.push_back(begin);
        let begin = self.begin().unwrap_or(begin);
        begin.saturating_add(since).max(0) as u64
    }

    fn begin(&self) -> Option<i64> {
        let mut begins: Vec<i64> = self.begins.iter().copied().collect();
        begins.sort_unstable();
        begins.get(EARLIER).or(begins.first()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: u64 = 1_000_000;

    /// The least and the most that the pace is later than a block's length after another, once it
    /// knows the device.
    fn differences(asked: impl Fn(u64) -> u64) -> (i64, i64) {
        let mut pace = Pace::default();
        let late = (0..1_000).map(|block| {
            let by_pace = pace.block(BEGIN + asked(block));
            by_pace as i64 - (BEGIN + block * BLOCK_US) as i64
        });
        let known: Vec<i64> = late.skip(WINDOW).collect();
        (*known.iter().min().unwrap(), *known.iter().max().unwrap())
    }

    #[test]
    fn bursts_are_smooth_and_never_before_what_is_there() {
        for together in 1..=4 {
            let asked = |block: u64| block / together * together * BLOCK_US;
            let earliest = (together as i64 - 1) * BLOCK_US as i64;
            assert_eq!(differences(asked), (-earliest, -earliest));
        }
    }

    #[test]
    fn one_that_is_late_or_early_changes_nothing() {
        let late = |block: u64| block * BLOCK_US + u64::from(block % 20 == 7) * 30_000;
        assert_eq!(differences(late), (0, 0));
        let early = |block: u64| block * BLOCK_US - u64::from(block % 60 == 59) * 9_000;
        assert_eq!(differences(early), (0, 0));
    }

    #[test]
    fn clocks_that_run_apart_are_followed() {
        for ppm in [-500_i64, 500] {
            let asked =
                |block: u64| (block * BLOCK_US).saturating_add_signed(block as i64 * ppm / 100);
            let (least, most) = differences(asked);
            let apart = 1_000 * ppm / 100;
            assert!(
                (least.min(most) - apart.min(0)).abs() < 500,
                "{least} {most}"
            );
            assert!(
                (least.max(most) - apart.max(0)).abs() < 500,
                "{least} {most}"
            );
        }
    }

    #[test]
    fn a_device_that_stood_still_is_later_from_then_on() {
        let mut pace = Pace::default();
        let asked = |block: u64| BEGIN + block * BLOCK_US + u64::from(block >= 300) * 250_000;
        for block in 0..600 {
            let by_pace = pace.block(asked(block));
            assert_eq!(by_pace, asked(block), "{block}");
        }
        // And by less than that after half a second.
        let mut pace = Pace::default();
        let asked = |block: u64| BEGIN + block * BLOCK_US + u64::from(block >= 300) * 40_000;
        let paces: Vec<u64> = (0..600).map(|block| pace.block(asked(block))).collect();
        assert_eq!(paces[360], asked(360));
        assert!(paces.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
