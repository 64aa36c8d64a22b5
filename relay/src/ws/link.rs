//! A WebSocket's connection, taken apart: the rustls connection and the socket under it, so that
//! whoever has something to send writes it at once, from its own task. Only when the socket is full
//! does the connection's own task go on, when there is room again. Queues stay with the caller: the
//! link takes the next message only when all before it are in the kernel.

use std::{
    cell::RefCell,
    io::{self, IoSlice, Read as _, Write as _},
    net::Shutdown,
    sync::{
        Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use rustls::ServerConnection;
use socket2::SockRef;
use tokio::{io::Interest, net::TcpStream, sync::Notify, time::timeout};
use visita_protocol::time::Now;

use super::codec::{BINARY, CLOSE, Lead, PING, PONG, TEXT};
use crate::clock;

/// A message to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outgoing {
    /// A text message.
    Text(Bytes),
    /// A binary message.
    Binary(Bytes),
    /// The answer to a ping.
    Pong(Bytes),
    /// Are you there? With a number that the answer has too.
    Ping(u32),
}

/// Where a link's messages come from. Called with the link's lock held: it must not call the link.
pub(crate) trait Queue: Send + Sync {
    /// Appends the next messages, as long as `batch` has room for them.
    fn take(&self, now: Now, batch: &mut Batch);
}

/// Messages that are encrypted and written together.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    messages: Vec<(Lead, Bytes)>,
    bytes: usize,
    most: usize,
}

/// Messages that are encrypted and written together, at most.
const GATHERED: usize = 8;
/// Bytes after which no further message joins them: a frame that was cut into a largest chunk and
/// a rest goes out in one call.
const GATHERED_BYTES: usize = 24 * 1024;

impl Batch {
    /// Whether another message may join.
    pub(crate) fn has_room(&self) -> bool {
        self.messages.len() < self.most && self.bytes < GATHERED_BYTES
    }

    pub(crate) fn push(&mut self, message: Outgoing) {
        let (opcode, payload) = match message {
            Outgoing::Text(payload) => (TEXT, payload),
            Outgoing::Binary(payload) => (BINARY, payload),
            Outgoing::Pong(payload) => (PONG, payload),
            Outgoing::Ping(number) => (PING, Bytes::copy_from_slice(&number.to_be_bytes())),
        };
        self.bytes += payload.len();
        self.messages
            .push((Lead::new(opcode, payload.len()), payload));
    }

    fn begin(&mut self, most: usize) {
        self.messages.clear();
        self.bytes = 0;
        self.most = most;
    }
}

/// The room made in a buffer at a time. What lies in one piece of it is freed together.
pub(crate) const BUFFER: usize = 32 * 1024;
/// The most that is read at once. rustls by itself reads 4 KB at a time.
const READ: usize = 64 * 1024;
/// A socket that took nothing for this long is dead: its heartbeat would have ended it if only the
/// other side's sending had stopped.
const STALLED: Duration = Duration::from_secs(20);

thread_local! {
    /// What was read and isn't decrypted yet: never kept from one call to the next.
    static RAW: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into());
}

/// One WebSocket, to write to from any task and to read from one.
#[derive(Debug)]
pub(crate) struct Link<Q> {
    socket: TcpStream,
    tls: Mutex<Tls>,
    /// Something may wait in the queue that nobody has begun to send.
    waiting: AtomicBool,
    /// Said when the socket got full.
    full: Notify,
    queue: Q,
}

#[derive(Debug)]
struct Tls {
    connection: ServerConnection,
    batch: Batch,
    /// The socket took no more: wait for it before trying again.
    blocked: bool,
    /// The socket took no more lately: messages go one by one, so that more urgent ones get between.
    congested: bool,
    /// A write failed, or the end was written.
    ended: bool,
}

/// The socket as rustls wants it: never waiting.
struct Direct<'a>(&'a TcpStream);

/// Linux's `MSG_EOR` and `MSG_NOSIGNAL`. Without the first, small writes are put behind each other in
/// the kernel up to 64 KiB, whatever `sockets::tune` told it: that is only asked where a new buffer
/// begins.
#[cfg(target_os = "linux")]
const FLAGS: i32 = 0x80 | 0x4000;
#[cfg(not(target_os = "linux"))]
const FLAGS: i32 = 0;

impl io::Write for Direct<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let socket = SockRef::from(self.0);
        let send = || socket.send_with_flags(bytes, FLAGS);
        self.0.try_io(Interest::WRITABLE, send)
    }

    fn write_vectored(&mut self, bytes: &[IoSlice<'_>]) -> io::Result<usize> {
        let socket = SockRef::from(self.0);
        let send = || socket.send_vectored_with_flags(bytes, FLAGS);
        self.0.try_io(Interest::WRITABLE, send)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<Q: Queue> Link<Q> {
    pub(crate) fn new(socket: TcpStream, mut connection: ServerConnection, queue: Q) -> Self {
        // The link itself bounds what it hands over.
        connection.set_buffer_limit(None);
        let batch = Batch::default();
        let tls = Tls {
            connection,
            batch,
            blocked: false,
            congested: false,
            ended: false,
        };
        Self {
            socket,
            tls: Mutex::new(tls),
            waiting: AtomicBool::new(false),
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
    /// into the queue calls this. Never waits: who holds the lock looks again when it is done.
    pub(crate) fn flush(&self, now: Now) {
        self.waiting.store(true, SeqCst);
        self.flush_waiting(now);
    }

    /// Sends what somebody else couldn't, because the lock was held.
    fn flush_waiting(&self, now: Now) {
        while self.waiting.load(SeqCst) {
            let mut tls = match self.tls.try_lock() {
                Ok(tls) => tls,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => return,
            };
            // When there is room again everything is sent, whatever this says.
            self.waiting.store(false, SeqCst);
            if tls.blocked || tls.ended {
                return;
            }
            self.drain(&mut tls, now);
        }
    }

    /// Returns whether everything was written.
    fn drain(&self, tls: &mut Tls, now: Now) -> bool {
        loop {
            match self.write_out(tls) {
                Ok(true) => {}
                Ok(false) => return false,
                Err(_) => {
                    // The reader finds the same socket broken and ends the connection.
                    tls.ended = true;
                    let _ = SockRef::from(&self.socket).shutdown(Shutdown::Both);
                    return false;
                }
            }
            let Tls {
                batch,
                connection,
                congested,
                ..
            } = tls;
            batch.begin(if *congested { 1 } else { GATHERED });
            self.queue.take(now, batch);
            if batch.messages.is_empty() {
                *congested = false;
                return true;
            }
            encrypt(connection, batch);
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
                    tls.congested = true;
                    self.full.notify_one();
                    return Ok(false);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Goes on sending each time that the socket has room again. Ends only when it is dead.
    pub(crate) async fn send_when_possible(&self) {
        // Whoever waited here before may have been let go with the word already taken.
        let blocked = self.lock().blocked;
        if blocked {
            self.full.notify_one();
        } else {
            // Who wanted to send while the lock was held here has left it to this.
            self.flush_waiting(clock::now());
        }
        loop {
            self.full.notified().await;
            match timeout(STALLED, self.socket.writable()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return,
            }
            let mut tls = self.lock();
            tls.blocked = false;
            if tls.ended || !self.drain(&mut tls, clock::now()) {
                continue;
            }
            drop(tls);
            self.flush_waiting(clock::now());
        }
    }

    /// Reads what has come, waiting for at least one byte of it. Returns false at the end.
    pub(crate) async fn read(&self, buffer: &mut BytesMut) -> io::Result<bool> {
        loop {
            // A socket that always has more would keep its thread from everybody else.
            tokio::task::coop::consume_budget().await;
            let read = self.read_now(buffer);
            // A sender may have given way meanwhile.
            if self.waiting.load(SeqCst) {
                self.flush_waiting(clock::now());
            }
            match read {
                Ok(Some(more)) => return Ok(more),
                Ok(None) => self.socket.readable().await?,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.socket.readable().await?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads once. Gives whether there was more, or `None` if what came was no data.
    fn read_now(&self, buffer: &mut BytesMut) -> io::Result<Option<bool>> {
        RAW.with_borrow_mut(|raw| {
            let length = self.receive(raw)?;
            if length == 0 {
                return Ok(Some(false));
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
                    return Ok(Some(any));
                }
            }
            if tls.connection.wants_write() && !tls.blocked && !tls.ended {
                // A key update's answer, or an alert.
                self.write_out(&mut tls)?;
            }
            Ok(any.then_some(true))
        })
    }

    /// Receives from the socket. A read that didn't fill `raw` emptied the socket: the runtime is
    /// told so here, which spares the call that would only say it again.
    fn receive(&self, raw: &mut [u8]) -> io::Result<usize> {
        let mut received = None;
        let tried = self.socket.try_io(Interest::READABLE, || {
            let length = (&*SockRef::from(&self.socket)).read(raw)?;
            received = Some(length);
            if (1..raw.len()).contains(&length) {
                Err(io::ErrorKind::WouldBlock.into())
            } else {
                Ok(())
            }
        });
        received.map_or_else(|| tried.map(|()| 0), Ok)
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
                tls.ended || self.drain(&mut tls, clock::now())
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
        SockRef::from(&self.socket).shutdown(Shutdown::Write)?;
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

/// Encrypts messages. Without a limit rustls takes all of them; an error comes back from
/// `write_tls`.
fn encrypt(connection: &mut ServerConnection, batch: &Batch) {
    let mut slices = [IoSlice::new(&[]); 2 * GATHERED];
    let mut count = 0;
    for ((lead, payload), pair) in batch.messages.iter().zip(slices.as_chunks_mut::<2>().0) {
        *pair = [IoSlice::new(lead.bytes()), IoSlice::new(payload)];
        count += 2;
    }
    let _ = connection.writer().write_vectored(&slices[..count]);
}

/// Moves decrypted bytes into the buffer. Returns whether there were any.
pub(super) fn take_plaintext(
    connection: &mut ServerConnection,
    buffer: &mut BytesMut,
) -> io::Result<bool> {
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
            buffer.reserve(length.max(BUFFER));
        }
        buffer.extend_from_slice(plain);
        io::BufRead::consume(&mut reader, length);
        any = true;
    }
}
