//! Keeps the device awake while others depend on it: as host, and in a call.

use serde::Serialize;
use tokio::sync::watch;

/// Whether the system lets the device be kept awake. The page has the words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing depends on it.
    #[default]
    Off,
    /// It stays awake.
    Kept,
    /// The system was asked, and doesn't do it.
    Refused,
}

/// Why it should stay awake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Wish {
    /// It hosts.
    pub hosts: bool,
    /// It is in a call: its screen is looked at.
    pub calls: bool,
}

/// Keeps the device awake as long as it is wished.
pub struct Awake {
    wish: watch::Sender<Wish>,
    state: watch::Sender<State>,
}

impl Awake {
    /// Nothing is wished yet.
    pub fn new() -> Self {
        let wish = watch::Sender::new(Wish::default());
        let state = watch::Sender::new(State::Off);
        #[cfg(desktop)]
        keep(wish.subscribe(), state.clone());
        Self { wish, state }
    }

    /// Changes what is wished.
    pub fn wish(&self, change: impl FnOnce(&mut Wish)) {
        self.wish.send_if_modified(|wish| {
            let before = *wish;
            change(wish);
            *wish != before
        });
    }

    /// What became of it.
    pub fn state(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// What is wished, for the system's own service that does it (`device.rs`).
    #[cfg(mobile)]
    pub fn wishes(&self) -> watch::Receiver<Wish> {
        self.wish.subscribe()
    }

    /// The service did it, or not.
    #[cfg(mobile)]
    pub fn became(&self, state: State) {
        self.state.send_replace(state);
    }
}

impl Default for Awake {
    fn default() -> Self {
        Self::new()
    }
}

/// On a thread of its own: the system is asked over sockets, and may take its time.
#[cfg(desktop)]
fn keep(mut wishes: watch::Receiver<Wish>, state: watch::Sender<State>) {
    let keeping = move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else {
            return;
        };
        let (mut device, mut screen) = (None, None);
        while runtime.block_on(wishes.changed()).is_ok() {
            let wish = *wishes.borrow_and_update();
            hold(&mut device, wish.hosts || wish.calls, || {
                asked().idle(true).sleep(true).create()
            });
            // The page asks for the screen as well; where its web view can't, this does.
            hold(&mut screen, wish.calls, || asked().display(true).create());
            let now = match &device {
                _ if wish == Wish::default() => State::Off,
                Some(_) => State::Kept,
                None => State::Refused,
            };
            state.send_if_modified(|told| {
                let changed = *told != now;
                *told = now;
                changed
            });
        }
    };
    if let Err(error) = std::thread::Builder::new()
        .name("awake".into())
        .spawn(keeping)
    {
        tracing::warn!(%error, "the device isn't kept awake");
    }
}

#[cfg(desktop)]
fn asked() -> keepawake::Builder {
    let mut builder = keepawake::Builder::default();
    // The system's own lists show this, in no language of ours.
    builder
        .reason("Visita")
        .app_name("Visita")
        .app_reverse_domain("org.visita.app");
    builder
}

#[cfg(desktop)]
fn hold(
    held: &mut Option<keepawake::KeepAwake>,
    wished: bool,
    ask: impl FnOnce() -> keepawake::Result<keepawake::KeepAwake>,
) {
    if wished && held.is_none() {
        match ask() {
            Ok(guard) => *held = Some(guard),
            Err(error) => tracing::info!(%error, "the system doesn't keep the device awake"),
        }
    } else if !wished && let Some(guard) = held.take() {
        // Its end panics where the desktop went away before it.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(guard)));
    }
}
