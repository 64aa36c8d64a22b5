//! The port: connections in, each in a task of its own, TLS or a redirect to it.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use axum::Router;
use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{error::Elapsed, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tower::ServiceExt as _;

use crate::{
    limits::Place,
    metrics,
    patient::Patient,
    relay::Shared,
    web::{self, Peer},
};

/// Connections without a place that are told so at the same time; more are just closed.
const TOLD: usize = 32;
/// The largest head of a plain HTTP request, in bytes, which only has to say where it wanted to go.
const PLAIN_HEAD: usize = 8 * 1024;
/// The first byte of a TLS connection: a handshake record.
const TLS_HANDSHAKE: u8 = 0x16;
/// How long to wait when the system has no more descriptors.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// Opens the port. `[::]` takes IPv4 too.
pub fn bind(address: SocketAddr) -> Result<std::net::TcpListener, BindError> {
    let open = |address: SocketAddr| -> io::Result<std::net::TcpListener> {
        let socket = socket2::Socket::new(
            socket2::Domain::for_address(address),
            socket2::Type::STREAM,
            Some(socket2::Protocol::TCP),
        )?;
        if address.is_ipv6() && address.ip().is_unspecified() {
            socket.set_only_v6(false)?;
        }
        // A host that is started again takes its port back at once. On Windows this option means theft.
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(1024)?;
        socket.set_nonblocking(true)?;
        Ok(socket.into())
    };
    let opened = match open(address) {
        // A system without IPv6.
        Err(error)
            if address.ip() == IpAddr::from([0_u16; 8])
                && error.kind() != io::ErrorKind::AddrInUse =>
        {
            open(SocketAddr::from(([0, 0, 0, 0], address.port()))).map_err(|_| error)
        }
        opened => opened,
    };
    opened.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => BindError::InUse { address },
        io::ErrorKind::PermissionDenied => BindError::Denied { address },
        io::ErrorKind::AddrNotAvailable => BindError::Missing { address },
        _ => BindError::Other { address, source },
    })
}

/// Why the port can't be opened, with the next step.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another program has it.
    #[error("Port {} is in use, perhaps by another relay. Stop that program, or choose another port with --listen ADDR:PORT.", .address.port())]
    InUse {
        /// What was asked for.
        address: SocketAddr,
    },
    /// It is a privileged one.
    #[error("Port {} is reserved for administrators. Choose one from 1024 on with --listen ADDR:PORT.", .address.port())]
    Denied {
        /// What was asked for.
        address: SocketAddr,
    },
    /// The address isn't this machine's.
    #[error("{} isn't an address of this machine. Use one of its own, or [::]:{} for all of them.", .address.ip(), .address.port())]
    Missing {
        /// What was asked for.
        address: SocketAddr,
    },
    /// Anything else.
    #[error(
        "{address} can't be listened on ({source}). Choose another address with --listen ADDR:PORT."
    )]
    Other {
        /// What was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// Takes connections until told to stop.
pub(crate) async fn run(shared: Arc<Shared>, listener: TcpListener, acceptor: TlsAcceptor) {
    let router = web::router(shared.clone());
    let told = Arc::new(Semaphore::new(TOLD));
    let mut stopped = pin!(shared.stopped());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stopped => return,
        };
        let (socket, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection couldn't be accepted");
                tokio::time::sleep(EXHAUSTED).await;
                continue;
            }
        };
        let running = shared.running();
        let connection = Connection {
            shared: shared.clone(),
            acceptor: acceptor.clone(),
        };
        let ip = peer.ip().to_canonical();
        match shared.doors.enter(ip) {
            Ok(place) => {
                metrics::add(&shared.counters.connections, 1);
                shared.came_from(ip);
                let router = router.clone();
                tokio::spawn(async move {
                    connection
                        .serve(
                            socket,
                            Peer {
                                ip,
                                place: Arc::new(place),
                            },
                            router,
                        )
                        .await;
                    drop(running);
                });
            }
            Err(full) => {
                metrics::add(&shared.counters.connections_refused, 1);
                tracing::debug!(?full, "no place for a connection");
                if let Ok(permit) = told.clone().try_acquire_owned() {
                    tokio::spawn(async move {
                        connection.refuse(socket).await;
                        drop((permit, running));
                    });
                }
            }
        }
    }
}

struct Connection {
    shared: Arc<Shared>,
    acceptor: TlsAcceptor,
}

impl Connection {
    async fn serve(self, socket: TcpStream, peer: Peer, router: Router) {
        let Some(stream) = self.secure(socket).await else {
            return;
        };
        let place: Arc<Place> = peer.place.clone();
        let limit = Duration::from_secs(self.shared.config.limits.answer_s.into());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer.clone());
            let answer = router.clone().oneshot(request);
            // Only a request's body can be waited for in there.
            async move { Ok::<_, Elapsed>(timeout(limit, answer).await?.unwrap_or_else(|e| match e {})) }
        });
        let connection = self
            .http()
            .serve_connection(TokioIo::new(Patient::new(stream, limit)), service)
            .with_upgrades();
        let mut connection = pin!(connection);
        let served = tokio::select! {
            served = connection.as_mut() => served,
            () = self.shared.stopped() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = served {
            tracing::trace!(%error, "a connection ended early");
        }
        drop(place);
    }

    /// Says that there is no place, in words, and ends.
    async fn refuse(self, socket: TcpStream) {
        let Some(stream) = self.secure(socket).await else {
            return;
        };
        let service = service_fn(|_: Request<Incoming>| async {
            Ok::<_, std::convert::Infallible>(web::busy())
        });
        let connection = self
            .http()
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), service);
        let limit = Duration::from_secs(self.shared.config.limits.header_s.into());
        let _ = timeout(limit, connection).await;
    }

    fn http(&self) -> http1::Builder {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(Duration::from_secs(
                self.shared.config.limits.header_s.into(),
            ))
            .max_buf_size(32 * 1024)
            .max_headers(64);
        http
    }

    /// The TLS handshake; for a plain HTTP request, a redirect to where it is spoken.
    async fn secure(&self, socket: TcpStream) -> Option<TlsStream<TcpStream>> {
        let _ = socket.set_nodelay(true);
        let limit = Duration::from_secs(self.shared.config.limits.handshake_s.into());
        let secured = timeout(limit, async {
            let mut first = [0];
            match socket.peek(&mut first).await {
                Ok(1) if first[0] == TLS_HANDSHAKE => self.acceptor.accept(socket).await.map(Some),
                Ok(1) if first[0].is_ascii_uppercase() => {
                    self.redirect(socket).await.map(|()| None)
                }
                Ok(_) => Ok(None),
                Err(error) => Err(error),
            }
        });
        match secured.await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                metrics::add(&self.shared.counters.handshakes_failed, 1);
                tracing::trace!(%error, "a TLS handshake failed");
                None
            }
            Err(_) => {
                metrics::add(&self.shared.counters.handshakes_failed, 1);
                None
            }
        }
    }

    async fn redirect(&self, mut socket: TcpStream) -> io::Result<()> {
        let local = socket.local_addr()?;
        let mut head = Vec::new();
        let mut piece = [0; 1024];
        while !head.windows(4).any(|four| four == b"\r\n\r\n") {
            let length = socket.read(&mut piece).await?;
            if length == 0 || head.len() > PLAIN_HEAD {
                return Ok(());
            }
            head.extend_from_slice(&piece[..length]);
        }
        let answer = match target(&head) {
            Some((host, path)) => {
                // A host that isn't ours would make this an open redirect.
                let host = host
                    .filter(|host| self.shared.is_own_host(host))
                    .map_or_else(
                        || SocketAddr::new(local.ip().to_canonical(), local.port()).to_string(),
                        str::to_owned,
                    );
                format!(
                    "HTTP/1.1 308 Permanent Redirect\r\nlocation: https://{host}{path}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                )
            }
            None => "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                .to_owned(),
        };
        socket.write_all(answer.as_bytes()).await?;
        socket.shutdown().await
    }
}

/// Host and path of a plain request. The path holds nothing that could end a header's line.
fn target(head: &[u8]) -> Option<(Option<&str>, &str)> {
    let head = std::str::from_utf8(head).ok()?;
    let mut lines = head.split("\r\n");
    let path = lines.next()?.split(' ').nth(1)?;
    let path = if path.starts_with('/') { path } else { "/" };
    let host = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("host").then(|| value.trim())
    });
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    (plain(path) && host.is_none_or(plain)).then_some((host, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_request_is_read_no_further_than_needed() {
        let target = |head: &'static str| target(head.as_bytes());
        assert_eq!(
            target("GET /Familiar/?a=b HTTP/1.1\r\nHOST: h:3000\r\n\r\n"),
            Some((Some("h:3000"), "/Familiar/?a=b"))
        );
        assert_eq!(target("GET http://x/ HTTP/1.1\r\n\r\n"), Some((None, "/")));
        assert_eq!(target("GET"), None);
        assert_eq!(target("GET /a\u{1}b HTTP/1.1\r\n\r\n"), None);
        assert_eq!(target("GET / HTTP/1.1\r\nhost: a\nb\r\n\r\n"), None);
    }

    #[test]
    fn a_port_in_use_is_said_in_words() {
        let first = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let text = bind(first.local_addr().unwrap()).unwrap_err().to_string();
        assert!(
            text.contains("is in use") && text.contains("--listen"),
            "{text}"
        );
        let text = bind("192.0.2.1:0".parse().unwrap())
            .unwrap_err()
            .to_string();
        assert!(text.contains("isn't an address of this machine"), "{text}");
    }
}
