//! When the other side of a connection was heard last, told by the task that reads to the one that
//! watches, and what follows from its silence.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    time::Duration,
};

use tokio::{sync::Notify, time::sleep};
use visita_protocol::{
    pulse::{Pulse, Turn},
    time::Now,
};

use crate::clock;

/// When something came last; ahead of now while nothing is read on purpose.
#[derive(Debug)]
pub(crate) struct Heard {
    at: AtomicU64,
    /// The one who watches waits for a word.
    quiet: AtomicBool,
    again: Notify,
}

impl Heard {
    pub(crate) fn new(now: Now) -> Self {
        Self {
            at: AtomicU64::new(now.0),
            quiet: AtomicBool::new(false),
            again: Notify::new(),
        }
    }

    pub(crate) fn set(&self, at: Now) {
        self.at.store(at.0, SeqCst);
    }

    /// Sets it, and gives what it was.
    pub(crate) fn swap(&self, at: Now) -> Now {
        Now(self.at.swap(at.0, SeqCst))
    }

    /// What was set is true: who was quiet is back at once.
    pub(crate) fn tell(&self) {
        if self.quiet.load(SeqCst) {
            self.again.notify_one();
        }
    }

    /// What was set lies earlier than what was known.
    pub(crate) fn look(&self) {
        self.again.notify_one();
    }

    /// Watches, and tells each time that the other side is quiet or isn't any more. Is over when
    /// the connection is to be given up.
    pub(crate) async fn watch(&self, heartbeat: Duration, mut quiet: impl FnMut(bool)) {
        let mut pulse = Pulse::new(heartbeat);
        loop {
            let (now, heard) = (clock::now(), Now(self.at.load(SeqCst)));
            match pulse.turn(now, heard) {
                Some(Turn::Broken) => return,
                Some(turn) => {
                    // Looked at once more after this: a word that came meanwhile told nobody.
                    self.quiet.store(turn == Turn::Quiet, SeqCst);
                    quiet(turn == Turn::Quiet);
                }
                None => {
                    tokio::select! {
                        () = sleep(pulse.due(heard).since(now)) => {}
                        () = self.again.notified() => {}
                    }
                }
            }
        }
    }
}
