//! Six digits, typed by somebody who is not in a session yet: which room they lead to. There is one
//! answer to all that lead nowhere, and few wrong tries ([`visita_protocol::code::tries`]).

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    body::to_bytes,
    extract::{Request, State},
};
use http::{HeaderValue, Response, StatusCode, header};
use serde::Deserialize;
use visita_protocol::{
    code::{RoomCode, tries, tries::Tries},
    error::Code,
    time::Now,
};

use crate::{
    answer::{Body, error, json},
    clock,
    config::Limits,
    limits::network,
    metrics,
    origin::Asked,
    relay::Shared,
};

/// The longest request, in bytes: a code with room for other spaces.
const MAX_REQUEST: usize = 256;

/// Where codes are taken, and who tried wrong ones.
#[derive(Debug)]
pub(crate) struct Door(Mutex<Tries>);

impl Door {
    pub(crate) fn new(now: Now, limits: &Limits) -> Self {
        Self(Mutex::new(Tries::new(
            now,
            tries::Limits {
                of_address: limits.wrong_codes_per_address,
                per_minute: limits.wrong_codes_per_minute,
            },
        )))
    }

    fn tries(&self) -> MutexGuard<'_, Tries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks a code up, if one from this address may be looked up; a wrong one counts. Under one
    /// lock, or requests that come together would all be the last one that is let.
    fn open<T>(
        &self,
        now: Now,
        address: IpAddr,
        look: impl FnOnce() -> Option<T>,
    ) -> Result<Option<T>, Duration> {
        let address = network(address);
        let mut tries = self.tries();
        tries.tick(now);
        tries.may(now, address)?;
        let found = look();
        if found.is_none() {
            tries.wrong(now, address);
        }
        Ok(found)
    }
}

/// What is posted.
#[derive(Deserialize)]
struct Typed {
    code: RoomCode,
}

/// Takes a code.
pub(crate) async fn take(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let Some(address) = request.extensions().get::<Asked>().map(|it| it.address) else {
        let message = "The relay failed. Try again.";
        return error(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, message);
    };
    let Ok(body) = to_bytes(request.into_body(), MAX_REQUEST).await else {
        let message = "A code has six digits.";
        return error(StatusCode::PAYLOAD_TOO_LARGE, Code::TooLarge, message);
    };
    let Ok(Typed { code }) = serde_json::from_slice(&body) else {
        let message = "Send a code of six digits: {\"code\":\"123456\"}.";
        return error(StatusCode::BAD_REQUEST, Code::Malformed, message);
    };
    let found = shared
        .door
        .open(clock::now(), address, || shared.hub.room_of(code));
    match found {
        Ok(Some((room, kind))) => json(
            StatusCode::OK,
            &serde_json::json!({ "room": room, "kind": kind }),
        ),
        Ok(None) => {
            metrics::add(&shared.counters.codes_wrong, 1);
            let message = "This code leads nowhere, or not any more. Ask for a new one.";
            error(StatusCode::NOT_FOUND, Code::CodeUnknown, message)
        }
        Err(wait) => {
            metrics::add(&shared.counters.codes_refused, 1);
            // Rounded up: who comes back when told so isn't refused again.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            let message = "Too many wrong codes. Try again later, or ask for a link.";
            let mut response = error(StatusCode::TOO_MANY_REQUESTS, Code::RateLimited, message);
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            headers.insert(
                header::ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static("retry-after"),
            );
            response
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_codes_count_and_right_ones_dont() {
        let door = Door::new(Now(0), &Limits::default());
        let address: IpAddr = "2001:db8::1".parse().unwrap();
        let neighbour: IpAddr = "2001:db8::2".parse().unwrap();
        for _ in 0..20 {
            assert_eq!(door.open(Now(0), address, || Some(1)), Ok(Some(1)));
        }
        for _ in 0..5 {
            assert_eq!(door.open(Now(0), address, || None::<u8>), Ok(None));
        }
        let wait = door.open(Now(0), neighbour, || Some(1)).unwrap_err();
        assert_eq!(wait, Duration::from_secs(30), "one network is one address");
        let other: IpAddr = "10.0.0.7".parse().unwrap();
        assert_eq!(door.open(Now(0), other, || Some(1)), Ok(Some(1)));
    }
}
