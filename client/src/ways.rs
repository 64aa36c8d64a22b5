//! The ways that a session's media can go, and the change between them.

use std::{
    future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use visita_protocol::{
    control::{RelayMessage, Welcome},
    id::{MemberId, TrackId},
    time::Now,
    way::{Chooser, Order, Policy, Way},
    webrtc::Sent,
};

use crate::{
    address::HostUrl,
    clock::now,
    lane::{self, Begin, Lane, Orders},
    session::Event,
    trust::Tls,
    uplink::Uplink,
};

/// Media that came or went within this time flows: pictures at two a second.
const FLOWS: Duration = Duration::from_millis(500);

/// What is wanted of UDP, and where.
pub(crate) struct Wish {
    pub(crate) urls: Vec<HostUrl>,
    pub(crate) tls: Tls,
    pub(crate) policy: Policy,
    /// The tracks that RTP carries.
    pub(crate) sent: Vec<Sent>,
}

pub(crate) struct Ways {
    wish: Wish,
    uplink: Arc<Uplink>,
    chooser: Chooser,
    lane: Option<Lane>,
    lost: Lost,
    /// When media came last.
    came: Now,
    /// The last count of losses that was looked at.
    counted: u64,
}

/// Says which pictures can't be decoded, to the lane of the moment; a clone says it to the same.
#[derive(Clone, Default)]
pub(crate) struct Lost(Arc<Mutex<Option<Orders>>>);

impl Lost {
    fn lock(&self) -> MutexGuard<'_, Option<Orders>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What comes of this member's track can't be decoded. False if media doesn't come over UDP.
    pub(crate) fn say(&self, member: MemberId, track: TrackId) -> bool {
        let orders = self.lock().clone();
        orders.is_some_and(|orders| orders.lost(member, track))
    }
}

impl Ways {
    pub(crate) fn new(wish: Wish, uplink: Arc<Uplink>, lost: Lost) -> Self {
        Self {
            chooser: Chooser::new(wish.policy),
            wish,
            uplink,
            lane: None,
            lost,
            came: Now(0),
            counted: 0,
        }
    }

    /// Whether pings are needed now to know the line.
    pub(crate) fn listens(&self) -> bool {
        self.chooser.listens() && now().since(self.came) < FLOWS
    }

    /// A ping over the connection was answered after this time.
    pub(crate) fn answered(&mut self, took: Duration) {
        self.chooser.answered(now(), took);
    }

    /// Media came.
    pub(crate) fn came(&mut self) {
        self.came = now();
    }

    /// What happens next beside the connection; never, if nothing is there. Can be cancelled without
    /// losing anything.
    pub(crate) async fn next(&mut self) -> lane::Event {
        match &mut self.lane {
            Some(lane) => lane.next().await,
            None => future::pending().await,
        }
    }

    /// Takes it; gives what to tell.
    pub(crate) fn happened(&mut self, event: lane::Event) -> Option<Event> {
        match event {
            lane::Event::Frame(header, payload) => {
                self.came();
                Some(Event::Frame(header, payload))
            }
            lane::Event::Chunk(chunk) => {
                self.came();
                Some(Event::Chunk(chunk))
            }
            lane::Event::KeyFrame(track) => Some(Event::Message(RelayMessage::KeyFrame { track })),
            lane::Event::Up => {
                if !self.chooser.up(now()) {
                    return None;
                }
                tracing::info!("media goes over UDP");
                let tracks = self.wish.sent.iter().map(|sent| sent.track).collect();
                self.uplink.side(Some(tracks));
                *self.lost.lock() = self.lane.as_ref().map(Lane::orders);
                Some(Event::Way(Way::Webrtc))
            }
            lane::Event::Down(failed) => {
                tracing::info!(%failed, "no UDP");
                let was = self.chooser.way();
                self.chooser.failed(now());
                self.end(was)
            }
        }
    }

    /// Looks at the line, some times a second; gives what to tell.
    pub(crate) fn turn(&mut self, welcome: &Welcome) -> Option<Event> {
        let now = now();
        if let Some(lane) = &self.lane {
            let health = lane.health();
            self.chooser.heard(health.heard);
            if let Some((count, permille)) = health.lost
                && count != self.counted
            {
                self.counted = count;
                self.chooser.lost(now, permille);
            }
        }
        let was = self.chooser.way();
        match self.chooser.turn(now)? {
            Order::Try => {
                tracing::debug!("UDP is tried");
                self.counted = 0;
                self.lane = Some(Lane::start(Begin {
                    urls: self.wish.urls.clone(),
                    tls: self.wish.tls.clone(),
                    welcome: welcome.clone(),
                    uplink: self.uplink.clone(),
                    tracks: self.wish.sent.clone(),
                }));
                None
            }
            Order::Leave(why) => {
                tracing::info!(?why, "UDP is given up");
                let (urls, tls) = (self.wish.urls.clone(), self.wish.tls.clone());
                let welcome = welcome.clone();
                tokio::spawn(async move {
                    // A host that isn't reached notices by the silence.
                    if let Err(error) = lane::give_up(&urls, &tls, &welcome).await {
                        tracing::debug!(%error, "the host wasn't told that UDP is given up");
                    }
                });
                self.end(was)
            }
        }
    }

    /// The connection broke, and what was beside it goes with it; gives what to tell.
    pub(crate) fn broke(&mut self) -> Option<Event> {
        let was = self.chooser.way();
        self.chooser.broke();
        self.end(was)
    }

    /// Whatever there is of UDP ends.
    fn end(&mut self, was: Way) -> Option<Event> {
        self.lane = None;
        *self.lost.lock() = None;
        self.uplink.side(None);
        (was == Way::Webrtc).then_some(Event::Way(Way::Ws))
    }
}
