//! Pictures that somebody else captures: the app's page, where the system gives its cameras to web
//! views alone.

use std::{
    fmt,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{Error, Source};
use crate::picture::Picture;

/// How long to wait for a picture before looking whether it is still wanted.
const MOMENT: Duration = Duration::from_millis(200);

/// The way of pictures from whoever captures to whoever asks for a source. Clones are the same
/// feed; the newest picture wins.
#[derive(Clone, Default)]
pub struct Feed(Arc<Shared>);

type OnWanted = Box<dyn Fn(bool) + Send>;

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    on_wanted: Mutex<Option<OnWanted>>,
}

#[derive(Default)]
struct State {
    /// Sources that are open.
    open: u32,
    next: Option<Result<Picture, Error>>,
}

impl Feed {
    /// Says by `on_wanted` when capturing is to begin, and when it is to end.
    pub fn on_wanted(&self, on_wanted: impl Fn(bool) + Send + 'static) {
        *lock(&self.0.on_wanted) = Some(Box::new(on_wanted));
    }

    /// A picture was captured. Dropped when nobody wants any.
    pub fn put(&self, picture: Picture) {
        self.fill(Ok(picture));
    }

    /// There are no pictures.
    pub fn fail(&self, error: Error) {
        self.fill(Err(error));
    }

    fn fill(&self, next: Result<Picture, Error>) {
        let mut state = lock(&self.0.state);
        // A picture that was on its way doesn't undo a failure.
        if state.open > 0 && !matches!((&state.next, &next), (Some(Err(_)), Ok(_))) {
            state.next = Some(next);
            drop(state);
            self.0.changed.notify_one();
        }
    }

    /// Asks for pictures, as long as the source lives.
    pub(super) fn open(&self) -> Box<dyn Source> {
        let mut state = lock(&self.0.state);
        state.open += 1;
        state.next = None;
        drop(state);
        self.0.wanted(true);
        Box::new(Fed(self.0.clone()))
    }
}

/// Opaque.
impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Feed")
    }
}

/// A feed equals itself alone.
impl PartialEq for Feed {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Shared {
    fn wanted(&self, wanted: bool) {
        if let Some(on_wanted) = &*lock(&self.on_wanted) {
            on_wanted(wanted);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Fed(Arc<Shared>);

impl Source for Fed {
    fn name(&self) -> &'static str {
        ""
    }

    fn next(&mut self) -> Result<Picture, Error> {
        loop {
            if let Some(picture) = self.poll()? {
                return Ok(picture);
            }
        }
    }

    /// A person may be asked for leave meanwhile, which takes as long as it takes.
    fn poll(&mut self) -> Result<Option<Picture>, Error> {
        let state = lock(&self.0.state);
        let (mut state, _) = self
            .0
            .changed
            .wait_timeout_while(state, MOMENT, |state| state.next.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        state.next.take().transpose()
    }
}

impl Drop for Fed {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        state.open -= 1;
        let last = state.open == 0;
        if last {
            state.next = None;
        }
        drop(state);
        if last {
            self.0.wanted(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use visita_protocol::{media::Size, time::MediaTime};

    use super::*;
    use crate::picture::Draft;

    fn picture(time: u64) -> Picture {
        Draft::filled(Size::new(2, 2), MediaTime(time), [16, 128, 128])
            .unwrap()
            .finish()
    }

    #[test]
    fn the_newest_picture_wins_and_only_while_somebody_asks() {
        let (said, wanted) = mpsc::channel();
        let feed = Feed::default();
        feed.on_wanted(move |wanted| said.send(wanted).unwrap());
        feed.put(picture(1));
        let mut source = feed.open();
        assert!(wanted.recv().unwrap());
        assert_eq!(source.poll().unwrap(), None, "what came before is gone");
        feed.put(picture(2));
        feed.put(picture(3));
        assert_eq!(source.next().unwrap().time(), MediaTime(3));
        let again = feed.open();
        drop(source);
        assert!(wanted.recv().unwrap());
        assert!(wanted.try_recv().is_err(), "the second still asks");
        drop(again);
        assert!(!wanted.recv().unwrap());
    }

    #[test]
    fn a_failure_is_told_once_and_not_overtaken() {
        let feed = Feed::default();
        let mut source = feed.open();
        feed.fail(Error::Denied);
        feed.put(picture(1));
        assert_eq!(source.next(), Err(Error::Denied));
        feed.put(picture(2));
        assert_eq!(source.next().unwrap().time(), MediaTime(2));
    }

    #[test]
    fn a_picture_wakes_who_waits() {
        let feed = Feed::default();
        let mut source = feed.open();
        let waiting = {
            let feed = feed.clone();
            std::thread::spawn(move || feed.put(picture(5)))
        };
        assert_eq!(source.next().unwrap().time(), MediaTime(5));
        waiting.join().unwrap();
    }
}
