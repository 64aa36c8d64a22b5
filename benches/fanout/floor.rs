//! The floor that `benches/fanout` holds the relay against: one thread that takes frames over
//! TLS 1.3 and writes each to every other connection, with one TLS write and one call of the
//! kernel for each, and nothing else: no rooms, no header, no limits.
//!
//! A frame is four bytes of length, big-endian, and so many bytes.
//!
//! `fanout-floor PORT`

use std::{
    collections::BTreeMap,
    error::Error,
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use mio::{
    Events, Interest, Poll, Token,
    net::{TcpListener, TcpStream},
};
use rustls::{
    ServerConfig, ServerConnection,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};

const LISTENER: Token = Token(0);
/// Larger than any frame of the bench; a length above it is an error.
const MAX_FRAME: usize = 1 << 20;

struct Peer {
    socket: TcpStream,
    tls: ServerConnection,
    received: Vec<u8>,
    waits_to_write: bool,
}

impl Peer {
    /// Reads what is there; `false` when the connection is over.
    fn read(&mut self) -> io::Result<bool> {
        // rustls asks for 4 KB at a time: one large read spares calls of the kernel.
        let mut raw = [0; 16 * 1024];
        loop {
            let mut rest = match self.socket.read(&mut raw) {
                Ok(0) => return Ok(false),
                Ok(length) => &raw[..length],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
                Err(error) => return Err(error),
            };
            while !rest.is_empty() {
                self.tls.read_tls(&mut rest)?;
                let state = self.tls.process_new_packets().map_err(io::Error::other)?;
                let from = self.received.len();
                self.received
                    .resize(from + state.plaintext_bytes_to_read(), 0);
                self.tls.reader().read_exact(&mut self.received[from..])?;
                if state.peer_has_closed() {
                    return Ok(false);
                }
            }
        }
    }

    /// Takes one whole frame, its length included, out of what was received.
    fn frame(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some((length, _)) = self.received.split_first_chunk::<4>() else {
            return Ok(None);
        };
        let end = 4 + u32::from_be_bytes(*length) as usize;
        if end > 4 + MAX_FRAME {
            return Err(io::Error::other("frame too long"));
        }
        if self.received.len() < end {
            return Ok(None);
        }
        let rest = self.received.split_off(end);
        Ok(Some(std::mem::replace(&mut self.received, rest)))
    }

    fn write(&mut self) -> io::Result<()> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut self.socket) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Asks to be told of room in the socket while, and only while, something waits for it.
    fn register(&mut self, poll: &Poll, token: Token) -> io::Result<()> {
        let waits = self.tls.wants_write();
        if waits != self.waits_to_write {
            self.waits_to_write = waits;
            let interest = if waits {
                Interest::READABLE | Interest::WRITABLE
            } else {
                Interest::READABLE
            };
            poll.registry()
                .reregister(&mut self.socket, token, interest)?;
        }
        Ok(())
    }
}

fn config() -> Result<Arc<ServerConfig>, Box<dyn Error>> {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()])?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)?;
    Ok(Arc::new(config))
}

fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args()
        .nth(1)
        .ok_or("usage: fanout-floor PORT")?
        .parse()?;
    let config = config()?;
    let mut listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    let mut poll = Poll::new()?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    let (mut events, mut peers, mut next) = (Events::with_capacity(256), BTreeMap::new(), 1);
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((mut socket, _)) = listener.accept() {
                    socket.set_nodelay(true)?;
                    poll.registry()
                        .register(&mut socket, Token(next), Interest::READABLE)?;
                    let mut tls = ServerConnection::new(Arc::clone(&config))?;
                    tls.set_buffer_limit(None);
                    let peer = Peer {
                        socket,
                        tls,
                        received: Vec::new(),
                        waits_to_write: false,
                    };
                    peers.insert(Token(next), peer);
                    next += 1;
                }
            } else {
                serve(&poll, &mut peers, event.token());
            }
        }
    }
}

/// Reads from one connection and forwards what came; connections that fail are dropped.
fn serve(poll: &Poll, peers: &mut BTreeMap<Token, Peer>, from: Token) {
    let Some(peer) = peers.get_mut(&from) else {
        return;
    };
    let mut open = peer.read().unwrap_or(false);
    while open {
        let frame = match peers.get_mut(&from).map(Peer::frame) {
            Some(Ok(Some(frame))) => frame,
            Some(Ok(None)) => break,
            _ => {
                open = false;
                break;
            }
        };
        peers.retain(|&token, other| {
            token == from
                || other.tls.is_handshaking()
                || (other.tls.writer().write_all(&frame).is_ok()
                    && other.write().is_ok()
                    && other.register(poll, token).is_ok())
        });
    }
    let wrote = open
        && peers
            .get_mut(&from)
            .is_some_and(|peer| peer.write().is_ok() && peer.register(poll, from).is_ok());
    if !wrote {
        peers.remove(&from);
    }
}
