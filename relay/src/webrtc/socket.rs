//! The UDP socket, with what the system has for many packets at once (GSO, GRO).

use std::{
    io::{self, IoSliceMut},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{io::Interest, net::UdpSocket};

/// Reads of so many packets, or batches of them, at a time.
const READS: usize = 8;
/// What the system may join into one read.
const LARGEST: usize = 64 * 1024;
/// What waits in the system's buffers, in bytes: a key frame for each of thirty people.
const BUFFERS: usize = 2 << 20;

/// A socket for everybody.
pub(super) struct Udp {
    socket: UdpSocket,
    state: UdpSocketState,
    local: SocketAddr,
}

/// Packets that came.
pub(super) struct Received<'a> {
    /// From where.
    pub(super) source: SocketAddr,
    /// To which of the machine's addresses.
    pub(super) destination: SocketAddr,
    /// One packet.
    pub(super) packet: &'a [u8],
}

impl Udp {
    /// Binds to this address, or to another port of it if that one is taken.
    pub(super) fn bind(address: SocketAddr) -> io::Result<Self> {
        let bound = Self::socket(address)
            .or_else(|_| Self::socket(SocketAddr::new(address.ip(), 0)))
            .or_else(|_| Self::socket(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0)))?;
        let state = UdpSocketState::new(UdpSockRef::from(&bound))?;
        // Less is no reason not to work.
        let _ = state.set_send_buffer_size(UdpSockRef::from(&bound), BUFFERS);
        let _ = state.set_recv_buffer_size(UdpSockRef::from(&bound), BUFFERS);
        let socket = UdpSocket::from_std(bound.into())?;
        let local = socket.local_addr()?;
        Ok(Self {
            socket,
            state,
            local,
        })
    }

    fn socket(address: SocketAddr) -> io::Result<Socket> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::DGRAM,
            Some(Protocol::UDP),
        )?;
        if address.is_ipv6() {
            socket.set_only_v6(false)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        Ok(socket)
    }

    /// Where it is bound.
    pub(super) fn local(&self) -> SocketAddr {
        self.local
    }

    /// How many packets may be sent in one call.
    pub(super) fn segments(&self) -> usize {
        self.state.max_gso_segments()
    }

    /// Sends packets of `size` bytes each, of which the last may be smaller. What the system doesn't
    /// take now is lost, as on any line.
    pub(super) fn send(
        &self,
        source: IpAddr,
        destination: SocketAddr,
        packets: &[u8],
        size: usize,
    ) {
        let destination = match destination.ip() {
            IpAddr::V4(ip) if self.local.is_ipv6() => {
                SocketAddr::new(ip.to_ipv6_mapped().into(), destination.port())
            }
            _ => destination,
        };
        let transmit = Transmit {
            destination,
            ecn: None,
            contents: packets,
            segment_size: (packets.len() > size).then_some(size),
            src_ip: (!source.is_unspecified()).then_some(source),
        };
        let _ = self
            .state
            .try_send(UdpSockRef::from(&self.socket), &transmit);
    }

    /// Waits for packets and hands each over.
    pub(super) async fn receive(&self, mut take: impl FnMut(Received<'_>)) -> io::Result<()> {
        let size = LARGEST.min(self.state.gro_segments() * 1500).max(2048);
        let mut buffer = vec![0; READS * size];
        loop {
            self.socket.readable().await?;
            // A socket that always has more would keep its thread from everybody else.
            tokio::task::coop::consume_budget().await;
            let mut slices = buffer.chunks_exact_mut(size).map(IoSliceMut::new);
            let mut slices: [IoSliceMut<'_>; READS] =
                std::array::from_fn(|_| slices.next().unwrap_or_else(|| IoSliceMut::new(&mut [])));
            let mut metas = [RecvMeta::default(); READS];
            let read = self.socket.try_io(Interest::READABLE, || {
                self.state
                    .recv(UdpSockRef::from(&self.socket), &mut slices, &mut metas)
            });
            let count = match read {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                // What another machine says of a packet that it didn't want.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => continue,
                Err(error) => return Err(error),
            };
            for (meta, slice) in metas.iter().zip(&slices).take(count) {
                let ip = meta.dst_ip.unwrap_or(self.local.ip());
                let destination = SocketAddr::new(ip.to_canonical(), self.local.port());
                let source = SocketAddr::new(meta.addr.ip().to_canonical(), meta.addr.port());
                let joined = slice.get(..meta.len).unwrap_or_default();
                for packet in joined.chunks(meta.stride.max(1)) {
                    take(Received {
                        source,
                        destination,
                        packet,
                    });
                }
            }
        }
    }
}

/// Whether it stands for all addresses of the machine.
pub(super) fn is_wildcard(ip: IpAddr) -> bool {
    ip == IpAddr::V4(Ipv4Addr::UNSPECIFIED) || ip == IpAddr::V6(Ipv6Addr::UNSPECIFIED)
}
