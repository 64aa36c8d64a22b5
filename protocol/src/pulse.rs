//! Whether the other side of a connection is still there, judged by when it was heard last: pure.
//!
//! There are two limits. Who was silent for the first one is [quiet](Turn::Quiet): shown as
//! reconnecting, while the connection stays, so that the next word brings it back at once. Only
//! the second one [ends](Turn::Broken) the connection.

use std::time::Duration;

use crate::time::Now;

/// Signs of life in a heartbeat: one of them may get lost, and one come late, before a silence of
/// a heartbeat and the [`SLACK`] says anything.
pub const SIGNS: u32 = 3;

/// Heartbeats of silence, with the [`SLACK`], that end a connection.
pub const MISSED: u32 = 3;

/// What is added to each limit, for one slow turn of a busy machine.
pub const SLACK: Duration = Duration::from_secs(1);

/// How often a side says something at least.
pub fn every(heartbeat: Duration) -> Duration {
    heartbeat / SIGNS
}

/// How long the other side may be silent before it counts as quiet.
pub fn quiet_after(heartbeat: Duration) -> Duration {
    heartbeat + SLACK
}

/// How long a connection may be silent before it is taken for broken.
pub fn broken_after(heartbeat: Duration) -> Duration {
    heartbeat * MISSED + SLACK
}

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing was heard for too long. The connection stays.
    Quiet,
    /// Something was heard again.
    Back,
    /// The connection is given up.
    Broken,
}

/// How one connection's other side is.
#[derive(Clone, Copy, Debug)]
pub struct Pulse {
    quiet_after: Duration,
    broken_after: Duration,
    quiet: bool,
}

impl Pulse {
    /// Of a connection that just began.
    pub fn new(heartbeat: Duration) -> Self {
        Self {
            quiet_after: quiet_after(heartbeat),
            broken_after: broken_after(heartbeat),
            quiet: false,
        }
    }

    /// Whether the other side is quiet.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Looks at how things are, when something was heard last at `heard` (which may lie ahead,
    /// while nothing is listened to on purpose). Gives what changed, if anything did.
    pub fn turn(&mut self, now: Now, heard: Now) -> Option<Turn> {
        let silent = now.since(heard);
        let quiet = silent >= self.quiet_after;
        if silent >= self.broken_after {
            return Some(Turn::Broken);
        }
        if quiet == self.quiet {
            return None;
        }
        self.quiet = quiet;
        Some(if quiet { Turn::Quiet } else { Turn::Back })
    }

    /// When to look next, if nothing is heard before.
    pub fn due(&self, heard: Now) -> Now {
        heard.plus(if self.quiet {
            self.broken_after
        } else {
            self.quiet_after
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEARTBEAT: Duration = Duration::from_secs(3);

    /// What turns when something is heard at these milliseconds, looking each 10 ms until `until`.
    fn turns(heard: &[u64], until: u64) -> Vec<(u64, Turn)> {
        let mut pulse = Pulse::new(HEARTBEAT);
        let mut turns = Vec::new();
        for ms in (0..=until).step_by(10) {
            let last = heard.iter().copied().rfind(|at| *at <= ms).unwrap_or(0);
            if let Some(turn) = pulse.turn(Now(ms * 1000), Now(last * 1000)) {
                turns.push((ms, turn));
                if turn == Turn::Broken {
                    break;
                }
            }
        }
        turns
    }

    #[test]
    fn a_lost_line_shows_within_four_seconds_and_ends_after_ten() {
        let every = every(HEARTBEAT).as_millis() as u64;
        for lost in (20_000..21_000).step_by(70) {
            let heard: Vec<u64> = (0..lost).step_by(every as usize).collect();
            let turns = turns(&heard, 60_000);
            assert_eq!(turns[0].1, Turn::Quiet);
            assert!(turns[0].0 - lost <= 4_000, "{turns:?} for {lost}");
            assert_eq!(turns[1].1, Turn::Broken);
            assert!(turns[1].0 - lost <= 10_000, "{turns:?} for {lost}");
        }
    }

    #[test]
    fn two_seconds_between_two_networks_show_nothing() {
        for gap in (5_000..6_000).step_by(70) {
            let heard: Vec<u64> = (0..30_000)
                .step_by(1_000)
                .filter(|at| !(gap..gap + 2_000).contains(at))
                .collect();
            assert_eq!(turns(&heard, 30_000), [], "{gap}");
        }
    }

    #[test]
    fn the_next_word_brings_back_at_once_and_each_silence_shows_once() {
        let heard = [0, 1_000, 6_500, 7_500, 16_000];
        assert_eq!(
            turns(&heard, 19_000),
            [
                (5_000, Turn::Quiet),
                (6_500, Turn::Back),
                (11_500, Turn::Quiet),
                (16_000, Turn::Back)
            ]
        );
    }

    #[test]
    fn whoever_looks_when_it_is_due_misses_nothing() {
        let mut pulse = Pulse::new(HEARTBEAT);
        let heard = Now(7);
        let due = pulse.due(heard);
        assert_eq!(pulse.turn(Now(due.0 - 1), heard), None);
        assert_eq!(pulse.turn(due, heard), Some(Turn::Quiet));
        assert_eq!(pulse.turn(due, heard), None);
        let due = pulse.due(heard);
        assert_eq!(pulse.turn(Now(due.0 - 1), heard), None);
        assert_eq!(pulse.turn(due, heard), Some(Turn::Broken));
        // What wasn't listened to on purpose isn't silence.
        let ahead = Now(due.0 + 60_000_000);
        assert_eq!(pulse.turn(due, ahead), Some(Turn::Back));
        assert_eq!(pulse.turn(due, ahead), None);
    }
}
