//! What a page's line carries, measured before a call: bytes to take, and bytes that are thrown
//! away. So many for each address and for all together that nobody can load a line or a host with it.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use axum::{
    body::to_bytes,
    extract::{Request, State},
};
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use ring::rand::{SecureRandom as _, SystemRandom};
use visita_protocol::{error::Code, time::Now};

use crate::{
    answer::{Body, error, full},
    clock,
    limits::{Bucket, network},
    origin::Asked,
    relay::Shared,
};

/// The most bytes of one request, either way.
const MOST: usize = 256 * 1024;
/// What a request counts besides its bytes, in KiB: asking isn't free.
const ASKING: u32 = 4;
/// KiB a second for one address, in the long run, and how many seconds' worth at once: a test takes
/// up to 1 MiB (`ui/call/line-test.js`), so four in a row, then one in sixteen seconds.
const OF_ADDRESS: (u32, u32) = (64, 64);
/// For all addresses together: 16 Mbit/s, and a ward's whole family at once.
const OF_ALL: (u32, u32) = (2048, 16);
/// Addresses whose share is remembered. Where none can be forgotten yet, a new one has to wait.
const ADDRESSES: usize = 1024;

/// Bytes that nothing on the way can make smaller.
static NOISE: LazyLock<Bytes> = LazyLock::new(|| {
    let mut noise = vec![0; MOST];
    // Without the system's randomness there is no TLS either; zeros would only measure too well.
    let _ = SystemRandom::new().fill(&mut noise);
    noise.into()
});

/// How much may still be measured.
#[derive(Debug)]
pub(crate) struct Lines(Mutex<Shares>);

#[derive(Debug)]
struct Shares {
    all: Bucket,
    of_address: HashMap<IpAddr, Bucket>,
}

impl Lines {
    pub(crate) fn new(now: Now) -> Self {
        Self(Mutex::new(Shares {
            all: Bucket::new(OF_ALL.0, OF_ALL.1, now),
            of_address: HashMap::new(),
        }))
    }

    /// Takes so many bytes from the address's share and from everybody's, or from neither.
    fn may(&self, now: Now, address: IpAddr, bytes: usize) -> bool {
        let amount = ASKING + u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX - ASKING);
        let address = network(address);
        let mut shares = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if shares.of_address.len() >= ADDRESSES && !shares.of_address.contains_key(&address) {
            shares.of_address.retain(|_, share| !share.is_full(now));
            if shares.of_address.len() >= ADDRESSES {
                return false;
            }
        }
        let Shares { all, of_address } = &mut *shares;
        let own = of_address
            .entry(address)
            .or_insert_with(|| Bucket::new(OF_ADDRESS.0, OF_ADDRESS.1, now));
        own.clone().try_take(now, amount) && all.try_take(now, amount) && own.try_take(now, amount)
    }
}

/// Gives as many bytes as `bytes` says, at most 256 KiB.
pub(crate) async fn give(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let query = request.uri().query().unwrap_or("");
    let wanted = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("bytes="))
        .and_then(|bytes| bytes.parse::<usize>().ok())
        .filter(|&bytes| bytes <= MOST);
    let Some(bytes) = wanted else {
        let message = "Say how many bytes: ?bytes=N, 262144 at most.";
        return error(StatusCode::BAD_REQUEST, Code::Malformed, message);
    };
    if !may(&shared, &request, bytes) {
        return limited();
    }
    let mut response = Response::new(full(NOISE.slice(..bytes)));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Takes bytes, at most 256 KiB, and forgets them.
pub(crate) async fn take(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    // Without a length it counts as the most.
    let said = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<usize>().ok())
        .unwrap_or(MOST);
    let too_large = "At most 262144 bytes.";
    if said > MOST {
        return error(StatusCode::PAYLOAD_TOO_LARGE, Code::TooLarge, too_large);
    }
    if !may(&shared, &request, said) {
        return limited();
    }
    if to_bytes(request.into_body(), MOST).await.is_err() {
        return error(StatusCode::PAYLOAD_TOO_LARGE, Code::TooLarge, too_large);
    }
    let mut taken = Response::new(full(Bytes::new()));
    *taken.status_mut() = StatusCode::NO_CONTENT;
    taken
}

fn may(shared: &Shared, request: &Request, bytes: usize) -> bool {
    // `guard` puts it there.
    let asked = request.extensions().get::<Asked>();
    asked.is_some_and(|asked| shared.lines.may(clock::now(), asked.address, bytes))
}

fn limited() -> Response<Body> {
    let message = "Measured often enough for now. Try again in a minute.";
    error(StatusCode::TOO_MANY_REQUESTS, Code::RateLimited, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;
    /// One test of the page's, in KiB for each request.
    const TEST: [usize; 7] = [16, 64, 256, 256, 16, 64, 256];

    fn address(last: u32) -> IpAddr {
        IpAddr::from((0x0a00_0000 + last).to_be_bytes())
    }

    fn tested(lines: &Lines, now: Now, who: IpAddr) -> bool {
        TEST.iter().all(|kib| lines.may(now, who, kib * 1024))
    }

    #[test]
    fn an_address_measures_a_few_times_in_a_row_and_then_now_and_then() {
        let lines = Lines::new(Now(0));
        assert!((0..4).all(|_| tested(&lines, Now(0), address(1))));
        assert!(!tested(&lines, Now(0), address(1)));
        assert!(
            tested(&lines, Now(0), address(2)),
            "another one isn't kept from it"
        );
        assert!(tested(&lines, Now(20 * SECOND), address(1)));
        let hour: usize = (0..3600)
            .map(|s| usize::from(lines.may(Now((100 + s) * SECOND), address(1), MOST)))
            .sum();
        assert!(hour <= 3600 / 4 + 16, "{hour} times 256 KiB in an hour");
    }

    #[test]
    fn all_together_load_no_host() {
        let lines = Lines::new(Now(0));
        let taken: usize = (0..1000)
            .map(|who| usize::from(lines.may(Now(0), address(who), MOST)))
            .sum();
        assert_eq!(taken, 2048 * 16 / (256 + 4));
        let mibs: usize = (1..=60)
            .flat_map(|s| (0..1000).map(move |who| (s, who)))
            .map(|(s, who)| usize::from(lines.may(Now(s * SECOND), address(who), MOST)))
            .sum();
        assert!(mibs <= 60 * 2048 / 256, "{mibs} times 256 KiB in a minute");
        let empty = (0..1000).filter(|&who| lines.may(Now(60 * SECOND), address(who), 0));
        assert!(empty.count() < 512, "asking counts too");
    }

    #[test]
    fn so_many_addresses_are_remembered_and_no_more() {
        let lines = Lines::new(Now(0));
        let held = |lines: &Lines| lines.0.lock().unwrap().of_address.len();
        for who in 0..10_000 {
            let _ = lines.may(Now(0), address(who), 0);
        }
        assert!(held(&lines) <= ADDRESSES);
        // Those that took nothing for a while are forgotten for new ones.
        assert!(lines.may(Now(600 * SECOND), address(20_000), 0));
        assert!(held(&lines) <= ADDRESSES);
    }

    #[test]
    fn what_is_given_can_be_made_no_smaller() {
        let small = zstd::encode_all(&NOISE[..], 3).unwrap();
        assert!(small.len() >= NOISE.len());
        assert_eq!(NOISE.len(), MOST);
    }
}
