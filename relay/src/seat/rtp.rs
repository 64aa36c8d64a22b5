//! What comes of a participant's over a lane: whole frames, which get the header that a chunk has.

use std::{
    borrow::Cow,
    sync::{Arc, PoisonError},
};

use bytes::{BufMut as _, Bytes, BytesMut};
use visita_protocol::{
    chunk::{Chunks, Frame, split},
    frame::{Header, MAX_LAYER, References},
    id::{MemberId, TrackId},
    media::{Kind, Layer},
    sealed::dress::undress,
    sound::Level,
    time::{MediaTime, Now},
};

use super::{Dirty, Seat, Way};
use crate::{
    fine::Coding,
    metrics,
    webrtc::{Lane, Slots},
};

/// The most payload in a chunk: control and sound of a WebSocket get between two.
const CHUNK: usize = 16 * 1024;
/// More missing packets in a row than this are another beginning.
const MOST_MISSING: u64 = 1_000;

/// A frame that came by RTP.
pub(crate) struct Whole<'a> {
    pub(crate) track: TrackId,
    /// Its spatial layer, if its sender doesn't state its header.
    pub(crate) layer: u8,
    pub(crate) key: bool,
    /// Whether the frame before it in its layer came whole.
    pub(crate) contiguous: bool,
    /// The numbers of its first and last packet.
    pub(crate) numbers: (u64, u64),
    /// Media time, in microseconds.
    pub(crate) timestamp: u64,
    pub(crate) level: Option<Level>,
    /// The frame's own header, if its sender says it.
    pub(crate) stated: Option<&'a Header>,
    pub(crate) payload: &'a [u8],
}

/// The sequence of each track that comes by RTP, which has none of its own for frames.
#[derive(Default)]
pub(crate) struct Numbers(Vec<Number>);

struct Number {
    track: TrackId,
    /// The next frame's.
    next: u32,
    /// The last packet's.
    packet: Option<u64>,
    /// The last frame's of each spatial layer.
    last: [Option<u32>; MAX_LAYER as usize + 1],
}

impl Numbers {
    /// The sequence of this frame, and how far back the one is that it refers to: what is missing
    /// before it leaves a gap. Of sound each packet is a frame; of pictures one gap is enough, since
    /// what follows can't be decoded.
    fn number(&mut self, kind: Kind, key: bool, whole: &Whole<'_>) -> (u32, u16) {
        let at = self.0.iter().position(|known| known.track == whole.track);
        let at = at.unwrap_or_else(|| {
            self.0.push(Number {
                track: whole.track,
                // Nothing refers to a frame before the first.
                next: 1,
                packet: None,
                last: Default::default(),
            });
            self.0.len() - 1
        });
        let known = &mut self.0[at];
        let (first, last) = whole.numbers;
        let missing = match kind {
            Kind::Audio => known
                .packet
                .and_then(|packet| first.checked_sub(packet + 1))
                .filter(|missing| *missing <= MOST_MISSING)
                .unwrap_or_default() as u32,
            Kind::Video => {
                let follows = known.last(whole.layer).is_some() && whole.contiguous;
                u32::from(!(follows || key && whole.contiguous))
            }
        };
        known.packet = Some(last);
        let number = known.next.saturating_add(missing);
        known.next = number.saturating_add(1);
        // What isn't there refers to the gap.
        let before = known.last(whole.layer).filter(|_| missing == 0);
        if let Some(last) = known.last.get_mut(usize::from(whole.layer)) {
            *last = Some(number);
        }
        let back = before.map_or(1, |before| number.saturating_sub(before));
        (number, back.try_into().unwrap_or(u16::MAX))
    }
}

impl Number {
    fn last(&self, layer: u8) -> Option<u32> {
        self.last.get(usize::from(layer)).copied().flatten()
    }
}

impl Seat {
    /// Whether another offer of a lane may be taken now.
    pub(crate) fn may_offer(&self, now: Now) -> bool {
        let mut offers = self.offers.lock().unwrap_or_else(PoisonError::into_inner);
        offers.try_take(now, 1)
    }

    /// A lane begins; whatever there was before it ends.
    pub(crate) fn lane(&self, lane: &Arc<Lane>, slots: Slots) {
        let before = self.outlet.lane_begins(lane, slots);
        if let Some(before) = before {
            self.inlet().lane = None;
            before.end();
        }
    }

    /// The participant gives its lane up.
    pub(crate) fn lane_left(&self) {
        if let Some(lane) = self.outlet.any_lane() {
            self.lane_down(lane.number());
            lane.end();
        }
    }

    /// A lane is up.
    pub(crate) fn lane_up(&self, number: u64, dirty: &mut Dirty) {
        if let Some(lane) = self.outlet.lane_up(number) {
            self.inlet().lane = Some(lane);
            dirty.add(self.outlet.tell_slots());
        }
    }

    /// A lane is over: the participant's media goes over its connection again.
    pub(crate) fn lane_down(&self, number: u64) {
        if self.outlet.lane_down(number) {
            self.inlet().lane = None;
        }
    }

    /// Takes a frame that came over a lane. One that isn't announced, or comes over a lane that was
    /// replaced, is left out.
    pub(crate) fn whole(&self, lane: u64, now: Now, whole: &Whole<'_>, dirty: &mut Dirty) {
        let mut inlet = self.inlet();
        let on = inlet.is_on(Way::Lane(lane));
        let Some(place) = inlet.place.as_ref().filter(|_| on) else {
            return;
        };
        let sender = place.member;
        let known = inlet.tracks.iter().find(|known| known.id == whole.track);
        let Some((kind, coding)) = known.map(|known| (known.kind, known.coding)) else {
            metrics::add(&self.counters.chunks_refused, 1);
            return;
        };
        if let Some(stated) = whole.stated {
            // As if it had come over the connection, where it may have come from until now.
            let mut tracks = inlet.tracks.iter_mut();
            let track = tracks.find(|known| known.id == whole.track);
            if track.is_some_and(|track| !track.assembler.pass(stated.sequence)) {
                return;
            }
        }
        metrics::add(&self.counters.bytes_in, whole.payload.len() as u64);
        let Some(frame) = packed(&mut inlet.numbers, sender, (kind, coding), whole) else {
            metrics::add(&self.counters.chunks_refused, 1);
            return;
        };
        metrics::add(
            &self.counters.chunks_in,
            frame.chunks.as_slice().len() as u64,
        );
        if self
            .forward(&mut inlet, now, (kind, coding), &frame, dirty)
            .is_err()
        {
            metrics::add(&self.counters.chunks_refused, 1);
        }
    }
}

/// A frame that came by RTP, as it would have come over a WebSocket. `None`: it isn't what it was
/// announced as, or too large.
pub(crate) fn packed(
    numbers: &mut Numbers,
    sender: MemberId,
    (kind, coding): (Kind, Coding),
    whole: &Whole<'_>,
) -> Option<Frame<Bytes>> {
    let (key, payload) = undressed(coding, whole)?;
    let header = if let Some(stated) = whole.stated {
        Header {
            sender,
            track: whole.track,
            chunk: 0,
            chunks: 1,
            ..*stated
        }
    } else {
        let (sequence, back) = numbers.number(kind, key, whole);
        let back = [back];
        Header {
            sender,
            track: whole.track,
            layer: Layer {
                spatial: whole.layer,
                temporal: 0,
            },
            sequence,
            timestamp: MediaTime(whole.timestamp),
            chunk: 0,
            chunks: 1,
            references: References::new(if key { &[] } else { &back })?,
            level: whole.level,
        }
    };
    frame(header, &payload)
}

/// Whether it is a key frame, and what is in it without what RTP had to see. `None`: it was announced
/// as sealed, and isn't.
fn undressed<'a>(coding: Coding, whole: &Whole<'a>) -> Option<(bool, Cow<'a, [u8]>)> {
    if !coding.sealed {
        return Some((whole.key, whole.payload.into()));
    }
    let undressed = undress(coding.codec, whole.payload).ok()?;
    Some((undressed.key, undressed.sealed))
}

/// A frame in chunks, as it would have come over a WebSocket.
fn frame(header: Header, payload: &[u8]) -> Option<Frame<Bytes>> {
    let mut first = None;
    let mut chunks = Vec::new();
    for (header, range) in split(header, payload.len(), CHUNK).ok()? {
        let mut message = BytesMut::with_capacity(header.len() + range.len());
        header.write(&mut message);
        message.put_slice(payload.get(range)?);
        first.get_or_insert(header);
        chunks.push(message.freeze());
    }
    let chunks = match <[Bytes; 1]>::try_from(chunks) {
        Ok([one]) => Chunks::One(one),
        Err(many) => Chunks::Many(many.into()),
    };
    Some(Frame {
        header: first?,
        chunks,
        bytes: payload.len(),
    })
}
