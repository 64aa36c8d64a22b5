//! Packets on their way to the system: as many as it takes in one call.

use std::{
    mem,
    net::{IpAddr, SocketAddr},
};

use super::front::Front;

/// Packets for one call of the system.
#[derive(Default)]
pub(super) struct Packets {
    to: Option<(IpAddr, SocketAddr)>,
    size: usize,
    bytes: Vec<u8>,
    count: usize,
}

impl Packets {
    /// Takes a packet from this address of ours to that one.
    pub(super) fn add(&mut self, front: &Front, to: (IpAddr, SocketAddr), packet: &[u8]) {
        /// What one call may take.
        const MOST: usize = 60_000;
        let joins = self.to == Some(to)
            && packet.len() <= self.size
            && self.count < front.udp().segments()
            && self.bytes.len() + packet.len() <= MOST
            // The last one that was added was no smaller than the others.
            && self.bytes.len() == self.count * self.size;
        if !joins {
            self.send(front);
            self.to = Some(to);
            self.size = packet.len();
        }
        self.bytes.extend_from_slice(packet);
        self.count += 1;
    }

    /// Sends what waits.
    pub(super) fn send(&mut self, front: &Front) {
        if let Some((source, destination)) = mem::take(&mut self.to) {
            front
                .udp()
                .send(source, destination, &self.bytes, self.size);
        }
        self.bytes.clear();
        self.count = 0;
    }
}
