//! One connection: from its hello, over its streams and posts, to its end.

use std::{
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Mutex as Turns, Semaphore, mpsc, oneshot, watch},
    time::{sleep, timeout},
};
use visita_protocol::{control::RelayPacket, error::Code, id::Secret, session, time::Now};

use crate::{
    carrier::{Carrier, Kind, MemberLink},
    clock,
    hub::{Attached, Gone},
    outlet::End,
    relay::Shared,
    seat::{Dirty, Seat},
    session::{GOING_AWAY, Heard, LAST_WORDS, Member, NORMAL, Outcome, REFUSED},
    tap::Tap,
    ws::Outgoing,
};

/// Posts of one connection that are read or wait for their turn at a time: a participant sends one
/// after the other, and one more when it leaves.
const POSTS: usize = 4;

/// What a stream finds.
pub(super) enum Taken {
    /// A packet.
    Packet(Outgoing),
    /// The end of the connection, and its code.
    End(u16),
    /// Nothing now.
    Nothing,
    /// Another stream is the connection's.
    Replaced,
}

/// What the session sees: a tap, and whoever reads from it.
#[derive(Default)]
pub(super) struct Line {
    tap: Tap,
    changed: watch::Sender<()>,
}

impl Carrier for Line {
    fn tap(&self) -> &Tap {
        &self.tap
    }

    fn flush(&self, _: Now) {
        self.changed.send_replace(());
    }

    fn kind(&self) -> Kind {
        Kind::Https
    }
}

/// The streams of a connection, of which the newest counts.
#[derive(Default)]
struct Streams {
    /// How many there were.
    epoch: u64,
    /// Whether the newest is open.
    open: bool,
    /// What to end with when all is said.
    end: Option<u16>,
}

/// A participant's connection.
pub(crate) struct Connection {
    shared: Arc<Shared>,
    line: Arc<Line>,
    streams: Mutex<Streams>,
    heard: Heard,
    /// Posts take their turns here.
    member: Turns<Member>,
    pub(super) posts: Semaphore,
    outcome: mpsc::Sender<Outcome>,
}

/// What the connection's own task has of it.
pub(super) struct Driver {
    connection: Arc<Connection>,
    token: Secret,
    seat: Arc<Seat>,
    generation: u64,
    ended: oneshot::Receiver<End>,
    outcomes: mpsc::Receiver<Outcome>,
}

impl Connection {
    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a stream, which ends the one before it. Gives which it is, and what says that there is
    /// something to take. `received`: the last number that came over the one before, if that is known.
    pub(super) fn stream(
        &self,
        received: Option<u64>,
    ) -> Result<(u64, watch::Receiver<()>), session::Error> {
        let mut streams = self.streams();
        if streams.epoch > 0 || received.is_some() {
            self.line.tap.rewind(received)?;
        }
        streams.epoch += 1;
        streams.open = true;
        let epoch = streams.epoch;
        drop(streams);
        self.hear();
        let changes = self.line.changed.subscribe();
        // The one before it ends.
        self.line.changed.send_replace(());
        Ok((epoch, changes))
    }

    /// Takes what goes out next over this stream.
    pub(super) fn take(&self, epoch: u64) -> Taken {
        let streams = self.streams();
        if streams.epoch != epoch {
            return Taken::Replaced;
        }
        match (self.line.tap.next(), streams.end) {
            (Some(message), _) => Taken::Packet(message),
            (None, Some(code)) => Taken::End(code),
            (None, None) => Taken::Nothing,
        }
    }

    /// A stream is gone.
    pub(super) fn stream_gone(&self, epoch: u64) {
        let mut streams = self.streams();
        if streams.epoch != epoch {
            return;
        }
        streams.open = false;
        drop(streams);
        // As good as a heartbeat of silence: another one within a second shows nobody anything.
        let heartbeat = self.shared.config.limits.heartbeat();
        self.heard.set(clock::now().minus(heartbeat));
        self.heard.look();
        self.line.changed.send_replace(());
    }

    fn is_open(&self) -> bool {
        self.streams().open
    }

    /// Something came from the other side. Who hears nothing isn't there, whatever it says: only with
    /// a stream that is open it counts.
    fn hear(&self) {
        if self.is_open() {
            self.heard.set(clock::now());
            self.heard.tell();
        }
    }

    /// Takes packets, one a line. `Err` = the connection ends.
    pub(super) async fn take_packets(&self, packets: &[u8]) -> Result<(), Outcome> {
        let mut member = self.member.lock().await;
        self.hear();
        for packet in packets.split(|byte| *byte == b'\n') {
            if packet.is_empty() {
                continue;
            }
            let now = clock::now();
            let Some(wait) = member.control(now, packet, packet.len())? else {
                continue;
            };
            let mut dirty = Dirty::default();
            member.throttled(now, &mut dirty);
            dirty.flush(clock::now());
            self.heard.set(clock::now().plus(wait));
            sleep(wait).await;
        }
        Ok(())
    }

    /// Ends the connection for a reason that came from the other side.
    pub(super) fn end(&self, outcome: Outcome) {
        // One that ends already does so for the first reason.
        let _ = self.outcome.try_send(outcome);
    }

    /// Ends the stream without a word, as a line that breaks does.
    fn cut(&self) {
        self.streams().epoch += 1;
        self.line.changed.send_replace(());
    }

    /// Has the stream say what there is, and that it is over; waits until it did.
    async fn say_end(&self, code: u16) {
        let said = async {
            let mut changes = self.line.changed.subscribe();
            self.streams().end = Some(code);
            self.line.changed.send_replace(());
            while self.is_open() && changes.changed().await.is_ok() {}
        };
        let _ = timeout(LAST_WORDS, said).await;
    }
}

impl Driver {
    /// A connection whose hello was welcomed.
    pub(super) fn new(
        shared: &Arc<Shared>,
        line: Arc<Line>,
        token: Secret,
        attached: Attached,
    ) -> Self {
        let link: Arc<MemberLink> = line.clone();
        let (outcome, outcomes) = mpsc::channel(1);
        let connection = Arc::new(Connection {
            shared: shared.clone(),
            line,
            streams: Mutex::default(),
            heard: Heard::new(clock::now()),
            member: Turns::new(Member::new(shared, &link, &attached)),
            posts: Semaphore::new(POSTS),
            outcome,
        });
        let Attached {
            seat,
            generation,
            ended,
        } = attached;
        Self {
            connection,
            token,
            seat,
            generation,
            ended,
            outcomes,
        }
    }

    /// The connection is found by its token from now on, until it is over.
    pub(super) fn enter(&self) {
        let connections = &self.connection.shared.https;
        connections.add(&self.token, self.connection.clone());
    }

    /// Keeps the connection until its end.
    pub(super) async fn run(self) {
        let Self {
            connection,
            token,
            seat,
            generation,
            ended,
            mut outcomes,
        } = self;
        let shared = &connection.shared;
        let heartbeat = shared.config.limits.heartbeat();
        let stopped = pin!(shared.stopped());
        let quiet = |quiet| shared.hub.quiet(&seat, generation, quiet);
        let outcome = tokio::select! {
            Some(outcome) = outcomes.recv() => outcome,
            () = connection.heard.watch(heartbeat, quiet) => Outcome::Refused(Code::Timeout),
            end = ended => Outcome::of(end.ok()),
            () = stopped => Outcome::Stopping,
        };
        if outcome == Outcome::Stopping {
            // What the session still has to say (that the relay closes) goes out before it is let go.
            connection.say_end(GOING_AWAY).await;
            shared.hub.gone(&seat, generation, Gone::Broken);
        } else {
            shared.hub.gone(&seat, generation, outcome.gone());
        }
        shared.https.remove(&token);
        let code = match outcome {
            Outcome::Closed => NORMAL,
            Outcome::Refused(code) => {
                tracing::debug!(?code, "connection refused");
                let refused = RelayPacket::Refused { code };
                connection.line.tap.packet(&refused, false);
                REFUSED
            }
            // It may come back, over another one.
            Outcome::Broken => return connection.cut(),
            Outcome::Stopping => return,
        };
        connection.say_end(code).await;
    }
}

/// How often a stream says something: as often as a participant does.
pub(super) fn beat(shared: &Shared) -> Duration {
    visita_protocol::pulse::every(shared.config.limits.heartbeat())
}
