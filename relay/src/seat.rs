//! What comes in from one participant: its frames put together, stamped and offered to those who
//! get them. None of this touches the hub: frames of different publishers never wait for each other.

mod rtp;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
pub(crate) use rtp::{Numbers, Whole, packed};
use visita_protocol::{
    chunk::{Assembler, Frame},
    control::{RelayMessage, SendTrack},
    error::Code,
    frame::{Header, MAX_FRAME},
    id::{MemberId, Secret, SessionId, TrackId},
    keyframe::Requests,
    losses::Losses,
    media::{Kind, Track},
    receiver::MAX_SOUND_FRAME,
    sound::MAX_FRAMES_PER_S,
    time::Now,
};

use crate::{
    carrier::MemberLink,
    clock,
    fine::{Coding, Cut},
    floor::Floor,
    limits::Bucket,
    metrics::{self, Counters},
    outlet::{Body, Outlet},
    steady::Steady,
    webrtc::Lane,
    ws::BUFFER,
};

/// A session, from its welcome until its end.
pub(crate) struct Seat {
    pub(crate) session: SessionId,
    pub(crate) secret: Secret,
    pub(crate) outlet: Arc<Outlet>,
    inlet: Mutex<Inlet>,
    /// How many offers of a lane are taken.
    offers: Mutex<Bucket>,
    counters: Arc<Counters>,
}

/// Offers of another way for media that a participant may make: one in two seconds, five at once.
const OFFERS: (u32, u32) = (1, 5);

#[derive(Default)]
struct Inlet {
    /// The connection that frames are taken from.
    generation: u64,
    place: Option<Place>,
    /// The tracks that were announced.
    tracks: Vec<Incoming>,
    /// How many sound frames are taken; kept over what it announces and where it is, or both would
    /// give it more.
    sound: Option<Bucket>,
    /// Those who get any of them.
    audience: Vec<(MemberId, Arc<Outlet>)>,
    requests: Requests,
    /// What it is told to send.
    steady: Steady,
    /// The lane that it sends some of its tracks over, and their numbers over the session's life.
    lane: Option<Arc<Lane>>,
    numbers: Numbers,
}

/// Who a participant is, and in which room.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) member: MemberId,
    pub(crate) floor: Arc<Floor>,
}

/// A track that was announced, and what is being put together of it.
struct Incoming {
    id: TrackId,
    kind: Kind,
    coding: Coding,
    assembler: Assembler<Bytes>,
    /// What of it gets lost on the way here, if it is sound.
    losses: Losses,
}

/// How a chunk came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// By the session's connection of this number.
    Connection(u64),
    /// By the lane of this number, beside it.
    Lane(u64),
}

impl Inlet {
    /// Whether media comes this way, or from something that was replaced.
    fn is_on(&self, way: Way) -> bool {
        match way {
            Way::Connection(generation) => self.generation == generation,
            Way::Lane(number) => self
                .lane
                .as_ref()
                .is_some_and(|lane| lane.number() == number),
        }
    }
}

/// Chunks below this are copied: a chunk that isn't holds the whole buffer that it was read into, and
/// a participant that sends little of it and much else would hold many times what it sends.
const SMALL: usize = BUFFER / 4;

/// The most bytes of frames of one participant that aren't whole yet: a largest picture in each of
/// two codecs.
const MAX_ASSEMBLING: usize = 2 * MAX_FRAME;

/// Links that got something and aren't flushed yet, each once.
#[derive(Default)]
pub(crate) struct Dirty(Vec<Arc<MemberLink>>, Vec<Arc<Lane>>);

impl Dirty {
    pub(crate) fn add(&mut self, link: Option<Arc<MemberLink>>) {
        if let Some(link) = link
            && !self.0.iter().any(|known| Arc::ptr_eq(known, &link))
        {
            self.0.push(link);
        }
    }

    pub(crate) fn lane(&mut self, lane: Option<Arc<Lane>>) {
        if let Some(lane) = lane
            && !self.1.iter().any(|known| Arc::ptr_eq(known, &lane))
        {
            self.1.push(lane);
        }
    }

    /// Sends what waits, as far as each socket takes it at once.
    pub(crate) fn flush(&mut self, now: Now) {
        for lane in self.1.drain(..) {
            lane.flush(now);
        }
        for link in self.0.drain(..) {
            link.flush(now);
        }
    }
}

impl Seat {
    pub(crate) fn new(session: SessionId, secret: Secret, counters: Arc<Counters>) -> Arc<Self> {
        let outlet = Outlet::new(counters.clone());
        Arc::new(Self {
            session,
            secret,
            outlet,
            inlet: Mutex::default(),
            offers: Mutex::new(Bucket::new(OFFERS.0, OFFERS.1, clock::now())),
            counters,
        })
    }

    fn inlet(&self) -> MutexGuard<'_, Inlet> {
        self.inlet.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a media chunk as it came. `Err` = what to tell the sender; nobody else
    /// notices.
    pub(crate) fn chunk(
        &self,
        way: Way,
        now: Now,
        mut message: BytesMut,
        dirty: &mut Dirty,
    ) -> Result<(), Code> {
        metrics::add(&self.counters.chunks_in, 1);
        metrics::add(&self.counters.bytes_in, message.len() as u64);
        let taken = self.take(way, now, &mut message, dirty);
        if taken.is_err() {
            metrics::add(&self.counters.chunks_refused, 1);
        }
        taken
    }

    fn take(
        &self,
        way: Way,
        now: Now,
        message: &mut BytesMut,
        dirty: &mut Dirty,
    ) -> Result<(), Code> {
        let (mut header, start) = Header::parse(message).map_err(|_| Code::Malformed)?;
        let mut inlet = self.inlet();
        if !inlet.is_on(way) {
            return Ok(());
        }
        let member = inlet.place.as_ref().ok_or(Code::TrackMissing)?.member;
        let assembling: usize = inlet.tracks.iter().map(|t| t.assembler.waiting()).sum();
        let lane = inlet.lane.as_ref();
        let moved = lane.is_some_and(|lane| lane.brings(header.track));
        let track = inlet.tracks.iter_mut().find(|t| t.id == header.track);
        let Incoming {
            kind,
            coding,
            assembler,
            ..
        } = track.ok_or(Code::TrackMissing)?;
        let (kind, coding) = (*kind, *coding);
        if moved && assembler.has_passed(header.sequence) {
            // It was on its way when the track went over to the lane, and was overtaken.
            return Ok(());
        }
        // Whatever the sender wrote there: nobody speaks as another.
        Header::stamp(message, member);
        header.sender = member;
        let payload = message.len() - start;
        if assembling + payload > MAX_ASSEMBLING {
            assembler.abandon();
            return Err(Code::TooLarge);
        }
        let chunk = if message.len() < SMALL {
            Bytes::copy_from_slice(message)
        } else {
            std::mem::take(message).freeze()
        };
        let Some(frame) = assembler
            .push(header, chunk, payload)
            .map_err(|_| Code::OutOfTurn)?
        else {
            return Ok(());
        };
        self.forward(&mut inlet, now, (kind, coding), &frame, dirty)
    }

    /// Offers a whole frame to all who get it.
    fn forward(
        &self,
        inlet: &mut Inlet,
        now: Now,
        (kind, coding): (Kind, Coding),
        frame: &Frame<Bytes>,
        dirty: &mut Dirty,
    ) -> Result<(), Code> {
        if kind == Kind::Audio && !self.sound(inlet, now, frame, dirty)? {
            return Ok(());
        }
        let track = frame.header.track;
        if frame.header.references.is_key() {
            inlet.requests.came(track);
        }
        let mut key_frame = false;
        let frame = Cut::new(coding, frame);
        for (_, outlet) in &inlet.audience {
            let offered = outlet.frame(now, &frame);
            key_frame |= offered.key_frame;
            dirty.add(offered.link);
            dirty.lane(offered.lane);
        }
        if key_frame {
            self.ask(inlet, now, track, dirty);
        }
        Ok(())
    }

    /// Takes a sound frame. Returns whether it is forwarded.
    fn sound(
        &self,
        inlet: &mut Inlet,
        now: Now,
        frame: &Frame<Bytes>,
        dirty: &mut Dirty,
    ) -> Result<bool, Code> {
        metrics::add(&self.counters.sound_frames, 1);
        self.count(inlet, now, &frame.header, dirty);
        if !frame.header.references.is_key() {
            return Err(Code::Malformed);
        }
        if frame.bytes > MAX_SOUND_FRAME {
            return Err(Code::TooLarge);
        }
        let rate = inlet
            .sound
            .get_or_insert_with(|| Bucket::new(MAX_FRAMES_PER_S, 1, now));
        if !rate.try_take(now, 1) {
            metrics::add(&self.counters.sound_frames_refused, 1);
            return Err(Code::RateLimited);
        }
        let Some(Place { member, floor }) = &inlet.place else {
            return Ok(false);
        };
        let forward = floor.heard(now, *member, frame.header.level, dirty);
        if !forward {
            metrics::add(&self.counters.sound_frames_left_out, 1);
        }
        Ok(forward)
    }

    /// Counts what is missing before a sound frame, and tells the sender how much gets lost.
    fn count(&self, inlet: &mut Inlet, now: Now, header: &Header, dirty: &mut Dirty) {
        let track = header.track;
        let Some(known) = inlet.tracks.iter_mut().find(|known| known.id == track) else {
            return;
        };
        if let Some(percent) = known.losses.came(now, header.sequence) {
            let message = Body::from(&RelayMessage::Loss { track, percent });
            dirty.add(self.outlet.send(&message));
        }
    }

    /// Asks the publisher for a key frame, if it wasn't asked lately.
    fn ask(&self, inlet: &mut Inlet, now: Now, track: TrackId, dirty: &mut Dirty) {
        if inlet.requests.need(now, track) {
            self.say_key_frame(inlet.lane.as_ref(), track, dirty);
        }
    }

    fn say_key_frame(&self, lane: Option<&Arc<Lane>>, track: TrackId, dirty: &mut Dirty) {
        metrics::add(&self.counters.key_frame_requests, 1);
        if let Some(lane) = lane.filter(|lane| lane.brings(track)) {
            lane.want_key_frame(track);
            dirty.lane(Some(lane.clone()));
            return;
        }
        let message = Body::from(&RelayMessage::KeyFrame { track });
        dirty.add(self.outlet.send(&message));
    }

    /// Somebody needs a key frame.
    pub(crate) fn need_key_frame(&self, now: Now, track: TrackId, dirty: &mut Dirty) {
        self.ask(&mut self.inlet(), now, track, dirty);
    }

    /// Repeats requests that weren't answered, and says what has been so for a while.
    pub(crate) fn tick(&self, now: Now, dirty: &mut Dirty) {
        dirty.add(self.outlet.tell_line(now));
        let (due, smaller, lane) = {
            let mut inlet = self.inlet();
            let lane = inlet.lane.clone();
            (inlet.requests.due(now), inlet.steady.due(now), lane)
        };
        for track in due {
            self.say_key_frame(lane.as_ref(), track, dirty);
        }
        if let Some(tracks) = smaller {
            let message = Body::from(&RelayMessage::Send { tracks });
            dirty.add(self.outlet.send(&message));
        }
    }

    /// Frames come from this connection now; what an older one began is lost.
    pub(crate) fn attached(&self, generation: u64) {
        let mut inlet = self.inlet();
        inlet.generation = generation;
        for track in &mut inlet.tracks {
            track.assembler.abandon();
            track.losses.another_connection();
        }
    }

    /// The participant is this member now, or of no room.
    pub(crate) fn seated(&self, place: Option<Place>) {
        let mut inlet = self.inlet();
        *inlet = Inlet {
            generation: inlet.generation,
            place,
            sound: inlet.sound.take(),
            lane: inlet.lane.take(),
            numbers: std::mem::take(&mut inlet.numbers),
            ..Inlet::default()
        };
    }

    /// These are its tracks from now on. Returns whether it is muted by that.
    pub(crate) fn announced(&self, tracks: &[Track]) -> bool {
        let mut inlet = self.inlet();
        let sounds = |inlet: &Inlet| inlet.tracks.iter().any(|t| t.kind == Kind::Audio);
        let sounded = sounds(&inlet);
        inlet
            .tracks
            .retain(|known| tracks.iter().any(|track| track.id == known.id));
        for track in tracks {
            // All tracks of a room are of known codecs.
            let kind = track.codec.kind().unwrap_or(Kind::Video);
            let coding = Coding {
                codec: track.codec,
                sealed: track.sealed,
            };
            match inlet.tracks.iter_mut().find(|known| known.id == track.id) {
                Some(known) => (known.kind, known.coding) = (kind, coding),
                None => inlet.tracks.push(Incoming {
                    id: track.id,
                    kind,
                    coding,
                    assembler: Assembler::new(),
                    losses: Losses::new(),
                }),
            }
        }
        sounded && !sounds(&inlet)
    }

    /// These of its tracks are wanted from now on. Gives what to tell the participant now, if
    /// anything.
    pub(crate) fn wanted(&self, now: Now, tracks: &[SendTrack]) -> Option<Vec<SendTrack>> {
        let mut inlet = self.inlet();
        let inlet = &mut *inlet;
        for known in &inlet.tracks {
            if !tracks.iter().any(|wanted| wanted.track == known.id) {
                inlet.requests.forget(known.id);
            }
        }
        inlet.steady.want(now, tracks)
    }

    /// What the participant was told last: what to send, and what of it gets lost.
    pub(crate) fn told(&self) -> Vec<RelayMessage> {
        let inlet = self.inlet();
        let send = RelayMessage::Send {
            tracks: inlet.steady.said().to_vec(),
        };
        let lost = inlet.tracks.iter().filter_map(|track| {
            let percent = track.losses.told();
            (percent > 0).then_some(RelayMessage::Loss {
                track: track.id,
                percent,
            })
        });
        [send].into_iter().chain(lost).collect()
    }

    /// This receiver gets something of it, or nothing any more.
    pub(crate) fn heard_by(&self, receiver: MemberId, outlet: Option<&Arc<Outlet>>) {
        let mut inlet = self.inlet();
        inlet.audience.retain(|(member, _)| *member != receiver);
        if let Some(outlet) = outlet {
            inlet.audience.push((receiver, outlet.clone()));
        }
    }
}
