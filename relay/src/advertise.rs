//! Being found on the LAN: `_visita._tcp` over mDNS, on the interfaces that lead to people.

use std::{net::IpAddr, time::Duration};

use mdns_sd::{DaemonEvent, IfKind, Receiver, ServiceDaemon, ServiceInfo};
use visita_protocol::id::{Fingerprint, WardId};

use crate::addresses::Address;

/// The service that participants look for.
pub const SERVICE: &str = "_visita._tcp.local.";
/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_millis(500);
/// A DNS label's bytes.
const LABEL: usize = 63;

/// What others are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Advertisement {
    pub(crate) ward: String,
    pub(crate) ward_id: WardId,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) port: u16,
    /// Where, by interface.
    pub(crate) addresses: Vec<Address>,
}

impl Advertisement {
    /// The machine's name in `.local`, of the ward's identity: the same on each start.
    pub(crate) fn host(ward_id: WardId) -> String {
        format!("visita-{}.local", &ward_id.hex()[..8])
    }

    /// Two wards may have one name, so a part of the ward's identity makes the instance unique.
    fn instance(&self) -> String {
        let suffix = format!(" {}", &self.ward_id.hex()[..8]);
        let mut end = self.ward.len().min(LABEL - suffix.len());
        while !self.ward.is_char_boundary(end) {
            end -= 1;
        }
        format!("{}{suffix}", &self.ward[..end])
    }

    fn info(&self) -> Result<ServiceInfo, mdns_sd::Error> {
        let fingerprint = self.fingerprint.hex();
        let id = self.ward_id.hex();
        let properties = [
            ("v", "1"),
            ("name", &self.ward),
            ("fp", &fingerprint),
            ("id", &id),
        ];
        let ips: Vec<IpAddr> = self.addresses.iter().map(|address| address.ip).collect();
        let host = format!("{}.", Self::host(self.ward_id));
        ServiceInfo::new(
            SERVICE,
            &self.instance(),
            &host,
            &ips[..],
            self.port,
            &properties[..],
        )
    }
}

/// An advertisement that is out. It ends with [`Advertiser::end`].
pub(crate) struct Advertiser {
    daemon: ServiceDaemon,
    /// What it did: its first hundred doings, of which the announcement is one.
    done: Receiver<DaemonEvent>,
    fullname: String,
    pub(crate) said: Advertisement,
}

impl Advertiser {
    /// Starts advertising, on the interfaces of its addresses only.
    pub(crate) fn start(said: Advertisement) -> Result<Self, mdns_sd::Error> {
        let info = said.info()?;
        let daemon = ServiceDaemon::new()?;
        daemon.disable_interface(IfKind::All)?;
        let mut interfaces: Vec<&str> = said
            .addresses
            .iter()
            .map(|address| address.interface.as_str())
            .collect();
        interfaces.sort_unstable();
        interfaces.dedup();
        for name in interfaces {
            daemon.enable_interface(IfKind::Name(name.to_owned()))?;
        }
        let fullname = info.get_fullname().to_owned();
        let done = daemon.monitor()?;
        daemon.register(info)?;
        Ok(Self {
            daemon,
            done,
            fullname,
            said,
        })
    }

    /// Takes it back.
    pub(crate) async fn end(self) {
        let mut done = self.done.try_iter();
        if !done.any(|event| matches!(event, DaemonEvent::Announce(..))) {
            // Nobody heard of it yet, and nobody may hear a goodbye: whoever does keeps it for a
            // second, and takes an announcement within that second for one that is known (mdns-sd
            // 0.21.7). A host that was switched off and on again would be in nobody's list.
            let _ = self.daemon.disable_interface(IfKind::All);
        }
        if let Ok(done) = self.daemon.unregister(&self.fullname) {
            let _ = tokio::time::timeout(GOODBYE, done.recv_async()).await;
        }
        if let Ok(done) = self.daemon.shutdown() {
            let _ = tokio::time::timeout(GOODBYE, done.recv_async()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_is_unique_and_fits_a_label() {
        let mut advertisement = Advertisement {
            ward: "Ward 3".to_owned(),
            ward_id: WardId([0xab; 8]),
            fingerprint: Fingerprint([0xab; 32]),
            port: 3000,
            addresses: Vec::new(),
        };
        assert_eq!(advertisement.instance(), "Ward 3 abababab");
        assert_eq!(
            Advertisement::host(advertisement.ward_id),
            "visita-abababab.local"
        );
        advertisement.ward = "ñ".repeat(80);
        let instance = advertisement.instance();
        assert!(
            instance.len() <= LABEL && instance.ends_with("ñ abababab"),
            "{instance}"
        );
        let info = advertisement.info().unwrap();
        assert_eq!(info.get_property_val_str("fp").unwrap().len(), 64);
        assert_eq!(info.get_property_val_str("id"), Some("abababababababab"));
        assert_eq!(info.get_property_val_str("v"), Some("1"));
    }
}
