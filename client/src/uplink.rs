//! What goes to the host, in its order: control, then sound, then picture chunk by chunk. The
//! queues and what is dropped when the socket is slow are the relay's own
//! ([`visita_protocol::receiver`]); here they meet the session's numbers.

mod side;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use side::Side;
use tokio::sync::Notify;
use visita_protocol::{
    chunk::{self, CHUNK, FINE},
    control::{ClientMessage, ClientPacket, Compression},
    frame::Header,
    id::{MemberId, TrackId},
    keyframe,
    receiver::{self, Receiver, Selected, Verdict},
    session::{self, Accept, Session},
    time::Now,
};

use crate::{carrier, clock::now, compress, error::Error, probe::Probes};

/// On the way to the relay there is one sender: ourselves.
const SELF: MemberId = MemberId(0);

/// Pings from this number on are the queues' marks.
const MARKS: u32 = 1 << 31;

/// Frames go out while the last one isn't older than this: pictures at two a second.
const SENDING: Duration = Duration::from_millis(500);

/// A control packet that waits. Its acknowledgement is filled in when it goes out.
#[derive(Clone, Debug)]
enum Outgoing {
    Numbered(u64, ClientMessage),
    Ack,
    Ping(u32),
    Goodbye,
}

/// What the writer does next.
pub(crate) enum Next {
    Send(carrier::Message),
    Goodbye,
}

/// Shared by the session, its writer and the publisher.
pub(crate) struct Uplink {
    inner: Mutex<Inner>,
    ready: Notify,
    /// The same, for what goes over UDP.
    side_ready: Notify,
}

struct Inner {
    session: Session<ClientMessage>,
    queues: Receiver<Outgoing, Arc<[Bytes]>>,
    /// What goes over UDP instead, while that is up.
    side: Option<Side>,
    /// What the host wants.
    selected: Vec<Selected>,
    keys: keyframe::Requests,
    connected: bool,
    compression: Option<Compression>,
    max_chunk: usize,
    /// How long what is sent takes to the host.
    probes: Probes,
    /// When the last frame came.
    framed: Option<Now>,
    /// Whether picture is cut finely, because the line showed itself slow.
    slow: bool,
    ack_queued: bool,
}

/// What becomes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is on its way.
    Queued,
    /// Nobody wants it, or it can't be sent now.
    Dropped,
    /// It can't be sent, and nothing of its track can before a key frame: make one.
    DroppedAndNeedsKeyFrame,
}

/// How the uplink fares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// How long the oldest frame waits.
    pub age: Duration,
    /// How long frames wait on the way, in buffers that aren't ours.
    pub late: Duration,
    /// How far picture is cut now.
    pub level: receiver::Level,
    /// Frames thrown away so far because the socket was slow.
    pub dropped: u64,
    /// Frames of sound that wait.
    pub sound: usize,
    /// Frames of sound that waited for too long and were thrown away, so far.
    pub sound_dropped: u64,
}

impl State {
    fn of<C, F: Clone>(queues: &Receiver<C, F>, now: Now) -> Self {
        let counters = queues.counters();
        let slow = [
            receiver::Reason::Temporal,
            receiver::Reason::KeyFramesOnly,
            receiver::Reason::SoundOnly,
            receiver::Reason::Purged,
        ];
        Self {
            age: queues.age(now),
            late: Duration::ZERO,
            level: queues.level(),
            dropped: slow.iter().map(|&reason| counters.dropped(reason)).sum(),
            sound: queues.depth().sound,
            sound_dropped: counters.sound_purged,
        }
    }

    /// With what goes another way.
    fn and(self, other: Self) -> Self {
        Self {
            age: self.age.max(other.age),
            late: self.late.max(other.late),
            level: self.level.max(other.level),
            dropped: self.dropped + other.dropped,
            sound: self.sound + other.sound,
            sound_dropped: self.sound_dropped + other.sound_dropped,
        }
    }
}

impl Uplink {
    pub(crate) fn new() -> Self {
        let inner = Inner {
            session: Session::new(),
            queues: Receiver::new(),
            side: None,
            selected: Vec::new(),
            keys: keyframe::Requests::new(),
            connected: false,
            compression: None,
            max_chunk: CHUNK,
            probes: Probes::default(),
            framed: None,
            slow: false,
            ack_queued: false,
        };
        Self {
            inner: Mutex::new(inner),
            ready: Notify::new(),
            side_ready: Notify::new(),
        }
    }

    /// A connection is up, and the host says what it received.
    pub(crate) fn connected(
        &self,
        received: u64,
        compression: Option<Compression>,
        max_chunk: usize,
    ) -> Result<(), Error> {
        let mut inner = self.lock();
        let again: Vec<_> = inner.session.resume(received).map_err(protocol)?.collect();
        inner.queues.clear();
        inner.probes = Probes::default();
        inner.ack_queued = false;
        inner.compression = compression;
        inner.max_chunk = max_chunk;
        inner.connected = true;
        for (n, message) in again {
            inner.push(Outgoing::Numbered(n, message))?;
        }
        drop(inner);
        self.ready.notify_one();
        Ok(())
    }

    /// The connection is gone. What is said from here on goes out with the next one.
    pub(crate) fn lost(&self) {
        let mut inner = self.lock();
        inner.connected = false;
        inner.queues.clear();
    }

    /// Says something; gives its number.
    pub(crate) fn say(&self, message: ClientMessage) -> Result<u64, Error> {
        let mut inner = self.lock();
        let n = inner
            .session
            .send(message.clone())
            .map_err(|_| Error::Overflow)?;
        if inner.connected {
            inner.push(Outgoing::Numbered(n, message))?;
        }
        drop(inner);
        self.ready.notify_one();
        Ok(n)
    }

    pub(crate) fn ping(&self, id: u32) -> Result<(), Error> {
        let mut inner = self.lock();
        // A relay that can say nothing else is told at least once a heartbeat what came.
        if inner.session.untold() {
            inner.queue_ack()?;
        }
        inner.push(Outgoing::Ping(id))?;
        inner.probes.sent(id, now());
        drop(inner);
        self.ready.notify_one();
        Ok(())
    }

    /// A ping was answered, or a mark; gives how long a ping took.
    pub(crate) fn pong(&self, id: u32) -> Option<Duration> {
        let (now, mut inner) = (now(), self.lock());
        if let Some(mark) = id.checked_sub(MARKS) {
            inner.queues.answered(now, mark);
            drop(inner);
            self.ready.notify_one();
            None
        } else {
            inner.probes.answered(id, now)
        }
    }

    /// Whether frames go out, so that it matters how long they take.
    pub(crate) fn is_sending(&self) -> bool {
        let framed = self.lock().framed;
        framed.is_some_and(|framed| now().since(framed) < SENDING)
    }

    /// The last thing said on this connection.
    pub(crate) fn goodbye(&self) -> Result<(), Error> {
        self.lock().push(Outgoing::Goodbye)?;
        self.ready.notify_one();
        Ok(())
    }

    /// Takes the number and acknowledgement of a message from the host: whether it is new.
    pub(crate) fn accept(&self, n: u64, ack: u64) -> Result<bool, Error> {
        let mut inner = self.lock();
        let accept = inner.session.accept(n, ack).map_err(protocol)?;
        if accept == Accept::Duplicate || inner.session.ack_is_due() {
            inner.queue_ack()?;
            drop(inner);
            self.ready.notify_one();
        }
        Ok(accept == Accept::New)
    }

    pub(crate) fn acked(&self, ack: u64) -> Result<(), Error> {
        self.lock().session.acked(ack).map_err(protocol)
    }

    pub(crate) fn received(&self) -> u64 {
        self.lock().session.received()
    }

    /// Which tracks the host wants; frames of others are thrown away, what is left of one that is
    /// half sent too: to the host it may be of a track that isn't announced any more.
    pub(crate) fn route(&self, tracks: &[Selected]) {
        let mut inner = self.lock();
        inner.selected = tracks.to_vec();
        inner.divide();
        if tracks.is_empty() {
            inner.keys = keyframe::Requests::new();
        }
    }

    /// These tracks go over UDP from now on, `None`: none any more. Each picture begins there with
    /// a key frame.
    pub(crate) fn side(&self, tracks: Option<Vec<TrackId>>) {
        let mut inner = self.lock();
        inner.side = tracks.map(Side::new);
        inner.divide();
    }

    /// The next whole frame for UDP: sound, and pictures only if they may go now.
    pub(crate) fn leave(&self, pictures: bool) -> Option<Bytes> {
        self.lock().side.as_mut()?.leave(now(), pictures)
    }

    /// Whether pictures wait to go over UDP.
    pub(crate) fn pictures_wait(&self) -> bool {
        let inner = self.lock();
        inner.side.as_ref().is_some_and(Side::pictures_wait)
    }

    /// Until something may wait to go over UDP.
    pub(crate) async fn side_ready(&self) {
        self.side_ready.notified().await;
    }

    /// Whether the line showed itself slow: then sound must get between smaller chunks.
    pub(crate) fn slow(&self, slow: bool) {
        let mut inner = self.lock();
        inner.slow = slow;
        inner.queues.gentle(slow);
        drop(inner);
        // What waited for room may not have to any more.
        self.ready.notify_one();
    }

    /// The picture is tried again after a pause: as if the line had carried none before.
    pub(crate) fn try_pictures(&self) {
        let (now, mut inner) = (now(), self.lock());
        inner.queues.try_pictures(now);
        if let Some(side) = &mut inner.side {
            side.try_pictures(now);
        }
    }

    /// Queues an encoded frame.
    pub(crate) fn frame(&self, header: Header, payload: &[u8]) -> Fate {
        let mut inner = self.lock();
        if !inner.connected {
            return Fate::Dropped;
        }
        let now = now();
        inner.framed = Some(now);
        let (verdict, ready) = match &mut inner.side {
            Some(side) if side.brings(header.track) => {
                (side.frame(now, header, payload), &self.side_ready)
            }
            _ => (inner.cut(now, header, payload), &self.ready),
        };
        match verdict {
            Verdict::Queued => {
                if header.references.is_key() {
                    inner.keys.came(header.track);
                }
                drop(inner);
                ready.notify_one();
                Fate::Queued
            }
            Verdict::Dropped {
                key_frame: true, ..
            } if inner.keys.need(now, header.track) => Fate::DroppedAndNeedsKeyFrame,
            Verdict::Dropped { .. } | Verdict::NotSelected => Fate::Dropped,
        }
    }

    /// The tracks of which a key frame is needed now, and wasn't asked for lately.
    pub(crate) fn key_frames_due(&self) -> Vec<TrackId> {
        self.lock().keys.due(now())
    }

    /// How it fares.
    pub(crate) fn state(&self, now: Now) -> State {
        let inner = self.lock();
        let connection = State {
            late: inner.probes.late(now),
            ..State::of(&inner.queues, now)
        };
        match &inner.side {
            // What is on its way over UDP its own estimate of the line sees.
            Some(side) => State {
                late: Duration::ZERO,
                ..connection.and(side.state(now))
            },
            None => connection,
        }
    }

    /// Waits for something to send.
    pub(crate) async fn next(&self) -> Result<Next, Error> {
        loop {
            let item = self.lock().pop(now())?;
            if let Some(next) = item {
                return Ok(next);
            }
            self.ready.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Each wanted track goes one way. What waits of one that goes another way now is thrown away.
    fn divide(&mut self) {
        let brings = |track| self.side.as_ref().is_some_and(|side| side.brings(track));
        let (there, here): (Vec<Selected>, Vec<Selected>) = self
            .selected
            .iter()
            .partition(|selected| brings(selected.track));
        self.queues.route(SELF, &here);
        self.queues.cut_off();
        if let Some(side) = &mut self.side {
            side.route(&there);
        }
    }

    /// Queues a frame for the connection, in chunks.
    fn cut(&mut self, now: Now, header: Header, payload: &[u8]) -> Verdict {
        let max_chunk = if self.slow {
            self.max_chunk.min(FINE)
        } else {
            self.max_chunk
        };
        let Ok(chunks) = chunk::split(header, payload.len(), max_chunk) else {
            return Verdict::NotSelected;
        };
        let header = Header {
            chunk: 0,
            chunks: chunks.len() as u16,
            ..header
        };
        let messages: Arc<[Bytes]> = chunks
            .map(|(header, range)| {
                let mut message = Vec::with_capacity(header.len() + range.len());
                header.write(&mut message);
                message.extend_from_slice(&payload[range]);
                Bytes::from(message)
            })
            .collect();
        self.queues.frame(now, &header, payload.len(), &messages)
    }

    fn push(&mut self, outgoing: Outgoing) -> Result<(), Error> {
        self.queues.control(outgoing).map_err(|_| Error::Overflow)
    }

    fn queue_ack(&mut self) -> Result<(), Error> {
        if !std::mem::replace(&mut self.ack_queued, true) {
            self.push(Outgoing::Ack)?;
        }
        Ok(())
    }

    fn pop(&mut self, now: Now) -> Result<Option<Next>, Error> {
        let outgoing = match self.queues.pop(now) {
            None => return Ok(None),
            Some(receiver::Item::Chunk { frame, chunk }) => {
                let bytes = frame.get(usize::from(chunk)).cloned().unwrap_or_default();
                return Ok(Some(Next::Send(carrier::Message::Media(bytes))));
            }
            Some(receiver::Item::Mark(mark)) => Outgoing::Ping(MARKS + mark % MARKS),
            Some(receiver::Item::Control(outgoing)) => outgoing,
        };
        let ack = self.session.received();
        let packet = match outgoing {
            Outgoing::Numbered(n, body) => ClientPacket::Message { n, ack, body },
            Outgoing::Ack => {
                self.ack_queued = false;
                ClientPacket::Ack { ack }
            }
            Outgoing::Ping(id) => ClientPacket::Ping { id },
            Outgoing::Goodbye => return Ok(Some(Next::Goodbye)),
        };
        if !matches!(packet, ClientPacket::Ping { .. }) {
            self.session.told();
        }
        compress::pack(&packet, self.compression).map(|message| Some(Next::Send(message)))
    }
}

fn protocol(error: session::Error) -> Error {
    Error::Protocol(error.to_string())
}

#[cfg(test)]
mod tests;
