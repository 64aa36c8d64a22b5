//! `/api/v1/lobby`: the list of rooms, at once and after each change.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use tokio::time::{Instant, interval_at, sleep, timeout};
use visita_protocol::time::Now;

use crate::{
    clock,
    limits::Bucket,
    relay::Shared,
    web::Peer,
    ws::{Batch, Decoder, Event, Link, Outgoing, Queue, Raw},
};

/// The least time between two lists: changes within it are told together. All pages are told at
/// the same moments, so that one list is made for all of them.
const COALESCE: Duration = Duration::from_millis(200);
/// How often a silent page is asked whether it is there.
const PING: Duration = Duration::from_secs(20);
/// A page says nothing that is longer than this.
const MAX_MESSAGE: usize = 1024;
/// What a page may send a second before it is taken for an attack: it has nothing to say but a pong
/// now and then. Two minutes' worth may come at once.
const MESSAGES_PER_S: u32 = 2;
const BURST_S: u32 = 128;

/// The code to close with when too many watch from one address already (IANA's registry of
/// WebSocket close codes).
const TRY_AGAIN_LATER: u16 = 1013;

/// Holds only the newest list: a slow page skips those between.
#[derive(Debug, Default)]
struct Latest(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    pong: Option<Bytes>,
    ping: bool,
    list: Option<Bytes>,
}

impl Latest {
    fn with<R>(&self, change: impl FnOnce(&mut Waiting) -> R) -> R {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Queue for Latest {
    fn take(&self, _: Now, batch: &mut Batch) {
        self.with(|waiting| {
            let messages = [
                waiting.pong.take().map(Outgoing::Pong),
                std::mem::take(&mut waiting.ping).then_some(Outgoing::Ping(0)),
                waiting.list.take().map(Outgoing::Text),
            ];
            for message in messages.into_iter().flatten() {
                batch.push(message);
            }
        });
    }
}

/// Serves one subscriber until either side ends.
pub(crate) async fn serve(shared: Arc<Shared>, raw: Raw, peer: Peer) {
    let link = Link::new(raw.socket, raw.connection, Latest::default());
    if peer.place.watches().is_err() {
        link.close(TRY_AGAIN_LATER, Duration::from_secs(1)).await;
        return;
    }
    let code = tokio::select! {
        code = listen(&link, raw.received) => code,
        () = link.send_when_possible() => return,
        () = tell(&shared, &link) => 1011,
        () = shared.stopped() => 1001,
    };
    link.close(code, Duration::from_secs(1)).await;
}

/// Takes what a page sends, which is nothing but pongs and its end. Gives the code to close with.
async fn listen(link: &Link<Latest>, mut buffer: BytesMut) -> u16 {
    let mut decoder = Decoder::new(MAX_MESSAGE);
    let mut messages = Bucket::new(MESSAGES_PER_S, BURST_S, clock::now());
    loop {
        loop {
            match decoder.next(&mut buffer) {
                Ok(None) => break,
                Ok(Some(Event::Ping(payload))) => {
                    link.queue()
                        .with(|waiting| waiting.pong = Some(payload.freeze()));
                    link.flush(clock::now());
                }
                Ok(Some(Event::Close(_))) => return 1000,
                Ok(Some(Event::Pong(_) | Event::Text(_) | Event::Binary(_))) => {}
                Err(_) => return 1002,
            }
            if messages.take(clock::now(), 1).is_some() {
                return 1008;
            }
        }
        match timeout(3 * PING, link.read(&mut buffer)).await {
            Ok(Ok(true)) => {}
            Ok(Ok(false) | Err(_)) | Err(_) => return 1000,
        }
    }
}

async fn tell(shared: &Shared, link: &Link<Latest>) {
    let mut changes = shared.hub.rooms_changed();
    let mut ping = interval_at(Instant::now() + PING, PING);
    loop {
        changes.mark_unchanged();
        let list = shared.hub.rooms_text();
        link.queue().with(|waiting| waiting.list = Some(list));
        link.flush(clock::now());
        sleep(until_next(clock::now())).await;
        loop {
            tokio::select! {
                changed = changes.changed() => match changed {
                    Ok(()) => break,
                    Err(_) => return,
                },
                _ = ping.tick() => {
                    link.queue().with(|waiting| waiting.ping = true);
                    link.flush(clock::now());
                }
            }
        }
    }
}

/// How long it is until the next moment at which lists are told.
fn until_next(now: Now) -> Duration {
    let every = COALESCE.as_micros() as u64;
    Duration::from_micros(every - now.0 % every)
}
