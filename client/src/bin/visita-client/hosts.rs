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
        let (ward, name) = match &event {
            Event::Found(found) => (found.ward, &found.name),
            Event::Gone { ward, name } => (*ward, name),
        };
        hosts.retain(|host| host.ward != ward || host.name != *name);
        if let Event::Found(found) = event {
            hosts.push(found);
        }
    }
    hosts.iter().try_for_each(|host| {
        let Some(url) = host.urls.first() else {
            return Ok(());
        };
        let fingerprint = format!("sha256:{}", host.fingerprint);
        print(&Line {
            name: &host.name,
            url,
            fingerprint,
            version: host.version,
        })
    })
}
