//! Who speaks in a room: the active speaker, and whose sound is forwarded.
//!
//! Both follow from what the sound frames' headers say ([`Level`]) and from when they come; what
//! is said is never looked at. In a room of at most [`SMALL_ROOM`] everybody's sound is forwarded.
//! In a larger one the bedside's always is, a whisper too, and of the others that of [`LOUDEST`],
//! who hold **places**: a place is kept for as long as its holder speaks, pauses between words
//! included, so nobody is cut in the middle of a word. A member holds one place at most, whatever
//! it says of itself, and none without sending.

use std::time::Duration;

use crate::{control::Role, id::MemberId, sound::Level, time::Now};

/// Up to so many members, everybody's sound is forwarded.
pub const SMALL_ROOM: usize = 4;

/// In larger rooms, the sound of so many besides the bedside's: more than three voices at once
/// nobody follows.
pub const LOUDEST: usize = 3;

/// A pause no longer than this belongs to what is said: those between words and at a comma last
/// up to half a second.
const PAUSE: Duration = Duration::from_millis(600);

/// A silence this long lies between two words, never within one: stops within words last less than
/// 150 ms, and levels are told for 100 ms.
const BREAK: Duration = Duration::from_millis(200);

/// Somebody is clearly louder than another from here on, in dB: one step of the levels as they are
/// told, less what smoothing leaves of it.
const CLEARLY: f32 = 5.0;

/// Who is clearly louder for this long gets a place at the next break of the other, a word or two
/// later.
const CLAIM: Duration = Duration::from_millis(500);

/// Voice without a single break for this long isn't a person (who breathes), but a television or a
/// false level: it counts as noise until it breaks off.
const INCESSANT: Duration = Duration::from_secs(20);

/// Who sends nothing for this long is silent: with DTX, Opus sends a frame every 400 ms.
const GONE: Duration = Duration::from_millis(500);

/// Loudness is smoothed over this time: some syllables.
const SMOOTHING: Duration = Duration::from_millis(300);

/// Who speaks for less than this (a cough, a "yes") doesn't become the active speaker.
const ONSET: Duration = Duration::from_millis(300);

/// Who is clearly louder than an active speaker who goes on speaking takes over after this time.
const OVERTAKE: Duration = Duration::from_secs(1);

/// The active speaker doesn't change more often than this, so that nothing flickers.
const STEADY: Duration = Duration::from_secs(1);

/// Nobody is the active speaker after everybody was silent for this long.
const SILENCE: Duration = Duration::from_secs(2);

/// The active speaker is somebody else from now on, or nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Speaker(pub Option<MemberId>);

/// What follows from a sound frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Heard {
    /// Whether the frame is forwarded.
    pub forward: bool,
    /// To be told to everybody in the room.
    pub speaker: Option<Speaker>,
}

/// One room's members, as far as they are heard.
#[derive(Clone, Debug, Default)]
pub struct Speakers {
    members: Vec<Member>,
    active: Option<MemberId>,
    /// When the active speaker changed.
    changed: Option<Now>,
    /// Since when somebody is clearly louder than the active speaker, who speaks.
    outspoken: Option<Now>,
}

#[derive(Clone, Debug)]
struct Member {
    id: MemberId,
    bedside: bool,
    /// Smoothed; of the pauses within what is said nothing.
    loudness: f32,
    /// When a frame last came.
    heard: Option<Now>,
    /// When it last spoke.
    spoke: Option<Now>,
    /// Since when it speaks, pauses included.
    turn: Now,
    /// Since when each frame says voice.
    unbroken: Option<Now>,
    placed: bool,
    /// Since when it is clearly louder than somebody who has a place, without having one.
    claims: Option<Now>,
}

impl Member {
    fn new(id: MemberId, bedside: bool) -> Self {
        Self {
            id,
            bedside,
            loudness: Level::SILENT.dbov(),
            heard: None,
            spoke: None,
            turn: Now::default(),
            unbroken: None,
            placed: false,
            claims: None,
        }
    }

    fn hear(&mut self, now: Now, level: Level) {
        let fresh = self.heard.is_none_or(|heard| now.since(heard) > GONE);
        if fresh {
            self.unbroken = None;
            self.claims = None;
        }
        if !level.voice() {
            self.unbroken = None;
        }
        let voice = level.voice() && now.since(*self.unbroken.get_or_insert(now)) <= INCESSANT;
        let speaking = self.speaks(now);
        if fresh || voice && !speaking {
            self.loudness = level.dbov();
        } else if voice || !speaking {
            let passed = self.heard.map_or(Duration::ZERO, |heard| now.since(heard));
            let passed = passed.as_secs_f32();
            let part = passed / (passed + SMOOTHING.as_secs_f32());
            self.loudness += part * (level.dbov() - self.loudness);
        }
        if voice {
            if !speaking {
                self.turn = now;
            }
            self.spoke = Some(now);
        }
        self.heard = Some(now);
    }

    /// For how long it hasn't spoken.
    fn pause(&self, now: Now) -> Duration {
        self.spoke.map_or(Duration::MAX, |spoke| now.since(spoke))
    }

    fn speaks(&self, now: Now) -> bool {
        self.pause(now) <= PAUSE
    }

    fn loudness(&self, now: Now) -> f32 {
        match self.heard {
            Some(heard) if now.since(heard) <= GONE => self.loudness,
            _ => Level::SILENT.dbov(),
        }
    }

    /// Whether it speaks for long enough to be the active speaker.
    fn eligible(&self, now: Now) -> bool {
        self.speaks(now) && now.since(self.turn) >= ONSET
    }

    /// Whether it is clearly louder than this.
    fn exceeds(&self, now: Now, loudness: f32) -> bool {
        self.loudness(now) >= loudness + CLEARLY
    }
}

impl Speakers {
    /// An empty room.
    pub fn new() -> Self {
        Self::default()
    }

    /// Somebody came in.
    pub fn joined(&mut self, member: MemberId, role: Role) {
        if self.find(member).is_none() {
            self.members
                .push(Member::new(member, role == Role::Bedside));
        }
    }

    /// Somebody went.
    pub fn left(&mut self, now: Now, member: MemberId) -> Option<Speaker> {
        self.members.retain(|known| known.id != member);
        self.silenced(now, member)
    }

    /// Somebody's microphone is off: it has no place, and isn't the active speaker.
    pub fn muted(&mut self, now: Now, member: MemberId) -> Option<Speaker> {
        if let Some(at) = self.find(member) {
            self.members[at] = Member::new(member, self.members[at].bedside);
        }
        self.silenced(now, member)
    }

    /// A sound frame came, that says to be so loud; `None` counts as silence.
    pub fn heard(&mut self, now: Now, member: MemberId, level: Option<Level>) -> Heard {
        let Some(at) = self.find(member) else {
            return Heard::default();
        };
        self.members[at].hear(now, level.unwrap_or(Level::SILENT));
        self.place(now, at);
        let speaker = self.elect(now);
        Heard {
            forward: self.is_forwarded(member),
            speaker,
        }
    }

    /// Does what time alone brings: nobody speaks any more. To be asked some times a second.
    pub fn tick(&mut self, now: Now) -> Option<Speaker> {
        self.elect(now)
    }

    /// The active speaker.
    pub fn active(&self) -> Option<MemberId> {
        self.active
    }

    /// Whether a member's sound would be forwarded now.
    pub fn is_forwarded(&self, member: MemberId) -> bool {
        let small = self.members.len() <= SMALL_ROOM;
        self.find(member)
            .map(|at| &self.members[at])
            .is_some_and(|member| small || member.bedside || member.placed)
    }

    /// Whether nobody is in the room.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    fn find(&self, member: MemberId) -> Option<usize> {
        self.members.iter().position(|known| known.id == member)
    }

    /// Gives a member that was just heard a place, if there is one for it.
    fn place(&mut self, now: Now, at: usize) {
        if self.members[at].bedside {
            return;
        }
        // In a small room too, so that nobody is cut when it grows.
        let places = if self.members.len() <= SMALL_ROOM {
            SMALL_ROOM
        } else {
            LOUDEST
        };
        let holders = || {
            let others = self.members.iter().enumerate();
            others.filter(|&(other, member)| other != at && member.placed)
        };
        let taken = holders().count();
        let me = &self.members[at];
        if me.placed {
            // The room grew.
            self.members[at].placed = taken < places || me.speaks(now);
            return;
        }
        if taken < places {
            self.members[at].placed = true;
            self.members[at].claims = None;
            return;
        }
        let quietest = holders().map(|(_, holder)| holder.loudness(now));
        // One that stopped isn't loud any more, though its turn isn't over yet.
        let sounds = me.pause(now) < BREAK || !me.speaks(now);
        let clearly = sounds && me.exceeds(now, quietest.fold(f32::INFINITY, f32::min));
        let claims = clearly.then(|| me.claims.unwrap_or(now));
        let claimed = claims.is_some_and(|since| now.since(since) >= CLAIM);
        let voice = me.spoke == Some(now);
        let gives_way = |holder: &Member| {
            let louder = claimed && me.exceeds(now, holder.loudness(now));
            if holder.speaks(now) {
                voice && louder && holder.pause(now) >= BREAK
            } else {
                voice || louder
            }
        };
        let loser = holders()
            .filter(|(_, holder)| gives_way(holder))
            .min_by(|(_, a), (_, b)| a.loudness(now).total_cmp(&b.loudness(now)))
            .map(|(loser, _)| loser);
        self.members[at].claims = claims;
        if let Some(loser) = loser {
            self.members[loser].placed = false;
            if taken <= places {
                self.members[at].placed = true;
                self.members[at].claims = None;
            }
        }
    }

    /// A member can't be the active speaker any more.
    fn silenced(&mut self, now: Now, member: MemberId) -> Option<Speaker> {
        if self.active != Some(member) {
            return None;
        }
        self.active = None;
        self.changed = None;
        Some(self.elect(now).unwrap_or(Speaker(None)))
    }

    /// Who is the active speaker now; gives it if it is another one than before.
    fn elect(&mut self, now: Now) -> Option<Speaker> {
        let active = self.active.and_then(|active| self.find(active));
        let candidates = self
            .members
            .iter()
            .filter(|member| self.active != Some(member.id) && member.eligible(now));
        let best = candidates.max_by(|a, b| a.loudness(now).total_cmp(&b.loudness(now)));
        let steady = self
            .changed
            .is_none_or(|changed| now.since(changed) >= STEADY);
        let active = active.map(|at| &self.members[at]);
        let speaks = active.filter(|active| active.speaks(now));
        let outspoken = match (speaks, best) {
            (Some(active), Some(best)) if best.exceeds(now, active.loudness(now)) => {
                Some(self.outspoken.unwrap_or(now))
            }
            _ => None,
        };
        let next = match (active, best) {
            (Some(active), Some(best)) if active.speaks(now) => {
                let overtaken = outspoken.is_some_and(|since| now.since(since) >= OVERTAKE);
                if overtaken {
                    Some(best.id)
                } else {
                    Some(active.id)
                }
            }
            (_, Some(best)) => Some(best.id),
            (Some(active), None) => (active.pause(now) < SILENCE).then_some(active.id),
            (None, None) => None,
        };
        self.outspoken = outspoken;
        if next == self.active || !steady {
            return None;
        }
        self.active = next;
        self.changed = Some(now);
        self.outspoken = None;
        Some(Speaker(next))
    }
}

#[cfg(test)]
mod tests;
