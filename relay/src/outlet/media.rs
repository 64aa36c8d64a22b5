//! The way of a participant's media beside its connection.

use std::sync::Arc;

use bytes::Bytes;
use str0m::media::Mid;
use visita_protocol::{
    chunk::Chunks, control::RelayMessage, frame::Header, id::MemberId, time::Now,
};

use super::{Body, Inner, MemberLink, Outlet};
use crate::{
    fine::Coding,
    metrics,
    webrtc::{Lane, Pair, Slots},
};

/// A lane, and who is in which of its slots.
pub(super) struct Way {
    lane: Arc<Lane>,
    slots: Slots,
    up: bool,
}

impl Way {
    /// Something of this sender goes out from now on, or nothing any more.
    pub(super) fn route(&mut self, sender: MemberId, used: bool) {
        if self.up {
            self.slots.route(sender, used);
        }
    }
}

/// A frame on its way into a lane.
pub(crate) struct Leaving {
    pub(crate) header: Header,
    pub(crate) coding: Coding,
    /// Its sender's slot.
    pub(crate) pair: Option<Pair>,
    pub(crate) chunks: Chunks<Bytes>,
}

impl Inner {
    /// The lane that media goes over now.
    pub(super) fn lane(&self) -> Option<&Arc<Lane>> {
        let way = self.way.as_ref().filter(|way| way.up)?;
        Some(&way.lane)
    }

    fn way(&mut self, lane: u64) -> Option<&mut Way> {
        self.way.as_mut().filter(|way| way.lane.number() == lane)
    }
}

impl Outlet {
    /// A lane begins that isn't up yet. Gives the one that it takes the place of.
    pub(crate) fn lane_begins(&self, lane: &Arc<Lane>, slots: Slots) -> Option<Arc<Lane>> {
        let mut inner = self.lock();
        let was = inner.lane().is_some();
        let before = inner.way.replace(Way {
            lane: lane.clone(),
            slots,
            up: false,
        });
        if was {
            inner.receiver.change_way();
        }
        before.map(|way| way.lane)
    }

    /// A lane is up: media goes over it. `None` if it isn't this participant's any more.
    pub(crate) fn lane_up(&self, lane: u64) -> Option<Arc<Lane>> {
        let mut inner = self.lock();
        let senders: Vec<MemberId> = inner.receiver.senders().collect();
        let way = inner.way(lane)?;
        way.up = true;
        for sender in senders {
            way.slots.route(sender, true);
        }
        let lane = way.lane.clone();
        inner.receiver.change_way();
        Some(lane)
    }

    /// A lane is over: media goes over the connection. Returns whether it was this participant's.
    pub(crate) fn lane_down(&self, lane: u64) -> bool {
        let mut inner = self.lock();
        let Some(way) = inner.way(lane) else {
            return false;
        };
        let was = way.up;
        inner.way = None;
        if was {
            inner.receiver.change_way();
        }
        true
    }

    /// Ends whatever way there is.
    pub(crate) fn end_way(&self) {
        let way = self.lock().way.take();
        if let Some(way) = way {
            way.lane.end();
        }
    }

    /// Says who is in which slot, if that changed. Gives the link to flush.
    pub(crate) fn tell_slots(&self) -> Option<Arc<MemberLink>> {
        let slots = self.lock().way.as_mut()?.slots.changed()?;
        self.send(&Body::from(&RelayMessage::Slots { slots }))
    }

    /// The next frame for a lane: sound, and pictures only if they may go now.
    pub(crate) fn leave(&self, lane: u64, now: Now, pictures: bool) -> Option<Leaving> {
        let mut inner = self.lock();
        inner.way(lane)?;
        loop {
            let (piece, chunk) = match inner.receiver.pop_sound(now) {
                Some(sound) => sound,
                None if pictures => inner.receiver.pop_picture()?,
                None => return None,
            };
            // With its first chunk all of a frame goes.
            if chunk > 0 {
                continue;
            }
            let (chunks, coding) = piece;
            let Some((header, _)) = chunks
                .as_slice()
                .first()
                .and_then(|first| Header::parse(first).ok())
            else {
                continue;
            };
            let bytes: usize = chunks.as_slice().iter().map(Bytes::len).sum();
            metrics::add(&self.counters.chunks_out, chunks.as_slice().len() as u64);
            metrics::add(&self.counters.bytes_out, bytes as u64);
            let pair = inner.way(lane)?.slots.of(header.sender);
            return Some(Leaving {
                header,
                coding,
                pair,
                chunks,
            });
        }
    }

    /// Whether pictures wait for their turn.
    pub(crate) fn pictures_wait(&self) -> bool {
        self.lock().receiver.depth().picture > 0
    }

    /// The participant can't decode what comes in this slot: its picture starts again.
    pub(crate) fn lost(&self, picture: Mid) {
        let mut inner = self.lock();
        let member = inner.way.as_ref().and_then(|way| way.slots.member(picture));
        if let Some(member) = member {
            inner.receiver.restart(member);
        }
    }

    /// A frame of this sender's didn't go: its picture starts again.
    pub(crate) fn unsent(&self, sender: MemberId) {
        let mut inner = self.lock();
        inner.receiver.restart(sender);
        inner.dropped += 1;
    }
}
