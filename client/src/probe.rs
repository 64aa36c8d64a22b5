//! How much longer than it must what goes to the host takes, told by pings: pure. What waits on the
//! way, in the system's buffers and those of radios and routers, no queue of ours sees.
//!
//! A line that loses something makes single answers late; one that is full makes all of them late.
//! So what counts is the fastest answer of the last second (RFC 8289 judges queues alike).

use std::{collections::VecDeque, time::Duration};

use visita_protocol::time::Now;

/// How often a ping is sent while frames go out: four in [`WINDOW`], at 5 kbit/s.
pub(crate) const EVERY: Duration = Duration::from_millis(250);
/// How long an answer counts: RFC 8289's interval is 100 ms for a line's whole way; over TCP a lost
/// packet alone takes longer than that to be sent again.
const WINDOW: Duration = Duration::from_secs(1);
/// How long the fastest answer of all is believed: ways change when somebody walks.
const FASTEST_COUNTS: Duration = Duration::from_mins(1);
/// The most pings that may be unanswered: a silent host ends the connection long before.
const MOST: usize = 64;

/// The pings of one connection.
#[derive(Debug, Default)]
pub(crate) struct Probes {
    /// Unanswered ones, oldest first.
    sent: VecDeque<(u32, Now)>,
    /// When an answer came and how long it took, oldest first.
    answers: VecDeque<(Now, Duration)>,
    /// The fastest answer, and when it came.
    fastest: Option<(Now, Duration)>,
}

impl Probes {
    /// A ping goes out.
    pub(crate) fn sent(&mut self, id: u32, now: Now) {
        if self.sent.len() == MOST {
            self.sent.pop_front();
        }
        self.sent.push_back((id, now));
    }

    /// An answer comes; gives how long it took. One to nothing that was asked says nothing.
    pub(crate) fn answered(&mut self, id: u32, now: Now) -> Option<Duration> {
        let at = self.sent.iter().position(|(sent, _)| *sent == id)?;
        let took = now.since(self.sent[at].1);
        // Answers come in order: those before it got lost with a host's restart, or never were.
        self.sent.drain(..=at);
        self.answers.push_back((now, took));
        let old = |at: Now, long| now.since(at) > long;
        while self.answers.len() > 1 && self.answers.front().is_some_and(|(at, _)| old(*at, WINDOW))
        {
            self.answers.pop_front();
        }
        if self
            .fastest
            .is_none_or(|(at, fastest)| took <= fastest || old(at, FASTEST_COUNTS))
        {
            self.fastest = Some((now, took));
        }
        Some(took)
    }

    /// How much longer than the fastest answer all of the last second took. Nothing is known before
    /// the first.
    pub(crate) fn late(&self, now: Now) -> Duration {
        let Some((_, fastest)) = self.fastest else {
            return Duration::ZERO;
        };
        let recent = self
            .answers
            .iter()
            .filter(|(at, _)| now.since(*at) <= WINDOW);
        let quickest = recent.map(|(_, took)| *took).min();
        // While nothing is answered, it will take at least as long as it has taken.
        let waits = self.sent.front().map(|(_, sent)| now.since(*sent));
        quickest
            .or(waits.filter(|waits| *waits > EVERY))
            .unwrap_or_default()
            .saturating_sub(fastest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Now {
        Now(ms * 1000)
    }

    /// Pings from `from` on, each answered after what `takes` says; gives what is late after each.
    fn run(probes: &mut Probes, from: u64, takes: &[u64]) -> Vec<u128> {
        let mut answers: Vec<(u64, u32)> = Vec::new();
        let mut late = Vec::new();
        for (n, takes) in (0..).zip(takes) {
            let now = from + 250 * u64::from(n);
            answers.retain(|(due, id)| {
                let due_now = *due <= now;
                if due_now {
                    probes.answered(*id, at(*due));
                }
                !due_now
            });
            late.push(probes.late(at(now)).as_millis());
            let id = (from / 250) as u32 + n;
            probes.sent(id, at(now));
            answers.push((now + takes, id));
        }
        for (due, id) in answers {
            probes.answered(id, at(due));
        }
        late
    }

    #[test]
    fn single_late_answers_are_a_poor_line_and_not_a_full_one() {
        let mut probes = Probes::default();
        let takes: Vec<_> = (0..40).map(|n| if n % 3 == 0 { 240 } else { 20 }).collect();
        assert!(run(&mut probes, 0, &takes).iter().all(|late| *late <= 1));
    }

    #[test]
    fn a_full_line_shows_within_a_second_and_a_half_and_an_empty_one_again() {
        let mut probes = Probes::default();
        assert_eq!(run(&mut probes, 0, &[20; 20]).last(), Some(&0));
        let late = run(&mut probes, 5_000, &[620; 12]);
        assert!(late[6..].iter().all(|late| *late == 600), "{late:?}");
        let late = run(&mut probes, 8_000, &[20; 12]);
        assert_eq!(late.last(), Some(&0), "{late:?}");
    }

    #[test]
    fn no_answer_at_all_is_late_too() {
        let mut probes = Probes::default();
        run(&mut probes, 0, &[20; 8]);
        probes.sent(1_000, at(2_000));
        assert_eq!(probes.late(at(2_200)).as_millis(), 0);
        assert_eq!(probes.late(at(5_000)).as_millis(), 2_980);
        // Somebody else's answer says nothing.
        probes.answered(7_777, at(5_000));
        assert_eq!(probes.late(at(5_000)).as_millis(), 2_980);
    }

    #[test]
    fn a_longer_way_is_learned() {
        let mut probes = Probes::default();
        run(&mut probes, 0, &[20; 8]);
        let late = run(&mut probes, 2_000, &[150; 300]);
        assert_eq!(late[8], 130);
        assert_eq!(late.last(), Some(&0), "{late:?}");
    }
}
