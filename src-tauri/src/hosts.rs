//! The hosts that the page lists: those found on the network now, and those remembered.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde::Serialize;
use tokio::{sync::watch, task::JoinSet, time::sleep};
use visita_client::{
    Error,
    about::{self, About},
    address::HostUrl,
    discover::{Browser, Event, Found},
    trust::{Expect, Pins, Tls},
};
use visita_protocol::{
    id::{Fingerprint, WardId},
    time::WallMs,
};
use visita_relay::Addresses;

mod list;

use list::list;

/// How long to wait before looking again, when the search can't be started: a tablet that has no
/// network yet gets one within seconds.
const RETRY: Duration = Duration::from_secs(5);
/// How often the hosts that are remembered are asked whether they are there: a person looks at the
/// list for about that long.
const ASK_EVERY: Duration = Duration::from_secs(10);
/// How long a host has to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// How many of those remembered are asked, last met first. A ward has a few.
const MOST_ASKED: usize = 16;
/// How old the note of when a host was last seen becomes before it is written anew, in ms.
const NOTE_EVERY_MS: u64 = 60_000;

/// What the page shows of the hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Around {
    /// The hosts, in the order in which they are listed.
    pub hosts: Vec<Host>,
    /// How the search fares.
    pub search: Search,
    /// The addresses of this device on the networks that are searched.
    pub addresses: Vec<String>,
}

/// How the search for hosts fares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Search {
    /// It goes on.
    #[default]
    Looking,
    /// This device is on no network.
    NoNetwork,
    /// The system doesn't let this program search.
    Failed,
}

/// A host as the page lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Host {
    /// What the ward calls itself.
    pub name: String,
    /// Where to connect to.
    pub url: String,
    /// The ward's CA, as people see it.
    pub fingerprint: String,
    /// The ward's identity.
    pub ward: WardId,
    /// The address without scheme and port.
    pub address: String,
    /// Whether this ward was trusted before.
    pub remembered: bool,
    /// Whether it is there.
    pub state: Presence,
    /// When it was last seen and known for itself; only of those remembered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_ms: Option<WallMs>,
}

/// Whether a host is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It is.
    Here,
    /// It is advertised, and doesn't answer.
    Silent,
    /// It is being asked.
    Asked,
    /// It isn't found and doesn't answer.
    Away,
    /// Where it was, another one answers now.
    Changed,
}

/// This device's own relay while it hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    /// What the ward calls itself.
    pub name: String,
    /// Where others connect to.
    pub url: HostUrl,
    /// The ward's CA.
    pub fingerprint: Fingerprint,
}

/// All that is known of the hosts around.
#[derive(Default)]
struct Known {
    found: BTreeMap<Fingerprint, Found>,
    /// What came of asking those remembered.
    reached: BTreeMap<Fingerprint, Reached>,
    own: Option<Own>,
    search: Search,
    addresses: Vec<String>,
}

/// What came of asking a host that is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Reached {
    Here(HostUrl),
    Away,
    Changed,
}

/// What is known of the hosts around, kept up to date.
pub struct Directory {
    known: watch::Sender<Known>,
    pins: Arc<Pins>,
}

impl Directory {
    /// A directory that knows nobody but those remembered.
    pub fn new(pins: Arc<Pins>) -> Self {
        Self {
            known: watch::Sender::default(),
            pins,
        }
    }

    /// Looks for hosts until the app ends.
    pub async fn search(&self) {
        tokio::join!(self.browse(), self.look_after());
    }

    async fn browse(&self) {
        loop {
            match Browser::start() {
                Ok(mut browser) => {
                    self.searches(Search::Looking);
                    while let Some(event) = browser.next().await {
                        self.known.send_modify(|known| apply(known, event));
                    }
                    tracing::warn!("the search for hosts broke down and is begun again");
                    self.known.send_modify(|known| known.found.clear());
                }
                Err(error) => {
                    tracing::warn!(%error, "no search for hosts");
                    self.searches(Search::Failed);
                }
            }
            sleep(RETRY).await;
        }
    }

    fn searches(&self, search: Search) {
        self.known.send_modify(|known| known.search = search);
    }

    /// Asks those who are remembered, and looks which networks this device is on.
    async fn look_after(&self) {
        loop {
            let addresses = Addresses::of_this_machine().reachable();
            let addresses = addresses.iter().map(|address| address.ip.to_string());
            self.known
                .send_modify(|known| known.addresses = addresses.collect());
            self.ask_remembered().await;
            sleep(ASK_EVERY).await;
        }
    }

    /// Asks those who are remembered whether they are there, all at once.
    pub async fn ask_remembered(&self) {
        let mut asking = JoinSet::new();
        for (fingerprint, urls) in self.whom_to_ask() {
            asking.spawn(async move { (fingerprint, ask(fingerprint, urls).await) });
        }
        while let Some(asked) = asking.join_next().await {
            if let Ok((fingerprint, answer)) = asked {
                self.heard(fingerprint, answer);
            }
        }
    }

    /// Those remembered, each with where it is or was.
    fn whom_to_ask(&self) -> Vec<(Fingerprint, Vec<HostUrl>)> {
        let known = self.known.borrow();
        let mut wards: Vec<(Fingerprint, Vec<HostUrl>)> = Vec::new();
        for pin in self.pins.hosts() {
            let own = known.own.as_ref().map(|own| own.fingerprint);
            if own == Some(pin.fingerprint) || is_loopback(&pin.url) {
                continue;
            }
            match wards.iter_mut().find(|(ward, _)| *ward == pin.fingerprint) {
                Some((_, urls)) => urls.push(pin.url),
                None => wards.push((pin.fingerprint, vec![pin.url])),
            }
        }
        wards.truncate(MOST_ASKED);
        for (fingerprint, urls) in &mut wards {
            // Where it is found now counts, not where it was.
            if let Some(found) = known.found.get(fingerprint) {
                urls.clone_from(&found.urls);
            }
        }
        wards
    }

    fn heard(&self, fingerprint: Fingerprint, answer: Answer) {
        let reached = match answer {
            Answer::Here(url, about) => {
                self.note(fingerprint, &url, &about.ward);
                Reached::Here(url)
            }
            Answer::Nobody => Reached::Away,
            // A ward that is known as well may have got the address.
            Answer::Other(other) if self.pins.hosts().iter().any(|p| p.fingerprint == other) => {
                Reached::Away
            }
            Answer::Other(_) => Reached::Changed,
        };
        self.known.send_if_modified(|known| {
            let before = known.reached.insert(fingerprint, reached.clone());
            before.as_ref() != Some(&reached)
        });
    }

    /// Notes that a host was seen and is who it was.
    fn note(&self, fingerprint: Fingerprint, url: &HostUrl, name: &str) {
        let now = wall_now();
        let noted = self.pins.hosts().iter().any(|pin| {
            let fresh = now.0.saturating_sub(pin.seen_ms.0) < NOTE_EVERY_MS;
            let same = pin.name.as_deref() == Some(name);
            pin.fingerprint == fingerprint && pin.url == *url && fresh && same
        });
        if noted {
            return;
        }
        match self.pins.remember(url, fingerprint, Some(name), now) {
            Ok(_) => self.remembered(),
            Err(error) => tracing::warn!(%error, "when a host was seen can't be noted"),
        }
    }

    /// This device hosts now, or doesn't any more.
    pub fn set_own(&self, own: Option<Own>) {
        self.known.send_modify(|known| known.own = own);
    }

    /// This device's own relay, if it hosts.
    pub fn own(&self) -> Option<Own> {
        self.known.borrow().own.clone()
    }

    /// What is remembered changed.
    pub fn remembered(&self) {
        self.known.send_modify(|_| ());
    }

    /// Forgets a ward that was trusted. Its next use is a first one.
    pub fn forget(&self, fingerprint: Fingerprint) -> Result<(), Error> {
        self.pins.forget(fingerprint)?;
        self.known
            .send_modify(|known| drop(known.reached.remove(&fingerprint)));
        Ok(())
    }

    /// The advertisement of this ward's CA, if there is one now.
    pub fn found(&self, fingerprint: Fingerprint) -> Option<Found> {
        self.known.borrow().found.get(&fingerprint).cloned()
    }

    /// Whether this ward was trusted before, and what it called itself.
    pub fn trusted(&self, fingerprint: Fingerprint) -> Option<Option<String>> {
        let pins = self.pins.hosts();
        let mut pins = pins.iter().filter(|pin| pin.fingerprint == fingerprint);
        let first = pins.next()?;
        Some(
            first
                .name
                .clone()
                .or_else(|| pins.find_map(|pin| pin.name.clone())),
        )
    }

    /// What tells when something else is known.
    pub fn changes(&self) -> Changes {
        Changes(self.known.subscribe())
    }

    /// An advertisement came or went.
    #[cfg(test)]
    pub(crate) fn hear(&self, event: Event) {
        self.known.send_modify(|known| apply(known, event));
    }

    /// Calls `tell` with the list, now and whenever it changes, until the app ends.
    pub async fn watch(&self, mut tell: impl FnMut(Around)) {
        let mut known = self.known.subscribe();
        let mut told = None;
        loop {
            let around = {
                let known = known.borrow_and_update();
                Around {
                    hosts: list(&known, &self.pins.hosts()),
                    search: if known.search == Search::Looking && known.addresses.is_empty() {
                        Search::NoNetwork
                    } else {
                        known.search
                    },
                    addresses: known.addresses.clone(),
                }
            };
            if told.as_ref() != Some(&around) {
                tell(around.clone());
                told = Some(around);
            }
            let _ = known.changed().await;
        }
    }
}

/// Tells when something else is known of the hosts.
pub struct Changes(watch::Receiver<Known>);

impl Changes {
    /// Waits until something else is known than when this was asked last.
    pub async fn next(&mut self) {
        // The sender is the directory's own, so there always is a next change.
        let _ = self.0.changed().await;
    }
}

fn apply(known: &mut Known, event: Event) {
    match event {
        Event::Found(host) => {
            known.found.insert(host.fingerprint, host);
        }
        Event::Gone { fingerprint } => {
            known.found.remove(&fingerprint);
            // What was heard of it before its end says nothing any more.
            known.reached.insert(fingerprint, Reached::Away);
        }
    }
}

enum Answer {
    Here(HostUrl, About),
    Nobody,
    Other(Fingerprint),
}

/// Asks a host at each of its addresses; one of them is enough.
async fn ask(fingerprint: Fingerprint, urls: Vec<HostUrl>) -> Answer {
    let mut asking = JoinSet::new();
    for url in urls {
        let Ok(tls) = Tls::new(Expect::Pin(fingerprint)) else {
            return Answer::Nobody;
        };
        asking.spawn(async move { about::ask(&[url], &tls, ANSWER_WITHIN).await });
    }
    let mut answer = Answer::Nobody;
    while let Some(asked) = asking.join_next().await {
        match asked {
            Ok(Ok((about, url))) => return Answer::Here(url, about),
            Ok(Err(Error::Mismatch(mismatch))) => answer = Answer::Other(mismatch.found),
            _ => {}
        }
    }
    answer
}

/// This device's own relay under the loopback address is no host for another day.
fn is_loopback(url: &HostUrl) -> bool {
    url.ip().is_some_and(|ip| ip.is_loopback())
}

/// The time of day, for people.
pub(crate) fn wall_now() -> WallMs {
    let since_1970 = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    WallMs(since_1970.as_millis() as u64)
}

/// A fingerprint as it is told to people and programs.
pub fn shown(fingerprint: Fingerprint) -> String {
    format!("sha256:{}", fingerprint.hex())
}

#[cfg(test)]
mod tests;
