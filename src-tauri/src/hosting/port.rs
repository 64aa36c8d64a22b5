//! A port that is taken: by whom, and which one could be had instead.

use std::net::SocketAddr;

use visita_relay::bind;

/// How many ports after the taken one are tried.
const TRIED: u16 = 20;

/// The next port that is free now.
pub(crate) fn free_after(taken: SocketAddr) -> Option<u16> {
    (1..=TRIED)
        .filter_map(|step| taken.port().checked_add(step))
        .find(|port| bind(SocketAddr::new(taken.ip(), *port)).is_ok())
}

/// The program that has the port, as the system calls it. Without the right to look into other
/// people's programs only one's own are found.
#[cfg(desktop)]
pub(crate) fn holder(port: u16) -> Option<String> {
    listeners::get_process_by_port(port, listeners::Protocol::TCP)
        .ok()
        .map(|process| process.name)
}

/// The system doesn't say.
#[cfg(mobile)]
pub(crate) fn holder(_port: u16) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_port_is_offered_and_who_has_this_one_is_said() {
        let taken = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = taken.local_addr().unwrap();
        let free = free_after(address).unwrap();
        assert!(free > address.port());
        drop(bind(SocketAddr::new(address.ip(), free)).unwrap());
        let name = holder(address.port()).unwrap();
        assert!(name.starts_with("visita"), "{name}");
    }
}
