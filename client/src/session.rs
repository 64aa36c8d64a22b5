//! A session with a host that outlives its connections: it reconnects and resumes by itself, and
//! nothing that was said is lost or said twice.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval_at, sleep, timeout, timeout_at},
};
use visita_protocol::{
    VERSION, VERSIONS,
    control::{ClientMessage, ClientPacket, Hello, RelayMessage, RelayPacket, Resume, Welcome},
    error::Code,
    frame::{Header, MAX_HEADER},
    id::{MemberId, TrackId},
    pulse::{self, Pulse, Turn},
    receiver::Selected,
    way::{Policy, Way},
    webrtc::Sent,
};

use crate::{
    address::HostUrl,
    backoff::Backoff,
    carrier::{self, End, ws},
    clock::now,
    compress,
    error::Error,
    probe,
    trace::{Stamp, Step, Trace},
    trust::Tls,
    uplink::{self, Fate, Next, Uplink},
    ways::{Lost, Ways, Wish},
};

/// Where hosts have their session's socket.
const PATH: &str = "/api/v1/ws";

/// How long a host may take to answer, connection, TLS and welcome included.
pub const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// How long a lost session is tried to be resumed: the host's own default grace.
pub const RESUME_WITHIN: Duration = Duration::from_secs(30);

/// How long a goodbye may take, each way.
const GOODBYE: Duration = Duration::from_secs(1);

/// How many events wait for their reader. The reader does nothing but sort them, so this is
/// reached only when the machine stands still; then the connection waits.
const EVENTS: usize = 256;

/// How to begin a session.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the host can be reached; all are tried.
    pub urls: Vec<HostUrl>,
    /// Whom to trust there.
    pub tls: Tls,
    /// Over what media goes. Control always has a WebSocket.
    pub carrier: Policy,
    /// The tracks that may go over UDP.
    pub sent: Vec<Sent>,
    /// How long the host may take to answer.
    pub connect_within: Duration,
    /// Whether an address that doesn't answer at first is tried again until that time is over.
    pub patient: bool,
    /// How long a lost session is tried to be resumed.
    pub resume_within: Duration,
    /// Where stamps go, if anybody measures.
    pub trace: Option<Trace>,
}

impl Options {
    /// The usual times.
    pub fn new(urls: Vec<HostUrl>, tls: Tls) -> Self {
        Self {
            urls,
            tls,
            carrier: Policy::default(),
            sent: Vec::new(),
            connect_within: CONNECT_WITHIN,
            patient: false,
            resume_within: RESUME_WITHIN,
            trace: None,
        }
    }
}

/// What a session tells.
#[derive(Debug)]
pub enum Event {
    /// The host said something.
    Message(RelayMessage),
    /// A media chunk came, header and all.
    Chunk(Bytes),
    /// A whole frame came, with its header.
    Frame(Header, Bytes),
    /// Media goes this way from now on; of one's own each picture needs a key frame.
    Way(Way),
    /// The host isn't heard. The connection may still be whole.
    Quiet,
    /// It is heard again, over the same connection.
    Back,
    /// The connection broke; the session is being resumed.
    Lost,
    /// It was resumed.
    Resumed,
    /// It is over, for this reason; `None`: it was closed from this side. Nothing follows.
    Ended(Option<Error>),
}

/// Speaks in a session. A clone speaks in the same one.
#[derive(Clone)]
pub struct Handle {
    uplink: Arc<Uplink>,
    lost: Lost,
    close: watch::Sender<bool>,
}

impl Handle {
    /// Says something; gives its number. It arrives once, in order, unless the session ends.
    pub fn say(&self, message: ClientMessage) -> Result<u64, Error> {
        self.uplink.say(message)
    }

    /// Sends an encoded frame. Never waits.
    pub fn frame(&self, header: Header, payload: &[u8]) -> Fate {
        self.uplink.frame(header, payload)
    }

    /// The tracks that the host wants; frames of all others are thrown away.
    pub fn route(&self, tracks: &[Selected]) {
        self.uplink.route(tracks);
    }

    /// Whether the line showed itself slow: picture is then cut finely, so that sound waits less.
    pub fn slow(&self, slow: bool) {
        self.uplink.slow(slow);
    }

    /// The picture is tried again after a pause: gently, key frames first.
    pub fn try_pictures(&self) {
        self.uplink.try_pictures();
    }

    /// The tracks of which a key frame must be made now, because what was dropped here would be
    /// missed otherwise. To be asked some times a second.
    pub fn key_frames_due(&self) -> Vec<TrackId> {
        self.uplink.key_frames_due()
    }

    /// What comes of this member's picture can't be decoded: it must begin again.
    pub fn need_key_frame(&self, member: MemberId, track: TrackId) {
        if !self.lost.say(member, track) {
            // Said again while none comes, so a session that is over needs no word here.
            let _ = self.say(ClientMessage::NeedKeyFrame { member, track });
        }
    }

    /// How the way to the host fares.
    pub fn uplink(&self) -> uplink::State {
        self.uplink.state(now())
    }

    /// Leaves the room and ends the session; [`Event::Ended`] follows.
    pub fn close(&self) {
        self.close.send_replace(true);
    }
}

/// Begins a session: connects, and is welcomed. Gives also the URL that answered.
pub async fn open(options: Options) -> Result<(Handle, mpsc::Receiver<Event>, HostUrl), Error> {
    let uplink = Arc::new(Uplink::new());
    let (url, link, welcome) = begin(&options, &uplink).await?;
    let (events, receiver) = mpsc::channel(EVENTS);
    let (close, closed) = watch::channel(false);
    let lost = Lost::default();
    let wish = Wish {
        urls: vec![url.clone()],
        tls: options.tls.clone(),
        policy: options.carrier,
        sent: options.sent.clone(),
    };
    let ways = Ways::new(wish, uplink.clone(), lost.clone());
    let driver = Driver {
        options,
        ways,
        uplink: uplink.clone(),
        events,
        close: closed,
        welcome,
        closing: false,
    };
    tokio::spawn(driver.run(link));
    let handle = Handle {
        uplink,
        lost,
        close,
    };
    Ok((handle, receiver, url))
}

async fn begin(options: &Options, uplink: &Arc<Uplink>) -> Result<(HostUrl, Link, Welcome), Error> {
    let deadline = Instant::now() + options.connect_within;
    let mut backoff = Backoff::default();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let error = match connect(options, uplink, None, left).await {
            Err(error @ Error::Unreachable { .. }) if options.patient => error,
            result => return result,
        };
        let pause = backoff.next(rand::random());
        if Instant::now() + pause >= deadline {
            return Err(error);
        }
        sleep(pause).await;
    }
}

/// One connection.
struct Link {
    receiver: carrier::Receiver,
    writer: JoinHandle<()>,
}

impl Link {
    /// Ends the connection, and returns when its writer is gone: a writer that goes on could take
    /// a message that is meant for the next connection, and the host shouldn't see two connections
    /// of one session longer than need be.
    async fn end(mut self) {
        if !self.writer.is_finished() {
            self.writer.abort();
            let _ = (&mut self.writer).await;
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.writer.abort();
    }
}

/// Connects, says hello, and has the uplink go on with what the host hasn't received.
async fn connect(
    options: &Options,
    uplink: &Arc<Uplink>,
    resume: Option<Resume>,
    within: Duration,
) -> Result<(HostUrl, Link, Welcome), Error> {
    let resumes = resume.is_some();
    let shake_hands = async {
        let (url, sender, receiver) = ws::connect(
            &options.urls,
            PATH,
            options.tls.config.clone(),
            options.trace.as_ref(),
        )
        .await?;
        let mut sender = carrier::Sender::Ws(sender);
        let mut receiver = carrier::Receiver::Ws(receiver);
        let hello = Hello {
            versions: VERSIONS.to_vec(),
            resume,
            compression: compress::offer(),
        };
        let hello = compress::pack(&ClientPacket::Hello(hello), None)?;
        let broken = |end: End| {
            let source = match end {
                End::Closed => std::io::ErrorKind::ConnectionAborted,
                End::Broken => std::io::ErrorKind::ConnectionReset,
            };
            Error::Unreachable {
                url: url.clone(),
                source: source.into(),
            }
        };
        sender.send(hello).await.map_err(broken)?;
        let welcome = match compress::unpack(receiver.next().await.map_err(broken)?)? {
            Some(RelayPacket::Welcome(welcome)) => welcome,
            Some(RelayPacket::Refused { code }) => return Err(Error::Refused(code)),
            _ => return Err(Error::Protocol("the first packet isn't a welcome".into())),
        };
        Ok((url, sender, receiver, welcome))
    };
    let unanswered = || match options.urls.first() {
        Some(url) => Error::Unreachable {
            url: url.clone(),
            source: std::io::ErrorKind::TimedOut.into(),
        },
        None => Error::Protocol("no address was given".into()),
    };
    let (url, mut sender, receiver, welcome) = timeout(within, shake_hands)
        .await
        .map_err(|_| unanswered())??;
    if welcome.version != VERSION || welcome.resumed != resumes {
        return Err(Error::Protocol(
            "the welcome doesn't answer the hello".into(),
        ));
    }
    // A limit below the header's own size can't be kept to by anybody.
    let max_packet = (welcome.max_packet as usize).max(MAX_HEADER + 1024);
    let max_chunk = sender.max_chunk().min(max_packet - MAX_HEADER);
    if let Some(trace) = &options.trace {
        trace.stamp(Stamp::Step(Step::Welcomed));
    }
    uplink.connected(welcome.received, welcome.compression, max_chunk)?;
    let (uplink, trace) = (uplink.clone(), options.trace.clone());
    let writer = tokio::spawn(async move {
        loop {
            match uplink.next().await {
                Ok(Next::Send(message)) => {
                    let stamp = trace.as_ref().and_then(|_| sent(&message));
                    if sender.send(message).await.is_err() {
                        return;
                    }
                    if let (Some(trace), Some(stamp)) = (&trace, stamp) {
                        trace.stamp(stamp);
                    }
                }
                Ok(Next::Goodbye) => return sender.close().await,
                Err(error) => {
                    tracing::warn!(%error, "nothing more can be sent on this connection");
                    return;
                }
            }
        }
    });
    Ok((url, Link { receiver, writer }, welcome))
}

/// The stamp of a frame's last chunk.
fn sent(message: &carrier::Message) -> Option<Stamp> {
    let carrier::Message::Media(bytes) = message else {
        return None;
    };
    let (header, _) = Header::parse(bytes).ok()?;
    let last = header.chunk + 1 == header.chunks;
    last.then_some(Stamp::Sent {
        track: header.track,
        captured: header.timestamp,
    })
}

/// Until [`Handle::close`], or until nobody has a handle any more.
async fn asked_to_close(close: &mut watch::Receiver<bool>) {
    let _ = close.wait_for(|&close| close).await;
}

struct Driver {
    options: Options,
    ways: Ways,
    uplink: Arc<Uplink>,
    events: mpsc::Sender<Event>,
    close: watch::Receiver<bool>,
    welcome: Welcome,
    /// The host said that it ends. Its sessions end with it, so nothing is resumed after this.
    closing: bool,
}

/// Why a connection is over.
enum Over {
    /// It broke; the session goes on.
    Lost,
    /// The session is over.
    Ended(Option<Error>),
}

impl From<Error> for Over {
    fn from(error: Error) -> Self {
        Over::Ended(Some(error))
    }
}

impl Driver {
    async fn run(mut self, mut link: Link) {
        let reason = loop {
            match self.serve(&mut link).await {
                Over::Ended(reason) => break reason,
                Over::Lost if self.closing => break Some(Error::Refused(Code::ShuttingDown)),
                Over::Lost => {}
            }
            self.uplink.lost();
            link.end().await;
            if let Some(event) = self.ways.broke()
                && self.events.send(event).await.is_err()
            {
                return;
            }
            tracing::info!("the connection broke; resuming the session");
            if self.events.send(Event::Lost).await.is_err() {
                return;
            }
            link = match self.resume().await {
                Ok(link) => link,
                Err(reason) => break reason,
            };
            tracing::info!("the session goes on over a new connection");
            if self.events.send(Event::Resumed).await.is_err() {
                return;
            }
        };
        let _ = self.events.send(Event::Ended(reason)).await;
    }

    /// Serves one connection to its end.
    async fn serve(&mut self, link: &mut Link) -> Over {
        let heartbeat = Duration::from_millis(u64::from(self.welcome.heartbeat_ms.max(100)));
        let mut pulse = Pulse::new(heartbeat);
        let every = pulse::every(heartbeat);
        let mut beat = interval_at(Instant::now() + every, every);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut probe = interval_at(Instant::now() + probe::EVERY, probe::EVERY);
        probe.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut pings = 0;
        let mut close = self.close.clone();
        let mut heard = now();
        loop {
            tokio::select! {
                message = link.receiver.next() => {
                    heard = now();
                    let turn = message.is_ok().then(|| pulse.turn(heard, heard)).flatten();
                    let handled = match message {
                        Ok(message) => match self.tell(turn).await {
                            Ok(()) => self.handle(message).await,
                            over => over,
                        },
                        Err(_) => Err(Over::Lost),
                    };
                    if let Err(over) = handled {
                        return over;
                    }
                }
                event = self.ways.next() => {
                    if let Some(event) = self.ways.happened(event)
                        && self.events.send(event).await.is_err()
                    {
                        return Over::Ended(None);
                    }
                }
                () = asked_to_close(&mut close) => {
                    self.say_goodbye(link).await;
                    return Over::Ended(None);
                }
                due = async { tokio::select! { _ = beat.tick() => true, _ = probe.tick() => false } } => {
                    if !due {
                        if let Some(event) = self.ways.turn(&self.welcome)
                            && self.events.send(event).await.is_err()
                        {
                            return Over::Ended(None);
                        }
                        if !self.uplink.is_sending() && !self.ways.listens() {
                            continue;
                        }
                    }
                    pings += 1;
                    if let Err(error) = self.uplink.ping(pings) {
                        return error.into();
                    }
                }
                () = sleep(pulse.due(heard).since(now())) => {
                    let turn = pulse.turn(now(), heard);
                    if turn == Some(Turn::Broken) {
                        tracing::info!("the host was silent for too long");
                        return Over::Lost;
                    }
                    if let Err(over) = self.tell(turn).await {
                        return over;
                    }
                }
                // The receiving side may still hold what the host said last, such as why.
                _ = &mut link.writer => return self.drain(link).await,
            }
        }
    }

    /// Tells how the host is, if that changed.
    async fn tell(&self, turn: Option<Turn>) -> Result<(), Over> {
        let event = match turn {
            Some(Turn::Quiet) => Event::Quiet,
            Some(Turn::Back) => Event::Back,
            Some(Turn::Broken) | None => return Ok(()),
        };
        self.events.send(event).await.map_err(|_| Over::Ended(None))
    }

    /// Takes what already came on a connection that can't send any more.
    async fn drain(&mut self, link: &mut Link) -> Over {
        while let Ok(Ok(message)) = timeout(Duration::from_millis(100), link.receiver.next()).await
        {
            if let Err(over) = self.handle(message).await {
                return over;
            }
        }
        Over::Lost
    }

    async fn handle(&mut self, message: carrier::Message) -> Result<(), Over> {
        let event = match message {
            carrier::Message::Media(chunk) => {
                self.ways.came();
                Event::Chunk(chunk)
            }
            control => match compress::unpack(control)? {
                Some(RelayPacket::Message { n, ack, body }) => {
                    if !self.uplink.accept(n, ack)? {
                        return Ok(());
                    }
                    self.closing |= body == RelayMessage::Closing;
                    Event::Message(body)
                }
                Some(RelayPacket::Ack { ack }) => return Ok(self.uplink.acked(ack)?),
                Some(RelayPacket::Refused { code }) => {
                    let error = Error::Refused(code);
                    return Err(if error.is_transient() {
                        Over::Lost
                    } else {
                        error.into()
                    });
                }
                Some(RelayPacket::Welcome(_)) => {
                    return Err(Error::Protocol("a second welcome".into()).into());
                }
                Some(RelayPacket::Pong { id }) => {
                    if let Some(took) = self.uplink.pong(id) {
                        self.ways.answered(took);
                    }
                    return Ok(());
                }
                None => return Ok(()),
            },
        };
        // Nobody listens any more: the owner dropped the session.
        self.events.send(event).await.map_err(|_| Over::Ended(None))
    }

    /// Leaves, and closes the connection so that the host sees it was meant.
    async fn say_goodbye(&self, link: &mut Link) {
        let _ = self.uplink.say(ClientMessage::Leave);
        let deadline = Instant::now() + GOODBYE;
        while let Ok(Ok(message)) = timeout_at(deadline, link.receiver.next()).await {
            let left = matches!(
                compress::unpack(message),
                Ok(Some(RelayPacket::Message {
                    body: RelayMessage::Left | RelayMessage::Error { .. },
                    ..
                }))
            );
            if left {
                break;
            }
        }
        let _ = self.uplink.goodbye();
        let deadline = Instant::now() + GOODBYE;
        let _ = timeout_at(deadline, &mut link.writer).await;
        while let Ok(Ok(_)) = timeout_at(deadline, link.receiver.next()).await {}
    }

    /// Tries to go on with the session until it is too late.
    async fn resume(&mut self) -> Result<Link, Option<Error>> {
        let deadline = Instant::now() + self.options.resume_within;
        let mut backoff = Backoff::default();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Some(Error::NotResumed {
                    after: self.options.resume_within,
                }));
            }
            let pause = backoff.next(rand::random()).min(left);
            tokio::select! {
                () = sleep(pause) => {}
                () = asked_to_close(&mut self.close) => return Err(None),
            }
            let resume = Resume {
                session: self.welcome.session,
                secret: self.welcome.secret,
                received: self.uplink.received(),
            };
            let within = self.options.connect_within.min(left);
            let connected = tokio::select! {
                connected = connect(&self.options, &self.uplink, Some(resume), within) => connected,
                () = asked_to_close(&mut self.close) => return Err(None),
            };
            match connected {
                Ok((_, link, welcome)) => {
                    self.welcome = welcome;
                    return Ok(link);
                }
                Err(error) if error.is_transient() => tracing::debug!(%error, "not resumed yet"),
                Err(error) => return Err(Some(error)),
            }
        }
    }
}
