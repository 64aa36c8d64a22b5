//! `POST /api/v1/webrtc`: a participant's offer of another way for its media; `DELETE` ends its
//! session, and that of `/api/v1/webrtc/way` only takes the offer back.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use axum::{
    body::to_bytes,
    extract::{Request, State},
};
use bytes::Bytes;
use http::{Response, StatusCode, header};
use str0m::{
    Rtc,
    change::SdpOffer,
    media::{Direction, MediaKind, Mid},
};
use visita_protocol::{
    error::Code,
    frame::MAX_TRACKS,
    webrtc::{Answer, HEADER, Leave, MAX_OFFER, Offer},
};

use super::{Lane, Pair, Slots, control};
use crate::{
    answer::{Body, error, full, json},
    clock,
    relay::Shared,
};

/// The most media in an offer: as many as a room has members, and what is sent.
const MAX_MEDIA: usize = 2 * 64 + 3;

/// The largest word that a session is over, in bytes.
const MAX_LEAVE: usize = 256;

/// Why an offer isn't taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    Malformed,
    Session,
    RateLimited,
    Unavailable,
}

/// Takes an offer.
pub(crate) async fn take(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let Ok(body) = to_bytes(request.into_body(), MAX_OFFER).await else {
        let message = "An offer has 128 KiB at most.";
        return error(StatusCode::PAYLOAD_TOO_LARGE, Code::TooLarge, message);
    };
    match answer(&shared, &body) {
        Ok(answer) => {
            let mut response = json(StatusCode::CREATED, &answer);
            let never = http::HeaderValue::from_static("no-store");
            response.headers_mut().insert(header::CACHE_CONTROL, never);
            response
        }
        Err(Refused::Malformed) => {
            let message = "Not an offer that can be answered. PROTOCOL.md says what one is.";
            error(StatusCode::BAD_REQUEST, Code::Malformed, message)
        }
        Err(Refused::Session) => {
            let message = "There is no such session here. Join anew.";
            error(StatusCode::UNAUTHORIZED, Code::SessionGone, message)
        }
        Err(Refused::RateLimited) => {
            let message = "Too many offers; go on as you are, and offer again in a while.";
            error(StatusCode::TOO_MANY_REQUESTS, Code::RateLimited, message)
        }
        Err(Refused::Unavailable) => {
            let message = "This host has no UDP. Media goes over the WebSocket.";
            error(StatusCode::SERVICE_UNAVAILABLE, Code::Busy, message)
        }
    }
}

/// Takes an offer back: media goes over the connection from now on.
pub(crate) async fn give_up(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let body = to_bytes(request.into_body(), MAX_LEAVE).await;
    let leave = body
        .ok()
        .and_then(|body| serde_json::from_slice::<Leave>(&body).ok());
    let Some(leave) = leave else {
        let message = "The session and its secret are missing.";
        return error(StatusCode::BAD_REQUEST, Code::Malformed, message);
    };
    let Some(seat) = shared.hub.seat(leave.session, &leave.secret) else {
        let message = "There is no such session here. Join anew.";
        return error(StatusCode::UNAUTHORIZED, Code::SessionGone, message);
    };
    seat.lane_left();
    let mut response = Response::new(full(Bytes::new()));
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// Ends the session in order: what a page that goes away says over a channel gets nowhere any more.
pub(crate) async fn leave(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let Ok(body) = to_bytes(request.into_body(), MAX_LEAVE).await else {
        let message = "Session and secret have 256 bytes at most.";
        return error(StatusCode::PAYLOAD_TOO_LARGE, Code::TooLarge, message);
    };
    let Ok(proof) = serde_json::from_slice::<Leave>(&body) else {
        let message = "Not a session and its secret. PROTOCOL.md says what they are.";
        return error(StatusCode::BAD_REQUEST, Code::Malformed, message);
    };
    if shared.hub.leave(proof.session, &proof.secret) {
        let mut response = Response::new(full(Bytes::new()));
        *response.status_mut() = StatusCode::NO_CONTENT;
        return response;
    }
    let message = "There is no such session here. Join anew.";
    error(StatusCode::UNAUTHORIZED, Code::SessionGone, message)
}

fn answer(shared: &Arc<Shared>, body: &[u8]) -> Result<Answer, Refused> {
    let offer = read(body).ok_or(Refused::Malformed)?;
    // Before anything of it is read that costs more.
    let seat = shared.hub.seat(offer.session, &offer.secret);
    let seat = seat.ok_or(Refused::Session)?;
    let front = shared.front.as_ref().ok_or(Refused::Unavailable)?;
    if !seat.may_offer(clock::now()) {
        return Err(Refused::RateLimited);
    }
    let (mut rtc, name) = front.rtc(&shared.addresses());
    let (sdp, pairs) = negotiate(&mut rtc, &offer.sdp).ok_or(Refused::Malformed)?;
    let lane = Lane::start(
        front,
        (rtc, name, offer.sdp.contains(HEADER)),
        &seat,
        offer.tracks,
        shared.config.limits.bytes_per_s,
        shared.counters.clone(),
    );
    control::start(shared, &lane, seat.session);
    seat.lane(&lane, Slots::new(pairs));
    Ok(Answer { sdp })
}

/// An offer as it is posted.
pub(super) fn read(body: &[u8]) -> Option<Offer> {
    let offer: Offer = serde_json::from_slice(body).ok()?;
    (offer.tracks.len() <= MAX_TRACKS).then_some(offer)
}

/// What is answered to what the participant offers, and what it offers to receive.
pub(super) fn negotiate(rtc: &mut Rtc, sdp: &str) -> Option<(String, Vec<Pair>)> {
    let pairs = pairs(sdp)?;
    let answer = accept(rtc, sdp)?;
    Some((streams(&answer, &pairs), pairs))
}

fn accept(rtc: &mut Rtc, sdp: &str) -> Option<String> {
    let offer = SdpOffer::from_sdp_string(sdp).ok()?;
    // str0m asserts that no two formats come to one number, and an offer can bring them there. The
    // machine is thrown away then, and the offer is refused as any that can't be answered.
    let accepted = catch_unwind(AssertUnwindSafe(|| rtc.sdp_api().accept_offer(offer)));
    Some(accepted.ok()?.ok()?.to_sdp_string())
}

/// A medium of an offer.
#[derive(Debug)]
struct Medium {
    kind: MediaKind,
    direction: Direction,
    mid: Mid,
}

/// The media of a session description, in their order.
fn media(sdp: &str) -> Option<Vec<Medium>> {
    let mut media: Vec<Medium> = Vec::new();
    let mut known = false;
    for line in sdp.lines() {
        if let Some(kind) = line.strip_prefix("m=") {
            let kind = match kind.split(' ').next()? {
                "audio" => Some(MediaKind::Audio),
                "video" => Some(MediaKind::Video),
                "application" => None,
                // str0m would answer without it, and an answer has as many media as its offer.
                _ => return None,
            };
            known = kind.is_some();
            if let Some(kind) = kind {
                let (direction, mid) = (Direction::SendRecv, Mid::from(""));
                media.push(Medium {
                    kind,
                    direction,
                    mid,
                });
            }
            if media.len() > MAX_MEDIA {
                return None;
            }
        } else if let (true, Some(medium)) = (known, media.last_mut()) {
            match line {
                "a=sendonly" => medium.direction = Direction::SendOnly,
                "a=recvonly" => medium.direction = Direction::RecvOnly,
                "a=inactive" => medium.direction = Direction::Inactive,
                _ => {
                    if let Some(mid) = line.strip_prefix("a=mid:") {
                        medium.mid = Some(mid).filter(|mid| mid.len() <= 16)?.into();
                    }
                }
            }
        }
    }
    Some(media)
}

/// The pairs that the participant offers to receive: its first sound with its first picture, and so
/// on.
fn pairs(sdp: &str) -> Option<Vec<Pair>> {
    let media = media(sdp)?;
    let of = |kind| {
        let offered =
            move |medium: &&Medium| medium.kind == kind && medium.direction == Direction::RecvOnly;
        media.iter().filter(offered).map(|medium| medium.mid)
    };
    let pairs = of(MediaKind::Audio).zip(of(MediaKind::Video));
    Some(
        pairs
            .map(|(sound, picture)| Pair { sound, picture })
            .collect(),
    )
}

/// The answer with the two of each pair in one media stream, so that a browser keeps lips with the
/// sound.
fn streams(sdp: &str, pairs: &[Pair]) -> String {
    let mut sections: Vec<Vec<&str>> = vec![Vec::new()];
    for line in sdp.split_inclusive('\n') {
        if line.starts_with("m=") {
            sections.push(Vec::new());
        }
        if let Some(section) = sections.last_mut() {
            section.push(line);
        }
    }
    let mut told = String::with_capacity(sdp.len() + 16 * pairs.len());
    for section in sections {
        let mid = section.iter().find_map(|line| line.strip_prefix("a=mid:"));
        let mid = mid.map(|mid| Mid::from(mid.trim_end()));
        let pair = pairs
            .iter()
            .position(|pair| Some(pair.sound) == mid || Some(pair.picture) == mid);
        for line in section {
            match (
                pair,
                line.strip_prefix("a=msid:")
                    .and_then(|msid| msid.split_once(' ')),
            ) {
                (Some(pair), Some((_, track))) => {
                    told.push_str("a=msid:slot");
                    told.push_str(&pair.to_string());
                    told.push(' ');
                    told.push_str(track);
                }
                _ => told.push_str(line),
            }
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=sendonly\r\na=mid:0\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=sendonly\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=recvonly\r\na=mid:2\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:3\r\na=recvonly\r\n\
        m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:4\r\n";

    #[test]
    fn what_is_offered_to_be_received_comes_in_pairs() {
        let pairs = pairs(OFFER).unwrap();
        let expected = Pair {
            sound: "2".into(),
            picture: "3".into(),
        };
        assert_eq!(pairs, [expected]);
    }

    #[test]
    fn the_two_of_a_pair_are_of_one_stream() {
        let answer = OFFER.replace("a=recvonly", "a=sendonly\r\na=msid:x track");
        let told = streams(&answer, &pairs(OFFER).unwrap());
        let streams: Vec<&str> = told
            .lines()
            .filter(|line| line.starts_with("a=msid"))
            .collect();
        assert_eq!(streams, ["a=msid:slot0 track"; 2]);
        assert_eq!(told.replace("slot0", "x"), answer);
    }

    proptest! {
        #[test]
        fn whatever_is_offered_is_no_reason_to_fail(
            lines in proptest::collection::vec((0..OFFER.lines().count(), ".{0,20}"), 0..40),
        ) {
            let known: Vec<&str> = OFFER.lines().collect();
            let mut sdp = String::new();
            for (at, more) in lines {
                sdp.push_str(known[at]);
                if more.len() % 3 == 0 {
                    sdp.push_str(&more);
                }
                sdp.push_str("\r\n");
            }
            let pairs = pairs(&sdp).unwrap_or_default();
            let _ = streams(&sdp, &pairs);
            let mut rtc = Rtc::new(std::time::Instant::now());
            let _ = accept(&mut rtc, &sdp);
        }
    }
}
