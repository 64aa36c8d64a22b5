//! Media over UDP beside a session's connection: brought up by one offer, then driven by a task of
//! its own. It moves whole frames; when it ends, media goes over the connection again.

mod header;
mod machine;
mod offer;

use std::{io, sync::Arc};

use bytes::Bytes;
use http::StatusCode;
use tokio::sync::{mpsc, oneshot, watch};
use visita_protocol::{
    control::Welcome,
    frame::Header,
    id::{MemberId, TrackId},
    time::Now,
    webrtc::Sent,
};

use crate::{address::HostUrl, trust::Tls, uplink::Uplink};

/// How many events wait; while that many do, nothing more is read from the socket.
const EVENTS: usize = 256;
/// How many orders wait. One that is too many is made again by who needs it.
const ORDERS: usize = 64;

/// What a lane tells.
#[derive(Debug)]
pub(crate) enum Event {
    /// It is up: from now on the host's media comes this way.
    Up,
    /// A whole frame came, chunk and chunks 0 and 1.
    Frame(Header, Bytes),
    /// A chunk came that RTP doesn't carry, header and all.
    Chunk(Bytes),
    /// The host needs a key frame of this track.
    KeyFrame(TrackId),
    /// It is over. Nothing follows.
    Down(Failed),
}

/// How the line fares, as UDP sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Health {
    /// When something was heard last.
    pub(crate) heard: Now,
    /// How many of a thousand packets of the last second got lost, in the worse direction, and
    /// which second that was.
    pub(crate) lost: Option<(u64, u32)>,
}

/// Why a lane didn't come up, or ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    /// The host couldn't be reached with the offer.
    #[error("the offer didn't arrive: {0}")]
    Unreachable(#[source] crate::Error),
    /// The host has no UDP, or doesn't take it now.
    #[error("the host refused it: HTTP status {0}")]
    Refused(StatusCode),
    /// The answer can't be read, or didn't come whole.
    #[error("there is no answer that can be read")]
    Unanswered,
    /// An older host, which doesn't say what it forwards.
    #[error("the host doesn't take frames' headers over UDP")]
    Headers,
    /// The system has no socket.
    #[error("the system's sockets failed: {0}")]
    System(#[source] io::Error),
    /// ICE, DTLS or SCTP came to an end.
    #[error("the connection over UDP ended")]
    Ended,
}

/// What brings one up.
pub(crate) struct Begin {
    pub(crate) urls: Vec<HostUrl>,
    pub(crate) tls: Tls,
    pub(crate) welcome: Welcome,
    pub(crate) uplink: Arc<Uplink>,
    pub(crate) tracks: Vec<Sent>,
}

enum Order {
    /// What comes of this member's track can't be decoded.
    Lost(MemberId, TrackId),
}

/// A lane; it ends when this is dropped.
pub(crate) struct Lane {
    events: mpsc::Receiver<Event>,
    orders: mpsc::Sender<Order>,
    health: watch::Receiver<Health>,
    /// The task ends when this is dropped.
    _stop: oneshot::Sender<()>,
}

impl Lane {
    /// Begins to bring it up.
    pub(crate) fn start(begin: Begin) -> Self {
        let (told, events) = mpsc::channel(EVENTS);
        let (orders, ordered) = mpsc::channel(ORDERS);
        let (feels, health) = watch::channel(Health::default());
        let (stop, mut stopped) = oneshot::channel();
        tokio::spawn(async move {
            let brought_up = tokio::select! {
                brought_up = machine::Machine::bring_up(begin) => brought_up,
                _ = &mut stopped => return,
            };
            let failed = match brought_up {
                Ok(machine) => machine.run(&told, ordered, &feels, &mut stopped).await,
                Err(failed) => failed,
            };
            // Who doesn't listen any more has given it up.
            let _ = told.send(Event::Down(failed)).await;
        });
        Self {
            events,
            orders,
            health,
            _stop: stop,
        }
    }

    /// What happens next. Can be cancelled without losing anything.
    pub(crate) async fn next(&mut self) -> Event {
        let event = self.events.recv().await;
        // A task that broke down told nothing.
        event.unwrap_or(Event::Down(Failed::Ended))
    }

    /// How the line fares.
    pub(crate) fn health(&self) -> Health {
        *self.health.borrow()
    }

    /// Commands it from elsewhere.
    pub(crate) fn orders(&self) -> Orders {
        Orders(self.orders.clone())
    }
}

/// Gives a lane orders.
#[derive(Clone)]
pub(crate) struct Orders(mpsc::Sender<Order>);

impl Orders {
    /// What comes of this member's track can't be decoded. False if this lane doesn't exist any
    /// more.
    pub(crate) fn lost(&self, member: MemberId, track: TrackId) -> bool {
        self.0.try_send(Order::Lost(member, track)).is_ok()
    }
}

/// Tells the host over its TLS connection that UDP is given up: what is sent over UDP doesn't arrive
/// where that is why.
pub(crate) async fn give_up(urls: &[HostUrl], tls: &Tls, welcome: &Welcome) -> Result<(), Failed> {
    offer::Door::open(urls, tls).await?.give_up(welcome).await
}
