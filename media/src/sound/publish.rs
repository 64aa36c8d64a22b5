//! The sending half: a source, the processing and the encoder, on one thread.

use std::{
    io,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use bytes::Bytes;
use visita_protocol::{
    id::TrackId,
    media::{Codec, Source as Carries, Track},
    sound::Level,
    time::MediaTime,
};

use super::{Error, played::Played, source::Choice};
use crate::{clock, stats::Percentiles};

mod outgoing;
mod timeline;
mod work;

/// The microphone's track, as a participant announces it while it isn't muted.
pub fn microphone_track(id: TrackId) -> Track {
    Track {
        id,
        source: Carries::Microphone,
        codec: Codec::Opus,
        layers: Vec::new(),
        sealed: false,
    }
}

/// What a publisher begins with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where sound comes from.
    pub source: Choice,
    /// Whether echo is cancelled, noise suppressed and gain controlled.
    pub process: bool,
    /// The bitrate aimed at, in bits a second; kept within [`super::opus::BITRATES`].
    pub bitrate: u32,
    /// Whether it begins muted.
    pub muted: bool,
    /// What is played in the same room: a clone of the listener's.
    pub played: Played,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            source: Choice::None,
            process: true,
            bitrate: super::opus::BITRATE,
            muted: false,
            played: Played::new(),
        }
    }
}

/// A frame, to be sent.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// Its place in the track, counted from 0 for the publisher's life. Silence isn't sent and
    /// isn't counted.
    pub sequence: u32,
    /// When its first sample was captured.
    pub time: MediaTime,
    /// For the relay: how loud, and whether somebody speaks, both coarse.
    pub level: Level,
    /// Its Opus packet, with those before it where they get lost ([`visita_protocol::red`]).
    pub payload: Bytes,
}

/// What happens to the source.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Sound comes.
    Started {
        /// The source's name, for a screen.
        name: String,
    },
    /// No sound comes. What may pass by itself is tried again; this is said once for each new
    /// reason.
    Stopped(Error),
    /// The system's default changed, and sound comes from the new one.
    DeviceChanged {
        /// Its name, for a screen.
        name: String,
    },
    /// Ten times a second, also while muted.
    Level {
        /// What is captured, in decibels below full scale: 0 loudest, −127 silence.
        dbov: f32,
        /// Somebody speaks into a muted microphone.
        talking_while_muted: bool,
    },
}

/// What was sent so far.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    /// Packets that came out.
    pub frames: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Frames of silence that weren't sent.
    pub silent: u64,
    /// Microseconds for each frame processed and encoded.
    pub encode_us: Percentiles,
    /// Samples that the device had and nobody took in time.
    pub overruns: u64,
}

type OnEvent = Box<dyn FnMut(Event) + Send>;
type OnEncoded = Box<dyn FnMut(Encoded) + Send>;

struct Shared {
    stopping: AtomicBool,
    /// Whatever leaves goes through this: who has shut it knows that nothing leaves any more.
    gate: Mutex<Gate>,
    orders: Mutex<Orders>,
    ordered: Condvar,
    loss_percent: AtomicU32,
    callbacks: AtomicU64,
    sent: Mutex<Sent>,
}

struct Gate {
    muted: bool,
    wanted: bool,
    /// Sound captured before doesn't leave.
    opened: MediaTime,
    on_encoded: OnEncoded,
}

impl Gate {
    fn open(&self) -> bool {
        !self.muted && self.wanted
    }

    fn set(&mut self, now: MediaTime, change: impl FnOnce(&mut Self)) {
        let before = self.open();
        change(self);
        if self.open() && !before {
            self.opened = now;
        }
    }
}

struct Orders {
    /// The source to change to, until the thread has seen it.
    source: Option<Choice>,
    process: bool,
    bitrate: u32,
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Captures from the start, and encodes while it is wanted and not muted, until it is stopped or
/// dropped.
///
/// The callbacks run on its thread: they must be quick, and must call nothing of the publisher.
pub struct Publisher {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    /// Disconnects when the thread ends.
    alive: mpsc::Receiver<()>,
}

/// How long a device may take to end: one that hangs is left behind.
const PATIENCE: Duration = Duration::from_secs(3);

impl Publisher {
    /// Starts the thread. Fails only if the system has none to give.
    pub fn start(
        config: Config,
        on_event: impl FnMut(Event) + Send + 'static,
        on_encoded: impl FnMut(Encoded) + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            stopping: AtomicBool::new(false),
            gate: Mutex::new(Gate {
                muted: config.muted,
                wanted: false,
                opened: MediaTime(0),
                on_encoded: Box::new(on_encoded),
            }),
            orders: Mutex::new(Orders {
                source: Some(config.source),
                process: config.process,
                bitrate: config.bitrate,
            }),
            ordered: Condvar::new(),
            loss_percent: AtomicU32::new(0),
            callbacks: AtomicU64::new(0),
            sent: Mutex::default(),
        });
        let (life, alive) = mpsc::channel();
        let working = shared.clone();
        let played = config.played;
        let on_event: OnEvent = Box::new(on_event);
        let handle = thread::Builder::new()
            .name("visita-sound-out".into())
            .spawn(move || {
                let _life = life;
                work::run(&working, played, on_event);
            })?;
        Ok(Self {
            shared,
            thread: Some(handle),
            alive,
        })
    }

    /// Whether anybody wants to hear it; not at first. What isn't wanted isn't encoded.
    pub fn wanted(&self, wanted: bool) {
        lock(&self.shared.gate).set(clock::now(), |gate| gate.wanted = wanted);
    }

    /// Mutes: when this returns nothing leaves any more, and nothing that is captured before
    /// [`Publisher::muted`] is called with `false` ever leaves.
    pub fn muted(&self, muted: bool) {
        lock(&self.shared.gate).set(clock::now(), |gate| gate.muted = muted);
    }

    /// Changes to another source; the old one is closed.
    pub fn source(&self, source: Choice) {
        self.order(|orders| orders.source = Some(source));
    }

    /// Switches the processing on or off.
    pub fn process(&self, process: bool) {
        self.order(|orders| orders.process = process);
    }

    /// Aims at this many bits a second, what is repeated included; kept within
    /// [`super::opus::BITRATES`].
    pub fn bitrate(&self, bits: u32) {
        self.order(|orders| orders.bitrate = bits);
    }

    /// The share of packets that get lost on the way, 0 to 1: what is repeated follows from it.
    pub fn loss(&self, share: f32) {
        let percent = (share.clamp(0.0, 1.0) * 100.0).round() as u32;
        self.shared.loss_percent.store(percent, Ordering::Relaxed);
    }

    fn order(&self, change: impl FnOnce(&mut Orders)) {
        change(&mut lock(&self.shared.orders));
        self.wake();
    }

    fn wake(&self) {
        self.shared.ordered.notify_all();
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }

    /// What was sent so far.
    pub fn sent(&self) -> Sent {
        lock(&self.shared.sent).clone()
    }

    /// How often the microphone that is open has brought something.
    #[doc(hidden)]
    pub fn callbacks(&self) -> u64 {
        self.shared.callbacks.load(Ordering::Relaxed)
    }

    /// Ends the thread and closes the source.
    pub fn stop(mut self) -> Sent {
        self.end();
        self.sent()
    }

    fn end(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        // The lock makes sure that the thread either waits already or sees the flag.
        drop(lock(&self.shared.orders));
        self.wake();
        let Some(thread) = self.thread.take() else {
            return;
        };
        if self.alive.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Disconnected) {
            let _ = thread.join();
        } else {
            tracing::warn!("the sound source hangs and is left behind");
        }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests;
