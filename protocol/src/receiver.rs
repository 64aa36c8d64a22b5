//! What one receiver gets, and what it doesn't when it is slow.
//!
//! A receiver has three bounded queues: control, sound, picture, emptied in this order; a large
//! picture goes chunk by chunk, so sound gets between. A picture is queued only when everything
//! that it refers to was queued before and not thrown away: what comes out can be decoded. When
//! the queues grow old, picture is cut step by step ([`Level`]); nobody else notices.

mod flight;
mod pace;
mod stream;
mod verdict;

use std::{collections::VecDeque, time::Duration};

use flight::Flight;
pub use pace::Level;
use pace::Pace;
use stream::Stream;
pub use verdict::{Counters, Reason, Verdict};

use crate::{
    frame::{Header, MAX_FRAME},
    id::{MemberId, TrackId},
    media::Kind,
    time::Now,
};

/// The most control messages that wait: as many as a session keeps unacknowledged, all of which a
/// resume sends again, and the welcome, acknowledgements and pongs between them.
pub const MAX_CONTROL: usize = crate::session::MAX_UNACKNOWLEDGED + 64;

/// The most sound frames that wait: 20 speakers' frames of 20 ms for [`SOUND_MAX_AGE`].
pub const MAX_SOUND: usize = 400;

/// The largest sound frame, in bytes: an Opus packet of 120 ms, the longest there is, has 7,656.
pub const MAX_SOUND_FRAME: usize = 8 * 1024;

/// Sound that waited longer than this is thrown away: it would only push the delay of all that
/// follows beyond what a conversation bears.
pub const SOUND_MAX_AGE: Duration = Duration::from_millis(400);

/// The most picture frames that wait: 16 cameras at 30 pictures a second for half a second.
pub const MAX_PICTURE: usize = 256;

/// The most picture bytes that wait: one largest frame on its way out and one behind it.
pub const MAX_PICTURE_BYTES: usize = 2 * MAX_FRAME;

/// One frame a second a camera when only key frames are sent.
pub const KEY_FRAME_EVERY: Duration = Duration::from_secs(1);

/// Every spatial layer, for who hands them on.
pub const ALL_LAYERS: u8 = u8::MAX;

/// A track that a receiver gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selected {
    /// Which of the sender's tracks.
    pub track: TrackId,
    /// Sound or picture.
    pub kind: Kind,
    /// The spatial layer that covers the size shown, 0 for sound; [`ALL_LAYERS`].
    pub layer: u8,
}

/// What is sent next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item<C, F> {
    /// A control message.
    Control(C),
    /// A chunk of a frame. The chunks of a frame come in order, and of two pictures never mixed.
    Chunk {
        /// The frame.
        frame: F,
        /// Which of its chunks.
        chunk: u16,
    },
    /// The other side is asked for an answer, to know when what went before it has come; the answer
    /// goes to [`Receiver::answered`].
    Mark(u32),
}

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Control messages.
    pub control: usize,
    /// Sound frames.
    pub sound: usize,
    /// Picture frames.
    pub picture: usize,
    /// Picture's payload bytes.
    pub picture_bytes: usize,
}

/// More control messages than the queue holds. The connection must end; its session can be
/// resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{MAX_CONTROL} control messages wait already")]
pub struct Overflow;

struct Waiting<F> {
    header: Header,
    bytes: usize,
    next: u16,
    since: Now,
    frame: F,
}

/// One receiver: `C` is a control message, `F` a handle of a whole frame, cheap to clone.
pub struct Receiver<C, F> {
    control: VecDeque<C>,
    sound: VecDeque<Waiting<F>>,
    picture: VecDeque<Waiting<F>>,
    picture_bytes: usize,
    streams: Vec<Stream>,
    pace: Pace,
    /// Whether the line is known to be slow by other signs than these queues.
    gentle: bool,
    flight: Flight,
    mark: Option<u32>,
    counters: Counters,
}

impl<C, F> Default for Receiver<C, F> {
    fn default() -> Self {
        Self {
            control: VecDeque::new(),
            sound: VecDeque::new(),
            picture: VecDeque::new(),
            picture_bytes: 0,
            streams: Vec::new(),
            pace: Pace::default(),
            gentle: false,
            flight: Flight::default(),
            mark: None,
            counters: Counters::default(),
        }
    }
}

impl<C, F: Clone> Receiver<C, F> {
    /// A receiver that gets nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Which of a sender's tracks it gets from now on; all others of that sender end, and what
    /// waits of them is thrown away. Gives the picture tracks that need a key frame to start.
    pub fn route(&mut self, sender: MemberId, tracks: &[Selected]) -> Vec<TrackId> {
        let selected = |stream: &Stream| {
            tracks
                .iter()
                .find(|s| s.track == stream.track && s.kind == stream.kind)
                .copied()
        };
        self.streams.retain_mut(|stream| {
            if stream.sender != sender {
                return true;
            }
            let Some(selected) = selected(stream) else {
                return false;
            };
            stream.target = selected.layer;
            true
        });
        let mut starting = Vec::new();
        for selected in tracks {
            if self.stream(sender, selected.track).is_none() {
                self.streams.push(Stream::new(sender, *selected));
                if selected.kind == Kind::Video {
                    starting.push(selected.track);
                }
            }
        }
        let ended = |header: &Header| {
            header.sender == sender && !tracks.iter().any(|selected| selected.track == header.track)
        };
        self.purge(ended);
        let waiting = self.sound.len();
        self.sound
            .retain(|waiting| waiting.next > 0 || !ended(&waiting.header));
        self.purged_sound((waiting - self.sound.len()) as u64);
        starting
    }

    /// Cuts off what waits of tracks that aren't selected any more, so that nothing of them follows
    /// what is said next: the rest of a frame that is half sent.
    pub fn cut_off(&mut self) {
        let streams = &self.streams;
        let selected = |waiting: &Waiting<F>| {
            let (sender, track) = (waiting.header.sender, waiting.header.track);
            let mut streams = streams.iter();
            streams.any(|stream| stream.sender == sender && stream.track == track)
        };
        let waiting = self.sound.len() + self.picture.len();
        self.sound.retain(selected);
        self.picture.retain(selected);
        self.picture_bytes = self.picture.iter().map(|waiting| waiting.bytes).sum();
        let cut = waiting - self.sound.len() - self.picture.len();
        self.counters.dropped[Reason::Purged as usize] += cut as u64;
    }

    /// Everything of this sender ends.
    pub fn forget(&mut self, sender: MemberId) {
        self.route(sender, &[]);
    }

    /// The connection is gone: all that waits is thrown away (control messages come again from
    /// the session), and every picture track starts again at a key frame.
    pub fn clear(&mut self) {
        self.control.clear();
        self.counters.dropped[Reason::Purged as usize] += self.picture.len() as u64;
        self.purged_sound(self.sound.len() as u64);
        self.sound.clear();
        self.picture.clear();
        self.picture_bytes = 0;
        self.pace = Pace::default();
        self.flight = Flight::default();
        self.mark = None;
        for stream in &mut self.streams {
            stream.restart();
        }
    }

    /// The connection is gone that control goes over, and media goes another way: only control
    /// messages are thrown away.
    pub fn clear_control(&mut self) {
        self.control.clear();
    }

    /// Queues a control message.
    pub fn control(&mut self, message: C) -> Result<(), Overflow> {
        if self.control.len() == MAX_CONTROL {
            return Err(Overflow);
        }
        self.control.push_back(message);
        Ok(())
    }

    /// Takes a whole frame of `bytes` payload bytes; `header` is that of its first chunk, with
    /// the sender stamped.
    pub fn frame(&mut self, now: Now, header: &Header, bytes: usize, frame: &F) -> Verdict {
        let Some(index) = self.stream(header.sender, header.track) else {
            return Verdict::NotSelected;
        };
        let verdict = match self.streams[index].kind {
            Kind::Audio => self.take_sound(index, header, bytes),
            Kind::Video => self.take_picture(now, index, header, bytes),
        };
        match verdict {
            Ok(()) => {
                let waiting = Waiting {
                    header: *header,
                    bytes,
                    next: 0,
                    since: now,
                    frame: frame.clone(),
                };
                match self.streams[index].kind {
                    Kind::Audio => self.sound.push_back(waiting),
                    Kind::Video => {
                        self.picture_bytes += bytes;
                        self.picture.push_back(waiting);
                    }
                }
                Verdict::Queued
            }
            Err(dropped) => {
                self.count(dropped.reason);
                Verdict::Dropped {
                    reason: dropped.reason,
                    key_frame: dropped.key_frame,
                }
            }
        }
    }

    /// Whether the line is slow, however short frames wait here.
    pub fn gentle(&mut self, gentle: bool) {
        self.gentle = gentle;
    }

    /// A mark was answered: there may be room for pictures again.
    pub fn answered(&mut self, now: Now, mark: u32) {
        self.flight.answered(now, mark);
    }

    /// What is to be sent next. Pictures for a slow line wait until what went before has come.
    pub fn pop(&mut self, now: Now) -> Option<Item<C, F>> {
        // Right behind what it is about.
        if let Some(mark) = self.mark.take() {
            return Some(Item::Mark(mark));
        }
        if let Some(message) = self.pop_control() {
            return Some(Item::Control(message));
        }
        if let Some((frame, chunk)) = self.pop_sound(now) {
            return Some(Item::Chunk { frame, chunk });
        }
        let slow = self.gentle || self.pace.level() != Level::Full;
        if slow && !self.flight.has_room() {
            return None;
        }
        let bytes = self.picture.front().map_or(0, |first| {
            let chunks = usize::from(first.header.chunks).max(1);
            first.bytes.div_ceil(chunks)
        });
        let (frame, chunk) = self.pop_picture()?;
        if slow {
            self.mark = self.flight.took(now, bytes);
        }
        Some(Item::Chunk { frame, chunk })
    }

    /// The next control message, for a connection whose media goes another way.
    pub fn pop_control(&mut self) -> Option<C> {
        let message = self.control.pop_front()?;
        self.counters.control += 1;
        Some(message)
    }

    /// The next chunk of sound, and which of its frame's it is.
    pub fn pop_sound(&mut self, now: Now) -> Option<(F, u16)> {
        while self
            .sound
            .front()
            .is_some_and(|w| w.next == 0 && now.since(w.since) > SOUND_MAX_AGE)
        {
            self.sound.pop_front();
            self.purged_sound(1);
        }
        let (frame, chunk, done) = next_chunk(&mut self.sound)?;
        if let Some(bytes) = done {
            self.counters.sound += 1;
            self.counters.bytes += bytes as u64;
        }
        Some((frame, chunk))
    }

    /// The next chunk of a picture, for a carrier that knows by itself how much its line takes.
    pub fn pop_picture(&mut self) -> Option<(F, u16)> {
        let (frame, chunk, done) = next_chunk(&mut self.picture)?;
        if let Some(bytes) = done {
            self.picture_bytes -= bytes;
            self.counters.picture += 1;
            self.counters.bytes += bytes as u64;
        }
        Some((frame, chunk))
    }

    /// What the other side got of this sender's pictures is of no use any more: they start again at
    /// a key frame.
    pub fn restart(&mut self, sender: MemberId) {
        self.purge(|header| header.sender == sender);
        for stream in &mut self.streams {
            if stream.sender == sender {
                stream.restart();
            }
        }
    }

    /// Media goes another way from now on, control as before: what waits of it is thrown away, and
    /// every picture starts again at a key frame.
    pub fn change_way(&mut self) {
        let control = std::mem::take(&mut self.control);
        self.clear();
        self.control = control;
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.mark.is_none()
            && self.control.is_empty()
            && self.sound.is_empty()
            && self.picture.is_empty()
    }

    /// How far picture is cut now.
    pub fn level(&self) -> Level {
        self.pace.level()
    }

    /// Whose tracks it gets, each sender once for each track.
    pub fn senders(&self) -> impl Iterator<Item = MemberId> + '_ {
        self.streams.iter().map(|stream| stream.sender)
    }

    /// Whether any picture is selected.
    pub fn gets_pictures(&self) -> bool {
        self.streams.iter().any(|stream| stream.kind == Kind::Video)
    }

    /// Pictures are tried again on a line that didn't carry them, gently: key frames first.
    pub fn try_pictures(&mut self, now: Now) {
        self.pace = Pace::trying(now);
    }

    /// What it got and didn't get.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// How much waits.
    pub fn depth(&self) -> Depth {
        Depth {
            control: self.control.len(),
            sound: self.sound.len(),
            picture: self.picture.len(),
            picture_bytes: self.picture_bytes,
        }
    }

    /// How long the oldest waiting frame waits.
    pub fn age(&self, now: Now) -> Duration {
        let age =
            |queue: &VecDeque<Waiting<F>>| queue.front().map(|waiting| now.since(waiting.since));
        age(&self.sound).max(age(&self.picture)).unwrap_or_default()
    }

    fn stream(&self, sender: MemberId, track: TrackId) -> Option<usize> {
        self.streams
            .iter()
            .position(|stream| stream.sender == sender && stream.track == track)
    }

    fn purged_sound(&mut self, frames: u64) {
        self.counters.sound_purged += frames;
        self.counters.dropped[Reason::Purged as usize] += frames;
    }

    fn count(&mut self, reason: Reason) {
        self.counters.dropped[reason as usize] += 1;
    }

    fn take_sound(
        &mut self,
        index: usize,
        header: &Header,
        bytes: usize,
    ) -> Result<(), stream::Dropped> {
        if !header.references.is_key() || bytes > MAX_SOUND_FRAME {
            return Err(stream::dropped(Reason::Invalid));
        }
        self.streams[index].take(header)?;
        if self.sound.len() == MAX_SOUND {
            // The oldest that isn't half sent.
            let at = usize::from(self.sound.front().is_some_and(|waiting| waiting.next > 0));
            self.sound.remove(at);
            self.purged_sound(1);
        }
        Ok(())
    }

    fn take_picture(
        &mut self,
        now: Now,
        index: usize,
        header: &Header,
        bytes: usize,
    ) -> Result<(), stream::Dropped> {
        if bytes > MAX_FRAME {
            return Err(stream::dropped(Reason::Invalid));
        }
        self.keep_pace(now);
        self.streams[index].choose(now, self.pace.level(), header)?;
        if self.picture.len() == MAX_PICTURE || self.picture_bytes + bytes > MAX_PICTURE_BYTES {
            self.purge(|_| true);
        }
        self.streams[index].take(header)?;
        self.streams[index].taken(now, header);
        Ok(())
    }

    fn keep_pace(&mut self, now: Now) {
        let age = self.age(now);
        let layers = || pace::Layers {
            temporal: self.streams.iter().any(|stream| stream.has_upper_temporal),
            spatial: self.streams.iter().any(|stream| stream.target > 0),
        };
        match self.pace.turn(now, age, self.picture_bytes, layers) {
            pace::Turn::Steady => {}
            pace::Turn::ShedUpperTemporal => self.purge(|header| header.layer.temporal > 0),
            pace::Turn::ShedAll => self.purge(|_| true),
        }
    }

    /// Throws away the waiting pictures that `unwanted` says, and with them all that refer to them. A frame that is half sent stays.
    fn purge(&mut self, unwanted: impl Fn(&Header) -> bool) {
        let streams = &mut self.streams;
        let mut purged = 0;
        let mut bytes = 0;
        self.picture.retain(|waiting| {
            let header = &waiting.header;
            let stream = streams
                .iter_mut()
                .find(|stream| stream.sender == header.sender && stream.track == header.track);
            let keep = waiting.next > 0
                || !unwanted(header) && stream.as_ref().is_some_and(|s| s.delivered_all(header));
            if !keep {
                purged += 1;
                bytes += waiting.bytes;
                if let Some(stream) = stream {
                    stream.undeliver(header.sequence);
                }
            }
            keep
        });
        self.picture_bytes -= bytes;
        self.counters.dropped[Reason::Purged as usize] += purged;
    }
}

/// The next chunk of a queue's first frame: the frame, which of its chunks, and the frame's bytes if
/// it is the last.
fn next_chunk<F: Clone>(queue: &mut VecDeque<Waiting<F>>) -> Option<(F, u16, Option<usize>)> {
    let first = queue.front_mut()?;
    let chunk = first.next;
    if chunk + 1 < first.header.chunks {
        first.next += 1;
        return Some((first.frame.clone(), chunk, None));
    }
    let last = queue.pop_front()?;
    Some((last.frame, chunk, Some(last.bytes)))
}

#[cfg(test)]
mod tests;
