//! Advertisements become hosts: pure.

use std::collections::BTreeMap;

use super::{Event, Found};

/// All that is advertised now. A ward of one name and one CA is one host, however many
/// addresses and instances it is advertised with; two wards of one name stay two.
#[derive(Debug, Default)]
pub struct Hosts {
    /// By the advertisement's full name.
    instances: BTreeMap<String, Found>,
}

impl Hosts {
    /// An advertisement came or changed.
    pub fn advertised(&mut self, instance: &str, found: Found) -> Vec<Event> {
        let before = self.instances.get(instance).cloned();
        let shown = self.host(&found);
        self.instances.insert(instance.to_owned(), found.clone());
        let mut events = Vec::new();
        if let Some(before) = before.filter(|before| !same_host(before, &found)) {
            events.push(self.lost(&before));
        }
        let host = self.host(&found);
        if host != shown {
            events.extend(host.map(Event::Found));
        }
        events
    }

    /// An advertisement ended.
    pub fn removed(&mut self, instance: &str) -> Vec<Event> {
        let gone = self.instances.remove(instance);
        gone.map(|gone| self.lost(&gone)).into_iter().collect()
    }

    fn lost(&self, gone: &Found) -> Event {
        match self.host(gone) {
            Some(left) => Event::Found(left),
            None => Event::Gone {
                ward: gone.ward,
                name: gone.name.clone(),
            },
        }
    }

    /// The host that an advertisement is part of, with the addresses of all its parts.
    fn host(&self, of: &Found) -> Option<Found> {
        let mut parts = self.instances.values().filter(|part| same_host(part, of));
        let mut host = parts.next()?.clone();
        for part in parts {
            host.version = host.version.max(part.version);
            for url in &part.urls {
                if !host.urls.contains(url) {
                    host.urls.push(url.clone());
                }
            }
        }
        Some(host)
    }
}

fn same_host(a: &Found, b: &Found) -> bool {
    a.fingerprint == b.fingerprint && a.name == b.name
}

#[cfg(test)]
mod tests {
    use visita_protocol::id::Fingerprint;

    use super::*;

    fn found(ca: u8, name: &str, urls: &[&str]) -> Found {
        let fingerprint = Fingerprint([ca; 32]);
        Found {
            ward: crate::trust::ward_id(&fingerprint),
            name: name.into(),
            fingerprint,
            version: 1,
            urls: urls.iter().map(|url| url.parse().unwrap()).collect(),
        }
    }

    #[test]
    fn one_ward_is_one_host_with_all_its_addresses() {
        let mut hosts = Hosts::default();
        let wired = found(1, "Ward", &["10.0.0.1"]);
        assert_eq!(
            hosts.advertised("Ward", wired.clone()),
            [Event::Found(wired.clone())]
        );
        // The same again says nothing.
        assert_eq!(hosts.advertised("Ward", wired.clone()), []);
        let both = found(1, "Ward", &["10.0.0.1", "10.0.1.1"]);
        assert_eq!(
            hosts.advertised("Ward (2)", found(1, "Ward", &["10.0.1.1"])),
            [Event::Found(both.clone())]
        );
        assert_eq!(hosts.removed("Ward (2)"), [Event::Found(wired.clone())]);
        assert_eq!(
            hosts.removed("Ward"),
            [Event::Gone {
                ward: wired.ward,
                name: "Ward".into()
            }]
        );
        assert_eq!(hosts.removed("Ward"), []);
    }

    #[test]
    fn two_wards_of_one_name_stay_two() {
        let mut hosts = Hosts::default();
        let (one, two) = (
            found(1, "Ward", &["10.0.0.1"]),
            found(2, "Ward", &["10.0.0.2"]),
        );
        assert_eq!(
            hosts.advertised("Ward", one.clone()),
            [Event::Found(one.clone())]
        );
        assert_eq!(
            hosts.advertised("Ward (2)", two.clone()),
            [Event::Found(two.clone())]
        );
        assert_eq!(
            hosts.removed("Ward"),
            [Event::Gone {
                ward: one.ward,
                name: "Ward".into()
            }]
        );
    }

    #[test]
    fn a_renamed_ward_goes_and_comes() {
        let mut hosts = Hosts::default();
        hosts.advertised("a", found(1, "Old", &["10.0.0.1"]));
        let new = found(1, "New", &["10.0.0.1"]);
        assert_eq!(
            hosts.advertised("a", new.clone()),
            [
                Event::Gone {
                    ward: new.ward,
                    name: "Old".into()
                },
                Event::Found(new)
            ]
        );
    }
}
