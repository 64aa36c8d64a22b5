//! Everybody else's sound: the call's one listener, from the first sound that is announced on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use visita_media::sound::{
    BLOCK,
    listen::{Event, Frame, Listener, Output, Stats},
    played::Played,
};
use visita_protocol::{id::MemberId, time::MediaTime};

/// A clone hears the same.
#[derive(Clone)]
pub(super) struct Ears(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    played: Played,
    on_event: Arc<dyn Fn(Event) + Send + Sync>,
}

enum State {
    /// Nobody made a sound yet; it will be played there.
    Idle(Output),
    On(Listener),
    Over,
}

impl Ears {
    /// Plays there. A loudspeaker is opened at once, so that the first word isn't lost.
    pub(super) fn new(output: Output, on_event: impl Fn(Event) + Send + Sync + 'static) -> Self {
        let opens = output != Output::None;
        let ears = Self(Arc::new(Inner {
            state: Mutex::new(State::Idle(output)),
            played: Played::new(),
            on_event: Arc::new(on_event),
        }));
        if opens {
            ears.open();
        }
        ears
    }

    /// What is played, for the echo canceller.
    pub(super) fn played(&self) -> Played {
        self.0.played.clone()
    }

    /// Somebody is going to be heard.
    pub(super) fn open(&self) {
        let mut state = self.state();
        let State::Idle(output) = &*state else {
            return;
        };
        let on_event = self.0.on_event.clone();
        let started = Listener::start(output.clone(), self.played(), move |event| on_event(event));
        match started {
            Ok(listener) => *state = State::On(listener),
            Err(error) => tracing::warn!(%error, "nobody can be heard"),
        }
    }

    pub(super) fn frame(&self, member: MemberId, frame: Frame) {
        self.with(|listener| listener.frame(member, frame));
    }

    /// A member muted itself or left.
    pub(super) fn forget(&self, member: MemberId) {
        self.with(|listener| listener.forget(member));
    }

    pub(super) fn stats(&self, member: MemberId) -> Option<Stats> {
        self.with(|listener| listener.stats(member))?
    }

    /// How loud everybody is now, in decibels below full scale.
    pub(super) fn levels(&self) -> Vec<(MemberId, f32)> {
        self.with(Listener::levels).unwrap_or_default()
    }

    /// The media time of a member that is heard right now.
    pub(super) fn playing(&self, member: MemberId) -> Option<MediaTime> {
        self.with(|listener| listener.playing(member))?
    }

    pub(super) fn volume(&self, member: MemberId, volume: f32) {
        self.with(|listener| listener.volume(member, volume));
    }

    /// Plays a sound of this device's own once. Where nothing is played there is none.
    pub(super) fn sound(&self, blocks: &[[f32; BLOCK]]) {
        self.with(|listener| listener.sound(blocks));
    }

    /// Plays elsewhere.
    pub(super) fn output(&self, output: Output) {
        let mut state = self.state();
        match &*state {
            State::Idle(_) => {
                let opens = output != Output::None;
                *state = State::Idle(output);
                drop(state);
                if opens {
                    self.open();
                }
            }
            State::On(listener) => listener.output(output),
            State::Over => {}
        }
    }

    /// Nobody is heard any more. A loudspeaker may take its time to close, so this is for a thread
    /// that may wait.
    pub(super) fn close(&self) {
        let before = std::mem::replace(&mut *self.state(), State::Over);
        drop(before);
    }

    fn with<T>(&self, what: impl FnOnce(&Listener) -> T) -> Option<T> {
        match &*self.state() {
            State::On(listener) => Some(what(listener)),
            State::Idle(_) | State::Over => None,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
