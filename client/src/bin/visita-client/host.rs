//! Which host, and whether it is trusted.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use visita_client::{
    address::HostUrl,
    discover::{self, Browser},
    trust::{Expect, Pins, Tls, pins},
};
use visita_protocol::{id::Fingerprint, time::WallMs};

use crate::exit::Failure;

/// How long to look for a host.
const LOOK_FOR: Duration = Duration::from_secs(5);

/// A host that is about to be connected to.
pub(crate) struct Host {
    pub(crate) urls: Vec<HostUrl>,
    pub(crate) tls: Tls,
    /// Where to remember it; not when the fingerprint was given.
    pins: Option<Pins>,
    name: Option<String>,
}

impl Host {
    /// The host at this address.
    pub(crate) fn at(
        url: HostUrl,
        given: Option<Fingerprint>,
        state: Option<PathBuf>,
    ) -> Result<Self, Failure> {
        let (expect, pins) = if let Some(fingerprint) = given {
            (Expect::Pin(fingerprint), None)
        } else {
            let pins = open(state)?;
            (pins.expect(&url, None), Some(pins))
        };
        let tls = Tls::new(expect).map_err(|error| Failure::Begin(error.into()))?;
        Ok(Self {
            urls: vec![url],
            tls,
            pins,
            name: None,
        })
    }

    /// The first host that is found.
    pub(crate) async fn discovered(state: Option<PathBuf>) -> Result<Self, Failure> {
        let pins = open(state)?;
        let mut browser = Browser::start()?;
        let first = async {
            loop {
                match browser.next().await {
                    Some(discover::Event::Found(found)) => return Some(found),
                    Some(discover::Event::Gone { .. }) => {}
                    None => return None,
                }
            }
        };
        let found = tokio::time::timeout(LOOK_FOR, first)
            .await
            .ok()
            .flatten()
            .ok_or(Failure::NoHost)?;
        let expect = match found.urls.first() {
            Some(url) => pins.expect(url, Some(found.fingerprint)),
            None => Expect::Pin(found.fingerprint),
        };
        let tls = Tls::new(expect).map_err(|error| Failure::Begin(error.into()))?;
        Ok(Self {
            urls: found.urls,
            tls,
            pins: Some(pins),
            name: Some(found.name),
        })
    }

    /// Remembers the host if it proved who it is, whatever else became of the connection.
    pub(crate) fn remember(&self, answered: Option<&HostUrl>) -> Result<(), Failure> {
        let Some(url) = answered.or(self.urls.first()) else {
            return Ok(());
        };
        if let (Some(pins), Some(fingerprint)) = (&self.pins, self.tls.trusted()) {
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            let now = WallMs(now.as_millis() as u64);
            if pins.remember(url, fingerprint, self.name.as_deref(), now)? {
                eprintln!(
                    "visita-client: trusting {url} from now on, with the fingerprint sha256:{fingerprint}"
                );
            }
        }
        Ok(())
    }
}

fn open(state: Option<PathBuf>) -> Result<Pins, Failure> {
    let Some(directory) = state.or_else(pins::default_directory) else {
        tracing::warn!(
            "no home directory: what is trusted now is forgotten afterwards; name a directory with --state"
        );
        return Ok(Pins::in_memory());
    };
    let pins = Pins::open(&directory)?;
    pins.check_writable()?;
    Ok(pins)
}
