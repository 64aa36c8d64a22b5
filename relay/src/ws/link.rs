//! A WebSocket's connection, taken apart: the rustls connection and the socket under it, so that
//! whoever has something to send writes it at once, from its own task. Only when the socket is full
//! does the connection's own task go on, when there is room again. Queues stay with the caller: the
//! link takes the next message only when all before it are in the kernel.

use std::{
    io::{self, IoSlice, Read as _, Write as _},
    net::Shutdown,
    sync::{Mutex, MutexGuard, PoisonError, TryLockError},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use rustls::ServerConnection;
use tokio::{net::TcpStream, sync::Notify, time::timeout};

use super::codec::{BINARY, CLOSE, Lead, PING, PONG, TEXT};

/// A message to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outgoing {
    /// A text message.
    Text(Bytes),
    /// A binary message.
    Binary(Bytes),
    /// The answer to a ping.
    Pong(Bytes),
    /// Are you there?
    Ping,
}

/// Where a link's messages come from. Called with the link's lock held: it must not call the link.
pub(crate) trait Queue: Send + Sync {
    /// The next message to send, if there is one.
    fn pop(&self) -> Option<Outgoing>;
    /// Whether there is none.
    fn is_empty(&self) -> bool;
}

/// Messages that are encrypted and written together, at most.
const GATHERED: usize = 8;
/// Bytes after which no further message joins them: a TLS record's size.
const GATHERED_BYTES: usize = 16 * 1024;
/// The least room made in the buffer before each read.
const READ: usize = 16 * 1024;
/// A socket that took nothing for this long is dead: its heartbeat would have ended it if only the
/// other side's sending had stopped.
const STALLED: Duration = Duration::from_secs(20);

/// One WebSocket, to write to from any task and to read from one.
#[derive(Debug)]
pub(crate) struct Link<Q> {
    socket: TcpStream,
    tls: Mutex<Tls>,
    /// Said when the socket got full.
    full: Notify,
    queue: Q,
}

#[derive(Debug)]
struct Tls {
    connection: ServerConnection,
    /// The socket took no more: wait for it before trying again.
    blocked: bool,
    /// A write failed, or the end was written.
    ended: bool,
}

/// The socket as rustls wants it: never waiting.
struct Direct<'a>(&'a TcpStream);

impl io::Read for Direct<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(bytes)
    }
}

impl io::Write for Direct<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, bytes: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<Q: Queue> Link<Q> {
    pub(crate) fn new(socket: TcpStream, mut connection: ServerConnection, queue: Q) -> Self {
        // The link itself bounds what it hands over.
        connection.set_buffer_limit(None);
        let tls = Mutex::new(Tls {
            connection,
            blocked: false,
            ended: false,
        });
        Self {
            socket,
            tls,
            full: Notify::new(),
            queue,
        }
    }

    pub(crate) fn queue(&self) -> &Q {
        &self.queue
    }

    fn lock(&self) -> MutexGuard<'_, Tls> {
        self.tls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends what the queue holds, as far as the socket takes it at once. Whoever put something
    /// into the queue calls this. Never waits: who holds the lock looks at the queue again after.
    pub(crate) fn flush(&self) {
        while !self.queue.is_empty() {
            let mut tls = match self.tls.try_lock() {
                Ok(tls) => tls,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => return,
            };
            if tls.blocked || tls.ended {
                return;
            }
            if !self.drain(&mut tls) {
                return;
            }
        }
    }

    /// Returns whether everything was written.
    fn drain(&self, tls: &mut Tls) -> bool {
        loop {
            match self.write_out(tls) {
                Ok(true) => {}
                Ok(false) => return false,
                Err(_) => {
                    // The reader finds the same socket broken and ends the connection.
                    tls.ended = true;
                    let _ = socket2::SockRef::from(&self.socket).shutdown(Shutdown::Both);
                    return false;
                }
            }
            if !self.encrypt_next(tls) {
                return true;
            }
        }
    }

    /// Hands ciphertext to the socket. Returns false when it is full.
    fn write_out(&self, tls: &mut Tls) -> io::Result<bool> {
        while tls.connection.wants_write() {
            match tls.connection.write_tls(&mut Direct(&self.socket)) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    tls.blocked = true;
                    self.full.notify_one();
                    return Ok(false);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Encrypts the queue's next messages. Returns false when there was none.
    fn encrypt_next(&self, tls: &mut Tls) -> bool {
        let mut messages: [Option<(Lead, Bytes)>; GATHERED] = [const { None }; GATHERED];
        let mut bytes = 0;
        for slot in &mut messages {
            if bytes >= GATHERED_BYTES {
                break;
            }
            let Some(next) = self.queue.pop() else { break };
            let (opcode, payload) = match next {
                Outgoing::Text(payload) => (TEXT, payload),
                Outgoing::Binary(payload) => (BINARY, payload),
                Outgoing::Pong(payload) => (PONG, payload),
                Outgoing::Ping => (PING, Bytes::new()),
            };
            bytes += payload.len();
            *slot = Some((Lead::new(opcode, payload.len()), payload));
        }
        let mut slices = [IoSlice::new(&[]); 2 * GATHERED];
        let mut count = 0;
        for (lead, payload) in messages.iter().flatten() {
            slices[count] = IoSlice::new(lead.bytes());
            slices[count + 1] = IoSlice::new(payload);
            count += 2;
        }
        // Without a limit rustls takes all of it; an error here comes back from `write_tls`.
        count > 0
            && tls
                .connection
                .writer()
                .write_vectored(&slices[..count])
                .is_ok()
    }

    /// Goes on sending each time that the socket has room again. Ends only when it is dead.
    pub(crate) async fn send_when_possible(&self) {
        loop {
            self.full.notified().await;
            match timeout(STALLED, self.socket.writable()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return,
            }
            let mut tls = self.lock();
            tls.blocked = false;
            if tls.ended || !self.drain(&mut tls) {
                continue;
            }
            drop(tls);
            self.flush();
        }
    }

    /// Reads what has come, waiting for at least one byte of it. Returns false at the end.
    pub(crate) async fn read(&self, buffer: &mut BytesMut) -> io::Result<bool> {
        loop {
            match self.read_now(buffer) {
                Ok(more) => {
                    // Reading may have made rustls want to answer, or a sender may have given way.
                    self.flush();
                    return Ok(more);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.flush();
                    self.socket.readable().await?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn read_now(&self, buffer: &mut BytesMut) -> io::Result<bool> {
        // rustls reads 4 KB at a time: one large read spares system calls.
        let mut raw = [0; READ];
        loop {
            let mut tls = self.lock();
            if take_plaintext(&mut tls.connection, buffer)? {
                return Ok(true);
            }
            drop(tls);
            let length = Direct(&self.socket).read(&mut raw)?;
            if length == 0 {
                return Ok(false);
            }
            let mut tls = self.lock();
            let mut rest = &raw[..length];
            let mut any = false;
            while !rest.is_empty() {
                tls.connection.read_tls(&mut rest)?;
                let state = tls
                    .connection
                    .process_new_packets()
                    .map_err(io::Error::other)?;
                // Taken at once: rustls bounds what it keeps unread.
                any |= take_plaintext(&mut tls.connection, buffer)?;
                if state.peer_has_closed() {
                    return Ok(any);
                }
            }
            if tls.connection.wants_write() && !tls.blocked && !tls.ended {
                // A key update's answer, or an alert.
                self.write_out(&mut tls)?;
            }
            if any {
                return Ok(true);
            }
        }
    }

    /// Ends the connection: what the queue holds, a close frame, TLS's end, then the socket's, all
    /// within `limit`.
    pub(crate) async fn close(&self, code: u16, limit: Duration) {
        // Whatever happens, the socket ends with the caller.
        let _ = timeout(limit, self.close_in_order(code)).await;
    }

    async fn close_in_order(&self, code: u16) -> io::Result<()> {
        loop {
            let done = {
                let mut tls = self.lock();
                tls.blocked = false;
                tls.ended || self.drain(&mut tls)
            };
            if done {
                break;
            }
            self.socket.writable().await?;
        }
        {
            let mut tls = self.lock();
            if tls.ended {
                return Ok(());
            }
            let code = code.to_be_bytes();
            tls.connection
                .writer()
                .write_all(Lead::new(CLOSE, 2).bytes())?;
            tls.connection.writer().write_all(&code)?;
            tls.connection.send_close_notify();
            tls.ended = true;
        }
        while !self.write_out(&mut self.lock())? {
            self.socket.writable().await?;
        }
        socket2::SockRef::from(&self.socket).shutdown(Shutdown::Write)?;
        // What is still coming is read and dropped: a socket closed with unread bytes is reset, and
        // a reset may overtake the close frame.
        let mut raw = [0; 4096];
        loop {
            match self.socket.try_read(&mut raw) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.socket.readable().await?;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// Moves decrypted bytes into the buffer. Returns whether there were any.
fn take_plaintext(connection: &mut ServerConnection, buffer: &mut BytesMut) -> io::Result<bool> {
    let mut any = false;
    loop {
        let mut reader = connection.reader();
        let plain = match io::BufRead::fill_buf(&mut reader) {
            Ok([]) => return Ok(any),
            Ok(plain) => plain,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(any),
            Err(error) => return Err(error),
        };
        let length = plain.len();
        if buffer.capacity() - buffer.len() < length {
            buffer.reserve(length.max(2 * READ));
        }
        buffer.extend_from_slice(plain);
        io::BufRead::consume(&mut reader, length);
        any = true;
    }
}
