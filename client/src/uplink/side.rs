//! What goes over UDP: whole frames, sound first.

use bytes::Bytes;
use visita_protocol::{
    chunk,
    frame::{Header, MAX_FRAME},
    id::TrackId,
    receiver::{Receiver, Selected, Verdict},
    time::Now,
};

use super::{SELF, State};

pub(super) struct Side {
    queues: Receiver<(), Bytes>,
    tracks: Vec<TrackId>,
}

impl Side {
    /// For these tracks.
    pub(super) fn new(tracks: Vec<TrackId>) -> Self {
        Self {
            queues: Receiver::new(),
            tracks,
        }
    }

    pub(super) fn brings(&self, track: TrackId) -> bool {
        self.tracks.contains(&track)
    }

    pub(super) fn route(&mut self, tracks: &[Selected]) {
        self.queues.route(SELF, tracks);
        self.queues.cut_off();
    }

    pub(super) fn try_pictures(&mut self, now: Now) {
        self.queues.try_pictures(now);
    }

    /// Queues a frame: its header, then its payload. RTP cuts it by itself.
    pub(super) fn frame(&mut self, now: Now, header: Header, payload: &[u8]) -> Verdict {
        let Ok(mut whole) = chunk::split(header, payload.len(), MAX_FRAME) else {
            return Verdict::NotSelected;
        };
        let Some((header, _)) = whole.next() else {
            return Verdict::NotSelected;
        };
        let mut message = Vec::with_capacity(header.len() + payload.len());
        header.write(&mut message);
        message.extend_from_slice(payload);
        self.queues
            .frame(now, &header, payload.len(), &Bytes::from(message))
    }

    /// The next frame: sound, and pictures only if they may go now.
    pub(super) fn leave(&mut self, now: Now, pictures: bool) -> Option<Bytes> {
        let sound = self.queues.pop_sound(now);
        let next = match sound {
            None if pictures => self.queues.pop_picture(),
            sound => sound,
        };
        next.map(|(message, _)| message)
    }

    pub(super) fn pictures_wait(&self) -> bool {
        self.queues.depth().picture > 0
    }

    pub(super) fn state(&self, now: Now) -> State {
        State::of(&self.queues, now)
    }
}
