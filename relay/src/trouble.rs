//! Errors of pages, on their way into the log: few, small, and without a word that anybody wrote.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    body::to_bytes,
    extract::{Request, State},
};
use http::{Response, StatusCode};
use visita_protocol::{error::Code, time::Now, trouble::Trouble};

use crate::{
    answer::{Body, error, full},
    clock,
    limits::Bucket,
    relay::Shared,
};

/// The longest report, in bytes; a whole one has less than 200.
const MAX_REPORT: usize = 512;
/// Reports a second that are written down, of all pages together: one that fails at each frame
/// mustn't fill the disk.
const RATE: u32 = 1;
/// How many seconds' worth of them at once.
const BURST: u32 = 30;

/// How many reports may still be written down.
#[derive(Debug)]
pub(crate) struct Troubles(Mutex<Bucket>);

impl Troubles {
    pub(crate) fn new(now: Now) -> Self {
        Self(Mutex::new(Bucket::new(RATE, BURST, now)))
    }

    fn may(&self, now: Now) -> bool {
        let mut bucket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A report that isn't written down is no debt.
        let mut tried = bucket.clone();
        let may = tried.take(now, 1).is_none();
        if may {
            *bucket = tried;
        }
        may
    }
}

/// Takes a report.
pub(crate) async fn take(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let Ok(report) = to_bytes(request.into_body(), MAX_REPORT).await else {
        let message = "A report has 512 bytes at most.";
        return error(StatusCode::PAYLOAD_TOO_LARGE, Code::TooLarge, message);
    };
    let trouble = serde_json::from_slice::<Trouble>(&report).ok();
    // What isn't the name of one of the page's files could be anything.
    let Some(trouble) = trouble.filter(|trouble| shared.assets.holds(trouble.file.as_str())) else {
        let message = "Not a report of an error in this page. PROTOCOL.md says what one is.";
        return error(StatusCode::BAD_REQUEST, Code::Malformed, message);
    };
    if !shared.troubles.may(clock::now()) {
        let message = "Too many reports; the log has enough of them.";
        return error(StatusCode::TOO_MANY_REQUESTS, Code::RateLimited, message);
    }
    let Trouble {
        kind,
        seen,
        file,
        line,
        column,
    } = trouble;
    tracing::warn!(
        ?kind,
        ?seen,
        file = file.as_str(),
        line,
        column,
        "an error in a page"
    );
    let mut taken = Response::new(full(bytes::Bytes::new()));
    *taken.status_mut() = StatusCode::NO_CONTENT;
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_fails_all_the_time_is_written_down_now_and_then() {
        let troubles = Troubles::new(Now(0));
        let written = |from_s: u64, to_s: u64| {
            (from_s * 1000..to_s * 1000)
                .filter(|ms| troubles.may(Now(ms * 1000)))
                .count()
        };
        assert_eq!(written(0, 1), BURST as usize);
        assert!((59..=61).contains(&written(1, 61)));
    }
}
