//! A TCP socket of which little waits unsent in the kernel.

use std::{
    io,
    net::IpAddr,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::TcpStream,
};

/// What may lie unsent in the kernel, in bytes. Small, so that a slow line shows here, where the
/// newest control message and sound can still go first, and not in a buffer of megabytes: a fifth
/// of a second of a line of 150 kbit/s, on which sound must still be in time.
#[cfg(any(target_os = "linux", target_os = "android"))]
const NOT_SENT: u32 = 4 * 1024;

/// Linux's `MSG_EOR` and `MSG_NOSIGNAL`. Without the first, small writes are put behind each other in
/// the kernel up to 64 KiB, whatever [`NOT_SENT`] says: it is only asked where a new buffer begins.
#[cfg(any(target_os = "linux", target_os = "android"))]
const FLAGS: i32 = 0x80 | 0x4000;

/// The socket.
#[derive(Debug)]
pub(crate) struct Socket(TcpStream);

impl Socket {
    /// Takes it over.
    pub(crate) fn new(tcp: TcpStream) -> Self {
        // None of these decides whether a call works, so a system that lacks one goes without.
        let _ = tcp.set_nodelay(true);
        #[cfg(any(target_os = "linux", target_os = "android"))]
        {
            let socket = socket2::SockRef::from(&tcp);
            let _ = socket.set_tcp_notsent_lowat(NOT_SENT);
            #[cfg(target_os = "linux")]
            let _ = socket.set_tcp_congestion(b"bbr");
        }
        Self(tcp)
    }

    /// This end's address.
    pub(crate) fn own(&self) -> io::Result<IpAddr> {
        Ok(self.0.local_addr()?.ip().to_canonical())
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        socket2::SockRef::from(&self.0).send_with_flags(bytes, FLAGS)
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        socket2::SockRef::from(&self.0).send(bytes)
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.poll_write_ready(context))?;
            match self.0.try_io(Interest::WRITABLE, || self.send(bytes)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                sent => return Poll::Ready(sent),
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
