//! One participant's media over UDP. Whoever has something for it calls [`Lane::flush`], as with a
//! WebSocket's link; a task of its own does what time alone brings.

pub(super) mod fuzzed;
mod media;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError, Weak,
        atomic::{AtomicBool, AtomicU8, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use str0m::{
    Event, IceConnectionState, Input, Output, Rtc, RtcError,
    bwe::{Bitrate, BweKind},
    channel::ChannelId,
    media::{KeyframeRequestKind, Mid, Rid},
    net::{Protocol, Receive},
};
use tokio::sync::Notify;
use visita_protocol::{
    budget::Budget,
    control::RelayMessage,
    error::Code,
    frame::Header,
    id::{MemberId, TrackId},
    media::Codec,
    sound::{Level, Meter},
    time::Now,
    webrtc::{CONTROL, FRAMES, Sent},
};

use super::{
    again::Again,
    control::{Control, Said},
    front::Front,
    header::Stated,
    packets::Packets,
    socket::Received,
    timeline::{Incoming, Outgoing},
};
use crate::{
    carrier::Carrier as _,
    clock,
    limits::Bucket,
    metrics::{self, Counters},
    outlet::{Body, Leaving},
    seat::{Dirty, Seat, Way},
    ws::Outgoing as Message,
};

/// The most bytes of control that wait in its channel, beyond which more waits where it came from.
const CONTROL_CHANNEL: usize = 16 * 1024;
/// How soon it is looked at again then.
const CONTROL_AGAIN: Duration = Duration::from_millis(20);
/// What is looked for of the line of an app that came here for its line, in bits a second: the
/// pictures of a few.
const DESIRED: u64 = 6_000_000;
/// A lane that isn't up by then never will be.
const BRING_UP: Duration = Duration::from_secs(15);
/// A lane of which nothing came for so long is dead: browsers say something each second.
const SILENT: Duration = Duration::from_secs(5);
/// Turns of the machine in one go: more than any frame has packets.
const TURNS: usize = 4_096;
/// What a packet counts for at least, in bytes: small ones cost time, too.
const PACKET: usize = 200;
/// Seconds' worth of bytes that may come at once, as over a WebSocket.
const BURST: u32 = 2;
/// The least time between two words that something came too fast.
const COMPLAIN_EVERY: Duration = Duration::from_secs(1);
/// The most bytes of frames that wait in their data channel. Both channels together have 128 KiB.
const CHANNEL: usize = 80 * 1024;

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
    /// What of the session's control goes this way.
    control: OnceLock<Arc<Control>>,
    /// Where what is said there goes; nowhere when the lane is over.
    said: Mutex<Option<Said>>,
}

struct Inner {
    rtc: Rtc,
    began: Instant,
    /// Whether the other side takes frames' headers.
    headers: bool,
    again: Again,
    up: bool,
    heard: Instant,
    /// How fast it may send.
    rate: Bucket,
    complained: Option<Instant>,
    /// When something is to be done again.
    due: Instant,
    budget: Budget,
    incoming: Incoming,
    outgoing: Vec<(MemberId, Outgoing)>,
    meter: Meter,
    picture: Option<Mid>,
    /// The layers of it that have come.
    layers: Vec<Option<Rid>>,
    frames: Option<ChannelId>,
    control: Option<ChannelId>,
    packets: Packets,
}

/// What a turn of the machine brought, to be done without its lock.
enum Happened {
    Up,
    Down,
    Frame(Box<Came>),
    /// A chunk of a frame that RTP doesn't carry.
    Chunk(Vec<u8>),
    /// A packet of the session's control; nothing: no more come.
    Said(Option<Vec<u8>>),
    /// More came than may.
    TooFast,
    /// The other side can't decode what comes in this slot.
    Lost(Mid),
}

/// A frame that came.
struct Came {
    codec: Codec,
    /// The spatial layer.
    layer: u8,
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
        (mut rtc, name, headers): (Rtc, String, bool),
        seat: &Arc<Seat>,
        sent: Vec<Sent>,
        bytes_per_s: u32,
        counters: Arc<Counters>,
    ) -> Arc<Self> {
        if headers {
            rtc.bwe().set_bitrate(Bitrate::ZERO, Bitrate::bps(DESIRED));
        }
        let inner = Inner::new(rtc, headers, bytes_per_s);
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
            control: OnceLock::new(),
            said: Mutex::default(),
        });
        front.add(&lane);
        tokio::spawn(lane.clone().run());
        lane
    }

    /// What of the session's control goes this way, and where what is said there goes.
    pub(super) fn speaks(&self, control: Arc<Control>, said: Said) {
        // A lane has one.
        let _ = self.control.set(control);
        *self.said() = Some(said);
    }

    fn said(&self) -> MutexGuard<'_, Option<Said>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
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
            *self.said() = None;
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
        let mut happened = Vec::new();
        // What is too much never came, as on any line that is full.
        if inner.rate.try_take(clock::now(), cost(received.packet)) {
            if let Err(error) = inner.rtc.handle_input(input) {
                self.failed(&mut inner, &error);
            }
        } else {
            metrics::add(&self.counters.throttled, 1);
            let last = inner.complained.replace(now);
            if last.is_none_or(|last| now.duration_since(last) >= COMPLAIN_EVERY) {
                happened.push(Happened::TooFast);
            } else {
                inner.complained = last;
            }
        }
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
            for rid in &inner.layers {
                let _ = writer.request_keyframe(*rid, KeyframeRequestKind::Pli);
            }
        }
        let before = inner.due;
        self.turn(inner, happened);
        if self.speak(inner) {
            self.turn(inner, happened);
        }
        if inner.up
            && let Some(seat) = self.seat.upgrade()
        {
            loop {
                let wait = inner.budget.wait(now);
                let Some(leaving) = seat.outlet.leave(self.number, now, wait.is_none()) else {
                    break;
                };
                if leaving.coding.codec == Codec::Opus && inner.write_again(leaving.header.sender) {
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

    /// Hands over what there is of control. Returns whether there was any.
    fn speak(&self, inner: &mut Inner) -> bool {
        let (Some(control), Some(id)) = (self.control.get(), inner.control) else {
            return false;
        };
        let mut any = false;
        while let Some(mut channel) = inner.rtc.channel(id) {
            if channel.buffered_amount() > CONTROL_CHANNEL {
                // As soon as some of it is through.
                inner.due = inner.due.min(Instant::now() + CONTROL_AGAIN);
                break;
            }
            let Some(message) = control.tap().next() else {
                break;
            };
            if let Message::Text(text) = message {
                any = true;
                if !matches!(channel.write(false, &text), Ok(true)) {
                    // What is numbered mustn't have holes: it goes on over another connection.
                    *self.said() = None;
                    break;
                }
            }
        }
        any
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
        if passes(error) {
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
                Happened::Said(packet) => {
                    let mut said = self.said();
                    let taken = match (&*said, packet) {
                        (Some(said), Some(packet)) => said.try_send(packet).is_ok(),
                        _ => false,
                    };
                    // One hole, and what is numbered can't go on here.
                    if !taken {
                        *said = None;
                    }
                }
                // What gets lost on the way is nobody's mistake: none is told.
                Happened::Chunk(chunk) => {
                    let _ = seat.chunk(
                        Way::Lane(self.number),
                        now,
                        chunk.as_slice().into(),
                        &mut dirty,
                    );
                }
                Happened::TooFast => {
                    let too_fast = RelayMessage::Error {
                        code: Code::RateLimited,
                        reply_to: None,
                    };
                    dirty.add(seat.outlet.send(&Body::from(&too_fast)));
                }
                Happened::Lost(picture) => seat.outlet.lost(picture),
                Happened::Frame(came) => {
                    let track = self.sent.iter().find(|sent| sent.codec == came.codec);
                    if let Some(sent) = track {
                        seat.whole(self.number, now, &came.whole(sent.track), &mut dirty);
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
            coding,
            pair,
            chunks,
        } = leaving;
        if let Some(pair) = pair
            && inner.by_rtp(now, &header, coding, pair, &chunks)
        {
            return;
        }
        let bytes: usize = chunks.as_slice().iter().map(Bytes::len).sum();
        let channel = inner.frames.and_then(|id| inner.rtc.channel(id));
        let written = channel.is_some_and(|mut channel| {
            let mut chunks = chunks.as_slice().iter();
            channel.buffered_amount() + bytes <= CHANNEL
                && chunks.all(|chunk| matches!(channel.write(true, chunk), Ok(true)))
        });
        if written {
            inner.budget.spend(bytes);
        } else if let Some(seat) = self.seat.upgrade() {
            // It never left: what refers to it can't be decoded.
            seat.outlet.unsent(header.sender);
        }
    }
}

impl Inner {
    fn new(rtc: Rtc, headers: bool, bytes_per_s: u32) -> Self {
        let now = Instant::now();
        Self {
            rtc,
            began: now,
            headers,
            again: Again::default(),
            up: false,
            heard: now,
            rate: Bucket::new(bytes_per_s, BURST, clock::now()),
            complained: None,
            due: now,
            budget: Budget::new(clock::now()),
            incoming: Incoming::default(),
            outgoing: Vec::new(),
            meter: Meter::new(),
            picture: None,
            layers: Vec::new(),
            frames: None,
            control: None,
            packets: Packets::default(),
        }
    }

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
            Event::ChannelOpen(id, label) if label == FRAMES => self.frames = Some(id),
            Event::ChannelOpen(id, label) if label == CONTROL => self.control = Some(id),
            Event::ChannelClose(id) if self.control == Some(id) => {
                self.control = None;
                happened.push(Happened::Said(None));
            }
            // Whoever asks whether it is heard sees that by the acknowledgement.
            Event::ChannelData(data) if self.frames == Some(data.id) && data.data == [0] => {}
            Event::ChannelData(data) if self.frames == Some(data.id) => {
                happened.push(Happened::Chunk(data.data));
            }
            Event::ChannelData(data) if self.control == Some(data.id) => {
                happened.push(Happened::Said(Some(data.data)));
            }
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
}

/// Whether it is of one packet, and says nothing of the next.
fn passes(error: &RtcError) -> bool {
    matches!(
        error,
        RtcError::Packet(..) | RtcError::Rtp(_) | RtcError::Net(_)
    )
}

/// What a packet counts for.
fn cost(packet: &[u8]) -> u32 {
    packet.len().max(PACKET) as u32
}
