//! The machine's own addresses: which others can reach, and which to show first.

use std::net::{IpAddr, Ipv4Addr};

/// An address of one of the machine's interfaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The interface's name.
    pub interface: String,
    /// The address.
    pub ip: IpAddr,
}

/// All addresses of the machine at this moment, loopback included, and the default route's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    all: Vec<Address>,
    default: Option<IpAddr>,
}

impl Addresses {
    /// Asks the system. A machine that can't answer has no addresses but loopback.
    pub fn of_this_machine() -> Self {
        Self::new(listed(), local_ip_address::local_ip().ok())
    }

    /// The same, when the addresses are others than these. Asking for the default route costs much
    /// more than listing addresses, and it doesn't move without them.
    pub(crate) fn changed(&self) -> Option<Self> {
        let now = Self::new(listed(), self.default);
        (now != *self).then(|| Self::new(now.all, local_ip_address::local_ip().ok()))
    }

    fn new(mut all: Vec<Address>, default: Option<IpAddr>) -> Self {
        all.sort_by(|a, b| (&a.interface, a.ip).cmp(&(&b.interface, b.ip)));
        all.dedup();
        Self { all, default }
    }

    /// The addresses at which others on the LAN may reach this machine, best first: the default
    /// route's, then private IPv4, other IPv4, IPv6. Interfaces that lead to containers or virtual
    /// machines count only when there are no others.
    pub fn reachable(&self) -> Vec<Address> {
        let usable = |address: &&Address| !address.ip.is_loopback() && !is_link_local(address.ip);
        let (virtual_ones, real): (Vec<&Address>, Vec<&Address>) = self
            .all
            .iter()
            .filter(usable)
            .partition(|address| is_virtual(&address.interface));
        let mut best = if real.is_empty() { virtual_ones } else { real };
        best.sort_by_key(|address| (Some(address.ip) != self.default, rank(address.ip)));
        best.into_iter().cloned().collect()
    }

    /// Every address, for the certificate.
    pub fn all(&self) -> impl Iterator<Item = IpAddr> {
        self.all.iter().map(|address| address.ip)
    }
}

fn listed() -> Vec<Address> {
    let all = local_ip_address::list_afinet_netifas().unwrap_or_default();
    all.into_iter()
        .map(|(interface, ip)| Address { interface, ip })
        .collect()
}

/// Lower is shown first.
fn rank(ip: IpAddr) -> u8 {
    match ip {
        IpAddr::V4(ip) if is_home(ip) => 0,
        IpAddr::V4(ip) if ip.is_private() => 1,
        IpAddr::V4(_) => 2,
        // Unique local before global: it doesn't change with the provider.
        IpAddr::V6(ip) if ip.is_unique_local() => 3,
        IpAddr::V6(_) => 4,
    }
}

/// 172.16.0.0/12 is private too, but is mostly containers' own.
fn is_home(ip: Ipv4Addr) -> bool {
    ip.is_private() && ip.octets()[0] != 172
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

/// Whether an interface of this name leads to containers, virtual machines or a tunnel.
fn is_virtual(name: &str) -> bool {
    const STARTS: [&str; 14] = [
        "docker",
        "br-",
        "veth",
        "virbr",
        "vmnet",
        "vboxnet",
        "cni",
        "flannel",
        "cali",
        "tun",
        "tap",
        "wg",
        "zt",
        "vEthernet",
    ];
    STARTS.iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(list: &[(&str, &str)], default: Option<&str>) -> Vec<String> {
        let all = list.iter().map(|&(interface, ip)| Address {
            interface: interface.to_owned(),
            ip: ip.parse().unwrap(),
        });
        Addresses::new(all.collect(), default.map(|ip| ip.parse().unwrap()))
            .reachable()
            .into_iter()
            .map(|address| address.ip.to_string())
            .collect()
    }

    #[test]
    fn the_default_routes_address_is_first() {
        let list = [
            ("lo", "127.0.0.1"),
            ("docker0", "172.17.0.1"),
            ("eth0", "10.0.0.7"),
            ("wlan0", "192.168.1.5"),
            ("wlan0", "fe80::1"),
            ("wlan0", "fd00::5"),
            ("veth12", "169.254.3.4"),
        ];
        assert_eq!(
            addresses(&list, Some("192.168.1.5")),
            ["192.168.1.5", "10.0.0.7", "fd00::5"]
        );
        assert_eq!(addresses(&list, None)[0], "10.0.0.7");
    }

    #[test]
    fn a_containers_network_counts_when_there_is_no_other() {
        assert_eq!(
            addresses(&[("lo", "127.0.0.1"), ("veth0", "198.18.0.1")], None),
            ["198.18.0.1"]
        );
        assert!(
            addresses(
                &[("lo", "127.0.0.1"), ("lo", "::1"), ("eth0", "fe80::1")],
                None
            )
            .is_empty()
        );
    }

    #[test]
    fn private_addresses_stand_before_public_ones_and_ipv4_before_ipv6() {
        let list = [
            ("eth1", "203.0.113.4"),
            ("eth0", "2001:db8::1"),
            ("eth2", "172.20.0.1"),
            ("eth3", "192.168.0.2"),
        ];
        assert_eq!(
            addresses(&list, None),
            ["192.168.0.2", "172.20.0.1", "203.0.113.4", "2001:db8::1"]
        );
    }
}
