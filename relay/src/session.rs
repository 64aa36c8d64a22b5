//! `/api/v1/ws`: one connection of a participant, from its hello to its end.

mod heard;
mod member;

use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use bytes::BytesMut;
use tokio::time::{sleep, timeout};
use visita_protocol::{
    compress,
    control::{Hello, RelayPacket},
    error::Code,
    frame::{CONTROL_ZSTD_V1, MEDIA_V1},
    time::Now,
};

pub(crate) use self::{
    heard::Heard,
    member::{Member, Outcome, attach, hello, version},
};
use crate::{
    carrier::MemberLink,
    clock,
    hub::{Attached, Gone},
    relay::Shared,
    seat::Dirty,
    sockets,
    tap::Tap,
    web::Peer,
    ws::{self, Decoder, Event, Link, Outgoing, Raw},
};

/// WebSocket's own pings and pongs that may come before the hello: a client needs none.
const SIGNALS_BEFORE_HELLO: u32 = 16;
/// The largest ping or pong on the wire, in bytes: what one counts for.
const SIGNAL: usize = 131;
/// How often the way there and back is measured.
const PING: Duration = Duration::from_secs(2);
/// How long the last words may take.
pub(crate) const LAST_WORDS: Duration = Duration::from_secs(1);
/// WebSocket's codes: done, and going away.
pub(crate) const NORMAL: u16 = 1000;
pub(crate) const GOING_AWAY: u16 = 1001;
/// Ours: the reason was in `refused`.
pub(crate) const REFUSED: u16 = 4000;

/// Serves one connection until it ends.
pub(crate) async fn serve(shared: Arc<Shared>, raw: Raw, peer: Peer) {
    sockets::tune(&raw.socket);
    let limits = &shared.config.limits;
    let link = Arc::new(Link::new(raw.socket, raw.connection, Tap::default()));
    let heard = Arc::new(Heard::new(clock::now()));
    let mut input = Input {
        link: link.clone(),
        decoder: Decoder::new(limits.max_packet as usize),
        max_packet: limits.max_packet as usize,
        buffer: raw.received,
        heard: heard.clone(),
        heard_before: Now(0),
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
    let carrier: Arc<MemberLink> = link.clone();
    let attached = hello
        .and_then(|hello| attach(&shared.hub, &carrier, &peer, &hello).map_err(Outcome::Refused));
    let attached = match attached {
        Ok(attached) => attached,
        Err(outcome) => return finish(&link, outcome).await,
    };
    peer.place.established();
    link.flush(clock::now());
    let mut member = Member::new(&shared, &carrier, &attached);
    let Attached {
        seat,
        generation,
        ended,
    } = attached;
    // A task of its own: each frame wakes it alone, and not everything else that is waited for here.
    let mut listening = tokio::spawn(async move { input.listen(&mut member).await });
    let outcome = tokio::select! {
        outcome = &mut listening => outcome.unwrap_or(Outcome::Refused(Code::Internal)),
        () = link.send_when_possible() => Outcome::Broken,
        () = heard.watch(limits.heartbeat(), |quiet| shared.hub.quiet(&seat, generation, quiet)) => {
            Outcome::Refused(Code::Timeout)
        }
        () = ping(&link) => Outcome::Broken,
        end = ended => Outcome::of(end.ok()),
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
async fn ping(link: &Link<Tap>) {
    loop {
        sleep(PING).await;
        link.queue().ping(clock::now());
        link.flush(clock::now());
    }
}

async fn finish(link: &Link<Tap>, outcome: Outcome) {
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

/// What comes from the socket.
struct Input {
    link: Arc<Link<Tap>>,
    decoder: Decoder,
    max_packet: usize,
    buffer: BytesMut,
    /// When something came last; ahead of now while nothing is read on purpose.
    heard: Arc<Heard>,
    /// The same before the last read, of which nothing is looked at yet while it is `fresh`.
    heard_before: Now,
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
                    self.heard.set(self.heard_before);
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
                self.heard_before = self.heard.swap(clock::now());
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
                    return hello(&text).map_err(Outcome::Refused);
                }
                Some(Message::Binary(_)) => return Err(Outcome::Refused(Code::OutOfTurn)),
            }
        }
    }

    /// Takes what it says until the connection ends.
    async fn listen(&mut self, member: &mut Member) -> Outcome {
        match self.listen_to(member).await {
            Ok(never) => match never {},
            Err(outcome) => outcome,
        }
    }

    async fn listen_to(&mut self, member: &mut Member) -> Result<Infallible, Outcome> {
        let mut dirty = Dirty::default();
        loop {
            let now = clock::now();
            let mut wait = None;
            // Everything that one read brought is flushed together.
            while wait.is_none()
                && let Some(message) = self.next()?
            {
                wait = self.take(member, now, message, &mut dirty)?;
            }
            dirty.flush(now);
            self.heard.tell();
            match wait {
                // Nothing is read meanwhile: the sender's socket fills, and its own rules apply.
                Some(wait) => {
                    member.throttled(now, &mut dirty);
                    dirty.flush(clock::now());
                    self.heard.set(clock::now().plus(wait));
                    sleep(wait).await;
                }
                None => self.more().await?,
            }
        }
    }

    /// Takes one message. Gives how long to wait before the next, for the sake of its rate.
    fn take(
        &self,
        member: &mut Member,
        now: Now,
        message: Message,
        dirty: &mut Dirty,
    ) -> Result<Option<Duration>, Outcome> {
        match message {
            Message::Binary(bytes) if bytes.first() == Some(&MEDIA_V1) => {
                Ok(member.chunk(now, bytes, dirty))
            }
            Message::Binary(bytes) if bytes.first() == Some(&CONTROL_ZSTD_V1) => {
                let text = compress::decompress(&bytes, self.max_packet)
                    .map_err(|_| Outcome::Refused(Code::Malformed))?;
                member.control(now, text.as_bytes(), bytes.len())
            }
            Message::Binary(bytes) => Ok(member.unknown(now, bytes.len(), dirty)),
            Message::Text(text) => member.control(now, &text, text.len()),
            Message::Signal => Ok(member.signal(now, SIGNAL)),
        }
    }
}
