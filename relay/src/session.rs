//! `/api/v1/ws`: one connection of a participant, from its hello to its end.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::BytesMut;
use tokio::time::{sleep, timeout};
use visita_protocol::{
    VERSIONS, compress,
    control::{
        ClientMessage, ClientPacket, Compression, Hello, RelayMessage, RelayPacket, parse_client,
    },
    error::Code,
    frame::{CONTROL_ZSTD_V1, MEDIA_V1},
    time::Now,
};

use crate::{
    clock,
    config::Limits,
    hub::{Attached, Gone, Hub},
    limits::Bucket,
    metrics,
    outlet::{Body, End, MemberLink, Tap},
    relay::Shared,
    seat::{Dirty, Seat},
    sockets,
    web::Peer,
    ws::{self, Decoder, Event, Link, Outgoing, Raw},
};

/// WebSocket's own pings and pongs that may come before the hello: a client needs none.
const SIGNALS_BEFORE_HELLO: u32 = 16;
/// The largest ping or pong on the wire, in bytes: what one counts for.
const SIGNAL: usize = 131;
/// The least time between two complaints of one kind to one sender: one that floods isn't answered with
/// a flood.
const COMPLAIN_EVERY: Duration = Duration::from_secs(1);
/// How often the way there and back is measured.
const PING: Duration = Duration::from_secs(2);
/// How long the last words may take.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// WebSocket's codes: done, and going away.
const NORMAL: u16 = 1000;
const GOING_AWAY: u16 = 1001;
/// Ours: the reason was in `refused`.
const REFUSED: u16 = 4000;

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// The other side closed it in order.
    Closed,
    /// It broke.
    Broken,
    /// It is ended for this reason.
    Refused(Code),
    /// The relay ends.
    Stopping,
}

/// Serves one connection until it ends.
pub(crate) async fn serve(shared: Arc<Shared>, raw: Raw, peer: Peer) {
    sockets::tune(&raw.socket);
    let limits = &shared.config.limits;
    let link = Arc::new(Link::new(raw.socket, raw.connection, Tap::default()));
    let heard = Arc::new(AtomicU64::new(clock::now().0));
    let mut input = Input {
        link: link.clone(),
        decoder: Decoder::new(limits.max_packet as usize),
        buffer: raw.received,
        heard: heard.clone(),
        heard_before: 0,
        fresh: false,
    };
    let mut stopped = pin!(shared.stopped());
    let hello = tokio::select! {
        hello = timeout(Duration::from_secs(limits.hello_s.into()), input.hello()) => {
            hello.unwrap_or(Err(Outcome::Refused(Code::Timeout)))
        }
        () = link.send_when_possible() => Err(Outcome::Broken),
        () = &mut stopped => Err(Outcome::Refused(Code::ShuttingDown)),
    };
    let attached =
        hello.and_then(|hello| attach(&shared.hub, &link, &peer, &hello).map_err(Outcome::Refused));
    let attached = match attached {
        Ok(attached) => attached,
        Err(outcome) => return finish(&link, outcome).await,
    };
    peer.place.established();
    link.flush(clock::now());
    let Attached {
        seat,
        generation,
        ended,
    } = attached;
    let rates = Rates::new(limits, clock::now());
    let mut member = Member {
        shared: shared.clone(),
        seat: seat.clone(),
        generation,
        rates,
        complained: Vec::new(),
    };
    // A task of its own: each frame wakes it alone, and not everything else that is waited for here.
    let mut listening = tokio::spawn(async move { member.listen(&mut input).await });
    let outcome = tokio::select! {
        outcome = &mut listening => outcome.unwrap_or(Outcome::Refused(Code::Internal)),
        () = link.send_when_possible() => Outcome::Broken,
        () = silent(&heard, limits.silence()) => Outcome::Refused(Code::Timeout),
        () = ping(&link) => Outcome::Broken,
        end = ended => match end {
            Ok(End::Replaced) => Outcome::Refused(Code::Replaced),
            Ok(End::Over) => Outcome::Refused(Code::Timeout),
            Ok(End::Stuck) | Err(_) => Outcome::Broken,
        },
        () = &mut stopped => Outcome::Stopping,
    };
    // What it still takes meanwhile comes from a connection that isn't the session's any more.
    listening.abort();
    if outcome == Outcome::Stopping {
        // What the session still has to say (that the relay closes) goes out before it is let go.
        link.close(GOING_AWAY, LAST_WORDS).await;
        shared.hub.gone(&seat, generation, Gone::Broken);
        return;
    }
    shared.hub.gone(&seat, generation, outcome.gone());
    finish(&link, outcome).await;
}

/// Measures how long the way there and back takes, as long as the connection lasts.
async fn ping(link: &MemberLink) {
    loop {
        sleep(PING).await;
        link.queue().ping(clock::now());
        link.flush(clock::now());
    }
}

/// Is over when nothing was heard for so long.
async fn silent(heard: &AtomicU64, limit: Duration) {
    loop {
        let quiet = clock::now().since(Now(heard.load(Relaxed)));
        if quiet >= limit {
            return;
        }
        sleep(limit.saturating_sub(quiet)).await;
    }
}

impl Outcome {
    fn gone(self) -> Gone {
        match self {
            Outcome::Closed => Gone::Left,
            Outcome::Broken
            | Outcome::Stopping
            | Outcome::Refused(Code::Timeout | Code::Replaced) => Gone::Broken,
            Outcome::Refused(_) => Gone::Removed,
        }
    }
}

async fn finish(link: &MemberLink, outcome: Outcome) {
    let code = match outcome {
        Outcome::Closed => NORMAL,
        Outcome::Broken => return,
        Outcome::Stopping => GOING_AWAY,
        Outcome::Refused(code) => {
            tracing::debug!(?code, "connection refused");
            link.queue().packet(&RelayPacket::Refused { code }, false);
            REFUSED
        }
    };
    link.close(code, LAST_WORDS).await;
}

/// A new session, or the one that the hello asks for.
fn attach(hub: &Hub, link: &Arc<MemberLink>, peer: &Peer, hello: &Hello) -> Result<Attached, Code> {
    let version = VERSIONS
        .iter()
        .find(|version| hello.versions.contains(version));
    let version = *version.ok_or(Code::Version)?;
    let compression = hello
        .compression
        .contains(&Compression::Zstd1)
        .then_some(Compression::Zstd1);
    match &hello.resume {
        None => hub.open(link, peer, version, compression),
        Some(resume) => hub.resume(link, version, compression, resume),
    }
}

/// What comes from the socket.
struct Input {
    link: Arc<MemberLink>,
    decoder: Decoder,
    buffer: BytesMut,
    /// When something came last; ahead of now while nothing is read on purpose.
    heard: Arc<AtomicU64>,
    /// The same before the last read, of which nothing is looked at yet while it is `fresh`.
    heard_before: u64,
    fresh: bool,
}

/// A message of the other side.
enum Message {
    Text(BytesMut),
    Binary(BytesMut),
    /// WebSocket's own ping or pong, which is answered already and still counts.
    Signal,
}

impl Input {
    /// The next message that is there already. WebSocket's own frames are answered here.
    fn next(&mut self) -> Result<Option<Message>, Outcome> {
        let fresh = std::mem::take(&mut self.fresh);
        match self.decoder.next(&mut self.buffer) {
            Ok(None) => Ok(None),
            Ok(Some(Event::Text(text))) => Ok(Some(Message::Text(text))),
            Ok(Some(Event::Binary(bytes))) => Ok(Some(Message::Binary(bytes))),
            Ok(Some(Event::Ping(payload))) => {
                self.link.queue().push(Outgoing::Pong(payload.freeze()));
                self.link.flush(clock::now());
                Ok(Some(Message::Signal))
            }
            Ok(Some(Event::Pong(payload))) => {
                let now = clock::now();
                if self.link.queue().pong(now, &payload) {
                    self.link.flush(now);
                }
                // No sign of life: a browser answers for a page that is frozen, too.
                if fresh && self.buffer.is_empty() {
                    self.heard.store(self.heard_before, Relaxed);
                }
                Ok(Some(Message::Signal))
            }
            // A page that is closed, and a program that ends in order. Any other code says that
            // something failed: such a one may come back.
            Ok(Some(Event::Close(Some(NORMAL | GOING_AWAY)))) => Err(Outcome::Closed),
            Ok(Some(Event::Close(_))) => Err(Outcome::Broken),
            Err(ws::Error::TooLarge) => Err(Outcome::Refused(Code::TooLarge)),
            Err(ws::Error::Protocol(_)) => Err(Outcome::Refused(Code::Malformed)),
        }
    }

    /// Waits for more.
    async fn more(&mut self) -> Result<(), Outcome> {
        match self.link.read(&mut self.buffer).await {
            Ok(true) => {
                self.heard_before = self.heard.swap(clock::now().0, Relaxed);
                self.fresh = true;
                Ok(())
            }
            Ok(false) | Err(_) => Err(Outcome::Broken),
        }
    }

    /// The first message, which must be a hello.
    async fn hello(&mut self) -> Result<Hello, Outcome> {
        let mut signals = 0;
        loop {
            match self.next()? {
                None => self.more().await?,
                Some(Message::Signal) => {
                    signals += 1;
                    if signals > SIGNALS_BEFORE_HELLO {
                        return Err(Outcome::Refused(Code::OutOfTurn));
                    }
                }
                Some(Message::Text(text)) => {
                    let text = std::str::from_utf8(&text)
                        .map_err(|_| Outcome::Refused(Code::Malformed))?;
                    return match parse_client(text) {
                        Ok(ClientPacket::Hello(hello)) => Ok(hello),
                        Ok(_) => Err(Outcome::Refused(Code::OutOfTurn)),
                        Err(unreadable) => Err(Outcome::Refused(unreadable.code)),
                    };
                }
                Some(Message::Binary(_)) => return Err(Outcome::Refused(Code::OutOfTurn)),
            }
        }
    }
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
            | ClientMessage::MakeCode => self.changes.take(now, 1),
            ClientMessage::NeedKeyFrame { .. } | ClientMessage::Unknown => None,
        }
    }

    fn control(&mut self, now: Now, bytes: usize) -> Option<Duration> {
        let bytes = self.bytes.take(now, bytes as u32);
        self.messages.take(now, 1).max(bytes)
    }
}

/// A participant on this connection.
struct Member {
    shared: Arc<Shared>,
    seat: Arc<Seat>,
    generation: u64,
    rates: Rates,
    /// What the sender was told lately, each with when.
    complained: Vec<(Code, Now)>,
}

impl Member {
    /// Takes what it says until the connection ends.
    async fn listen(&mut self, input: &mut Input) -> Outcome {
        match self.listen_on(input).await {
            Ok(never) => match never {},
            Err(outcome) => outcome,
        }
    }

    async fn listen_on(&mut self, input: &mut Input) -> Result<std::convert::Infallible, Outcome> {
        let mut dirty = Dirty::default();
        loop {
            let now = clock::now();
            let mut wait = None;
            // Everything that one read brought is flushed together.
            while wait.is_none()
                && let Some(message) = input.next()?
            {
                wait = self.take(now, message, input, &mut dirty)?;
            }
            dirty.flush(now);
            match wait {
                // Nothing is read meanwhile: the sender's socket fills, and its own rules apply.
                Some(wait) => {
                    metrics::add(&self.shared.counters.throttled, 1);
                    self.complain(now, Code::RateLimited, &mut dirty);
                    dirty.flush(clock::now());
                    input.heard.store(clock::now().plus(wait).0, Relaxed);
                    sleep(wait).await;
                }
                None => input.more().await?,
            }
        }
    }

    /// Takes one message. Gives how long to wait before the next, for the sake of its rate.
    fn take(
        &mut self,
        now: Now,
        message: Message,
        input: &Input,
        dirty: &mut Dirty,
    ) -> Result<Option<Duration>, Outcome> {
        match message {
            Message::Binary(bytes) if bytes.first() == Some(&MEDIA_V1) => {
                let length = bytes.len() as u32;
                if let Err(code) = self.seat.chunk(self.generation, now, bytes, dirty) {
                    self.complain(now, code, dirty);
                }
                Ok(self
                    .rates
                    .chunks
                    .take(now, 1)
                    .max(self.rates.bytes.take(now, length)))
            }
            Message::Binary(bytes) if bytes.first() == Some(&CONTROL_ZSTD_V1) => {
                let text =
                    compress::decompress(&bytes, self.shared.config.limits.max_packet as usize)
                        .map_err(|_| Outcome::Refused(Code::Malformed))?;
                let wait = self.packet(now, text.as_bytes(), input)?;
                Ok(self.rates.control(now, bytes.len()).max(wait))
            }
            Message::Binary(bytes) => {
                metrics::add(&self.shared.counters.messages_refused, 1);
                self.complain(now, Code::Malformed, dirty);
                Ok(self.rates.control(now, bytes.len()))
            }
            Message::Text(text) => {
                let wait = self.packet(now, &text, input)?;
                Ok(self.rates.control(now, text.len()).max(wait))
            }
            Message::Signal => Ok(self.rates.control(now, SIGNAL)),
        }
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
    fn packet(
        &mut self,
        now: Now,
        text: &[u8],
        input: &Input,
    ) -> Result<Option<Duration>, Outcome> {
        let parsed = std::str::from_utf8(text)
            .map_err(|_| Outcome::Refused(Code::Malformed))
            .map(parse_client)?;
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
                input.link.queue().packet(&RelayPacket::Pong { id }, false);
                self.seat.outlet.acknowledge(generation);
                input.link.flush(clock::now());
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
        done.map_err(Outcome::Refused)?;
        Ok(wait)
    }
}
