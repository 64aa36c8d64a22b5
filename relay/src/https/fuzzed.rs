//! What fuzzing does to the `https` carrier: requests of anything, to a relay without a network.

use std::{
    cell::RefCell,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use axum::{body::Body, extract::State};
use futures_util::{FutureExt as _, StreamExt as _};
use http::{HeaderValue, Request, Response, header};
use serde_json::Value;
use tokio::{
    runtime::{Builder, Runtime},
    task::yield_now,
};
use visita_protocol::control::{RelayPacket, parse_relay};

use super::requests::{LAST_EVENT_ID, close, events, open, packets};
use crate::{Config, Relay, answer, clock, relay::Shared, web::Peer};

/// Between two requests of a script.
const NEXT: u8 = 0;
/// The most requests of a script.
const REQUESTS: usize = 16;
/// Turns in which what was asked for is done: there is nothing to wait for but other tasks.
const TURNS: usize = 1_000;
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A relay that serves nobody.
struct Idle {
    runtime: Runtime,
    relay: Relay,
}

thread_local! {
    static RELAY: RefCell<Option<Idle>> = const { RefCell::new(None) };
}

/// Plays a script: a hello, then requests, each after a zero. `P` posts packets, `E` opens the stream
/// with what follows as its last event's id, `C` closes. Panics where a rule is broken: what streams
/// is events of packets, in their order without a hole, and who closed is gone.
pub(crate) fn requests(script: &[u8]) {
    RELAY.with_borrow_mut(|idle| {
        if idle.is_none() {
            *idle = Idle::new();
        }
        if let Some(Idle { runtime, relay }) = idle {
            runtime.block_on(play(relay.shared(), script));
        }
    });
}

impl Idle {
    fn new() -> Option<Self> {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .enable_io()
            .build()
            .ok()?;
        let mut config = Config {
            listen: "127.0.0.1:0".parse().ok()?,
            data: std::env::temp_dir().join(format!("visita-fuzzed-{}", std::process::id())),
            ward: Some("Ward 3".to_owned()),
            advertise: false,
            ..Config::default()
        };
        // Nothing waits for a rate, and rooms don't run out.
        let limits = &mut config.limits;
        let many = 1_000_000;
        (
            limits.messages_per_s,
            limits.chats_per_s,
            limits.changes_per_s,
        ) = (many, many, many);
        (limits.bytes_per_s, limits.new_rooms_per_minute) = (u32::MAX / 8, u32::MAX / 8);
        let guard = runtime.enter();
        let listener = crate::bind(config.listen).ok()?;
        let data = config.data.clone();
        let relay = Relay::new(config, listener).ok()?;
        drop(guard);
        // It was read, and is asked for no more.
        let _ = std::fs::remove_dir_all(data);
        Some(Self { runtime, relay })
    }
}

async fn play(shared: &Arc<Shared>, script: &[u8]) {
    let mut parts = script.split(|byte| *byte == NEXT).take(REQUESTS);
    let hello = match parts.next() {
        Some([]) | None => &br#"{"type":"hello","versions":[1]}"#[..],
        Some(hello) => hello,
    };
    let Some(peer) = peer(shared) else {
        return;
    };
    let opened = open(State(shared.clone()), asked(hello, &peer, &[])).await;
    let Some(token) = token(opened).await else {
        gone(shared).await;
        return;
    };
    let bearer = format!("Bearer {token}");
    let shown = [(header::AUTHORIZATION.as_str(), bearer.as_bytes())];
    for part in parts {
        match part.split_first() {
            Some((b'E', id)) => {
                let headers = [shown[0], (LAST_EVENT_ID, id)];
                let headers = if id.is_empty() {
                    &headers[..1]
                } else {
                    &headers[..]
                };
                let answer = events(State(shared.clone()), asked(&[], &peer, headers)).await;
                if answer.status().is_success() {
                    stream(answer).await;
                }
            }
            Some((b'C', _)) => {
                close(State(shared.clone()), asked(&[], &peer, &shown)).await;
            }
            Some((b'P', body)) => {
                packets(State(shared.clone()), asked(body, &peer, &shown)).await;
            }
            _ => {}
        }
    }
    close(State(shared.clone()), asked(&[], &peer, &shown)).await;
    gone(shared).await;
    // Rooms that were made close by themselves, a minute later.
    shared.hub.tick(clock::now().plus(Duration::from_secs(61)));
}

fn peer(shared: &Arc<Shared>) -> Option<Peer> {
    let place = shared.doors.enter(HERE).ok()?;
    Some(Peer {
        ip: HERE,
        place: Arc::new(place),
    })
}

fn asked(body: &[u8], peer: &Peer, headers: &[(&str, &[u8])]) -> Request<Body> {
    let mut request = Request::new(Body::from(body.to_vec()));
    request.extensions_mut().insert(peer.clone());
    for (name, value) in headers {
        let name = http::HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
            request.headers_mut().insert(name, value);
        }
    }
    request
}

/// The token of a hello that was welcomed.
async fn token(answer: Response<answer::Body>) -> Option<String> {
    if !answer.status().is_success() {
        return None;
    }
    let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await;
    let Ok(welcome) = serde_json::from_slice::<Value>(&body.unwrap_or_default()) else {
        panic!("a welcome can be read");
    };
    let welcomed = parse_relay(&welcome["welcome"].to_string());
    assert!(
        matches!(welcomed, Ok(RelayPacket::Welcome(_))),
        "a welcome is one"
    );
    welcome["token"].as_str().map(str::to_owned)
}

/// Reads what a stream says now.
async fn stream(answer: Response<answer::Body>) {
    let mut body = answer.into_body().into_data_stream();
    let mut said = Vec::new();
    for _ in 0..8 {
        yield_now().await;
        let next = body.next().now_or_never();
        match next {
            Some(Some(piece)) => said.extend_from_slice(&piece.unwrap_or_default()),
            Some(None) => break,
            None => {}
        }
    }
    let Ok(said) = String::from_utf8(said) else {
        panic!("a stream is text");
    };
    assert!(
        said.is_empty() || said.ends_with("\n\n"),
        "events are whole: {said}"
    );
    let mut last: Option<u64> = None;
    for event in said.split("\n\n").filter(|event| !event.is_empty()) {
        if event == ":" {
            continue;
        }
        let (mut id, mut data, mut end) = (None, None, false);
        for line in event.split('\n') {
            let field = line.split_once(": ");
            match field {
                Some(("id", number)) => id = number.parse::<u64>().ok(),
                Some(("data", text)) => data = Some(text),
                Some(("event", "end")) => end = true,
                _ => panic!("a line of no event: {line}"),
            }
        }
        let Some(data) = data else {
            panic!("an event without data: {event}");
        };
        if end {
            assert!(data.parse::<u16>().is_ok(), "an end has a code");
            continue;
        }
        let Ok(packet) = parse_relay(data) else {
            panic!("an event that is no packet: {data}");
        };
        let RelayPacket::Message { n, .. } = packet else {
            assert_eq!(id, None, "what has no number has no id");
            continue;
        };
        assert_eq!(id, Some(n), "an event's id is its number");
        assert!(
            last.is_none_or(|last| n == last + 1),
            "numbers have no hole"
        );
        last = Some(n);
    }
}

/// Until all that was opened is over.
async fn gone(shared: &Arc<Shared>) {
    for _ in 0..TURNS {
        if shared.gauges().sessions == 0 {
            return;
        }
        yield_now().await;
    }
    panic!("who closed is still there");
}
