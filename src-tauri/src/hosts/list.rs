//! What is known becomes a list: pure.

use visita_client::{
    address::HostUrl,
    discover::Found,
    trust::{pins::Pin, ward_id},
};
use visita_protocol::{id::Fingerprint, time::WallMs};

use super::{Host, Known, Presence, Reached, is_loopback, shown};

/// This device itself; those that were trusted before, first those who are there, by name, then
/// the others, last seen first; then those that are new, by name. Each ward once.
pub(super) fn list(known: &Known, pins: &[Pin]) -> Vec<Host> {
    let mut hosts = Vec::new();
    let own = known.own.as_ref().map(|own| own.fingerprint);
    if let Some(own) = &known.own {
        hosts.push(host(
            &own.name,
            &own.url,
            own.fingerprint,
            Presence::Here,
            None,
        ));
        hosts[0].remembered = true;
    }
    let mut remembered = remembered(known, pins, own);
    remembered.sort_by_key(|host| {
        let there = host.state <= Presence::Silent;
        let seen = host.seen_ms.map_or(0, |seen| u64::MAX - seen.0);
        (
            !there,
            if there { 0 } else { seen },
            host.name.to_lowercase(),
            host.ward,
        )
    });
    hosts.append(&mut remembered);
    let is_new = |found: &&Found| {
        Some(found.fingerprint) != own
            && !pins.iter().any(|pin| pin.fingerprint == found.fingerprint)
    };
    let mut new: Vec<Host> = known
        .found
        .values()
        .filter(is_new)
        .filter_map(|found| {
            let url = found.urls.first()?;
            Some(host(
                &found.name,
                url,
                found.fingerprint,
                presence(found),
                None,
            ))
        })
        .collect();
    new.sort_by_key(|host| (host.name.to_lowercase(), host.ward));
    hosts.append(&mut new);
    hosts
}

fn remembered(known: &Known, pins: &[Pin], own: Option<Fingerprint>) -> Vec<Host> {
    let mut hosts: Vec<Host> = Vec::new();
    // Last met first, so the first of a ward says most.
    for pin in pins {
        let ward = ward_id(&pin.fingerprint);
        if Some(pin.fingerprint) == own
            || is_loopback(&pin.url)
            || hosts.iter().any(|host| host.ward == ward)
        {
            continue;
        }
        let name = pins
            .iter()
            .filter(|other| other.fingerprint == pin.fingerprint)
            .find_map(|other| other.name.clone())
            .unwrap_or_else(|| pin.url.host());
        let (found, reached) = (
            known.found.get(&pin.fingerprint),
            known.reached.get(&pin.fingerprint),
        );
        let (name, url, state) = match (found, reached) {
            (_, Some(Reached::Changed)) => (name, &pin.url, Presence::Changed),
            (Some(found), _) => {
                let url = found.urls.first().unwrap_or(&pin.url);
                (found.name.clone(), url, presence(found))
            }
            (None, Some(Reached::Here(url))) => (name, url, Presence::Here),
            (None, Some(Reached::Away)) => (name, &pin.url, Presence::Away),
            (None, None) => (name, &pin.url, Presence::Asked),
        };
        hosts.push(host(&name, url, pin.fingerprint, state, Some(pin.seen_ms)));
    }
    hosts
}

fn presence(found: &Found) -> Presence {
    if found.answers {
        Presence::Here
    } else {
        Presence::Silent
    }
}

fn host(
    name: &str,
    url: &HostUrl,
    fingerprint: Fingerprint,
    state: Presence,
    seen_ms: Option<WallMs>,
) -> Host {
    Host {
        name: name.to_owned(),
        url: url.to_string(),
        fingerprint: shown(fingerprint),
        ward: ward_id(&fingerprint),
        address: url.host(),
        remembered: seen_ms.is_some(),
        state,
        seen_ms,
    }
}
