//! A session's control over a lane's own channel, from the moment that the participant resumes it
//! there. It is a connection as any other: what was on another one goes on by its numbers.

use std::sync::{Arc, Weak};

use tokio::{sync::mpsc, time::sleep};
use visita_protocol::{
    control::{Hello, RelayPacket},
    error::Code,
    id::SessionId,
    time::Now,
};

use super::Lane;
use crate::{
    carrier::{Carrier, Kind, MemberLink},
    clock,
    hub::{Attached, Hub},
    relay::Shared,
    seat::Dirty,
    session::{Heard, Member, Outcome, hello, version},
    tap::Tap,
};

/// Packets that wait to be taken, at most: one who says more than it may waits for its rate, and its
/// connection ends when so many wait with it.
const WAITING: usize = 64;

/// What the session sees: a tap that the lane takes from.
pub(super) struct Control {
    tap: Tap,
    lane: Weak<Lane>,
}

impl Carrier for Control {
    fn tap(&self) -> &Tap {
        &self.tap
    }

    fn flush(&self, now: Now) {
        if let Some(lane) = self.lane.upgrade() {
            lane.flush(now);
        }
    }

    fn kind(&self) -> Kind {
        Kind::Webrtc
    }
}

/// Packets on their way to the session.
pub(super) type Said = mpsc::Sender<Vec<u8>>;

/// A lane's control, which waits until the participant resumes its session over it.
pub(super) fn start(shared: &Arc<Shared>, lane: &Arc<Lane>, session: SessionId) {
    let control = Arc::new(Control {
        tap: Tap::default(),
        lane: Arc::downgrade(lane),
    });
    let (said, packets) = mpsc::channel(WAITING);
    lane.speaks(control.clone(), said);
    let shared = shared.clone();
    tokio::spawn(async move { run(&shared, &control, session, packets).await });
}

/// From its hello to its end.
async fn run(
    shared: &Arc<Shared>,
    control: &Arc<Control>,
    session: SessionId,
    mut packets: mpsc::Receiver<Vec<u8>>,
) {
    let Some(first) = packets.recv().await else {
        return;
    };
    let link: Arc<MemberLink> = control.clone();
    let attached = hello(&first).and_then(|hello| resumed(&shared.hub, &link, session, &hello));
    let attached = match attached {
        Ok(attached) => attached,
        Err(code) => return control.refuse(code),
    };
    control.flush(clock::now());
    let mut member = Member::new(shared, &link, &attached);
    let Attached {
        seat,
        generation,
        ended,
    } = attached;
    let heard = Heard::new(clock::now());
    let heartbeat = shared.config.limits.heartbeat();
    let outcome = tokio::select! {
        outcome = listen(&mut packets, &mut member, &heard) => outcome,
        () = heard.watch(heartbeat, |quiet| shared.hub.quiet(&seat, generation, quiet)) => {
            Outcome::Refused(Code::Timeout)
        }
        end = ended => Outcome::of(end.ok()),
        () = shared.stopped() => Outcome::Stopping,
    };
    // What the session still has to say (that the relay closes, say) goes out before it is let go.
    control.flush(clock::now());
    shared.hub.gone(&seat, generation, outcome.gone());
    if let Outcome::Refused(code) = outcome {
        control.refuse(code);
    }
}

/// Takes packets until one of them, or the channel's end, ends the connection.
async fn listen(
    packets: &mut mpsc::Receiver<Vec<u8>>,
    member: &mut Member,
    heard: &Heard,
) -> Outcome {
    while let Some(packet) = packets.recv().await {
        let now = clock::now();
        heard.set(now);
        heard.tell();
        match member.control(now, &packet, packet.len()) {
            Ok(None) => {}
            Ok(Some(wait)) => {
                let mut dirty = Dirty::default();
                member.throttled(now, &mut dirty);
                dirty.flush(clock::now());
                heard.set(clock::now().plus(wait));
                sleep(wait).await;
            }
            Err(outcome) => return outcome,
        }
    }
    Outcome::Broken
}

/// Goes on with the session that the lane is of, and with no other.
fn resumed(
    hub: &Hub,
    link: &Arc<MemberLink>,
    session: SessionId,
    hello: &Hello,
) -> Result<Attached, Code> {
    let version = version(hello)?;
    let resume = hello.resume.as_ref().ok_or(Code::OutOfTurn)?;
    if resume.session != session {
        return Err(Code::SessionGone);
    }
    hub.resume(link, version, None, resume)
}

impl Control {
    fn refuse(&self, code: Code) {
        tracing::debug!(?code, "connection refused");
        self.tap.packet(&RelayPacket::Refused { code }, false);
        self.flush(clock::now());
    }
}
