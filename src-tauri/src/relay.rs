//! The relay in use: the one that the page's lobby and the next call go to.

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use serde::Serialize;
use tokio::sync::watch;
use visita_client::{
    Error, about,
    address::HostUrl,
    session,
    trust::{Expect, Pins, Tls, parse_fingerprint, pins},
};
use visita_protocol::{error::Code, id::Fingerprint, way::Policy};

use crate::hosts::{Directory, shown, wall_now};

/// How long a host has to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Why a host can't be used. The page has the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// Nobody answers there, or nobody who is a Visita host.
    Unreachable,
    /// Not the host that was trusted before.
    PinMismatch,
    /// Another version of the protocol.
    Version,
    /// Not an address.
    BadAddress,
    /// Whom this device trusts can't be read or kept.
    State,
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        match error {
            Error::Mismatch(_) => Problem::PinMismatch,
            Error::Refused(Code::Version) | Error::Protocol(_) => Problem::Version,
            Error::Pins(_) => Problem::State,
            _ => Problem::Unreachable,
        }
    }
}

/// A relay that was met and trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InUse {
    /// Where it can be reached, the most likely first; never empty.
    pub urls: Vec<HostUrl>,
    /// The ward's CA.
    pub fingerprint: Fingerprint,
    /// What the ward calls itself.
    pub ward: String,
}

impl InUse {
    /// How to begin a session with it.
    pub fn session(&self) -> Result<session::Options, Error> {
        let tls = Tls::new(Expect::Pin(self.fingerprint))?;
        Ok(session::Options {
            carrier: Policy::Auto,
            ..session::Options::new(self.urls.clone(), tls)
        })
    }
}

/// The relay in use as the page's lobby needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    url: String,
    lobby: String,
    fingerprint: String,
    ward: String,
}

impl From<&InUse> for Shown {
    fn from(relay: &InUse) -> Self {
        let first = &relay.urls[0];
        Self {
            url: first.to_string(),
            lobby: format!("wss://{}/api/v1/lobby", first.authority()),
            fingerprint: shown(relay.fingerprint),
            ward: relay.ward.clone(),
        }
    }
}

/// What came of choosing a host, as the page takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// It is in use now.
    Used {
        /// `true`.
        ok: bool,
        /// What the ward calls itself.
        ward: String,
        /// The ward's CA.
        fingerprint: String,
        /// Whether it was trusted just now, for the first time.
        first_use: bool,
    },
    /// It isn't.
    Refused {
        /// `false`.
        ok: bool,
        /// Why.
        problem: Problem,
    },
}

/// Keeps which relay is in use.
pub struct Choice {
    current: watch::Sender<Option<InUse>>,
    pins: Arc<Pins>,
    directory: Arc<Directory>,
    broken: bool,
}

impl Choice {
    /// None is in use. `broken`: `pins` isn't all that was trusted before, so that only this
    /// device's own relay can be used.
    pub fn new(pins: Arc<Pins>, directory: Arc<Directory>, broken: bool) -> Self {
        Self {
            current: watch::Sender::default(),
            pins,
            directory,
            broken,
        }
    }

    /// The relay in use.
    pub fn current(&self) -> Option<InUse> {
        self.current.borrow().clone()
    }

    /// Tells which is in use.
    pub fn changes(&self) -> watch::Receiver<Option<InUse>> {
        self.current.subscribe()
    }

    /// This device ended hosting: if its own relay was in use, none is.
    pub fn ended(&self, fingerprint: Fingerprint) {
        self.current.send_if_modified(|current| {
            let own = current
                .as_ref()
                .is_some_and(|relay| relay.fingerprint == fingerprint);
            if own {
                *current = None;
            }
            own
        });
    }

    /// A ward is called something else now.
    pub fn renamed(&self, fingerprint: Fingerprint, name: &str) {
        self.current.send_if_modified(|current| match current {
            Some(relay) if relay.fingerprint == fingerprint && relay.ward != name => {
                name.clone_into(&mut relay.ward);
                true
            }
            _ => false,
        });
    }

    /// Uses the host at `url`, of which the list said that it has this fingerprint: connects,
    /// checks the pin, and remembers it on first use.
    pub async fn choose(&self, url: &str, fingerprint: Option<&str>) -> Answer {
        match self.meet(url, fingerprint).await {
            Ok((relay, first_use)) => {
                let answer = Answer::Used {
                    ok: true,
                    ward: relay.ward.clone(),
                    fingerprint: shown(relay.fingerprint),
                    first_use,
                };
                self.current.send_replace(Some(relay));
                answer
            }
            Err(problem) => Answer::Refused { ok: false, problem },
        }
    }

    /// Forgets a ward that was trusted. If it is in use, none is any more.
    pub fn forget(&self, fingerprint: &str) -> Result<(), Problem> {
        let fingerprint = parse_fingerprint(fingerprint).ok_or(Problem::BadAddress)?;
        self.directory
            .forget(fingerprint)
            .map_err(|error| Problem::from(&error))?;
        self.ended(fingerprint);
        Ok(())
    }

    /// Why the relay in use can't be reached; `None` if it can, wherever it is now.
    pub async fn problem(&self) -> Option<Problem> {
        let relay = self.current()?;
        let mut urls = relay.urls.clone();
        let found = self.directory.found(relay.fingerprint);
        for url in found.into_iter().flat_map(|found| found.urls) {
            if !urls.contains(&url) {
                urls.push(url);
            }
        }
        self.find(&relay, &urls)
            .await
            .err()
            .map(|error| Problem::from(&error))
    }

    /// Follows the relay in use to another address, until the app ends.
    pub async fn follow(&self) {
        let mut changes = self.directory.changes();
        loop {
            if let Some(relay) = self.current()
                && !self.is_own(relay.fingerprint)
                && let Some(found) = self.directory.found(relay.fingerprint)
                && !found.urls.contains(&relay.urls[0])
                && let Err(error) = self.find(&relay, &found.urls).await
            {
                tracing::info!(%error, "the host in use isn't where it is advertised");
            }
            changes.next().await;
        }
    }

    fn is_own(&self, fingerprint: Fingerprint) -> bool {
        let own = self.directory.own();
        own.is_some_and(|own| own.fingerprint == fingerprint)
    }

    /// Asks for the relay in use at these addresses, and uses it where it answers.
    async fn find(&self, relay: &InUse, urls: &[HostUrl]) -> Result<(), Error> {
        let tls = Tls::new(Expect::Pin(relay.fingerprint))?;
        let (about, url) = about::ask(urls, &tls, ANSWER_WITHIN).await?;
        if url == relay.urls[0] {
            return Ok(());
        }
        // The lobby's connection is accepted where the pin is known.
        self.remember(&url, relay.fingerprint, Some(&about.ward))?;
        let mut urls = urls.to_vec();
        urls.retain(|other| *other != url);
        urls.insert(0, url);
        self.current.send_if_modified(|current| match current {
            Some(current) if current == relay => {
                current.urls = urls;
                true
            }
            _ => false,
        });
        Ok(())
    }

    async fn meet(&self, url: &str, fingerprint: Option<&str>) -> Result<(InUse, bool), Problem> {
        let url: HostUrl = url.parse().map_err(|_| Problem::BadAddress)?;
        let said = match fingerprint {
            Some(text) => Some(parse_fingerprint(text).ok_or(Problem::BadAddress)?),
            None => None,
        };
        if let Some(own) = self.own(&url, said) {
            return Ok((own, false));
        }
        if self.broken {
            return Err(Problem::State);
        }
        let found = said.and_then(|fingerprint| self.directory.found(fingerprint));
        let mut urls = vec![url.clone()];
        urls.extend(
            found
                .iter()
                .flat_map(|found| &found.urls)
                .filter(|other| **other != url)
                .cloned(),
        );
        let failed = |error: Error| {
            tracing::warn!(%error, "a host can't be used");
            Problem::from(&error)
        };
        let tls = Tls::new(self.pins.expect(&url, said)).map_err(|error| failed(error.into()))?;
        let (about, url) = about::ask(&urls, &tls, ANSWER_WITHIN)
            .await
            .map_err(failed)?;
        if !about.is_understood() {
            return Err(Problem::Version);
        }
        let fingerprint = tls.trusted().ok_or(Problem::Unreachable)?;
        let known = self.directory.trusted(fingerprint).is_some();
        self.remember(&url, fingerprint, Some(&about.ward))
            .map_err(|error| failed(error.into()))?;
        urls.retain(|other| *other != url);
        urls.insert(0, url.clone());
        let ward = if about.ward.is_empty() {
            url.host()
        } else {
            about.ward
        };
        Ok((
            InUse {
                urls,
                fingerprint,
                ward,
            },
            !known,
        ))
    }

    /// This device's own relay is reached over the loopback interface, whatever address is shown.
    fn own(&self, url: &HostUrl, fingerprint: Option<Fingerprint>) -> Option<InUse> {
        let own = self.directory.own().filter(|own| match fingerprint {
            Some(fingerprint) => own.fingerprint == fingerprint,
            None => own.url == *url,
        })?;
        let loopback = HostUrl::from_socket((Ipv4Addr::LOCALHOST, own.url.port()).into());
        if let Err(error) = self.remember(&loopback, own.fingerprint, Some(&own.name)) {
            tracing::warn!(%error, "this device's own relay can't be remembered");
        }
        Some(InUse {
            urls: vec![loopback],
            fingerprint: own.fingerprint,
            ward: own.name,
        })
    }

    fn remember(
        &self,
        url: &HostUrl,
        fingerprint: Fingerprint,
        name: Option<&str>,
    ) -> Result<(), pins::Error> {
        self.pins.remember(url, fingerprint, name, wall_now())?;
        self.directory.remembered();
        Ok(())
    }
}
