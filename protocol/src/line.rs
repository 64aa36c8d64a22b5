//! Whether a line carries pictures, as people are told of it, and when a sender stops sending them:
//! pure, time is passed in.
//!
//! What the queues of a slow line let through changes within a second
//! ([`crate::receiver::Level`]); a word that did the same would flicker, and a camera that went off
//! and on with it would cost more than it shows.

use std::time::Duration;

use crate::{control::Carries, time::Now};

/// Without pictures for this long they are told to be missing: two failed tries of the queues'
/// (`receiver::pace`) lie in it, so that a stall of a moment isn't told.
pub const MISSING: Duration = Duration::from_secs(4);

/// Pictures that came for this long without a break came steadily. What comes for less is a try, and
/// takes nothing back.
pub const STEADY: Duration = Duration::from_secs(5);

/// What is gone again within this time wasn't steady, and is believed later the next time.
pub const RELAPSE: Duration = Duration::from_mins(1);

/// The most that is waited for pictures to be steady: longer, and a line that has become good would
/// be told to be bad.
pub const MOST_STEADY: Duration = Duration::from_secs(40);

/// A paused picture is tried again after this long, and each time that the try fails after twice
/// that: it costs others' sound nothing, but the line's bits.
pub const RETRY: Duration = Duration::from_secs(10);

/// What that grows to.
pub const MOST_RETRY: Duration = Duration::from_mins(2);

/// A try without pictures for this long has failed.
pub const FAILED: Duration = Duration::from_secs(1);

/// Since when pictures are missing, and since when they come.
#[derive(Clone, Copy, Debug, Default)]
struct Spell {
    /// Breaks shorter than [`STEADY`] don't end it.
    missing: Option<Now>,
    coming: Option<Now>,
}

impl Spell {
    fn look(&mut self, now: Now, carries: bool) {
        if !carries {
            self.coming = None;
            self.missing.get_or_insert(now);
        } else if now.since(*self.coming.get_or_insert(now)) >= STEADY {
            self.missing = None;
        }
    }

    /// Whether they are missing now, and have been for so long.
    fn is_missing(&self, now: Now, long: Duration) -> bool {
        self.coming.is_none() && self.missing.is_some_and(|since| now.since(since) >= long)
    }

    /// Whether they have come for so long.
    fn is_coming(&self, now: Now, long: Duration) -> bool {
        self.coming.is_some_and(|since| now.since(since) >= long)
    }
}

/// What a receiver is told that its line carries.
#[derive(Clone, Debug)]
pub struct Word {
    told: Carries,
    spell: Spell,
    /// When pictures were last told to be back.
    back: Option<Now>,
    /// How long they must come before that is told.
    patience: Duration,
}

impl Default for Word {
    /// Pictures, as long as nothing else is said.
    fn default() -> Self {
        Self {
            told: Carries::Pictures,
            spell: Spell::default(),
            back: None,
            patience: STEADY,
        }
    }
}

impl Word {
    /// Looks at the line, some times a second: whether it carries pictures now. Gives what is to be
    /// told, if that is something else than was.
    pub fn turn(&mut self, now: Now, carries: bool) -> Option<Carries> {
        self.spell.look(now, carries);
        match self.told {
            Carries::Sound if self.spell.is_coming(now, self.patience) => {
                self.back = Some(now);
                self.told = Carries::Pictures;
            }
            Carries::Pictures if self.spell.is_missing(now, MISSING) => {
                let relapsed = self.back.is_some_and(|back| now.since(back) < RELAPSE);
                self.patience = if relapsed {
                    (self.patience * 2).min(MOST_STEADY)
                } else {
                    STEADY
                };
                self.told = Carries::Sound;
            }
            _ => return None,
        }
        Some(self.told)
    }

    /// The connection is gone: what passed over it says nothing of the next one. What was told stays.
    pub fn interrupt(&mut self) {
        self.spell = Spell::default();
    }

    /// No picture is asked of the line, so that nothing is known of it any more. Gives what is to be
    /// told, if anything.
    pub fn forget(&mut self) -> Option<Carries> {
        let missing = self.told == Carries::Sound;
        *self = Self::default();
        missing.then_some(self.told)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Step {
    #[default]
    Sends,
    Paused {
        since: Now,
    },
    Tries,
}

/// When a sender stops sending its picture, because its line doesn't carry even the least of it, and
/// tries again.
#[derive(Clone, Debug)]
pub struct Pause {
    step: Step,
    spell: Spell,
    /// When a try last did well.
    back: Option<Now>,
    /// How long it is paused before the next try.
    patience: Duration,
}

impl Default for Pause {
    /// Pictures are sent.
    fn default() -> Self {
        Self {
            step: Step::Sends,
            spell: Spell::default(),
            back: None,
            patience: RETRY,
        }
    }
}

impl Pause {
    /// Looks at the line, some times a second: whether it carries what is sent of the picture now.
    /// Says whether anything changed by that.
    pub fn turn(&mut self, now: Now, carries: bool) -> bool {
        if let Step::Paused { since } = self.step {
            let tries = now.since(since) >= self.patience;
            if tries {
                self.step = Step::Tries;
                self.spell = Spell::default();
            }
            return tries;
        }
        self.spell.look(now, carries);
        let trying = self.step == Step::Tries;
        let long = if trying { FAILED } else { MISSING };
        if self.spell.is_missing(now, long) {
            let relapsed = self.back.is_some_and(|back| now.since(back) < RELAPSE);
            self.patience = if trying || relapsed {
                (self.patience * 2).min(MOST_RETRY)
            } else {
                RETRY
            };
            self.step = Step::Paused { since: now };
            return true;
        }
        let does_well = trying && self.spell.is_coming(now, STEADY);
        if does_well {
            self.step = Step::Sends;
            self.back = Some(now);
        }
        does_well
    }

    /// Whether the picture is sent now.
    pub fn sends(&self) -> bool {
        !matches!(self.step, Step::Paused { .. })
    }

    /// What people are told that the line carries: a try isn't told before it does well.
    pub fn carries(&self) -> Carries {
        match self.step {
            Step::Sends => Carries::Pictures,
            Step::Paused { .. } | Step::Tries => Carries::Sound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often the line is looked at.
    const LOOK_MS: u64 = 200;

    /// What is told, and when in seconds, of a line that carries pictures (or not) for so many
    /// seconds each.
    fn told(spells: &[(u64, bool)]) -> Vec<(u64, Carries)> {
        let (mut word, mut ms, mut told) = (Word::default(), 0, Vec::new());
        for &(seconds, carries) in spells {
            let end = ms + seconds * 1000;
            while ms < end {
                if let Some(word) = word.turn(Now(ms * 1000), carries) {
                    told.push((ms / 1000, word));
                }
                ms += LOOK_MS;
            }
        }
        told
    }

    const SOUND: Carries = Carries::Sound;
    const PICTURES: Carries = Carries::Pictures;

    #[test]
    fn a_good_line_and_a_moments_stall_are_not_told() {
        assert_eq!(told(&[(100, true)]), []);
        assert_eq!(told(&[(10, true), (3, false), (100, true)]), []);
    }

    #[test]
    fn it_is_told_after_a_while_and_taken_back_when_pictures_come_steadily() {
        let line = [(10, true), (20, false), (60, true)];
        assert_eq!(told(&line), [(14, SOUND), (35, PICTURES)]);
    }

    #[test]
    fn tries_that_fail_take_nothing_back_and_put_nothing_off() {
        let line = [
            (10, true),
            (2, false),
            (1, true),
            (4, false),
            (1, true),
            (8, false),
        ];
        assert_eq!(told(&line), [(14, SOUND)]);
        let short = [(9, false), (4, true), (16, false), (4, true), (32, false)];
        assert_eq!(told(&short), [(4, SOUND)]);
    }

    #[test]
    fn a_line_that_swings_is_told_ever_more_seldom() {
        let swing: Vec<_> = [(6, false), (8, true)]
            .into_iter()
            .cycle()
            .take(120)
            .collect();
        let told = told(&swing);
        assert_eq!(told[..2], [(4, SOUND), (11, PICTURES)]);
        // Believed after 5 s at first, then 10: more than a spell of it.
        assert_eq!(told.len(), 3, "{told:?}");
    }

    #[test]
    fn one_that_did_well_for_long_is_believed_again_at_once() {
        let line = [
            (6, false),
            (8, true),
            (6, false),
            (200, true),
            (6, false),
            (10, true),
        ];
        let told: Vec<_> = told(&line).into_iter().map(|(at, _)| at).collect();
        assert_eq!(told, [4, 11, 18, 30, 224, 231]);
    }

    #[test]
    fn what_nobody_shows_is_not_told() {
        let mut word = Word::default();
        assert_eq!(word.forget(), None);
        for ms in (0..5000).step_by(200) {
            word.turn(Now(ms * 1000), false);
        }
        assert_eq!(word.forget(), Some(PICTURES));
        assert_eq!(word.forget(), None);
        assert_eq!(word.turn(Now(9_000_000), false), None, "it begins anew");
    }

    /// A line that carries a picture from `good` on and not before: when it was paused (`false`) and
    /// sent (`true`), in seconds.
    fn paused(good: u64, until: u64) -> Vec<(u64, bool)> {
        let (mut pause, mut sends, mut changes) = (Pause::default(), true, Vec::new());
        for ms in (0..until * 1000).step_by(LOOK_MS as usize) {
            // Before the first look at a try nothing was sent, so nothing is missing.
            let carries = !pause.sends() || ms >= good * 1000;
            let told = pause.carries();
            let changed = pause.turn(Now(ms * 1000), carries);
            assert_eq!(changed, pause.sends() != sends || pause.carries() != told);
            if pause.sends() != sends {
                sends = pause.sends();
                changes.push((ms / 1000, sends));
            }
        }
        changes
    }

    #[test]
    fn a_picture_that_doesnt_pass_is_paused_and_tried_ever_more_seldom() {
        let changes = paused(u64::MAX / 1000, 1000);
        let pauses: Vec<_> = changes.iter().filter(|(_, sends)| !sends).collect();
        let gaps: Vec<_> = pauses
            .windows(2)
            .map(|pair| pair[1].0 - pair[0].0)
            .collect();
        assert_eq!(pauses[0].0, 4);
        assert_eq!(gaps[..4], [11, 21, 41, 81]);
        assert!(
            gaps[4..].iter().all(|gap| (121..=122).contains(gap)),
            "{gaps:?}"
        );
    }

    #[test]
    fn it_is_back_with_the_first_try_that_does_well_and_told_then() {
        let changes = paused(60, 400);
        assert_eq!(changes.last(), Some(&(76, true)));
        let mut pause = Pause::default();
        let look = |pause: &mut Pause, ms: u64, carries| pause.turn(Now(ms * 1000), carries);
        for ms in (0..=4000).step_by(200) {
            look(&mut pause, ms, false);
        }
        assert!(!pause.sends());
        assert!(look(&mut pause, 14_000, true) && pause.sends());
        assert_eq!(pause.carries(), SOUND, "only tried");
        assert!(!look(&mut pause, 14_200, true) && !look(&mut pause, 19_000, true));
        assert!(look(&mut pause, 19_200, true));
        assert_eq!(pause.carries(), PICTURES);
    }
}
