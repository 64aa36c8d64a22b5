//! How much of somebody's sound gets lost, and when its sender is told: pure.
//!
//! A sender numbers all that it lets go, so what is missing among the numbers was lost on the way.
//! What gets lost further on, between the relay and a receiver, is for that receiver's carrier to
//! report; of them the worst counts.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use crate::{id::MemberId, time::Now};

/// Packets are judged by so many: a second of sound.
const SLOT: u32 = 50;
/// So many of the last slots show how it is now…
const RECENT: usize = 3;
/// …and so many how it was: less loss is believed only after ten seconds of sound, more at once.
const SLOTS: usize = 10;
/// A gap of more numbers isn't loss but another numbering, or a long break: five seconds of sound.
const JUMP: u32 = 250;
/// The least time between two words about it.
const TELL_EVERY: Duration = Duration::from_secs(2);
/// So many points of a hundred are worth a word, or a quarter of what was told.
const POINTS: u32 = 2;
/// A receiver's report that wasn't repeated for so long says nothing any more.
const REPORT_LIFE: Duration = Duration::from_secs(15);
/// The most receivers whose reports are kept: a room has no more.
const MOST_REPORTS: usize = 64;

/// The share of packets that get lost, over the last of them: it rises fast and falls slowly.
#[derive(Clone, Debug, Default)]
pub struct Window {
    /// How many were sent and how many of them lost, a slot each; the last one isn't full yet.
    slots: VecDeque<(u32, u32)>,
}

impl Window {
    /// Of nothing sent yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// So many more were sent, of which so many got lost. Answers whether a slot is full.
    pub fn add(&mut self, sent: u32, lost: u32) -> bool {
        if self.slots.is_empty() {
            self.slots.push_back((0, 0));
        }
        let Some(slot) = self.slots.back_mut() else {
            return false;
        };
        slot.0 = slot.0.saturating_add(sent);
        slot.1 = slot.1.saturating_add(lost.min(sent));
        let full = slot.0 >= SLOT;
        if full {
            // The one behind it is begun.
            if self.slots.len() > SLOTS {
                self.slots.pop_front();
            }
            self.slots.push_back((0, 0));
        }
        full
    }

    /// One that was taken for lost came.
    pub fn found(&mut self) {
        let slot = self.slots.iter_mut().rev().find(|slot| slot.1 > 0);
        if let Some((_, lost)) = slot {
            *lost -= 1;
        }
    }

    /// How many of a thousand get lost; none while too little was sent to say.
    pub fn permille(&self) -> u32 {
        if self.slots.len() <= RECENT {
            return 0;
        }
        let of = |slots: usize| {
            let full = self.slots.iter().rev().skip(1).take(slots);
            let (sent, lost) = full.fold((0_u64, 0_u64), |(sent, lost), slot| {
                (sent + u64::from(slot.0), lost + u64::from(slot.1))
            });
            (lost * 1000 / sent.max(1)) as u32
        };
        of(RECENT).max(of(SLOTS))
    }
}

/// What a receiver's carrier reported.
#[derive(Clone, Copy, Debug)]
struct Report {
    permille: u32,
    at: Now,
}

/// One track's losses.
#[derive(Clone, Debug, Default)]
pub struct Losses {
    highest: Option<u32>,
    window: Window,
    reports: BTreeMap<MemberId, Report>,
    told: u32,
    told_at: Option<Now>,
}

impl Losses {
    /// Of a track of which nothing came yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The connection is another one: what was sent meanwhile isn't missed.
    pub fn another_connection(&mut self) {
        self.highest = None;
    }

    /// A packet came. Answers what to tell its sender, in percent, if anything.
    pub fn came(&mut self, now: Now, sequence: u32) -> Option<u8> {
        let Some(before) = self.highest.filter(|at| at.abs_diff(sequence) <= JUMP) else {
            self.highest = Some(sequence);
            return self.count(now, 1, 0);
        };
        if sequence > before {
            self.highest = Some(sequence);
            return self.count(now, sequence - before, sequence - before - 1);
        }
        if sequence < before {
            // One that was overtaken was counted as lost, and isn't.
            self.window.found();
        }
        None
    }

    fn count(&mut self, now: Now, sent: u32, lost: u32) -> Option<u8> {
        let full = self.window.add(sent, lost);
        if full { self.tell(now) } else { None }
    }

    /// A receiver's carrier says how many of a thousand of this track's packets get lost on the way
    /// to it. Answers what to tell the sender, in percent, if anything.
    pub fn reported(&mut self, now: Now, receiver: MemberId, permille: u32) -> Option<u8> {
        let known = self.reports.contains_key(&receiver);
        if known || self.reports.len() < MOST_REPORTS {
            let permille = permille.min(1000);
            self.reports.insert(receiver, Report { permille, at: now });
        }
        self.tell(now)
    }

    /// What the sender was told last, in percent.
    pub fn told(&self) -> u8 {
        self.told as u8
    }

    /// How many of a hundred get lost on the way to the worst of the receivers.
    pub fn percent(&self, now: Now) -> u32 {
        let current = |report: &&Report| now.since(report.at) <= REPORT_LIFE;
        let reports = self.reports.values().filter(current);
        let down = reports.map(|report| report.permille).max().unwrap_or(0);
        let up = self.window.permille().min(1000);
        (up + (1000 - up) * down / 1000 + 5) / 10
    }

    fn tell(&mut self, now: Now) -> Option<u8> {
        self.reports
            .retain(|_, report| now.since(report.at) <= REPORT_LIFE);
        let percent = self.percent(now);
        let points = POINTS.max(self.told / 4);
        let over = percent == 0 && self.told > 0;
        let worth = percent.abs_diff(self.told) >= points || over;
        let lately = self.told_at.is_some_and(|at| now.since(at) < TELL_EVERY);
        if !worth || lately {
            return None;
        }
        self.told = percent;
        self.told_at = Some(now);
        Some(percent as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000;

    /// Packets every 20 ms from this number on, of which those that `lost` says don't come; what is
    /// told, each with its second.
    fn told(
        losses: &mut Losses,
        numbers: std::ops::Range<u32>,
        lost: impl Fn(u32) -> bool,
    ) -> Vec<(u32, u8)> {
        let coming = numbers.filter(|number| !lost(*number));
        coming
            .filter_map(|number| {
                let now = Now(u64::from(number) * 20 * MS);
                Some((number / 50, losses.came(now, number)?))
            })
            .collect()
    }

    #[test]
    fn a_line_without_loss_is_never_spoken_of() {
        let mut losses = Losses::new();
        assert_eq!(
            told(&mut losses, 0..100_000, |number| number % 200 == 7),
            []
        );
    }

    #[test]
    fn loss_is_told_once_while_it_stays_the_same_and_again_when_it_is_over() {
        let mut losses = Losses::new();
        assert_eq!(told(&mut losses, 0..500, |_| false), []);
        let begins = told(&mut losses, 500..5_000, |number| number % 10 == 3);
        let (when, percent) = begins[0];
        assert!(when <= 11 && percent >= 2, "{begins:?}");
        assert!(begins.len() <= 5, "{begins:?}");
        assert_eq!(begins.last().unwrap().1, 10);
        assert!(begins.windows(2).all(|pair| pair[1].0 - pair[0].0 >= 2));
        let ends = told(&mut losses, 5_000..10_000, |_| false);
        assert_eq!(ends.last().unwrap().1, 0);
        // Ten seconds of sound without loss, and a slot that was half full.
        assert!((109..=112).contains(&ends.last().unwrap().0), "{ends:?}");
    }

    #[test]
    fn a_burst_is_seen_at_once() {
        let mut losses = Losses::new();
        told(&mut losses, 0..1_000, |_| false);
        let burst = told(&mut losses, 1_000..1_100, |number| number % 3 > 0);
        assert!(burst[0].0 <= 21 && burst[0].1 >= 20, "{burst:?}");
    }

    #[test]
    fn silence_another_numbering_and_another_connection_are_no_loss() {
        let mut losses = Losses::new();
        for number in (0..1_000).chain(5_000..6_000).chain(0..1_000) {
            assert_eq!(losses.came(Now(u64::from(number) * 20 * MS), number), None);
        }
        losses.another_connection();
        for number in 1_100..2_000 {
            assert_eq!(losses.came(Now(u64::from(number) * 20 * MS), number), None);
        }
        assert_eq!(losses.percent(Now(0)), 0);
    }

    #[test]
    fn what_was_overtaken_or_comes_twice_is_not_lost() {
        let mut losses = Losses::new();
        for number in 0..1_000_u32 {
            let swapped = number ^ 1;
            assert_eq!(losses.came(Now(0), swapped), None);
            assert_eq!(losses.came(Now(0), swapped.max(number)), None);
        }
        assert_eq!(losses.percent(Now(0)), 0);
    }

    #[test]
    fn of_the_receivers_the_worst_counts_and_comes_on_top() {
        let mut losses = Losses::new();
        told(&mut losses, 0..1_000, |number| number % 10 == 3);
        let now = |second: u64| Now(second * 1_000 * MS);
        assert_eq!(losses.reported(now(30), MemberId(1), 0), None);
        assert_eq!(losses.reported(now(31), MemberId(2), 200), Some(28));
        assert_eq!(losses.reported(now(40), MemberId(1), 10), None);
        // The second one isn't heard of any more.
        assert_eq!(losses.reported(now(47), MemberId(1), 10), Some(11));
        for receiver in 0..10_000 {
            losses.reported(now(60), MemberId(receiver), 1_000_000);
        }
        assert_eq!(losses.reports.len(), MOST_REPORTS);
        assert_eq!(losses.percent(now(60)), 100);
    }
}
