//! How much of one's own sound gets lost behind this device: pure.
//!
//! The host tells what is missing among the numbers. What the own queue threw away is missing there
//! too, and isn't loss but a line that is too slow: repeating packets on it would leave less of
//! each. So it is taken off.

use std::time::Duration;

use visita_protocol::{losses::Window, time::Now};

/// For so long the worst that the own queue did counts: what the host told lags behind it by the ten
/// seconds of sound that it looks back over, and by its telling rarely.
const REMEMBERED: Duration = Duration::from_secs(15);

/// What is told, and what is known of the own queue.
#[derive(Debug, Default)]
pub(super) struct Lost {
    told_permille: u32,
    own: Window,
    frames: u64,
    dropped: u64,
    worst: Option<(u32, Now)>,
}

impl Lost {
    /// The host says how many of a hundred get lost.
    pub(super) fn told(&mut self, percent: u8) {
        self.told_permille = 10 * u32::from(percent.min(100));
    }

    /// The host begins anew, and has said nothing yet.
    pub(super) fn untold(&mut self) {
        self.told_permille = 0;
    }

    /// Some times a second: so many frames were made so far, so many of them thrown away here.
    /// Answers how many of a thousand get lost behind this device.
    pub(super) fn turn(&mut self, now: Now, frames: u64, dropped: u64) -> u32 {
        let sent = frames.saturating_sub(std::mem::replace(&mut self.frames, frames));
        let own = dropped.saturating_sub(std::mem::replace(&mut self.dropped, dropped));
        self.own.add(sent.max(own) as u32, own as u32);
        let is = self.own.permille();
        let worst = self
            .worst
            .filter(|(worst, at)| *worst > is && now.since(*at) < REMEMBERED);
        let (worst, at) = worst.unwrap_or((is, now));
        self.worst = Some((worst, at));
        // What the host told holds until it is off by a quarter, or by two points.
        let own = if worst > 0 { worst * 4 / 3 + 20 } else { 0 };
        self.told_permille.saturating_sub(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(turn: u64) -> Now {
        Now(turn * 200_000)
    }

    /// So many turns of ten frames each, from this one on, of which the queue drops so many.
    fn turns(
        lost: &mut Lost,
        turns: std::ops::Range<u64>,
        dropped: &mut u64,
        each: u64,
    ) -> Vec<u32> {
        turns
            .map(|turn| {
                *dropped += each;
                lost.turn(at(turn), 10 * turn, *dropped)
            })
            .collect()
    }

    #[test]
    fn what_the_line_loses_is_what_the_host_says() {
        let (mut lost, mut dropped) = (Lost::default(), 0);
        assert_eq!(turns(&mut lost, 0..50, &mut dropped, 0), [0; 50]);
        lost.told(12);
        assert_eq!(turns(&mut lost, 50..100, &mut dropped, 0), [120; 50]);
        lost.told(0);
        assert_eq!(lost.turn(at(100), 1_000, 0), 0);
        lost.told(255);
        assert_eq!(lost.turn(at(101), 1_010, 0), 1_000);
        lost.untold();
        assert_eq!(lost.turn(at(102), 1_020, 0), 0);
    }

    #[test]
    fn what_the_own_queue_threw_away_is_no_loss() {
        let (mut lost, mut dropped) = (Lost::default(), 0);
        turns(&mut lost, 0..100, &mut dropped, 4);
        lost.told(40);
        let after = turns(&mut lost, 100..300, &mut dropped, 4);
        assert_eq!(after, [0; 200]);
        // The host says so for a while after the last one was thrown away.
        let over = turns(&mut lost, 300..370, &mut dropped, 0);
        assert_eq!(over, [0; 70]);
        // And what is still told later was lost on the line.
        lost.told(5);
        let later = turns(&mut lost, 370..500, &mut dropped, 0);
        assert_eq!(later.last(), Some(&50));
    }

    #[test]
    fn on_a_line_that_is_slow_and_lossy_only_the_loss_counts() {
        let (mut lost, mut dropped) = (Lost::default(), 0);
        turns(&mut lost, 0..100, &mut dropped, 1);
        lost.told(20);
        let after = turns(&mut lost, 100..200, &mut dropped, 1);
        assert_eq!(after, [47; 100]);
    }
}
