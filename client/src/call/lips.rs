//! Lip sync: when a sender's picture is put. Pure.
//!
//! Sound waits in its jitter buffer and in the output, pictures wait for nothing; a picture that is
//! put as soon as it is decoded runs ahead of its sound. So it is held until the sound of its time
//! is heard. Both times are of the sender's one clock, and where the sound is now is asked anew
//! each time, so neither the clocks' drift nor the buffer's stretching adds up. While somebody
//! pauses, pictures keep the delay that the sound had: they would jump ahead at the end of each
//! sentence and stand still at the beginning of the next.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use visita_media::stats::Percentiles;
use visita_protocol::{
    id::MemberId,
    time::{MediaTime, Now},
};

/// The longest that a picture is held. Sound that is later than this comes over a line on which
/// nobody looks at lips, and a picture that stands still would be worse.
pub(super) const MAX_HOLD: Duration = Duration::from_millis(500);

/// The most pictures that are held of one sender: [`MAX_HOLD`]'s at 30 a second.
const MOST: usize = 15;

/// The most bytes of pictures that are held of one sender: [`MOST`] of 640×360 are a half of it,
/// four of 1920×1080 three quarters.
const MOST_BYTES: usize = 16 << 20;

/// A picture is put this much before its sound, rather than to wake up twice: painting takes
/// longer, and 40 ms is the bound.
const EARLY: Duration = Duration::from_millis(5);

/// A pause longer than this isn't one between two sentences: pictures are put at once again.
const PAUSE: Duration = Duration::from_secs(2);

/// Times that are this far apart have nothing to do with each other: no line and no buffer delays
/// anything so long.
const UNRELATED: Duration = Duration::from_secs(5);

/// Everybody's held pictures.
pub(super) struct Lips<P>(BTreeMap<MemberId, Sender<P>>);

struct Sender<P> {
    held: VecDeque<Held<P>>,
    bytes: usize,
    sound: Option<Sound>,
    /// When to look again.
    next: Option<Now>,
    /// How far a picture was from its sound when it was put, in microseconds.
    offsets: Percentiles,
}

struct Held<P> {
    time: MediaTime,
    since: Now,
    bytes: usize,
    picture: P,
}

/// What is heard of a sender, and since when it is that. In a pause it goes on from there.
#[derive(Clone, Copy)]
struct Sound {
    heard: MediaTime,
    since: Now,
}

impl<P> Default for Lips<P> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<P> Default for Sender<P> {
    fn default() -> Self {
        Self {
            held: VecDeque::new(),
            bytes: 0,
            sound: None,
            next: None,
            offsets: Percentiles::new(),
        }
    }
}

impl<P> Lips<P> {
    /// A picture of so many bytes was decoded. To be followed by [`Lips::look`].
    pub(super) fn decoded(
        &mut self,
        now: Now,
        of: MemberId,
        time: MediaTime,
        bytes: usize,
        picture: P,
    ) {
        let sender = self.0.entry(of).or_default();
        sender.bytes += bytes;
        sender.held.push_back(Held {
            time,
            since: now,
            bytes,
            picture,
        });
    }

    /// Looks which picture of a sender is to be put now; `heard` is the time of the sound that is
    /// heard of it now. When several are due the newest wins.
    pub(super) fn look(&mut self, now: Now, of: MemberId, heard: Option<MediaTime>) -> Option<P> {
        self.0.get_mut(&of)?.look(now, heard)
    }

    /// Of whom to look again by this time.
    pub(super) fn due(&self, now: Now) -> Vec<MemberId> {
        let due = |sender: &Sender<P>| sender.next.is_some_and(|next| next <= now);
        let due = self.0.iter().filter(|(_, sender)| due(sender));
        due.map(|(member, _)| *member).collect()
    }

    /// When to look again.
    pub(super) fn next(&self) -> Option<Now> {
        self.0.values().filter_map(|sender| sender.next).min()
    }

    /// A sender muted itself: its pictures wait for nothing.
    pub(super) fn muted(&mut self, of: MemberId) {
        if let Some(sender) = self.0.get_mut(&of) {
            sender.sound = None;
        }
    }

    /// A sender's camera is off, or the sender is gone.
    pub(super) fn forget(&mut self, of: MemberId) {
        if let Some(sender) = self.0.get_mut(&of) {
            let offsets = std::mem::take(&mut sender.offsets);
            *sender = Sender {
                offsets,
                ..Sender::default()
            };
        }
    }

    /// How far a sender's pictures were from their sound when they were put, in microseconds.
    pub(super) fn offsets(&self, of: MemberId) -> Option<&Percentiles> {
        self.0.get(&of).map(|sender| &sender.offsets)
    }
}

impl Sound {
    fn at(self, now: Now) -> MediaTime {
        let gone_on = now.since(self.since).as_micros() as u64;
        MediaTime(self.heard.0.saturating_add(gone_on))
    }
}

impl<P> Sender<P> {
    fn look(&mut self, now: Now, heard: Option<MediaTime>) -> Option<P> {
        if let Some(heard) = heard
            && self.sound.is_none_or(|sound| sound.heard != heard)
        {
            self.sound = Some(Sound { heard, since: now });
        }
        self.sound = self.sound.filter(|sound| now.since(sound.since) < PAUSE);
        let sound = self.sound.map(|sound| sound.at(now));
        let many = self.too_many();
        let due = |held: &Held<P>| Self::wait(held, now, sound).is_none();
        let last = self.held.iter().rposition(due).max(many.checked_sub(1));
        let mut newest = None;
        for _ in 0..last.map_or(0, |last| last + 1) {
            newest = self.held.pop_front();
            self.bytes -= newest.as_ref().map_or(0, |held| held.bytes);
        }
        let waits = self.held.iter();
        let waits = waits.filter_map(|held| Self::wait(held, now, sound));
        self.next = waits.min().map(|wait| now.plus(wait.max(SHORTEST)));
        let Held { time, picture, .. } = newest?;
        if let Some(heard) = heard {
            self.offsets.add(heard.0.abs_diff(time.0));
        }
        Some(picture)
    }

    /// How many of the oldest are more than may be held.
    fn too_many(&self) -> usize {
        let mut bytes = self.bytes;
        let mut many = 0;
        for held in &self.held {
            if self.held.len() - many <= MOST && bytes <= MOST_BYTES {
                break;
            }
            bytes -= held.bytes;
            many += 1;
        }
        many
    }

    /// How long a picture still waits; `None`: it is due.
    fn wait(held: &Held<P>, now: Now, sound: Option<MediaTime>) -> Option<Duration> {
        let ahead = Duration::from_micros(held.time.0.saturating_sub(sound?.0));
        let left = MAX_HOLD.saturating_sub(now.since(held.since));
        (ahead > EARLY && ahead < UNRELATED && !left.is_zero())
            .then(|| left.min(ahead.saturating_sub(EARLY)))
    }
}

/// Between two looks.
const SHORTEST: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests;
