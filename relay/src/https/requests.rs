//! The carrier's requests, and what each is answered.

use std::{sync::Arc, time::Duration};

use axum::extract::{Request, State};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use tokio::time::timeout;
use visita_protocol::{error::Code, id::Secret};

use super::{
    connection::{Driver, Line, beat},
    events::{Events, last_id},
};
use crate::{
    answer::{Body, error, full},
    carrier::{Carrier as _, MemberLink},
    origin::Asked,
    relay::Shared,
    session::{Outcome, attach, hello},
    web::Peer,
    ws::Outgoing,
};

/// Where a stream goes on.
pub(super) const LAST_EVENT_ID: &str = "last-event-id";

/// Takes a hello. Answers with a token and the welcome.
pub(crate) async fn open(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let Some(mut peer) = request.extensions().get::<Peer>().cloned() else {
        return refused(Code::Internal);
    };
    // Behind a proxy: who is behind it.
    if let Some(asked) = request.extensions().get::<Asked>() {
        peer.ip = asked.address;
    }
    if shared.stopping() {
        return refused(Code::ShuttingDown);
    }
    let limits = &shared.config.limits;
    let within = Duration::from_secs(limits.hello_s.into());
    let Ok(read) = timeout(within, read(request.into_body(), limits.max_packet)).await else {
        return refused(Code::Timeout);
    };
    let line = Arc::new(Line::default());
    let link: Arc<MemberLink> = line.clone();
    let attached = read
        .and_then(|text| hello(&text))
        .and_then(|hello| attach(&shared.hub, &link, &peer, &hello));
    let attached = match attached {
        Ok(attached) => attached,
        Err(code) => return refused(code),
    };
    // The first that the session has to say.
    let Some(Outgoing::Text(welcome)) = line.tap().next() else {
        return refused(Code::Internal);
    };
    let token = Secret(rand::random());
    let driver = Driver::new(&shared, line, token, attached);
    driver.enter();
    let running = shared.running();
    tokio::spawn(async move {
        driver.run().await;
        drop(running);
    });
    let mut answer =
        BytesMut::from(format!(r#"{{"token":"{}","welcome":"#, token.hex()).as_bytes());
    answer.extend_from_slice(&welcome);
    answer.extend_from_slice(b"}");
    let mut response = Response::new(full(answer.freeze()));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Streams what the session says.
pub(crate) async fn events(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let Some(connection) = shared.https.find(request.headers()) else {
        return gone();
    };
    let Ok(received) = received(request.headers()) else {
        return refused(Code::Malformed);
    };
    let (epoch, changes) = match connection.stream(received) {
        Ok(stream) => stream,
        Err(error) => {
            connection.end(Outcome::Refused(error.code()));
            return refused(error.code());
        }
    };
    if let Some(peer) = request.extensions().get::<Peer>() {
        peer.place.established();
    }
    let events = Events::new(connection, epoch, changes, beat(&shared));
    let mut response = Response::new(Body::from_stream(events.into_stream()));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-store, no-transform"),
    );
    // nginx would wait until it has a buffer full.
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    response
}

/// Takes packets, one a line, in their order.
pub(crate) async fn packets(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let Some(connection) = shared.https.find(request.headers()) else {
        return gone();
    };
    let Ok(_turn) = connection.posts.try_acquire() else {
        return refused(Code::RateLimited);
    };
    let taken = match read(request.into_body(), shared.config.limits.max_packet).await {
        Ok(packets) => connection.take_packets(&packets).await,
        // As much of a request as came says nothing about who sent it: it comes again.
        Err(Code::Malformed) => return refused(Code::Malformed),
        Err(code) => Err(Outcome::Refused(code)),
    };
    let Err(outcome) = taken else {
        return done();
    };
    connection.end(outcome);
    match outcome {
        Outcome::Refused(code) => refused(code),
        Outcome::Closed | Outcome::Broken | Outcome::Stopping => gone(),
    }
}

/// Ends the connection and its session in order.
pub(crate) async fn close(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let Some(connection) = shared.https.find(request.headers()) else {
        return gone();
    };
    connection.end(Outcome::Closed);
    done()
}

/// Reads a whole body of at most so many bytes.
async fn read(body: Body, most: u32) -> Result<Bytes, Code> {
    let mut pieces = body.into_data_stream();
    let mut whole = BytesMut::new();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| Code::Malformed)?;
        if whole.len() + piece.len() > most as usize {
            return Err(Code::TooLarge);
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

/// The last number that the other side received over its stream before, if it says so.
fn received(headers: &HeaderMap) -> Result<Option<u64>, Code> {
    let Some(value) = headers.get(LAST_EVENT_ID) else {
        return Ok(None);
    };
    let number = value.to_str().ok().and_then(last_id);
    number.map(Some).ok_or(Code::Malformed)
}

fn done() -> Response<Body> {
    let mut response = Response::new(full(Bytes::new()));
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// The one answer to every token that isn't a connection's, whatever is wrong with it.
fn gone() -> Response<Body> {
    let message = "No connection has this token. Say hello again.";
    error(StatusCode::UNAUTHORIZED, Code::SessionGone, message)
}

fn refused(code: Code) -> Response<Body> {
    let status = match code {
        Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Code::Busy | Code::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
        Code::SessionGone => StatusCode::GONE,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    };
    let message = "Refused, for the reason that the code says. PROTOCOL.md has the codes.";
    error(status, code, message)
}
