//! One participant's media over UDP. Whoever has something for it calls [`Lane::flush`], as with a
//! WebSocket's link; a task of its own does what time alone brings.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, TryLockError, Weak,
        atomic::{AtomicBool, AtomicU8, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use str0m::{
    Event, IceConnectionState, Input, Output, Rtc, RtcError,
    bwe::BweKind,
    channel::ChannelId,
    format::Codec as Format,
    media::{Frequency, KeyframeRequestKind, MediaData, MediaTime, Mid},
    net::{Protocol, Receive},
};
use tokio::sync::Notify;
use visita_protocol::{
    budget::Budget,
    frame::Header,
    id::{MemberId, TrackId},
    media::Codec,
    sound::{Level, Meter},
    time::Now,
    webrtc::Sent,
};

use super::{
    again::{Again, Written},
    front::{Front, is_frames},
    header::Stated,
    packets::Packets,
    slots::Pair,
    socket::Received,
    timeline::{Incoming, Outgoing, Report},
};
use crate::{
    clock,
    metrics::{self, Counters},
    outlet::Leaving,
    seat::{Dirty, Seat, Whole},
};

/// A lane that isn't up by then never will be.
const BRING_UP: Duration = Duration::from_secs(15);
/// A lane of which nothing came for so long is dead: browsers say something each second.
const SILENT: Duration = Duration::from_secs(5);
/// Turns of the machine in one go: more than any frame has packets.
const TURNS: usize = 4_096;
/// The most bytes of frames that wait in the data channel.
const CHANNEL: usize = 256 * 1024;

/// One participant's way for media.
pub(crate) struct Lane {
    name: String,
    number: u64,
    front: Arc<Front>,
    seat: Weak<Seat>,
    sent: Vec<Sent>,
    inner: Mutex<Inner>,
    /// Something may wait that nobody has begun to send.
    waiting: AtomicBool,
    /// Of which of what it sends a key frame is wanted: a bit for each of `sent`.
    wanted: AtomicU8,
    over: AtomicBool,
    wake: Notify,
    counters: Arc<Counters>,
}

struct Inner {
    rtc: Rtc,
    began: Instant,
    /// Whether the other side takes frames' headers.
    headers: bool,
    again: Again,
    up: bool,
    heard: Instant,
    /// When something is to be done again.
    due: Instant,
    budget: Budget,
    incoming: Incoming,
    outgoing: Vec<(MemberId, Outgoing)>,
    meter: Meter,
    picture: Option<Mid>,
    frames: Option<ChannelId>,
    packets: Packets,
}

/// What a turn of the machine brought, to be done without its lock.
enum Happened {
    Up,
    Down,
    Frame(Box<Came>),
    /// The other side can't decode what comes in this slot.
    Lost(Mid),
}

/// A frame that came.
struct Came {
    codec: Codec,
    key: bool,
    contiguous: bool,
    first: u64,
    last: u64,
    timestamp: u64,
    level: Option<Level>,
    stated: Option<Header>,
    payload: Arc<[u8]>,
}

impl Lane {
    /// A lane that isn't up yet, and its task.
    pub(super) fn start(
        front: &Arc<Front>,
        (rtc, name, headers): (Rtc, String, bool),
        seat: &Arc<Seat>,
        sent: Vec<Sent>,
        counters: Arc<Counters>,
    ) -> Arc<Self> {
        let now = Instant::now();
        let inner = Inner {
            rtc,
            began: now,
            headers,
            again: Again::default(),
            up: false,
            heard: now,
            due: now,
            budget: Budget::new(clock::now()),
            incoming: Incoming::default(),
            outgoing: Vec::new(),
            meter: Meter::new(),
            picture: None,
            frames: None,
            packets: Packets::default(),
        };
        let lane = Arc::new(Self {
            name,
            number: front.number(),
            front: front.clone(),
            seat: Arc::downgrade(seat),
            sent,
            inner: Mutex::new(inner),
            waiting: AtomicBool::new(false),
            wanted: AtomicU8::new(0),
            over: AtomicBool::new(false),
            wake: Notify::new(),
            counters,
        });
        front.add(&lane);
        tokio::spawn(lane.clone().run());
        lane
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The participant's tracks that come this way.
    pub(crate) fn brings(&self, track: TrackId) -> bool {
        self.sent.iter().any(|sent| sent.track == track)
    }

    /// A key frame of this track is wanted. To be flushed.
    pub(crate) fn want_key_frame(&self, track: TrackId) {
        if let Some(at) = self.sent.iter().position(|sent| sent.track == track) {
            self.wanted.fetch_or(1 << at.min(7), SeqCst);
        }
    }

    /// It is over: its task ends, and so does its place at the front.
    pub(crate) fn end(&self) {
        if !self.over.swap(true, SeqCst) {
            self.front.remove(self);
            self.wake.notify_one();
        }
    }

    /// Does what time alone brings.
    async fn run(self: Arc<Self>) {
        while !self.over.load(SeqCst) {
            let due = self.lock().due;
            tokio::select! {
                () = tokio::time::sleep_until(due.into()) => {}
                () = self.wake.notified() => {}
            }
            if self.over.load(SeqCst) || self.seat.strong_count() == 0 {
                break;
            }
            self.flush(clock::now());
            let down = {
                let inner = self.lock();
                let limit = if inner.up { SILENT } else { BRING_UP };
                let since = if inner.up { inner.heard } else { inner.began };
                !inner.rtc.is_alive() || since.elapsed() > limit
            };
            if down {
                self.happened(clock::now(), vec![Happened::Down]);
            }
        }
        self.end();
        let mut inner = self.lock();
        let _ = inner.rtc.close();
        let mut nothing = Vec::new();
        self.turn(&mut inner, &mut nothing);
    }

    /// Sends what waits. Never waits itself: who holds the lock looks again when it is done.
    pub(crate) fn flush(&self, now: Now) {
        self.waiting.store(true, SeqCst);
        while self.waiting.load(SeqCst) {
            let mut inner = match self.inner.try_lock() {
                Ok(inner) => inner,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => return,
            };
            self.waiting.store(false, SeqCst);
            let mut happened = Vec::new();
            self.work(&mut inner, now, &mut happened);
            drop(inner);
            self.happened(now, happened);
        }
    }

    /// Takes a packet; false if it isn't this lane's.
    pub(super) fn receive(&self, received: &Received<'_>) -> bool {
        let Ok(contents) = received.packet.try_into() else {
            return false;
        };
        let now = Instant::now();
        let receive = Receive {
            proto: Protocol::Udp,
            source: received.source,
            destination: received.destination,
            contents,
        };
        let input = Input::Receive(now, receive);
        let mut inner = self.lock();
        if !inner.rtc.accepts(&input) {
            return false;
        }
        inner.heard = now;
        if let Err(error) = inner.rtc.handle_input(input) {
            self.failed(&mut inner, &error);
        }
        let mut happened = Vec::new();
        self.work(&mut inner, clock::now(), &mut happened);
        drop(inner);
        self.happened(clock::now(), happened);
        if self.waiting.load(SeqCst) {
            self.flush(clock::now());
        }
        true
    }

    /// Turns the machine until nothing is left to do, and says when there will be.
    fn work(&self, inner: &mut Inner, now: Now, happened: &mut Vec<Happened>) {
        let wanted = self.wanted.swap(0, SeqCst);
        if wanted != 0
            && let Some(picture) = inner.picture
            && let Some(mut writer) = inner.rtc.writer(picture)
        {
            let _ = writer.request_keyframe(None, KeyframeRequestKind::Pli);
        }
        let before = inner.due;
        self.turn(inner, happened);
        if inner.up
            && let Some(seat) = self.seat.upgrade()
        {
            loop {
                let wait = inner.budget.wait(now);
                let Some(leaving) = seat.outlet.leave(self.number, now, wait.is_none()) else {
                    break;
                };
                if leaving.codec == Codec::Opus && inner.write_again(leaving.header.sender) {
                    self.turn(inner, happened);
                }
                self.write(inner, now, leaving);
                self.turn(inner, happened);
            }
            if let Some(wait) = inner.budget.wait(now)
                && seat.outlet.pictures_wait()
            {
                inner.due = inner.due.min(Instant::now() + wait);
            }
        }
        if inner.due < before {
            self.wake.notify_one();
        }
    }

    /// Until the machine waits for time or packets.
    fn turn(&self, inner: &mut Inner, happened: &mut Vec<Happened>) {
        inner.due = Instant::now() + Duration::from_millis(1);
        for _ in 0..TURNS {
            match inner.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    let now = Instant::now();
                    if at > now {
                        // Looked at now and then all the same: whether anything came.
                        inner.due = at.min(now + Duration::from_secs(1));
                        break;
                    }
                    if let Err(error) = inner.rtc.handle_input(Input::Timeout(now)) {
                        self.failed(inner, &error);
                    }
                }
                Ok(Output::Transmit(transmit)) => {
                    let way = (transmit.source.ip(), transmit.destination);
                    inner.packets.add(&self.front, way, &transmit.contents);
                }
                Ok(Output::Event(event)) => inner.event(event, happened),
                Err(error) => self.failed(inner, &error),
            }
        }
        inner.packets.send(&self.front);
    }

    fn failed(&self, inner: &mut Inner, error: &RtcError) {
        // One that can't be taken apart: the next may be.
        if matches!(
            error,
            RtcError::Packet(..) | RtcError::Rtp(_) | RtcError::Net(_)
        ) {
            metrics::add(&self.counters.packets_refused, 1);
        } else {
            tracing::debug!(%error, "a webrtc carrier failed");
            inner.rtc.disconnect();
        }
    }

    /// Does what a turn brought. No lock of this lane's is held.
    fn happened(&self, now: Now, happened: Vec<Happened>) {
        let Some(seat) = self.seat.upgrade() else {
            return;
        };
        let mut dirty = Dirty::default();
        for happened in happened {
            match happened {
                Happened::Up => {
                    metrics::add(&self.counters.lanes, 1);
                    seat.lane_up(self.number, &mut dirty);
                }
                Happened::Down => {
                    seat.lane_down(self.number);
                    self.end();
                }
                Happened::Lost(picture) => seat.outlet.lost(picture),
                Happened::Frame(came) => {
                    let track = self.sent.iter().find(|sent| sent.codec == came.codec);
                    if let Some(sent) = track {
                        let whole = Whole {
                            track: sent.track,
                            key: came.key,
                            contiguous: came.contiguous,
                            numbers: (came.first, came.last),
                            timestamp: came.timestamp,
                            level: came.level,
                            stated: came.stated.as_ref(),
                            payload: &came.payload,
                        };
                        seat.whole(self.number, now, &whole, &mut dirty);
                    }
                }
            }
        }
        dirty.flush(now);
    }

    /// Hands a frame to the machine.
    fn write(&self, inner: &mut Inner, now: Now, leaving: Leaving) {
        let Leaving {
            header,
            codec,
            pair,
            chunks,
        } = leaving;
        if let Some(pair) = pair
            && inner.by_rtp(now, &header, codec, pair, &chunks)
        {
            return;
        }
        let bytes: usize = chunks.as_slice().iter().map(bytes::Bytes::len).sum();
        let channel = inner.frames.and_then(|id| inner.rtc.channel(id));
        if let Some(mut channel) = channel
            && channel.buffered_amount() + bytes <= CHANNEL
        {
            for chunk in chunks.as_slice() {
                let _ = channel.write(true, chunk);
            }
            inner.budget.spend(bytes);
        } else if let Some(seat) = self.seat.upgrade() {
            // It never left: what refers to it can't be decoded.
            seat.outlet.unsent(header.sender);
        }
    }
}

impl Inner {
    fn event(&mut self, event: Event, happened: &mut Vec<Happened>) {
        match event {
            Event::Connected => {
                self.up = true;
                happened.push(Happened::Up);
            }
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) | Event::Closed => {
                happened.push(Happened::Down);
            }
            Event::MediaData(data) => {
                if let Some(came) = self.came(&data) {
                    happened.push(Happened::Frame(Box::new(came)));
                }
            }
            Event::KeyframeRequest(request) => happened.push(Happened::Lost(request.mid)),
            Event::EgressBitrateEstimate(BweKind::Twcc { estimate, .. }) => {
                self.budget.rate(clock::now(), estimate.as_u64());
            }
            Event::PeerStats(stats) => self.again.lost(stats.egress_loss_fraction.unwrap_or(0.0)),
            Event::ChannelOpen(id, label) if is_frames(&label) => self.frames = Some(id),
            _ => {}
        }
    }

    /// Sends the last sound of this sender a second time, if this line loses any.
    fn write_again(&mut self, sender: MemberId) -> bool {
        let Some(sound) = self.again.take(sender) else {
            return false;
        };
        let Some(writer) = self.rtc.writer(sound.mid) else {
            return false;
        };
        let writer = writer.user_extension_value(Stated(sound.header));
        let written = writer.write(sound.pt, sound.captured, sound.time, sound.payload);
        written.is_ok()
    }

    fn came(&mut self, data: &MediaData) -> Option<Came> {
        let spec = data.params.spec();
        let codec = match spec.codec {
            Format::Opus => Codec::Opus,
            Format::H264 => Codec::H264,
            Format::Vp8 => Codec::Vp8,
            _ => return None,
        };
        let sound = codec == Codec::Opus;
        if !sound {
            self.picture = Some(data.mid);
        }
        let report = data.last_sender_info.map(|info| Report {
            wall: info
                .ntp_time
                .duration_since(std::time::UNIX_EPOCH)
                .unwrap_or_default(),
            rtp: info.rtp_time.numer(),
        });
        let arrived = data.network_time.saturating_duration_since(self.began);
        let timestamp = self.incoming.frame(
            usize::from(!sound),
            data.time.denom(),
            data.time.numer(),
            arrived,
            report,
        );
        // Held back as senders of our own do: what a browser says of each 20 ms stays here.
        let level = sound.then(|| {
            let dbov = data.ext_vals.audio_level.map_or(-127.0, f32::from);
            let voice = data.ext_vals.voice_activity.unwrap_or(false);
            self.meter.frame(dbov, voice)
        });
        Some(Came {
            codec,
            key: sound || data.is_keyframe(),
            contiguous: data.contiguous,
            first: **data.seq_range.start(),
            last: **data.seq_range.end(),
            timestamp,
            level,
            stated: data
                .ext_vals
                .user_values
                .get()
                .map(|Stated(header)| *header),
            payload: data.data.clone(),
        })
    }

    /// Sends a frame in its sender's slot; false if RTP doesn't carry it there.
    fn by_rtp(
        &mut self,
        now: Now,
        header: &Header,
        codec: Codec,
        pair: Pair,
        chunks: &visita_protocol::chunk::Chunks<bytes::Bytes>,
    ) -> bool {
        let (mid, format, rate) = match codec {
            Codec::Opus => (pair.sound, Format::Opus, Frequency::FORTY_EIGHT_KHZ),
            Codec::H264 => (pair.picture, Format::H264, Frequency::NINETY_KHZ),
            Codec::Vp8 => (pair.picture, Format::Vp8, Frequency::NINETY_KHZ),
            Codec::Jpeg | Codec::Unknown => return false,
        };
        let Some(writer) = self.rtc.writer(mid) else {
            return false;
        };
        // What the other side took, not what we would.
        let fits = |spec: str0m::format::CodecSpec| {
            spec.codec == format && spec.format.packetization_mode != Some(0)
        };
        let params = writer.payload_params().find(|params| fits(params.spec()));
        let Some(pt) = params.map(str0m::format::PayloadParams::pt) else {
            return false;
        };
        let payload = payload(chunks);
        let bytes = payload.len();
        let known = self.outgoing.iter().position(|(m, _)| *m == header.sender);
        let at = known.unwrap_or_else(|| {
            self.outgoing.push((header.sender, Outgoing::default()));
            self.outgoing.len() - 1
        });
        let captured_us = self.outgoing[at].1.at(header.timestamp.0, now.0);
        let captured = clock::instant(Now(captured_us));
        let time = MediaTime::from_micros(captured_us).rebase(rate);
        let writer = match header.level {
            Some(level) => writer.audio_level(level.dbov() as i8, level.voice()),
            None => writer,
        };
        let header = Header {
            chunk: 0,
            chunks: 1,
            ..*header
        };
        let writer = if self.headers {
            if codec == Codec::Opus {
                self.again.written(Written {
                    header,
                    mid,
                    pt,
                    captured,
                    time,
                    payload: payload.clone(),
                });
            }
            writer.user_extension_value(Stated(header))
        } else {
            writer
        };
        let written = writer.write(pt, captured, time, payload);
        if codec != Codec::Opus {
            self.budget.spend(bytes);
        }
        written.is_ok()
    }
}

/// A frame's payload in one piece.
fn payload(chunks: &visita_protocol::chunk::Chunks<bytes::Bytes>) -> Arc<[u8]> {
    let part = |chunk: &'_ bytes::Bytes| {
        let start = chunk.get(1).map_or(0, |length| usize::from(*length));
        chunk.slice(start.min(chunk.len())..)
    };
    match chunks.as_slice() {
        [one] => Arc::from(&*part(one)),
        many => {
            let mut whole = Vec::new();
            for chunk in many {
                whole.extend_from_slice(&part(chunk));
            }
            whole.into()
        }
    }
}
