//! The newest picture of everybody.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;
use visita_media::picture::Picture;

/// The newest picture of each member. Decoders and the camera put pictures in from their own
/// threads and never wait; an older one that nobody took is gone.
#[derive(Default)]
pub struct Board {
    newest: Mutex<Newest>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct Newest {
    /// Counts all pictures ever put in, so that a number never comes again.
    count: u64,
    of: HashMap<u32, (u64, Picture)>,
}

impl Board {
    /// Shows `picture` as the newest of `member`.
    pub fn put(&self, member: u32, picture: Picture) {
        let mut newest = self.lock();
        newest.count += 1;
        let number = newest.count;
        newest.of.insert(member, (number, picture));
        drop(newest);
        self.changed.send_replace(());
    }

    /// Takes `member` down, when it left or its camera was switched off.
    pub fn remove(&self, member: u32) {
        self.lock().of.remove(&member);
    }

    /// Takes everybody down, at a call's end.
    pub fn clear(&self) {
        self.lock().of.clear();
    }

    /// The newest picture of `member` with its number, unless that is `seen`.
    pub fn newer(&self, member: u32, seen: u64) -> Option<(u64, Picture)> {
        self.lock()
            .of
            .get(&member)
            .filter(|(number, _)| *number != seen)
            .cloned()
    }

    /// Tells when pictures were put in.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Newest> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
