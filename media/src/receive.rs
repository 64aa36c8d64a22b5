//! The receiving half: a thread for each track that decodes what can be decoded, and the newest
//! picture wins.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

use bytes::Bytes;
use visita_protocol::{
    frame::References,
    media::{Codec, Size},
    time::MediaTime,
};

use crate::{
    clock, h264, jpeg,
    picture::Picture,
    stats::{Freezes, Percentiles},
    vp8,
};

mod gate;

use gate::{Gate, Verdict};

/// A whole frame, as it arrived.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Its place in the track.
    pub sequence: u32,
    /// When it was captured, on the sender's clock.
    pub time: MediaTime,
    /// What it refers to.
    pub references: References,
    /// The frame.
    pub payload: Bytes,
}

/// What a receiver says.
#[derive(Clone, Debug)]
pub enum Event {
    /// A picture was decoded, just now.
    Picture(Picture),
    /// Nothing can be decoded before a key frame: ask the sender for one.
    NeedKeyFrame,
}

/// Why a track can't be received.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A codec that isn't decoded here.
    #[error("{0:?} isn't decoded here")]
    Codec(Codec),
    /// The decoder can't be made.
    #[error(transparent)]
    Jpeg(#[from] jpeg::Error),
    /// The system has no thread to give.
    #[error("no thread for the decoder: {0}")]
    Thread(#[from] std::io::Error),
}

/// The codecs that are decoded here, best first.
pub const DECODES: &[Codec] = if vp8::AVAILABLE {
    &[Codec::H264, Codec::Vp8, Codec::Jpeg]
} else {
    &[Codec::H264, Codec::Jpeg]
};

/// What was received of a track.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Frames handed in.
    pub received: u64,
    /// Frames that became pictures, or were decoded without one.
    pub decoded: u64,
    /// Frames given up: late, not decodable, or too many at once. Those that still wait are
    /// neither decoded nor dropped.
    pub dropped: u64,
    /// Of those dropped, how many the codec refused.
    pub broken: u64,
    /// Payload bytes handed in.
    pub bytes: u64,
    /// The last picture's size.
    pub size: Option<Size>,
    /// When the first picture was decoded, on this machine's [`clock`].
    pub first_picture: Option<MediaTime>,
    /// How long the picture stood still.
    pub freezes: Freezes,
    /// Microseconds for each frame decoded.
    pub decode_us: Percentiles,
}

/// The most frames that wait for the decoder: a second's. A decoder that is further behind shows
/// the past; it rather leaves out everything up to the next key frame.
const MOST_WAITING: usize = 30;
/// The most bytes that wait, since frames may be large: four largest ones.
const MOST_WAITING_BYTES: usize = 4 << 20;

/// Receives one track until it is stopped or dropped. Its callback runs on its thread and must be
/// quick.
pub struct Receiver {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
    stats: Mutex<Stats>,
    newest: Mutex<Option<Picture>>,
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<Frame>,
    bytes: usize,
    overrun: bool,
    closed: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Receiver {
    /// Starts the thread.
    pub fn start(
        codec: Codec,
        on_event: impl FnMut(Event) + Send + 'static,
    ) -> Result<Self, Error> {
        let decoder = match codec {
            Codec::H264 => Decoder::H264(h264::decode::Decoder::new()),
            Codec::Vp8 if vp8::AVAILABLE => Decoder::Vp8(vp8::decode::Decoder::new()),
            Codec::Jpeg => Decoder::Jpeg(jpeg::Decoder::new()?),
            other => return Err(Error::Codec(other)),
        };
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            changed: Condvar::new(),
            stats: Mutex::default(),
            newest: Mutex::new(None),
        });
        let work = Work {
            shared: shared.clone(),
            decoder,
            gate: Gate::new(),
            on_event,
        };
        let thread = thread::Builder::new()
            .name("visita-decode".into())
            .spawn(|| work.run())?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Hands in a frame; never waits.
    pub fn frame(&self, frame: Frame) {
        {
            let mut stats = lock(&self.shared.stats);
            stats.received += 1;
            stats.bytes += frame.payload.len() as u64;
        }
        let mut queue = lock(&self.shared.queue);
        let len = frame.payload.len();
        if queue.frames.len() >= MOST_WAITING || queue.bytes + len > MOST_WAITING_BYTES {
            lock(&self.shared.stats).dropped += queue.frames.len() as u64;
            queue.frames.clear();
            queue.bytes = 0;
            queue.overrun = true;
        }
        queue.bytes += len;
        queue.frames.push_back(frame);
        drop(queue);
        self.shared.changed.notify_one();
    }

    /// The newest picture.
    pub fn newest(&self) -> Option<Picture> {
        lock(&self.shared.newest).clone()
    }

    /// The newest picture, unless it was taken before.
    pub fn take(&self) -> Option<Picture> {
        lock(&self.shared.newest).take()
    }

    /// The sender stopped on purpose, or the track isn't watched: no freeze until it goes on.
    pub fn paused(&self) {
        lock(&self.shared.stats).freezes.paused();
    }

    /// What was received so far.
    pub fn stats(&self) -> Stats {
        lock(&self.shared.stats).clone()
    }

    /// Ends the thread; frames that still wait are dropped.
    pub fn stop(mut self) -> Stats {
        self.end();
        self.stats()
    }

    fn end(&mut self) {
        {
            let mut queue = lock(&self.shared.queue);
            queue.closed = true;
            lock(&self.shared.stats).dropped += queue.frames.len() as u64;
            queue.frames.clear();
            queue.bytes = 0;
        }
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.end();
    }
}

enum Decoder {
    H264(h264::decode::Decoder),
    Vp8(vp8::decode::Decoder),
    Jpeg(jpeg::Decoder),
}

impl Decoder {
    fn decode(&mut self, frame: &Frame) -> Result<Option<Picture>, String> {
        match self {
            Decoder::H264(decoder) => decoder
                .decode(&frame.payload, frame.time)
                .map_err(|error| error.to_string()),
            Decoder::Vp8(decoder) => decoder
                .decode(&frame.payload, frame.time)
                .map_err(|error| error.to_string()),
            Decoder::Jpeg(decoder) => decoder
                .decode(&frame.payload, frame.time)
                .map(Some)
                .map_err(|error| error.to_string()),
        }
    }
}

struct Work<E> {
    shared: Arc<Shared>,
    decoder: Decoder,
    gate: Gate,
    on_event: E,
}

impl<E: FnMut(Event)> Work<E> {
    fn run(mut self) {
        while let Some((frame, overrun)) = self.next() {
            if overrun {
                self.gate.lost();
            }
            self.frame(&frame);
            if self.gate.asks_for_key(clock::now()) {
                (self.on_event)(Event::NeedKeyFrame);
            }
        }
    }

    fn next(&self) -> Option<(Frame, bool)> {
        let queue = lock(&self.shared.queue);
        let idle = |queue: &mut Queue| queue.frames.is_empty() && !queue.closed;
        let mut queue = self
            .shared
            .changed
            .wait_while(queue, idle)
            .unwrap_or_else(PoisonError::into_inner);
        let frame = queue.frames.pop_front()?;
        queue.bytes -= frame.payload.len();
        Some((frame, std::mem::take(&mut queue.overrun)))
    }

    fn frame(&mut self, frame: &Frame) {
        if self.gate.verdict(frame.sequence, frame.references) == Verdict::Drop {
            lock(&self.shared.stats).dropped += 1;
            return;
        }
        let begin = clock::now();
        let decoded = self.decoder.decode(frame);
        let now = clock::now();
        let mut stats = lock(&self.shared.stats);
        match decoded {
            Ok(picture) => {
                self.gate.decoded(frame.sequence);
                stats.decoded += 1;
                stats.decode_us.add(now.0 - begin.0);
                let Some(picture) = picture else { return };
                stats.size = Some(picture.size());
                stats.first_picture.get_or_insert(now);
                stats.freezes.shown(now);
                drop(stats);
                *lock(&self.shared.newest) = Some(picture.clone());
                (self.on_event)(Event::Picture(picture));
            }
            Err(error) => {
                stats.dropped += 1;
                stats.broken += 1;
                drop(stats);
                self.gate.lost();
                tracing::debug!(%error, "a frame can't be decoded");
            }
        }
    }
}

#[cfg(test)]
mod tests;
