//! A place for one thing between two threads, where a newer thing takes an older one's place.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Newest wins: [`Slot::put`] never waits, [`Slot::take`] waits for something new.
pub(crate) struct Slot<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
}

struct State<T> {
    value: Option<T>,
    closed: bool,
    replaced: u64,
}

/// What [`Slot::take`] came back with.
pub(crate) enum Taken<T> {
    Value(T),
    TimedOut,
    Closed,
}

impl<T> Slot<T> {
    pub(crate) fn new() -> Self {
        let state = State {
            value: None,
            closed: false,
            replaced: 0,
        };
        Self {
            state: Mutex::new(state),
            filled: Condvar::new(),
        }
    }

    /// Puts a thing in; whatever is there is dropped. `false` once the slot is closed.
    pub(crate) fn put(&self, value: T) -> bool {
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        if state.value.replace(value).is_some() {
            state.replaced += 1;
        }
        drop(state);
        self.filled.notify_one();
        true
    }

    /// Waits for a thing, at most this long.
    pub(crate) fn take(&self, patience: Duration) -> Taken<T> {
        let state = self.lock();
        let waiting = |state: &mut State<T>| state.value.is_none() && !state.closed;
        let (mut state, _) = self
            .filled
            .wait_timeout_while(state, patience, waiting)
            .unwrap_or_else(PoisonError::into_inner);
        match state.value.take() {
            _ if state.closed => Taken::Closed,
            Some(value) => Taken::Value(value),
            None => Taken::TimedOut,
        }
    }

    /// How many things were replaced before anybody took them.
    pub(crate) fn replaced(&self) -> u64 {
        self.lock().replaced
    }

    /// Ends it: the taker is woken, nothing goes in any more.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_wins() {
        let slot = Slot::new();
        for number in 0..3 {
            assert!(slot.put(number));
        }
        assert!(matches!(slot.take(Duration::ZERO), Taken::Value(2)));
        assert!(matches!(slot.take(Duration::ZERO), Taken::TimedOut));
        assert_eq!(slot.replaced(), 2);
    }

    #[test]
    fn closing_wakes_the_taker() {
        let slot = Slot::<u8>::new();
        std::thread::scope(|scope| {
            let taker = scope.spawn(|| slot.take(Duration::from_hours(1)));
            slot.close();
            assert!(matches!(taker.join(), Ok(Taken::Closed)));
        });
        assert!(!slot.put(1));
    }
}
