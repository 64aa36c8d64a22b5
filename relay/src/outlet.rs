//! What goes out to one participant: its session's numbered messages, its receiver's queues, and
//! the connection that they go over at the moment, if there is one.

mod body;
mod media;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

pub(crate) use body::{Body, pack};
use bytes::Bytes;
pub(crate) use media::Leaving;
use media::Way;
use tokio::sync::oneshot;
use visita_protocol::{
    chunk::Chunks,
    control::{RelayMessage, RelayPacket},
    id::{MemberId, TrackId},
    line::Word,
    receiver::{Item, Level, Receiver, Selected, Verdict},
    session::{self, Accept, MAX_UNACKNOWLEDGED_BYTES, Session},
    time::Now,
};

use crate::{
    carrier::{Kind, MemberLink},
    clock,
    fine::{Coding, Cut},
    metrics::{self, Counters},
    webrtc::Lane,
    ws::{Batch, Outgoing},
};

/// Why a connection ends, when that comes from elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The session goes on over another connection.
    Replaced,
    /// The session is over: it idled.
    Over,
    /// The connection can't take its control messages, or acknowledged none for too long: a new one
    /// may resume the session.
    Stuck,
}

/// The most bytes of control messages that wait for one connection: all that a session keeps, as it
/// comes again after a resume, and what is said meanwhile.
const MAX_WAITING_BYTES: usize = MAX_UNACKNOWLEDGED_BYTES + 256 * 1024;

/// A frame that waits, and how it is coded.
type Piece = (Chunks<Bytes>, Coding);

/// One participant's way out.
pub(crate) struct Outlet {
    inner: Mutex<Inner>,
    counters: Arc<Counters>,
}

struct Inner {
    session: Session<Body>,
    receiver: Receiver<Outgoing, Piece>,
    /// The way of its media beside the connection, if it has one.
    way: Option<Way>,
    /// The bytes of the control messages that wait.
    waiting: usize,
    /// What it was told that its line carries.
    word: Word,
    /// Frames that were for this participant, and those of them that it didn't get.
    frames: u64,
    dropped: u64,
    /// Counts the connections: what is of an older one is of no more concern.
    generation: u64,
    connection: Option<Connection>,
}

struct Connection {
    link: Arc<MemberLink>,
    compressed: bool,
    end: Option<oneshot::Sender<End>>,
}

/// How a participant's line fares, as the relay sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// How long a ping and its answer take; `None` before the first.
    pub round_trip: Option<Duration>,
    /// Frames that were for this participant, so far.
    pub frames: u64,
    /// Those of them that were left out: the line was slow, or a key frame was waited for.
    pub dropped: u64,
}

/// A connection that carries a session from now on.
pub(crate) struct Carried {
    pub(crate) generation: u64,
    pub(crate) ended: oneshot::Receiver<End>,
    /// So much was said meanwhile that it wasn't kept: the other side must be told how things are.
    pub(crate) behind: bool,
}

/// What became of a numbered message.
#[derive(Debug)]
pub(crate) enum Taken {
    /// Handle it.
    New,
    /// It was handled before.
    Duplicate,
    /// It came over a connection that is not the session's any more.
    Stale,
}

/// What became of a frame.
#[derive(Default)]
pub(crate) struct Offered {
    /// To be flushed, if there is something to send.
    pub(crate) link: Option<Arc<MemberLink>>,
    /// The same, when media goes another way.
    pub(crate) lane: Option<Arc<Lane>>,
    /// A key frame is needed before any other frame can be sent.
    pub(crate) key_frame: bool,
}

impl Outlet {
    pub(crate) fn new(counters: Arc<Counters>) -> Arc<Self> {
        let inner = Inner {
            session: Session::new(),
            receiver: Receiver::new(),
            way: None,
            waiting: 0,
            word: Word::default(),
            frames: 0,
            dropped: 0,
            generation: 0,
            connection: None,
        };
        Arc::new(Self {
            inner: Mutex::new(inner),
            counters,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next messages, as many as there is room for.
    pub(crate) fn take(&self, generation: u64, now: Now, batch: &mut Batch) {
        let (mut chunks, mut bytes) = (0, 0);
        let mut inner = self.lock();
        if inner.generation != generation {
            return;
        }
        while batch.has_room()
            && let Some(item) = inner.pop(now)
        {
            match item {
                Item::Control(message) => {
                    inner.waiting -= size(&message);
                    batch.push(message);
                }
                Item::Mark(mark) => batch.push(Outgoing::Ping(mark)),
                Item::Chunk { frame, chunk } => {
                    if let Some(chunk) = frame.0.as_slice().get(usize::from(chunk)) {
                        chunks += 1;
                        bytes += chunk.len() as u64;
                        batch.push(Outgoing::Binary(chunk.clone()));
                    }
                }
            }
        }
        drop(inner);
        if chunks > 0 {
            metrics::add(&self.counters.chunks_out, chunks);
            metrics::add(&self.counters.bytes_out, bytes);
        }
    }

    /// The next control message. Marks and chunks are for carriers that take frames.
    pub(crate) fn next(&self, generation: u64) -> Option<Outgoing> {
        let mut inner = self.lock();
        if inner.generation != generation {
            return None;
        }
        let message = inner.receiver.pop_control()?;
        inner.waiting -= size(&message);
        Some(message)
    }

    /// Queues again what the other side of this connection hasn't received.
    pub(crate) fn rewind(
        &self,
        generation: u64,
        received: Option<u64>,
    ) -> Result<(), session::Error> {
        let mut inner = self.lock();
        if inner.generation != generation {
            return Ok(());
        }
        let received = received.unwrap_or_else(|| inner.session.acknowledged());
        let again: Vec<_> = inner.session.again(received)?.collect();
        inner.clear();
        for (n, body) in again {
            inner.queue(n, &body);
        }
        inner.acknowledge();
        Ok(())
    }

    /// A mark of what was sent over this connection was answered.
    pub(crate) fn answered(&self, generation: u64, now: Now, mark: u32) {
        let mut inner = self.lock();
        if inner.generation == generation {
            inner.receiver.answered(now, mark);
        }
    }

    /// Offers a frame. Never waits, and sends nothing itself.
    pub(crate) fn frame(&self, now: Now, frame: &Cut<'_>) -> Offered {
        let mut inner = self.lock();
        let takes = |connection: &Connection| connection.link.takes_bytes();
        if inner.lane().is_none() && !inner.connection.as_ref().is_some_and(takes) {
            return Offered::default();
        }
        let coding = frame.coding;
        // RTP cuts a frame by itself.
        let frame = if inner.receiver.level() == Level::Full || inner.lane().is_some() {
            frame.whole()
        } else {
            frame.fine()
        };
        let piece = (frame.chunks.clone(), coding);
        match inner
            .receiver
            .frame(now, &frame.header, frame.bytes, &piece)
        {
            Verdict::NotSelected => Offered::default(),
            Verdict::Queued => {
                inner.frames += 1;
                let lane = inner.lane().cloned();
                let connection = inner.connection.as_ref().filter(|_| lane.is_none());
                Offered {
                    link: connection.map(|connection| connection.link.clone()),
                    lane,
                    key_frame: false,
                }
            }
            Verdict::Dropped { key_frame, .. } => {
                inner.frames += 1;
                inner.dropped += 1;
                drop(inner);
                metrics::add(&self.counters.frames_dropped, 1);
                Offered {
                    key_frame,
                    ..Offered::default()
                }
            }
        }
    }

    /// Numbers a message and queues it. Gives the link to flush. When too much waits already, the
    /// session lets go of it: after its next resume it is told how things are.
    pub(crate) fn send(&self, message: &Body) -> Option<Arc<MemberLink>> {
        let mut inner = self.lock();
        if let Ok(n) = inner.session.send_sized(message.clone(), message.len()) {
            return inner.queue(n, message);
        }
        if !inner.session.is_behind() {
            inner.session.let_go();
            inner.end(End::Stuck);
        }
        None
    }

    /// Takes the number and acknowledgement of a message that came over a connection.
    pub(crate) fn accept(
        &self,
        generation: u64,
        n: u64,
        ack: u64,
    ) -> Result<Taken, session::Error> {
        let mut inner = self.lock();
        if inner.generation != generation {
            return Ok(Taken::Stale);
        }
        let taken = match inner.session.accept(n, ack)? {
            Accept::New => Taken::New,
            Accept::Duplicate => Taken::Duplicate,
        };
        if inner.session.ack_is_due() || matches!(taken, Taken::Duplicate) {
            inner.acknowledge();
        }
        Ok(taken)
    }

    /// Takes an acknowledgement alone.
    pub(crate) fn acked(&self, generation: u64, ack: u64) -> Result<(), session::Error> {
        let mut inner = self.lock();
        if inner.generation == generation {
            inner.session.acked(ack)
        } else {
            Ok(())
        }
    }

    /// What the session's control travels over; `None` while it has no connection.
    pub(crate) fn carried(&self) -> Option<Kind> {
        Some(self.lock().connection.as_ref()?.link.kind())
    }

    /// Says what was received, if that wasn't said yet.
    pub(crate) fn acknowledge(&self, generation: u64) {
        let mut inner = self.lock();
        if inner.generation == generation && inner.session.untold() {
            inner.acknowledge();
        }
    }

    /// A connection carries the session from now on. `welcome` is told what was received so far and
    /// gives the first packet. `resume` = the last number that the other side received; all later
    /// messages follow the welcome.
    pub(crate) fn attach(
        self: &Arc<Self>,
        link: &Arc<MemberLink>,
        compressed: bool,
        resume: Option<u64>,
        welcome: impl FnOnce(u64) -> RelayPacket,
    ) -> Result<Carried, session::Error> {
        let mut inner = self.lock();
        let behind = inner.session.is_behind();
        let again = match resume {
            Some(received) => inner.session.resume(received)?.collect(),
            None => Vec::new(),
        };
        inner.end(End::Replaced);
        inner.clear();
        inner.generation += 1;
        let (end, ended) = oneshot::channel();
        inner.connection = Some(Connection {
            link: link.clone(),
            compressed,
            end: Some(end),
        });
        if let Some(welcome) = pack(&welcome(inner.session.received()), false) {
            inner.push(welcome);
        }
        for (n, body) in again {
            inner.queue(n, &body);
        }
        let generation = inner.generation;
        drop(inner);
        link.tap().carries(self.clone(), generation);
        Ok(Carried {
            generation,
            ended,
            behind,
        })
    }

    /// The connection is gone. Returns whether it was still the session's.
    pub(crate) fn detach(&self, generation: u64) -> bool {
        let mut inner = self.lock();
        let current = inner.generation == generation && inner.connection.is_some();
        if current {
            inner.connection = None;
            inner.generation += 1;
            inner.session.lost();
            inner.clear();
        }
        current
    }

    /// Whether this connection carries the session.
    pub(crate) fn is_on(&self, generation: u64) -> bool {
        let inner = self.lock();
        inner.generation == generation && inner.connection.is_some()
    }

    /// Ends the connection, if there is one.
    pub(crate) fn end(&self, end: End) {
        self.lock().end(end);
    }

    /// It is told of a room, and nothing of its line yet.
    pub(crate) fn told_room(&self) {
        self.lock().word = Word::default();
    }

    /// Says what its line carries, if that is something else than was said; to be called some times
    /// a second. Gives the link to flush.
    pub(crate) fn tell_line(&self, now: Now) -> Option<Arc<MemberLink>> {
        let mut inner = self.lock();
        inner.connection.as_ref()?;
        let carries = if inner.receiver.gets_pictures() {
            let carries = inner.receiver.level() < Level::SoundOnly;
            inner.word.turn(now, carries)
        } else {
            inner.word.forget()
        }?;
        drop(inner);
        self.send(&Body::from(&RelayMessage::Line { carries }))
    }

    /// How its line fares.
    pub(crate) fn line(&self) -> Line {
        let inner = self.lock();
        let link = inner.connection.as_ref().map(|c| &c.link);
        Line {
            round_trip: link.and_then(|link| link.tap().round_trip(clock::now())),
            frames: inner.frames,
            dropped: inner.dropped,
        }
    }

    /// Which of a sender's tracks go out from now on. Gives those that need a key frame.
    pub(crate) fn route(&self, sender: MemberId, tracks: &[Selected]) -> Vec<TrackId> {
        let mut inner = self.lock();
        if let Some(way) = &mut inner.way {
            way.route(sender, !tracks.is_empty());
        }
        inner.receiver.route(sender, tracks)
    }
}

impl Inner {
    /// What goes over the connection next.
    fn pop(&mut self, now: Now) -> Option<Item<Outgoing, Piece>> {
        if self.lane().is_some() {
            self.receiver.pop_control().map(Item::Control)
        } else {
            self.receiver.pop(now)
        }
    }

    /// Queues a numbered message, if there is a connection. Gives the link to flush.
    fn queue(&mut self, n: u64, body: &Body) -> Option<Arc<MemberLink>> {
        let connection = self.connection.as_ref()?;
        let (link, compressed) = (connection.link.clone(), connection.compressed);
        self.push(body.pack(n, self.session.received(), compressed));
        self.session.told();
        Some(link)
    }

    fn acknowledge(&mut self) {
        let Some(connection) = &self.connection else {
            return;
        };
        let packet = RelayPacket::Ack {
            ack: self.session.received(),
        };
        if let Some(message) = pack(&packet, connection.compressed) {
            self.push(message);
            self.session.told();
        }
    }

    fn push(&mut self, message: Outgoing) {
        let bytes = size(&message);
        let full = self.waiting > 0 && self.waiting + bytes > MAX_WAITING_BYTES;
        if full || self.receiver.control(message).is_err() {
            self.end(End::Stuck);
        } else {
            self.waiting += bytes;
        }
    }

    fn clear(&mut self) {
        // What goes beside the connection isn't touched by its end.
        if self.lane().is_some() {
            self.receiver.clear_control();
        } else {
            self.receiver.clear();
        }
        self.word.interrupt();
        self.waiting = 0;
    }

    fn end(&mut self, end: End) {
        if let Some(sender) = self
            .connection
            .as_mut()
            .and_then(|connection| connection.end.take())
        {
            // A connection that ended by itself meanwhile doesn't listen any more.
            let _ = sender.send(end);
        }
    }
}

fn size(message: &Outgoing) -> usize {
    match message {
        Outgoing::Text(bytes) | Outgoing::Binary(bytes) | Outgoing::Pong(bytes) => bytes.len(),
        Outgoing::Ping(_) => 0,
    }
}
