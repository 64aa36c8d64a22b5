//! The capture thread.

use std::{
    sync::{PoisonError, atomic::Ordering},
    time::Duration,
};

use super::{Event, Shared, lock, retry::Retry};
use crate::source::{Error, Opener, Source};

/// Captures until the publisher stops.
pub(super) fn run(shared: &Shared) {
    let mut opener: Option<Opener> = None;
    let mut retry = Retry::default();
    while !shared.stopping.load(Ordering::Acquire) {
        if lock(&shared.next).apply(&mut opener) {
            retry.reset();
        }
        let Some(open) = &mut opener else {
            wait(shared, None);
            continue;
        };
        let error = match open() {
            Ok(source) => capture(shared, source, &mut retry),
            Err(error) => Some(error),
        };
        shared.capturing.store(false, Ordering::Release);
        *lock(&shared.own) = None;
        if let Some(error) = error {
            let verdict = retry.failed(&error);
            if verdict.say {
                shared.event(Event::Stopped(error));
            }
            wait(shared, verdict.after);
        }
    }
}

/// Captures from one source until it fails (the error) or is not wanted any more.
fn capture(shared: &Shared, mut source: Box<dyn Source>, retry: &mut Retry) -> Option<Error> {
    loop {
        if shared.stopping.load(Ordering::Acquire) || lock(&shared.next).is_change() {
            return None;
        }
        let picture = match source.poll() {
            Ok(Some(picture)) => picture,
            Ok(None) => continue,
            Err(error) => return Some(error),
        };
        if !shared.capturing.swap(true, Ordering::AcqRel) {
            retry.came();
            let (name, size) = (source.name().to_owned(), picture.size());
            shared.event(Event::Started { name, size });
        }
        *lock(&shared.own) = Some(picture.clone());
        shared.event(Event::Picture(picture.clone()));
        shared.captured.put(picture);
    }
}

/// Waits for another source, the stop, or as long as `patience`.
fn wait(shared: &Shared, patience: Option<Duration>) {
    let next = lock(&shared.next);
    let unchanged =
        |next: &mut super::Next| !next.is_change() && !shared.stopping.load(Ordering::Acquire);
    match patience {
        Some(patience) => drop(
            shared
                .next_changed
                .wait_timeout_while(next, patience, unchanged)
                .unwrap_or_else(PoisonError::into_inner),
        ),
        None => drop(
            shared
                .next_changed
                .wait_while(next, unchanged)
                .unwrap_or_else(PoisonError::into_inner),
        ),
    }
}
