//! What a participant says over one connection, whatever carries it: packets taken in order, at the
//! rate that one may speak, until one of them ends the connection.

use std::{sync::Arc, time::Duration};

use bytes::BytesMut;
use visita_protocol::{
    VERSIONS,
    control::{
        ClientMessage, ClientPacket, Compression, Hello, RelayMessage, RelayPacket, Unreadable,
        parse_client,
    },
    error::Code,
    time::Now,
};

use crate::{
    carrier::MemberLink,
    clock,
    config::Limits,
    hub::{Attached, Gone, Hub},
    limits::Bucket,
    metrics,
    outlet::{Body, End},
    relay::Shared,
    seat::{Dirty, Seat, Way},
    web::Peer,
};

/// The least time between two complaints of one kind to one sender: one that floods isn't answered with
/// a flood.
const COMPLAIN_EVERY: Duration = Duration::from_secs(1);

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The other side closed it in order.
    Closed,
    /// It broke.
    Broken,
    /// It is ended for this reason.
    Refused(Code),
    /// The relay ends.
    Stopping,
}

impl Outcome {
    /// What that means for the session.
    pub(crate) fn gone(self) -> Gone {
        match self {
            Outcome::Closed => Gone::Left,
            Outcome::Broken
            | Outcome::Stopping
            | Outcome::Refused(Code::Timeout | Code::Replaced) => Gone::Broken,
            Outcome::Refused(_) => Gone::Removed,
        }
    }

    /// The session ends this connection, for a reason of its own.
    pub(crate) fn of(end: Option<End>) -> Self {
        match end {
            Some(End::Replaced) => Outcome::Refused(Code::Replaced),
            Some(End::Over) => Outcome::Refused(Code::Timeout),
            Some(End::Stuck) | None => Outcome::Broken,
        }
    }
}

/// The best version that both sides speak.
pub(crate) fn version(hello: &Hello) -> Result<u8, Code> {
    let known = VERSIONS
        .iter()
        .find(|version| hello.versions.contains(version));
    known.copied().ok_or(Code::Version)
}

/// A new session, or the one that the hello asks for.
pub(crate) fn attach(
    hub: &Hub,
    link: &Arc<MemberLink>,
    peer: &Peer,
    hello: &Hello,
) -> Result<Attached, Code> {
    let version = version(hello)?;
    let offered = hello.compression.contains(&Compression::Zstd1);
    let compression = (offered && link.takes_bytes()).then_some(Compression::Zstd1);
    match &hello.resume {
        None => hub.open(link, peer, version, compression),
        Some(resume) => hub.resume(link, version, compression, resume),
    }
}

/// Reads the first packet, which must be a hello.
pub(crate) fn hello(text: &[u8]) -> Result<Hello, Code> {
    match read(text)? {
        Ok(ClientPacket::Hello(hello)) => Ok(hello),
        Ok(_) => Err(Code::OutOfTurn),
        Err(unreadable) => Err(unreadable.code),
    }
}

fn read(text: &[u8]) -> Result<Result<ClientPacket, Unreadable>, Code> {
    let text = std::str::from_utf8(text).map_err(|_| Code::Malformed)?;
    Ok(parse_client(text))
}

/// How fast one may speak.
struct Rates {
    messages: Bucket,
    chats: Bucket,
    changes: Bucket,
    chunks: Bucket,
    bytes: Bucket,
}

impl Rates {
    fn new(limits: &Limits, now: Now) -> Self {
        Self {
            messages: Bucket::new(limits.messages_per_s, 4, now),
            chats: Bucket::new(limits.chats_per_s, 5, now),
            changes: Bucket::new(limits.changes_per_s, 4, now),
            chunks: Bucket::new(limits.chunks_per_s, 2, now),
            bytes: Bucket::new(limits.bytes_per_s, 2, now),
        }
    }

    /// What is multiplied by the relay has a rate of its own, so that all that a participant says
    /// while another is away for the grace time fits into what is kept for that other one.
    fn said(&mut self, now: Now, body: &ClientMessage) -> Option<Duration> {
        match body {
            ClientMessage::Chat { .. } => self.chats.take(now, 1),
            ClientMessage::Join { .. }
            | ClientMessage::Leave
            | ClientMessage::Tracks { .. }
            | ClientMessage::Line { .. }
            | ClientMessage::Watch(_)
            | ClientMessage::Decodes { .. }
            | ClientMessage::MakeCode
            | ClientMessage::Way(_) => self.changes.take(now, 1),
            ClientMessage::NeedKeyFrame { .. } | ClientMessage::Unknown => None,
        }
    }

    /// A control packet of so many bytes.
    fn control(&mut self, now: Now, bytes: usize) -> Option<Duration> {
        let bytes = self.bytes.take(now, bytes as u32);
        self.messages.take(now, 1).max(bytes)
    }
}

/// A participant on this connection.
pub(crate) struct Member {
    shared: Arc<Shared>,
    link: Arc<MemberLink>,
    seat: Arc<Seat>,
    generation: u64,
    rates: Rates,
    /// What the sender was told lately, each with when.
    complained: Vec<(Code, Now)>,
}

impl Member {
    pub(crate) fn new(shared: &Arc<Shared>, link: &Arc<MemberLink>, attached: &Attached) -> Self {
        Self {
            shared: shared.clone(),
            link: link.clone(),
            seat: attached.seat.clone(),
            generation: attached.generation,
            rates: Rates::new(&shared.config.limits, clock::now()),
            complained: Vec::new(),
        }
    }

    /// Takes a control packet that had so many bytes on the wire. Gives how long to wait before the
    /// next, for the sake of its rate.
    pub(crate) fn control(
        &mut self,
        now: Now,
        text: &[u8],
        bytes: usize,
    ) -> Result<Option<Duration>, Outcome> {
        let wait = self.packet(now, text).map_err(Outcome::Refused)?;
        Ok(self.rates.control(now, bytes).max(wait))
    }

    /// Takes a media chunk; otherwise the same.
    pub(crate) fn chunk(
        &mut self,
        now: Now,
        bytes: BytesMut,
        dirty: &mut Dirty,
    ) -> Option<Duration> {
        let length = bytes.len() as u32;
        if let Err(code) = self
            .seat
            .chunk(Way::Connection(self.generation), now, bytes, dirty)
        {
            self.complain(now, code, dirty);
        }
        let chunks = self.rates.chunks.take(now, 1);
        chunks.max(self.rates.bytes.take(now, length))
    }

    /// Takes what means nothing here, and says so; otherwise the same.
    pub(crate) fn unknown(
        &mut self,
        now: Now,
        bytes: usize,
        dirty: &mut Dirty,
    ) -> Option<Duration> {
        metrics::add(&self.shared.counters.messages_refused, 1);
        self.complain(now, Code::Malformed, dirty);
        self.rates.control(now, bytes)
    }

    /// Takes what only costs; otherwise the same.
    pub(crate) fn signal(&mut self, now: Now, bytes: usize) -> Option<Duration> {
        self.rates.control(now, bytes)
    }

    /// Nothing is taken for a while.
    pub(crate) fn throttled(&mut self, now: Now, dirty: &mut Dirty) {
        metrics::add(&self.shared.counters.throttled, 1);
        self.complain(now, Code::RateLimited, dirty);
    }

    /// Tells the sender that something of its wasn't taken, and why: each reason once in a while.
    fn complain(&mut self, now: Now, code: Code, dirty: &mut Dirty) {
        self.complained
            .retain(|(_, at)| now.since(*at) < COMPLAIN_EVERY);
        if self.complained.iter().any(|(told, _)| *told == code) {
            return;
        }
        self.complained.push((code, now));
        let complaint = RelayMessage::Error {
            code,
            reply_to: None,
        };
        dirty.add(self.seat.outlet.send(&Body::from(&complaint)));
    }

    /// Takes a packet. One whose number can be read counts as received, whatever else it is.
    /// Gives how long to wait before the next, for the sake of what it said.
    fn packet(&mut self, now: Now, text: &[u8]) -> Result<Option<Duration>, Code> {
        let parsed = read(text)?;
        let (hub, generation) = (&self.shared.hub, self.generation);
        let wait = match &parsed {
            Ok(ClientPacket::Message { body, .. }) => self.rates.said(now, body),
            _ => None,
        };
        let done = match parsed {
            Ok(ClientPacket::Message { n, ack, body }) => {
                hub.message(&self.seat, generation, n, ack, Ok(body))
            }
            Ok(ClientPacket::Ack { ack }) => Hub::acked(&self.seat, generation, ack),
            Ok(ClientPacket::Ping { id }) => {
                self.link.tap().packet(&RelayPacket::Pong { id }, false);
                self.seat.outlet.acknowledge(generation);
                self.link.flush(clock::now());
                Ok(())
            }
            Ok(ClientPacket::Hello(_)) => Err(Code::OutOfTurn),
            Err(unreadable) => {
                metrics::add(&self.shared.counters.messages_refused, 1);
                match unreadable.numbered {
                    Some((n, ack)) => {
                        hub.message(&self.seat, generation, n, ack, Err(unreadable.code))
                    }
                    None => Err(unreadable.code),
                }
            }
        };
        done.map(|()| wait)
    }
}
