//! The hosts that the page lists: those found on the network now, and those remembered.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde::Serialize;
use tokio::sync::watch;
use visita_client::{
    address::HostUrl,
    discover::{Browser, Event, Found},
    trust::{Pins, pins::Pin},
};
use visita_protocol::id::{Fingerprint, WardId};

/// How long to wait before looking again, when the search can't be started: a tablet that has no
/// network yet gets one within seconds.
const RETRY: Duration = Duration::from_secs(5);

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

/// What is known of the hosts around, kept up to date.
pub struct Directory {
    found: watch::Sender<BTreeMap<(WardId, String), Found>>,
    own: watch::Sender<Option<Own>>,
    /// Counts the changes of what is remembered.
    remembered: watch::Sender<u64>,
    pins: Arc<Pins>,
}

impl Directory {
    /// A directory that knows nobody but those remembered.
    pub fn new(pins: Arc<Pins>) -> Self {
        Self {
            found: watch::Sender::default(),
            own: watch::Sender::default(),
            remembered: watch::Sender::default(),
            pins,
        }
    }

    /// Looks for hosts until the app ends.
    pub async fn search(&self) {
        loop {
            match Browser::start() {
                Ok(mut browser) => {
                    while let Some(event) = browser.next().await {
                        self.found.send_modify(|found| apply(found, event));
                    }
                    tracing::warn!("the search for hosts broke down and is begun again");
                    self.found.send_replace(BTreeMap::new());
                }
                Err(error) => tracing::warn!(%error, "no search for hosts"),
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// This device hosts now, or doesn't any more.
    pub fn set_own(&self, own: Option<Own>) {
        self.own.send_replace(own);
    }

    /// This device's own relay, if it hosts.
    pub fn own(&self) -> Option<Own> {
        self.own.borrow().clone()
    }

    /// What is remembered changed.
    pub fn remembered(&self) {
        self.remembered.send_modify(|count| *count += 1);
    }

    /// The advertisement of this ward's CA, if there is one now.
    pub fn found(&self, fingerprint: Fingerprint) -> Option<Found> {
        self.found
            .borrow()
            .values()
            .find(|found| found.fingerprint == fingerprint)
            .cloned()
    }

    /// Calls `tell` with the list, now and whenever it changes, until the app ends.
    pub async fn watch(&self, mut tell: impl FnMut(Vec<Host>)) {
        let (mut found, mut own, mut remembered) = (
            self.found.subscribe(),
            self.own.subscribe(),
            self.remembered.subscribe(),
        );
        let mut told = None;
        loop {
            let hosts = {
                let found = found.borrow_and_update();
                list(
                    found.values(),
                    &self.pins.hosts(),
                    own.borrow_and_update().as_ref(),
                )
            };
            remembered.mark_unchanged();
            if told.as_ref() != Some(&hosts) {
                tell(hosts.clone());
                told = Some(hosts);
            }
            // The senders are the directory's own, so there always is a next change.
            tokio::select! {
                _ = found.changed() => {}
                _ = own.changed() => {}
                _ = remembered.changed() => {}
            }
        }
    }
}

fn apply(found: &mut BTreeMap<(WardId, String), Found>, event: Event) {
    match event {
        Event::Found(host) => {
            found.insert((host.ward, host.name.clone()), host);
        }
        Event::Gone { ward, name } => {
            found.remove(&(ward, name));
        }
    }
}

/// The list: this device itself, those on the network by name, then those that were trusted
/// before and aren't found now, last met first.
fn list<'a>(found: impl Iterator<Item = &'a Found>, pins: &[Pin], own: Option<&Own>) -> Vec<Host> {
    let trusted = |fingerprint| pins.iter().any(|pin| pin.fingerprint == fingerprint);
    let host = |name: &str, url: &HostUrl, fingerprint: Fingerprint, remembered| Host {
        name: name.to_owned(),
        url: url.to_string(),
        fingerprint: shown(fingerprint),
        ward: visita_client::trust::ward_id(&fingerprint),
        address: url.host(),
        remembered,
    };
    let mut hosts: Vec<Host> = own
        .iter()
        .map(|own| host(&own.name, &own.url, own.fingerprint, true))
        .collect();
    let mut around: Vec<_> = found
        .filter(|found| own.is_none_or(|own| own.fingerprint != found.fingerprint))
        .filter_map(|found| {
            Some(host(
                &found.name,
                found.urls.first()?,
                found.fingerprint,
                trusted(found.fingerprint),
            ))
        })
        .collect();
    around.sort_by(|a, b| (a.name.to_lowercase(), &a.ward).cmp(&(b.name.to_lowercase(), &b.ward)));
    hosts.append(&mut around);
    for pin in pins {
        // This device's own relay under the loopback address is no host for another day.
        let loopback = pin.url.ip().is_some_and(|ip| ip.is_loopback());
        if !loopback && !hosts.iter().any(|known| known.ward == pin.ward) {
            let name = pin.name.clone().unwrap_or_else(|| pin.url.host());
            hosts.push(host(&name, &pin.url, pin.fingerprint, true));
        }
    }
    hosts
}

/// A fingerprint as it is told to people and programs.
pub fn shown(fingerprint: Fingerprint) -> String {
    format!("sha256:{}", fingerprint.hex())
}

#[cfg(test)]
mod tests {
    use visita_client::trust::ward_id;
    use visita_protocol::time::WallMs;

    use super::*;

    fn found(name: &str, first_byte: u8, url: &str) -> Found {
        let fingerprint = Fingerprint([first_byte; 32]);
        let urls = vec![url.parse().unwrap()];
        Found {
            ward: ward_id(&fingerprint),
            name: name.to_owned(),
            fingerprint,
            version: 1,
            urls,
        }
    }

    fn pin(name: Option<&str>, first_byte: u8, url: &str, seen: u64) -> Pin {
        let fingerprint = Fingerprint([first_byte; 32]);
        Pin {
            url: url.parse().unwrap(),
            ward: ward_id(&fingerprint),
            name: name.map(str::to_owned),
            fingerprint,
            seen_ms: WallMs(seen),
        }
    }

    fn names(hosts: &[Host]) -> Vec<(&str, bool)> {
        hosts
            .iter()
            .map(|host| (host.name.as_str(), host.remembered))
            .collect()
    }

    #[test]
    fn the_list_is_own_then_around_then_remembered_each_ward_once() {
        let around = [
            found("ward 9", 9, "10.0.0.9"),
            found("Ward 3", 3, "10.0.0.3"),
            found("Own", 1, "10.0.0.1"),
        ];
        let pins = [
            pin(Some("Ward 3"), 3, "10.0.0.33", 9),
            pin(None, 7, "10.0.0.7", 8),
            pin(Some("Ward 7"), 7, "10.0.0.77", 7),
            pin(None, 1, "127.0.0.1", 6),
            pin(None, 2, "127.0.0.1:4000", 5),
        ];
        let own = Own {
            name: "Own".into(),
            url: "10.0.0.1".parse().unwrap(),
            fingerprint: Fingerprint([1; 32]),
        };
        let hosts = list(around.iter(), &pins, Some(&own));
        assert_eq!(
            names(&hosts),
            [
                ("Own", true),
                ("Ward 3", true),
                ("ward 9", false),
                ("10.0.0.7", true)
            ]
        );
        assert_eq!(
            hosts[1].url, "https://10.0.0.3:3000",
            "where it is now, not where it was"
        );
        assert_eq!(hosts[1].address, "10.0.0.3");
        assert!(hosts[1].fingerprint.starts_with("sha256:0303"));
    }

    #[test]
    fn two_wards_of_one_name_are_two() {
        let around = [found("Ward", 3, "10.0.0.3"), found("Ward", 4, "10.0.0.4")];
        assert_eq!(list(around.iter(), &[], None).len(), 2);
    }

    #[tokio::test]
    async fn changes_are_told_once_each() {
        let directory = Arc::new(Directory::new(Arc::new(Pins::in_memory())));
        let (sender, mut lists) = tokio::sync::mpsc::unbounded_channel();
        let watching = directory.clone();
        let task =
            tokio::spawn(async move { watching.watch(|hosts| sender.send(hosts).unwrap()).await });
        assert!(lists.recv().await.unwrap().is_empty());
        let ward = found("Ward", 3, "10.0.0.3");
        directory
            .found
            .send_modify(|found| apply(found, Event::Found(ward.clone())));
        assert_eq!(names(&lists.recv().await.unwrap()), [("Ward", false)]);
        directory
            .pins
            .remember(&ward.urls[0], ward.fingerprint, Some("Ward"), WallMs(1))
            .unwrap();
        directory.remembered();
        assert_eq!(names(&lists.recv().await.unwrap()), [("Ward", true)]);
        directory.found.send_modify(|found| {
            apply(
                found,
                Event::Gone {
                    ward: ward.ward,
                    name: "Ward".into(),
                },
            );
        });
        directory.pins.forget(&ward.urls[0]).unwrap();
        directory.remembered();
        assert!(lists.recv().await.unwrap().is_empty());
        task.abort();
    }
}
