//! `visita-client hosts`.

use serde::Serialize;
use tokio::time::{Instant, timeout_at};
use visita_client::{
    address::HostUrl,
    discover::{Browser, Event, Found},
};

use crate::{args::Hosts, exit::Failure, print};

#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    url: &'a HostUrl,
    fingerprint: String,
    version: u8,
}

/// Looks the whole time, then prints what is there: a host that went away meanwhile isn't.
pub(crate) async fn run(args: Hosts) -> Result<(), Failure> {
    let mut browser = Browser::start()?;
    let mut hosts: Vec<Found> = Vec::new();
    let deadline = Instant::now() + args.seconds;
    while let Ok(Some(event)) = timeout_at(deadline, browser.next()).await {
        let changed = match &event {
            Event::Found(found) => found.fingerprint,
            Event::Gone { fingerprint } => *fingerprint,
        };
        hosts.retain(|host| host.fingerprint != changed);
        if let Event::Found(found) = event {
            hosts.push(found);
        }
        if args.changes {
            let lines: Vec<Line> = hosts.iter().filter_map(line).collect();
            print(&lines)?;
        }
    }
    if args.changes {
        return Ok(());
    }
    hosts
        .iter()
        .filter_map(line)
        .try_for_each(|host| print(&host))
}

fn line(host: &Found) -> Option<Line<'_>> {
    Some(Line {
        name: &host.name,
        url: host.urls.first()?,
        fingerprint: format!("sha256:{}", host.fingerprint),
        version: host.version,
    })
}
