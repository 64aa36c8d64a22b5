//! What goes to the host, in its order: control, then sound, then picture chunk by chunk. The
//! queues and what is dropped when the socket is slow are the relay's own
//! ([`visita_protocol::receiver`]); here they meet the session's numbers.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
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
}

struct Inner {
    session: Session<ClientMessage>,
    queues: Receiver<Outgoing, Arc<[Bytes]>>,
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

impl Uplink {
    pub(crate) fn new() -> Self {
        let inner = Inner {
            session: Session::new(),
            queues: Receiver::new(),
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

    /// A ping was answered, or a mark.
    pub(crate) fn pong(&self, id: u32) {
        let (now, mut inner) = (now(), self.lock());
        if let Some(mark) = id.checked_sub(MARKS) {
            inner.queues.answered(now, mark);
            drop(inner);
            self.ready.notify_one();
        } else {
            inner.probes.answered(id, now);
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
        inner.queues.route(SELF, tracks);
        inner.queues.cut_off();
        if tracks.is_empty() {
            inner.keys = keyframe::Requests::new();
        }
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
        self.lock().queues.try_pictures(now());
    }

    /// Queues an encoded frame.
    pub(crate) fn frame(&self, header: Header, payload: &[u8]) -> Fate {
        let mut inner = self.lock();
        if !inner.connected {
            return Fate::Dropped;
        }
        let max_chunk = if inner.slow {
            inner.max_chunk.min(FINE)
        } else {
            inner.max_chunk
        };
        let Ok(chunks) = chunk::split(header, payload.len(), max_chunk) else {
            return Fate::Dropped;
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
        let now = now();
        inner.framed = Some(now);
        match inner.queues.frame(now, &header, payload.len(), &messages) {
            Verdict::Queued => {
                if header.references.is_key() {
                    inner.keys.came(header.track);
                }
                drop(inner);
                self.ready.notify_one();
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
        let counters = inner.queues.counters();
        let slow = [
            receiver::Reason::Temporal,
            receiver::Reason::KeyFramesOnly,
            receiver::Reason::SoundOnly,
            receiver::Reason::Purged,
        ];
        State {
            age: inner.queues.age(now),
            late: inner.probes.late(now),
            level: inner.queues.level(),
            dropped: slow.iter().map(|&reason| counters.dropped(reason)).sum(),
            sound: inner.queues.depth().sound,
            sound_dropped: counters.sound_purged,
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
mod tests {
    use visita_protocol::{
        frame::References,
        media::{Kind, Layer},
        name::ChatText,
        time::MediaTime,
    };

    use super::*;

    const TRACK: TrackId = TrackId(0);
    const VOICE: TrackId = TrackId(8);

    fn header(sequence: u32, references: References) -> Header {
        Header {
            sender: SELF,
            track: TRACK,
            layer: Layer::default(),
            sequence,
            timestamp: MediaTime(7),
            chunk: 0,
            chunks: 1,
            references,
            level: None,
        }
    }

    fn chat(text: &str) -> ClientMessage {
        ClientMessage::Chat {
            text: ChatText::new(text).unwrap(),
        }
    }

    fn connected() -> Uplink {
        connected_with(1000)
    }

    fn connected_with(max_chunk: usize) -> Uplink {
        let uplink = Uplink::new();
        uplink.connected(0, None, max_chunk).unwrap();
        let selected = |track, kind| Selected {
            track,
            kind,
            layer: 0,
        };
        uplink.route(&[selected(TRACK, Kind::Video), selected(VOICE, Kind::Audio)]);
        uplink
    }

    /// All that would be sent now: control packets' JSON, and chunks' sequence and index.
    fn drain(uplink: &Uplink) -> (Vec<String>, Vec<(u32, u16)>) {
        let (mut control, mut chunks) = (Vec::new(), Vec::new());
        loop {
            let item = uplink.lock().pop(now()).unwrap();
            match item {
                Some(Next::Send(carrier::Message::Control(json))) => {
                    assert!(chunks.is_empty(), "control goes before media");
                    control.push(json);
                }
                Some(Next::Send(carrier::Message::Media(bytes))) => {
                    let (header, _) = Header::parse(&bytes).unwrap();
                    chunks.push((header.sequence, header.chunk));
                }
                Some(_) => panic!("nothing else was queued"),
                None => return (control, chunks),
            }
        }
    }

    #[test]
    fn control_goes_before_pictures_and_large_ones_in_chunks() {
        let uplink = connected();
        assert_eq!(
            uplink.frame(header(0, References::NONE), &[0; 2500]),
            Fate::Queued
        );
        uplink.say(chat("a")).unwrap();
        uplink.ping(1).unwrap();
        let (control, chunks) = drain(&uplink);
        assert_eq!(control.len(), 2);
        assert_eq!(chunks, [(0, 0), (0, 1), (0, 2)]);
    }

    #[test]
    fn what_was_said_while_lost_goes_out_once_and_in_order_with_the_next_connection() {
        let uplink = connected();
        uplink.say(chat("a")).unwrap();
        uplink.say(chat("b")).unwrap();
        drain(&uplink);
        uplink.lost();
        uplink.say(chat("c")).unwrap();
        assert_eq!(drain(&uplink), (vec![], vec![]));
        // The host received the first, and not the second.
        uplink.connected(1, None, 1000).unwrap();
        let (control, _) = drain(&uplink);
        let numbers: Vec<u64> = control
            .iter()
            .map(|json| match serde_json::from_str(json).unwrap() {
                ClientPacket::Message { n, .. } => n,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(numbers, [2, 3]);
    }

    #[test]
    fn a_new_connection_begins_with_a_key_frame_that_is_asked_for_once() {
        let uplink = connected();
        let delta = References::new(&[1]).unwrap();
        assert_eq!(
            uplink.frame(header(0, References::NONE), &[0; 10]),
            Fate::Queued
        );
        assert_eq!(uplink.frame(header(1, delta), &[0; 10]), Fate::Queued);
        uplink.lost();
        assert_eq!(uplink.frame(header(2, delta), &[0; 10]), Fate::Dropped);
        uplink.connected(0, None, 1000).unwrap();
        assert_eq!(
            uplink.frame(header(3, delta), &[0; 10]),
            Fate::DroppedAndNeedsKeyFrame
        );
        assert_eq!(uplink.frame(header(4, delta), &[0; 10]), Fate::Dropped);
        assert_eq!(
            uplink.frame(header(5, References::NONE), &[0; 10]),
            Fate::Queued
        );
        assert_eq!(uplink.frame(header(6, delta), &[0; 10]), Fate::Queued);
        assert_eq!(drain(&uplink).1, [(5, 0), (6, 0)]);
    }

    fn voice(sequence: u32) -> Header {
        Header {
            track: VOICE,
            ..header(sequence, References::NONE)
        }
    }

    #[test]
    fn sound_goes_between_the_chunks_of_a_picture_and_is_not_dropped_for_it() {
        let uplink = connected_with(CHUNK);
        uplink.slow(true);
        // Half a megabyte of picture waits, and a second of sound comes on top of it.
        let key = |sequence| uplink.frame(header(sequence, References::NONE), &vec![0; 200_000]);
        assert_eq!([key(0), key(1)], [Fate::Queued; 2]);
        let pop = || loop {
            let next = uplink.lock().pop(now()).unwrap();
            match next {
                Some(Next::Send(carrier::Message::Media(bytes))) => {
                    let (header, at) = Header::parse(&bytes).unwrap();
                    return (header.track, header.sequence, bytes.len() - at);
                }
                // On a slow line pictures wait for what went before: it has come.
                Some(Next::Send(carrier::Message::Control(json))) => {
                    let ClientPacket::Ping { id } = serde_json::from_str(&json).unwrap() else {
                        panic!("nothing was said");
                    };
                    uplink.pong(id);
                }
                _ => panic!("media waits"),
            }
        };
        for sequence in 0..50 {
            assert_eq!(pop(), (TRACK, 0, FINE));
            assert_eq!(uplink.frame(voice(sequence), &[0; 80]), Fate::Queued);
            assert_eq!(pop(), (VOICE, sequence, 80));
        }
        // Nothing that picture does costs sound: neither its queue's end nor a change of tracks.
        assert_eq!(uplink.frame(voice(50), &[0; 80]), Fate::Queued);
        for sequence in 2..40 {
            let _ = key(sequence);
        }
        assert_eq!(pop(), (VOICE, 50, 80));
    }

    #[test]
    fn frames_that_nobody_wants_are_not_kept() {
        let uplink = connected();
        uplink.route(&[]);
        assert_eq!(
            uplink.frame(header(0, References::NONE), &[0; 10]),
            Fate::Dropped
        );
        assert_eq!(drain(&uplink).1, []);
    }

    #[test]
    fn nothing_of_a_track_follows_that_isnt_wanted_any_more() {
        let uplink = connected_with(100);
        assert_eq!(
            uplink.frame(header(0, References::NONE), &[0; 1000]),
            Fate::Queued
        );
        assert!(uplink.lock().pop(now()).unwrap().is_some());
        uplink.route(&[]);
        uplink
            .say(ClientMessage::Tracks { tracks: Vec::new() })
            .unwrap();
        let (control, media) = drain(&uplink);
        assert_eq!((control.len(), media), (1, Vec::new()));
    }

    #[test]
    fn many_messages_are_acknowledged_without_being_asked() {
        let uplink = connected();
        for n in 1..=session::ACK_EVERY {
            assert!(uplink.accept(n, 0).unwrap());
        }
        assert!(
            !uplink.accept(1, 0).unwrap(),
            "a duplicate is not handled twice"
        );
        let ack = format!(r#"{{"type":"ack","ack":{}}}"#, session::ACK_EVERY);
        assert_eq!(drain(&uplink).0, [ack]);
    }
}
