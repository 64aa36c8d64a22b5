//! Finding hosts: by mDNS on the networks that the machine is on (never its loopback), and those
//! that are remembered.

use std::{collections::HashSet, net::IpAddr};

use mdns_sd::{IfKind, ResolvedService, ServiceDaemon, ServiceEvent};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{sleep, timeout},
};
use visita_protocol::id::{Fingerprint, WardId};

use crate::{address::HostUrl, clock::now, dial};

pub mod around;

use around::{ANSWER_WITHIN, Action, Around, CONFIRM_WITHIN};

/// The service that hosts advertise.
pub const SERVICE: &str = "_visita._tcp.local.";

/// The longest ward name that is taken from an advertisement, in characters.
const MAX_WARD_NAME: usize = 80;

/// How often the machine's interfaces are looked at, in seconds: a Wi-Fi that has just come up is
/// searched while the person still looks at the screen. It costs one netlink request.
const LOOK_AT_INTERFACES_S: u32 = 2;

/// How many events wait for a slow reader: more than a network has hosts.
const QUEUE: usize = 256;

/// A host as it was advertised. Nothing of this is proven until the TLS handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The ward.
    pub ward: WardId,
    /// What the ward calls itself; to be shown as text, never as markup.
    pub name: String,
    /// The ward's CA.
    pub fingerprint: Fingerprint,
    /// The newest protocol version that the host speaks.
    pub version: u8,
    /// Where it can be reached, the most likely first; never empty.
    pub urls: Vec<HostUrl>,
    /// Whether somebody answers there. One that is advertised and doesn't answer is behind a
    /// firewall, or on a network that keeps its devices apart.
    pub answers: bool,
}

/// What became known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A host is there, or what is known of it changed.
    Found(Found),
    /// A host said goodbye, or is silent in every way.
    Gone {
        /// Its ward's CA.
        fingerprint: Fingerprint,
    },
}

/// Discovery can't be started.
#[derive(Debug, thiserror::Error)]
#[error("can't look for hosts on this network ({0}); connect by address instead")]
pub struct Error(#[from] mdns_sd::Error);

/// A search that goes on until it is dropped.
pub struct Browser {
    daemon: ServiceDaemon,
    events: mpsc::Receiver<Event>,
}

impl Browser {
    /// Starts looking. Must be called in a tokio runtime.
    pub fn start() -> Result<Self, Error> {
        let daemon = ServiceDaemon::new()?;
        daemon.disable_interface(vec![IfKind::LoopbackV4, IfKind::LoopbackV6])?;
        daemon.set_ip_check_interval(LOOK_AT_INTERFACES_S)?;
        let services = daemon.browse(SERVICE)?;
        let (sender, events) = mpsc::channel(QUEUE);
        let search = Search {
            daemon: daemon.clone(),
            around: Around::default(),
            asking: JoinSet::new(),
            out: sender,
        };
        tokio::spawn(search.run(services));
        Ok(Self { daemon, events })
    }

    /// The next thing that becomes known; `None` when the search broke down. Can be cancelled
    /// without losing an event.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Its thread ends by itself; there is nobody to wait for it.
        let _ = self.daemon.shutdown();
    }
}

/// What the search does beside listening: it asks those who are there whether they still are.
struct Search {
    daemon: ServiceDaemon,
    around: Around,
    asking: JoinSet<(Fingerprint, Option<HostUrl>)>,
    out: mpsc::Sender<Event>,
}

impl Search {
    async fn run(mut self, services: mdns_sd::Receiver<ServiceEvent>) {
        loop {
            let pause = self.around.due().map(|due| due.since(now()));
            let actions = tokio::select! {
                event = services.recv_async() => match event {
                    Ok(event) => self.heard(event),
                    Err(_) => return,
                },
                Some(asked) = self.asking.join_next() => match asked {
                    Ok((fingerprint, at)) => self.around.answered(fingerprint, at, now()),
                    Err(_) => continue,
                },
                () = sleep(pause.unwrap_or_default()), if pause.is_some() => {
                    self.around.look(now())
                }
                () = self.out.closed() => return,
            };
            for action in actions {
                if self.act(action).await.is_err() {
                    return;
                }
            }
        }
    }

    fn heard(&mut self, event: ServiceEvent) -> Vec<Action> {
        match event {
            ServiceEvent::ServiceResolved(service) => {
                let Some(advertised) = parse(&service) else {
                    tracing::debug!("an advertisement that can't be read is ignored");
                    return Vec::new();
                };
                self.around
                    .advertised(service.get_fullname(), advertised, now())
            }
            ServiceEvent::ServiceRemoved(_, fullname) => self.around.removed(&fullname),
            _ => Vec::new(),
        }
    }

    async fn act(&mut self, action: Action) -> Result<(), mpsc::error::SendError<Event>> {
        match action {
            Action::Tell(event) => self.out.send(event).await?,
            Action::Ask(fingerprint, urls) => {
                self.asking.spawn(async move {
                    let answer = timeout(ANSWER_WITHIN, dial::tcp(&urls)).await;
                    (
                        fingerprint,
                        answer.ok().and_then(Result::ok).map(|(url, _)| url),
                    )
                });
            }
            Action::Confirm(instance) => {
                if let Err(error) = self.daemon.verify(instance, CONFIRM_WITHIN) {
                    tracing::debug!(%error, "an advertisement can't be confirmed");
                }
            }
        }
        Ok(())
    }
}

fn parse(service: &ResolvedService) -> Option<Found> {
    let text = |key: &str| service.get_property_val_str(key);
    let fingerprint: Fingerprint = text("fp")?.parse().ok()?;
    // The id must be the fingerprint's own, or one ward could show itself as another.
    let ward: WardId = text("id")?.parse().ok()?;
    if ward != crate::trust::ward_id(&fingerprint) || service.get_port() == 0 {
        return None;
    }
    let version = text("v")?.parse().ok()?;
    let name = tidy(text("name")?);
    let addresses: HashSet<IpAddr> = service
        .get_addresses()
        .iter()
        .map(mdns_sd::ScopedIp::to_ip_addr)
        .collect();
    let urls = urls(addresses, service.get_port());
    (!urls.is_empty() && !name.is_empty()).then_some(Found {
        ward,
        name,
        fingerprint,
        version,
        urls,
        answers: true,
    })
}

/// A name from the network, made safe to show on one line.
pub(crate) fn tidy(name: &str) -> String {
    let text: String = name
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(MAX_WARD_NAME)
        .collect()
}

/// The addresses that can be used, the most likely first.
fn urls(addresses: HashSet<IpAddr>, port: u16) -> Vec<HostUrl> {
    let rank = |ip: &IpAddr| match ip {
        IpAddr::V4(ip) if ip.is_private() => Some(0),
        IpAddr::V4(ip) if ip.is_link_local() => Some(3),
        IpAddr::V4(ip) if !ip.is_loopback() && !ip.is_unspecified() => Some(1),
        // Link-local IPv6 needs the interface's name, which no URL carries.
        IpAddr::V6(ip)
            if !ip.is_loopback() && !ip.is_unspecified() && !ip.is_unicast_link_local() =>
        {
            Some(2)
        }
        _ => None,
    };
    let mut ranked: Vec<_> = addresses
        .into_iter()
        .filter_map(|ip| Some((rank(&ip)?, ip)))
        .collect();
    ranked.sort();
    ranked
        .into_iter()
        .map(|(_, ip)| HostUrl::from_socket((ip, port).into()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_address_comes_first_and_useless_ones_not_at_all() {
        let addresses = [
            "fe80::1",
            "169.254.1.1",
            "127.0.0.1",
            "2001:db8::1",
            "203.0.113.9",
            "10.0.0.7",
        ];
        let addresses = addresses.iter().map(|text| text.parse().unwrap()).collect();
        let urls: Vec<_> = urls(addresses, 3000)
            .iter()
            .map(HostUrl::authority)
            .collect();
        assert_eq!(
            urls,
            [
                "10.0.0.7:3000",
                "203.0.113.9:3000",
                "[2001:db8::1]:3000",
                "169.254.1.1:3000"
            ]
        );
    }

    #[test]
    fn a_name_from_the_network_is_one_line() {
        assert_eq!(tidy("Ward\n3\u{1b}[31m  "), "Ward 3 [31m");
        assert_eq!(tidy(&"x".repeat(500)).len(), MAX_WARD_NAME);
    }
}
