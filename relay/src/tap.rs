//! Where a connection's messages come from.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use visita_protocol::{control::RelayPacket, session, time::Now};

use crate::{
    outlet::{Outlet, pack},
    ws::{Batch, Outgoing, Queue},
};

/// Where a link takes its messages from: first its own (answers that belong to the connection), then
/// its session's, for as long as the session goes over this connection.
#[derive(Default)]
pub(crate) struct Tap {
    any: AtomicBool,
    own: Mutex<VecDeque<Outgoing>>,
    echo: Echo,
    outlet: OnceLock<(Arc<Outlet>, u64)>,
}

/// Own answers that wait at most: a connection that asks without reading gets no more of them.
const MAX_OWN: usize = 64;

impl Tap {
    /// Queues an answer that belongs to the connection. Beyond the bound it is let go.
    pub(crate) fn push(&self, message: Outgoing) {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if own.len() < MAX_OWN {
            own.push_back(message);
            self.any.store(true, SeqCst);
        }
    }

    /// Queues a packet that belongs to the connection.
    pub(crate) fn packet(&self, packet: &RelayPacket, compressed: bool) {
        if let Some(message) = pack(packet, compressed) {
            self.push(message);
        }
    }
}

/// The number of a connection's own pings; the queues' marks have others.
const ECHO: u32 = 0;

/// How long this connection's other side takes to answer, by WebSocket's own ping.
#[derive(Default)]
struct Echo {
    /// When the ping that isn't answered yet was sent, in microseconds; 0 if there is none.
    asked: AtomicU64,
    /// What the last answer took, in microseconds and one more; 0 if there was none yet.
    took: AtomicU64,
}

impl Tap {
    /// Its session's messages come from there, for as long as this connection carries it.
    pub(crate) fn carries(&self, outlet: Arc<Outlet>, generation: u64) {
        // A tap is new with its connection, and carries one session.
        let _ = self.outlet.set((outlet, generation));
    }

    /// Queues a ping, unless one isn't answered yet.
    pub(crate) fn ping(&self, now: Now) {
        let asked = self
            .echo
            .asked
            .compare_exchange(0, now.0.max(1), SeqCst, SeqCst);
        if asked.is_ok() {
            self.push(Outgoing::Ping(ECHO));
        }
    }

    /// A pong came: to a ping of this connection's own, or to a mark of what it sends. Gives whether
    /// more may be sent now. One that nobody asked for says nothing.
    pub(crate) fn pong(&self, now: Now, payload: &[u8]) -> bool {
        let Ok(number) = payload.try_into().map(u32::from_be_bytes) else {
            return false;
        };
        if number == ECHO {
            self.echoed(now);
            return false;
        }
        let Some((outlet, generation)) = self.outlet.get() else {
            return false;
        };
        outlet.answered(*generation, now, number);
        true
    }

    fn echoed(&self, now: Now) {
        let asked = self.echo.asked.swap(0, SeqCst);
        if asked > 0 {
            let took = now.since(Now(asked)).as_micros() as u64;
            self.echo.took.store(took.saturating_add(1), SeqCst);
        }
    }

    /// How long the way there and back takes. A ping without an answer counts for as long as it
    /// waits already.
    pub(crate) fn round_trip(&self, now: Now) -> Option<Duration> {
        let (asked, took) = (self.echo.asked.load(SeqCst), self.echo.took.load(SeqCst));
        let waited = (asked > 0).then(|| now.since(Now(asked)));
        let took = took.checked_sub(1).map(Duration::from_micros);
        match (took, waited) {
            (Some(took), Some(waited)) => Some(took.max(waited)),
            (took, _) => took,
        }
    }

    /// The next message alone, for a carrier that makes something else of it.
    pub(crate) fn next(&self) -> Option<Outgoing> {
        if self.any.load(SeqCst) {
            let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
            let message = own.pop_front();
            self.any.store(!own.is_empty(), SeqCst);
            if message.is_some() {
                return message;
            }
        }
        let (outlet, generation) = self.outlet.get()?;
        outlet.next(*generation)
    }

    /// The other side lost what was taken after the message of this number; without a number: it
    /// doesn't know. All that it hasn't acknowledged comes again.
    pub(crate) fn rewind(&self, received: Option<u64>) -> Result<(), session::Error> {
        match self.outlet.get() {
            Some((outlet, generation)) => outlet.rewind(*generation, received),
            None => Ok(()),
        }
    }
}

impl Queue for Tap {
    fn take(&self, now: Now, batch: &mut Batch) {
        if self.any.load(SeqCst) {
            let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
            while batch.has_room()
                && let Some(message) = own.pop_front()
            {
                batch.push(message);
            }
            self.any.store(!own.is_empty(), SeqCst);
        }
        if let Some((outlet, generation)) = self.outlet.get() {
            outlet.take(*generation, now, batch);
        }
    }
}
