//! Advertisements become hosts, and hosts that died without a goodbye go: pure, with the time
//! passed in.

use std::{collections::BTreeMap, time::Duration};

use visita_protocol::{id::Fingerprint, time::Now};

use super::{Event, Found};
use crate::address::HostUrl;

/// How long a host isn't asked whether it is still there, after it was last heard of.
pub const ASK_EVERY: Duration = Duration::from_secs(4);

/// How long it may take to answer. A host on this network takes a few milliseconds.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// How long its advertisement has to be confirmed when it doesn't answer: two questions, a second
/// apart, may each be lost on a radio (RFC 6762, 10.4).
pub const CONFIRM_WITHIN: Duration = Duration::from_millis(2500);

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Tell this.
    Tell(Event),
    /// Connect to one of these, and say by [`Around::answered`] where somebody did.
    Ask(Fingerprint, Vec<HostUrl>),
    /// Have this advertisement confirmed, or [`Around::removed`] within [`CONFIRM_WITHIN`].
    Confirm(String),
}

/// All that is advertised now. What has one CA is one host, however many addresses, interfaces and
/// advertisements it has; two wards of one name stay two.
#[derive(Debug, Default)]
pub struct Around {
    /// By the advertisement's full name, the newest last.
    instances: Vec<(String, Found)>,
    asked: BTreeMap<Fingerprint, Asked>,
    /// Where each host answered last: the most likely address, whatever its kind.
    reached: BTreeMap<Fingerprint, HostUrl>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// Not before then.
    Due(Now),
    /// Now, and this was heard of it before.
    Pending,
}

impl Around {
    /// An advertisement came or changed.
    pub fn advertised(&mut self, instance: &str, found: Found, now: Now) -> Vec<Action> {
        let before = self.remove(instance);
        let fingerprint = found.fingerprint;
        let shown = match &before {
            Some(before) if before.fingerprint == fingerprint => {
                self.host_with(before, fingerprint)
            }
            _ => self.host(fingerprint),
        };
        self.instances.push((instance.to_owned(), found));
        let mut actions = Vec::new();
        if let Some(before) = before.filter(|before| before.fingerprint != fingerprint) {
            actions.push(self.lost(before.fingerprint));
        }
        self.asked
            .insert(fingerprint, Asked::Due(now.plus(ASK_EVERY)));
        let host = self.host(fingerprint);
        if host != shown {
            actions.extend(host.map(|host| Action::Tell(Event::Found(host))));
        }
        actions
    }

    /// An advertisement ended: by a goodbye, or because nobody confirmed it.
    pub fn removed(&mut self, instance: &str) -> Vec<Action> {
        let gone = self.remove(instance);
        gone.map(|gone| self.lost(gone.fingerprint))
            .into_iter()
            .collect()
    }

    /// When to look again.
    pub fn due(&self) -> Option<Now> {
        let due = self.asked.values().filter_map(|asked| match asked {
            Asked::Due(at) => Some(*at),
            Asked::Pending => None,
        });
        due.min()
    }

    /// Time went by.
    pub fn look(&mut self, now: Now) -> Vec<Action> {
        let due = |asked: &Asked| matches!(asked, Asked::Due(at) if *at <= now);
        let whom: Vec<Fingerprint> = self
            .asked
            .iter()
            .filter(|(_, asked)| due(asked))
            .map(|(fingerprint, _)| *fingerprint)
            .collect();
        let mut actions = Vec::new();
        for fingerprint in whom {
            if let Some(host) = self.host(fingerprint) {
                self.asked.insert(fingerprint, Asked::Pending);
                actions.push(Action::Ask(fingerprint, host.urls));
            }
        }
        actions
    }

    /// Where a host answered, if it did.
    pub fn answered(
        &mut self,
        fingerprint: Fingerprint,
        at: Option<HostUrl>,
        now: Now,
    ) -> Vec<Action> {
        let Some(asked) = self.asked.get_mut(&fingerprint) else {
            return Vec::new();
        };
        *asked = Asked::Due(now.plus(ASK_EVERY));
        let before = self.host(fingerprint);
        let answered = at.is_some();
        if let Some(url) = at {
            self.reached.insert(fingerprint, url);
        }
        let mut actions = Vec::new();
        for (instance, found) in &mut self.instances {
            if found.fingerprint == fingerprint {
                found.answers = answered;
                if !answered {
                    actions.push(Action::Confirm(instance.clone()));
                }
            }
        }
        let host = self.host(fingerprint);
        if host != before {
            actions.extend(host.map(|host| Action::Tell(Event::Found(host))));
        }
        actions
    }

    fn remove(&mut self, instance: &str) -> Option<Found> {
        let at = self
            .instances
            .iter()
            .position(|(name, _)| name == instance)?;
        Some(self.instances.remove(at).1)
    }

    fn lost(&mut self, fingerprint: Fingerprint) -> Action {
        Action::Tell(if let Some(left) = self.host(fingerprint) {
            Event::Found(left)
        } else {
            self.asked.remove(&fingerprint);
            self.reached.remove(&fingerprint);
            Event::Gone { fingerprint }
        })
    }

    fn host(&self, fingerprint: Fingerprint) -> Option<Found> {
        let all = self.instances.iter().map(|(_, found)| found);
        merged(all, fingerprint, self.reached.get(&fingerprint))
    }

    fn host_with(&self, more: &Found, fingerprint: Fingerprint) -> Option<Found> {
        let all = self.instances.iter().map(|(_, found)| found);
        merged(
            all.chain([more]),
            fingerprint,
            self.reached.get(&fingerprint),
        )
    }
}

/// The host of this CA, with the addresses of all its advertisements, the one where it was reached
/// first, and the newest one's name.
fn merged<'a>(
    all: impl Iterator<Item = &'a Found>,
    fingerprint: Fingerprint,
    reached: Option<&HostUrl>,
) -> Option<Found> {
    let mut parts = all.filter(|found| found.fingerprint == fingerprint);
    let mut host = parts.next()?.clone();
    for part in parts {
        host.name.clone_from(&part.name);
        host.version = host.version.max(part.version);
        host.answers |= part.answers;
        for url in &part.urls {
            if !host.urls.contains(url) {
                host.urls.push(url.clone());
            }
        }
    }
    if let Some(at) = host.urls.iter().position(|url| Some(url) == reached) {
        host.urls[..=at].rotate_right(1);
    }
    Some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Now = Now(1_000_000);

    fn found(ca: u8, name: &str, urls: &[&str]) -> Found {
        let fingerprint = Fingerprint([ca; 32]);
        Found {
            ward: crate::trust::ward_id(&fingerprint),
            name: name.into(),
            fingerprint,
            version: 1,
            urls: urls.iter().map(|url| url.parse().unwrap()).collect(),
            answers: true,
        }
    }

    fn tells(actions: Vec<Action>) -> Vec<Event> {
        let event = |action| match action {
            Action::Tell(event) => event,
            other => panic!("{other:?}"),
        };
        actions.into_iter().map(event).collect()
    }

    /// It answers at its first address.
    fn at(host: &Found) -> Option<HostUrl> {
        host.urls.first().cloned()
    }

    fn gone(ca: u8) -> Event {
        Event::Gone {
            fingerprint: Fingerprint([ca; 32]),
        }
    }

    #[test]
    fn what_is_advertised_is_told_in_the_same_moment_and_so_is_a_goodbye() {
        let mut around = Around::default();
        let ward = found(1, "Ward", &["10.0.0.1"]);
        let told = tells(around.advertised("Ward", ward.clone(), START));
        assert_eq!(told, [Event::Found(ward)]);
        assert_eq!(tells(around.removed("Ward")), [gone(1)]);
        assert_eq!(around.due(), None, "nobody is asked who isn't there");
    }

    #[test]
    fn one_ward_is_one_host_with_all_its_addresses() {
        let mut around = Around::default();
        let wired = found(1, "Ward", &["10.0.0.1"]);
        around.advertised("Ward", wired.clone(), START);
        // The same again says nothing.
        assert_eq!(around.advertised("Ward", wired.clone(), START), []);
        let both = found(1, "Ward", &["10.0.0.1", "10.0.1.1"]);
        assert_eq!(
            tells(around.advertised("Ward (2)", found(1, "Ward", &["10.0.1.1"]), START)),
            [Event::Found(both)]
        );
        assert_eq!(tells(around.removed("Ward (2)")), [Event::Found(wired)]);
        assert_eq!(tells(around.removed("Ward")), [gone(1)]);
        assert_eq!(around.removed("Ward"), []);
    }

    #[test]
    fn two_wards_of_one_name_stay_two() {
        let mut around = Around::default();
        around.advertised("Ward", found(1, "Ward", &["10.0.0.1"]), START);
        let two = found(2, "Ward", &["10.0.0.2"]);
        assert_eq!(
            tells(around.advertised("Ward (2)", two.clone(), START)),
            [Event::Found(two)]
        );
        assert_eq!(tells(around.removed("Ward")), [gone(1)]);
    }

    #[test]
    fn a_renamed_ward_stays_one_and_a_name_that_changes_hands_does_not() {
        let mut around = Around::default();
        around.advertised("a", found(1, "Old", &["10.0.0.1"]), START);
        let new = found(1, "New", &["10.0.0.1"]);
        for instance in ["a", "b"] {
            let told = tells(around.advertised(instance, new.clone(), START));
            assert!(
                told.is_empty() || told == [Event::Found(new.clone())],
                "{told:?}"
            );
        }
        assert_eq!(tells(around.removed("a")), [Event::Found(new)]);
        let other = found(2, "New", &["10.0.0.1"]);
        assert_eq!(
            tells(around.advertised("b", other.clone(), START)),
            [gone(1), Event::Found(other)]
        );
    }

    #[test]
    fn a_host_that_answers_is_asked_again_and_stays() {
        let mut around = Around::default();
        let ward = found(1, "Ward", &["10.0.0.1"]);
        around.advertised("Ward", ward.clone(), START);
        assert_eq!(around.look(START), []);
        let mut now = START;
        for _ in 0..100 {
            now = around.due().unwrap();
            let ask = Action::Ask(ward.fingerprint, ward.urls.clone());
            assert_eq!(around.look(now), [ask]);
            assert_eq!(around.due(), None, "one question at a time");
            assert_eq!(around.answered(ward.fingerprint, at(&ward), now), []);
        }
        assert_eq!(now.since(START), ASK_EVERY * 100);
    }

    /// The bound: whatever the moment at which a host dies, it is out of the list ten seconds later.
    #[test]
    fn a_host_that_dies_without_a_goodbye_goes_within_ten_seconds() {
        for dies_after_ms in (0..20_000).step_by(37) {
            let dies = START.plus(Duration::from_millis(dies_after_ms));
            let mut around = Around::default();
            let ward = found(1, "Ward", &["10.0.0.1"]);
            around.advertised("Ward", ward.clone(), START);
            let told = loop {
                let now = around.due().unwrap();
                assert!(matches!(around.look(now)[..], [Action::Ask(..)]));
                if now < dies {
                    around.answered(ward.fingerprint, at(&ward), now);
                    continue;
                }
                let now = now.plus(ANSWER_WITHIN);
                let actions = around.answered(ward.fingerprint, None, now);
                let Some(Action::Confirm(instance)) = actions.first() else {
                    panic!("{actions:?}");
                };
                // Until it is known which, the host is there and doesn't answer.
                assert!(
                    matches!(&actions[1..], [Action::Tell(Event::Found(host))] if !host.answers)
                );
                let now = now.plus(CONFIRM_WITHIN);
                assert_eq!(tells(around.removed(instance)), [gone(1)]);
                break now;
            };
            assert!(
                told.since(dies) <= Duration::from_secs(10),
                "{dies_after_ms} ms"
            );
        }
    }

    #[test]
    fn a_host_that_is_advertised_and_does_not_answer_says_so_until_it_does() {
        let mut around = Around::default();
        let ward = found(1, "Ward", &["10.0.0.1"]);
        around.advertised("Ward", ward.clone(), START);
        let now = around.due().unwrap();
        around.look(now);
        around.answered(ward.fingerprint, None, now);
        let now = around.due().unwrap();
        around.look(now);
        assert_eq!(
            around.answered(ward.fingerprint, None, now),
            [Action::Confirm("Ward".into())],
            "nothing new"
        );
        let now = around.due().unwrap();
        around.look(now);
        let told = tells(around.answered(ward.fingerprint, at(&ward), now));
        assert_eq!(told, [Event::Found(ward)]);
    }

    /// One of two cables was pulled: nothing is advertised anew, and the address that is shown and
    /// tried first is the one that works.
    #[test]
    fn where_a_host_answered_comes_first() {
        let mut around = Around::default();
        let ward = found(1, "Ward", &["10.0.0.1", "10.0.1.1", "10.0.2.1"]);
        around.advertised("Ward", ward.clone(), START);
        around.look(around.due().unwrap());
        let elsewhere = ward.urls.get(1).cloned();
        let moved = found(1, "Ward", &["10.0.1.1", "10.0.0.1", "10.0.2.1"]);
        let told = tells(around.answered(ward.fingerprint, elsewhere.clone(), START));
        assert_eq!(told, [Event::Found(moved.clone())]);
        assert_eq!(around.answered(ward.fingerprint, elsewhere, START), []);
        // What is advertised again in the old order changes nothing, and it is asked there first.
        assert_eq!(around.advertised("Ward", ward.clone(), START), []);
        let ask = Action::Ask(ward.fingerprint, moved.urls);
        assert_eq!(around.look(around.due().unwrap()), [ask]);
        // An address that isn't advertised isn't told.
        let strange = "10.9.9.9".parse().ok();
        let told = tells(around.answered(ward.fingerprint, strange, START));
        assert_eq!(told, [Event::Found(ward.clone())]);
        // A host that went and came back is a new one.
        around.removed("Ward");
        let told = tells(around.advertised("Ward", ward.clone(), START));
        assert_eq!(told, [Event::Found(ward)]);
    }

    #[test]
    fn an_answer_that_comes_too_late_changes_nothing() {
        let mut around = Around::default();
        let ward = found(1, "Ward", &["10.0.0.1"]);
        around.advertised("Ward", ward.clone(), START);
        around.look(around.due().unwrap());
        around.removed("Ward");
        assert_eq!(around.answered(ward.fingerprint, at(&ward), START), []);
        assert_eq!(around.due(), None);
    }
}
