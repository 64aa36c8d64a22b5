//! The receiving half: the packets of every sender through a jitter buffer each, mixed, limited and
//! played, on one thread.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    str::FromStr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use bytes::Bytes;
use visita_protocol::{id::MemberId, time::MediaTime};

use super::{BLOCK, Error, devices::DeviceId, played::Played};
use crate::{clock, stats::Percentiles};

mod pace;
mod sender;
mod work;

use sender::Sender;

/// Where it is played.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Output {
    /// Nowhere: everything is decoded and mixed by the clock, and nothing is heard.
    #[default]
    None,
    /// A loudspeaker: this one, or the system's default.
    Device(Option<DeviceId>),
}

/// An output that can't be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is no place to play sound; use device, device:ID or none")]
pub struct BadOutput {
    /// What was given.
    pub given: String,
}

impl FromStr for Output {
    type Err = BadOutput;

    /// `device`, `device:ID` or `none`.
    fn from_str(text: &str) -> Result<Self, BadOutput> {
        match text.split_once(':') {
            None if text == "none" => Ok(Output::None),
            None if text == "device" => Ok(Output::Device(None)),
            Some(("device", id)) if !id.is_empty() => Ok(Output::Device(Some(DeviceId::new(id)))),
            _ => Err(BadOutput {
                given: text.chars().take(200).collect(),
            }),
        }
    }
}

/// A frame, as it arrived.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Its place in the track.
    pub sequence: u32,
    /// When it was captured, on the sender's clock.
    pub time: MediaTime,
    /// Its packet, with those before it that it repeats ([`visita_protocol::red`]).
    pub payload: Bytes,
}

/// What happens to the output.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// It plays.
    Started {
        /// The device's name, for a screen.
        name: String,
    },
    /// Nothing can be heard. What may pass by itself is tried again; this is said once for each
    /// new reason.
    Stopped(Error),
    /// The system's default changed, and the new one plays.
    DeviceChanged {
        /// Its name, for a screen.
        name: String,
    },
}

/// What was received of a sender.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Packets handed in.
    pub received: u64,
    /// Packets that were decoded, those that came as copies among them.
    pub decoded: u64,
    /// Packets given up: late, doubled, too many, or broken.
    pub dropped: u64,
    /// Of those dropped, how many aren't Opus packets of one frame.
    pub broken: u64,
    /// Payload bytes handed in.
    pub bytes: u64,
    /// How long something was played in place of sound that was missing, in milliseconds.
    pub concealed_ms: u64,
    /// Of that, how much the packet after it repaired (forward error correction).
    pub repaired_ms: u64,
    /// Packets that were there as copies before they came, if they ever did.
    pub copied: u64,
    /// How much sound was taken out or put in to keep the delay right, in milliseconds.
    pub stretched_ms: u64,
    /// How irregularly packets come: RFC 3550's interarrival jitter, in milliseconds.
    pub jitter_ms: f32,
    /// How late the buffer plays on purpose now, in milliseconds.
    pub target_ms: u64,
    /// The level of what was decoded last, in decibels below full scale (0 to −127).
    pub level_dbfs: f32,
    /// The level of all that was decoded while there was sound, as its mean power.
    pub mean_level_dbfs: f32,
    /// From capture to being heard, in microseconds, for each block played. Means something only
    /// where both ends have one clock ([`clock::id`]).
    pub delay_us: Percentiles,
    /// The same of the block that was mixed last; `None` if nothing was heard in it.
    pub delay_now_us: Option<u64>,
    /// Of that, how much until it was mixed: the rest is the output's.
    pub mixed_us: Percentiles,
}

/// What the output did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Blocks of 10 ms that were mixed.
    pub blocks: u64,
    /// How often the device found nothing to play.
    pub underruns: u64,
    /// How often the device that is open has asked for something.
    pub callbacks: u64,
    /// How long after mixing sound is heard, in microseconds.
    pub delay_us: u64,
}

type OnEvent = Box<dyn FnMut(Event) + Send>;

struct Shared {
    stopping: AtomicBool,
    senders: Mutex<BTreeMap<MemberId, Sender>>,
    /// A sound of this device's own, as far as it is yet to be played.
    own: Mutex<VecDeque<[f32; BLOCK]>>,
    orders: Mutex<Option<Output>>,
    played: Mutex<Done>,
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Plays what comes in until it is stopped or dropped.
///
/// The callback runs on its thread: it must be quick, and must not stop the listener.
pub struct Listener {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    /// Disconnects when the thread ends.
    alive: mpsc::Receiver<()>,
}

/// How long a device may take to end: one that hangs is left behind.
const PATIENCE: Duration = Duration::from_secs(3);
/// The most senders that are kept: a room holds fewer.
const MOST_SENDERS: usize = 64;
/// The longest sound of this device's own, in blocks: two seconds.
const MOST_OWN: usize = 200;

impl Listener {
    /// Starts the thread. Fails only if the system has none to give. What is played is put into
    /// `played` for the echo canceller.
    pub fn start(
        output: Output,
        played: Played,
        on_event: impl FnMut(Event) + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            stopping: AtomicBool::new(false),
            senders: Mutex::default(),
            own: Mutex::default(),
            orders: Mutex::new(Some(output)),
            played: Mutex::default(),
        });
        let (life, alive) = mpsc::channel();
        let working = shared.clone();
        let on_event: OnEvent = Box::new(on_event);
        let handle = thread::Builder::new()
            .name("visita-sound-in".into())
            .spawn(move || {
                let _life = life;
                work::run(&working, &played, on_event);
            })?;
        Ok(Self {
            shared,
            thread: Some(handle),
            alive,
        })
    }

    /// Hands in a packet that has just arrived.
    pub fn frame(&self, member: MemberId, frame: Frame) {
        let now = clock::now();
        let mut senders = lock(&self.shared.senders);
        if senders.len() >= MOST_SENDERS && !senders.contains_key(&member) {
            return;
        }
        senders.entry(member).or_default().frame(frame, now);
    }

    /// Forgets a sender that left; its numbers go too.
    pub fn forget(&self, member: MemberId) {
        lock(&self.shared.senders).remove(&member);
    }

    /// How loud somebody is heard: 0 not at all, 1 as sent. Kept for a member that is yet to send.
    pub fn volume(&self, member: MemberId, volume: f32) {
        let mut senders = lock(&self.shared.senders);
        if senders.len() < MOST_SENDERS || senders.contains_key(&member) {
            senders.entry(member).or_default().volume(volume);
        }
    }

    /// Plays a sound of this device's own once, as far as it isn't too long, mixed with what is
    /// heard. While one is played there is no other.
    pub fn sound(&self, blocks: &[[f32; BLOCK]]) {
        let mut own = lock(&self.shared.own);
        if own.is_empty() {
            own.extend(blocks.iter().take(MOST_OWN));
        }
    }

    /// What was received of a sender.
    pub fn stats(&self, member: MemberId) -> Option<Stats> {
        lock(&self.shared.senders).get(&member).map(Sender::stats)
    }

    /// How loud each sender is now, in decibels below full scale (0 to −127).
    pub fn levels(&self) -> Vec<(MemberId, f32)> {
        let senders = lock(&self.shared.senders);
        senders
            .iter()
            .map(|(&member, sender)| (member, sender.level()))
            .collect()
    }

    /// The sender's media time that is heard right now; `None` while nothing of it is heard, so
    /// that its pictures are shown at once.
    pub fn playing(&self, member: MemberId) -> Option<MediaTime> {
        let now = clock::now();
        lock(&self.shared.senders).get(&member)?.playing(now)
    }

    /// Plays elsewhere.
    pub fn output(&self, output: Output) {
        *lock(&self.shared.orders) = Some(output);
        self.wake();
    }

    /// What the output did so far.
    pub fn played(&self) -> Done {
        lock(&self.shared.played).clone()
    }

    fn wake(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }

    /// Ends the thread and closes the device.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        self.wake();
        let Some(thread) = self.thread.take() else {
            return;
        };
        if self.alive.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Disconnected) {
            let _ = thread.join();
        } else {
            tracing::warn!("the loudspeaker hangs and is left behind");
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests;
