//! The sending half: a source on one thread, the encoders on another, and between them the newest
//! picture wins.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use bytes::Bytes;
use visita_protocol::{
    control::SendTrack,
    frame::References,
    id::TrackId,
    media::{Codec, Layer, Size, Source as Carries, Track},
    time::MediaTime,
};

use crate::{
    h264, jpeg,
    picture::Picture,
    slot::Slot,
    source::{self, Opener},
    stats::Percentiles,
    vp8,
};

mod capture;
mod encoding;
mod layers;
mod retry;
mod video;

use encoding::Encoding;
pub use layers::bits;

/// How much is sent at most, whatever is wanted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// The largest H.264 or VP8 picture.
    pub h264: Size,
    /// The most H.264 or VP8 pictures a second.
    pub h264_fps: u16,
    /// The largest JPEG picture.
    pub jpeg: Size,
    /// The most JPEG pictures a second.
    pub jpeg_fps: u16,
}

impl Default for Limits {
    /// 640×360 at 30 by H.264 and VP8; by JPEG, which takes seven times the bits, 480×270 at 12.
    fn default() -> Self {
        Self {
            h264: Size::new(640, 360),
            h264_fps: 30,
            jpeg: Size::new(480, 270),
            jpeg_fps: 12,
        }
    }
}

/// The tracks of a camera within these limits, as a participant announces them: number 0 is
/// H.264, number 1 JPEG, number 2 VP8 where it is there. Those two go in two spatial layers.
pub fn camera_tracks(limits: Limits) -> Vec<Track> {
    let track = |id, codec, layers| Track {
        id: TrackId(id),
        source: Carries::Camera,
        codec,
        layers,
        sealed: false,
    };
    let mut tracks = vec![
        track(0, Codec::H264, layers::layers(limits.h264)),
        track(1, Codec::Jpeg, vec![limits.jpeg]),
    ];
    if vp8::AVAILABLE {
        tracks.push(track(2, Codec::Vp8, layers::layers(limits.h264)));
    }
    tracks
}

/// What a publisher begins with.
pub struct Config {
    /// Where pictures come from; `None` = nowhere yet.
    pub source: Option<Opener>,
    /// The tracks announced. Those that aren't H.264, VP8 or JPEG are never encoded.
    pub tracks: Vec<Track>,
    /// The most that is sent.
    pub limits: Limits,
}

/// An encoded frame, to be sent.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// The track.
    pub track: TrackId,
    /// How it is coded.
    pub codec: Codec,
    /// Its place in the track, counted from 0 for the publisher's life.
    pub sequence: u32,
    /// When it was captured.
    pub time: MediaTime,
    /// Its layer.
    pub layer: Layer,
    /// Whether it is of the largest layer that its picture is sent in.
    pub largest: bool,
    /// What it refers to.
    pub references: References,
    /// The picture's size.
    pub size: Size,
    /// The frame.
    pub payload: Bytes,
}

/// What happens to the source and the encoders.
#[derive(Clone, Debug)]
pub enum Event {
    /// Pictures come.
    Started {
        /// The source's name, for a screen.
        name: String,
        /// The first picture's size.
        size: Size,
    },
    /// A picture was captured: one's own, for a screen.
    Picture(Picture),
    /// No pictures come. What may pass by itself is tried again; this is said once for each new
    /// reason.
    Stopped(source::Error),
    /// A track can't be encoded; it is tried again at the next picture, and said once.
    EncoderFailed {
        /// The track.
        track: TrackId,
        /// Why.
        error: EncodeError,
    },
}

/// Why a picture can't be encoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// H.264.
    #[error(transparent)]
    H264(#[from] h264::encode::Error),
    /// VP8.
    #[error(transparent)]
    Vp8(#[from] vp8::encode::Error),
    /// JPEG.
    #[error("{0}")]
    Jpeg(String),
    /// The picture can't be brought to the size.
    #[error(transparent)]
    Size(#[from] crate::picture::BadSize),
}

impl From<jpeg::Error> for EncodeError {
    fn from(error: jpeg::Error) -> Self {
        Self::Jpeg(error.to_string())
    }
}

/// What was sent of a track.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The track.
    pub track: TrackId,
    /// How it is coded.
    pub codec: Codec,
    /// The last picture's size, in its largest layer.
    pub size: Size,
    /// Pictures that came out, in whatever layers.
    pub frames: u64,
    /// The bytes of all their layers.
    pub bytes: u64,
    /// Pictures that rate control left out.
    pub skipped: u64,
    /// Microseconds for each picture, scaling and all layers included.
    pub encode_us: Percentiles,
}

type OnEvent = Arc<Mutex<dyn FnMut(Event) + Send>>;

struct Shared {
    captured: Slot<Picture>,
    own: Mutex<Option<Picture>>,
    stopping: AtomicBool,
    /// Whether pictures come, as far as was said.
    capturing: AtomicBool,
    orders: Mutex<Orders>,
    next: Mutex<Next>,
    next_changed: Condvar,
    sent: Mutex<BTreeMap<TrackId, Sent>>,
    on_event: OnEvent,
}

/// The source to change to, until the capture thread has seen it.
enum Next {
    Unchanged,
    Source(Option<Opener>),
}

impl Next {
    /// Takes the change, if there is one, over into `current`.
    fn apply(&mut self, current: &mut Option<Opener>) -> bool {
        match std::mem::replace(self, Next::Unchanged) {
            Next::Unchanged => false,
            Next::Source(opener) => {
                *current = opener;
                true
            }
        }
    }

    fn is_change(&self) -> bool {
        matches!(self, Next::Source(_))
    }
}

#[derive(Default)]
struct Orders {
    wanted: BTreeMap<TrackId, Size>,
    keys: Vec<TrackId>,
    bitrates: BTreeMap<TrackId, u32>,
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A source that gives no picture for so long hangs: slower ones than one in two seconds aren't
/// made.
const STALL: Duration = Duration::from_secs(5);

impl Shared {
    /// No picture came for [`STALL`]: if one should have, the source hangs in a call to the
    /// system. That is said once; the capture thread itself can say nothing.
    fn stalled(&self) {
        if self.capturing.swap(false, Ordering::AcqRel) {
            *lock(&self.own) = None;
            let why = format!("no picture for {} s", STALL.as_secs());
            self.event(Event::Stopped(source::Error::Lost(why)));
        }
    }

    fn event(&self, event: Event) {
        lock(&self.on_event)(event);
    }
}

/// Captures from the start and encodes what is wanted, until it is stopped or dropped.
///
/// Nothing here waits for the threads but [`Publisher::stop`] and `drop`. The callbacks run on
/// these threads: they must be quick, and must not stop the publisher.
pub struct Publisher {
    shared: Arc<Shared>,
    threads: Vec<Thread>,
}

struct Thread {
    handle: JoinHandle<()>,
    /// Disconnects when the thread ends.
    alive: mpsc::Receiver<()>,
}

/// How long a source may take to give its last picture: a camera that hangs is left behind.
const PATIENCE: Duration = Duration::from_secs(3);

impl Publisher {
    /// Starts the threads. Fails only if the system has no thread to give.
    pub fn start(
        config: Config,
        on_event: impl FnMut(Event) + Send + 'static,
        on_encoded: impl FnMut(Encoded) + Send + 'static,
    ) -> std::io::Result<Self> {
        let Config {
            source,
            tracks,
            limits,
        } = config;
        let shared = Arc::new(Shared {
            captured: Slot::new(),
            own: Mutex::new(None),
            stopping: AtomicBool::new(false),
            capturing: AtomicBool::new(false),
            orders: Mutex::default(),
            next: Mutex::new(Next::Source(source)),
            next_changed: Condvar::new(),
            sent: Mutex::default(),
            on_event: Arc::new(Mutex::new(on_event)),
        });
        let mut publisher = Self {
            shared: shared.clone(),
            threads: Vec::new(),
        };
        let capturing = shared.clone();
        publisher.spawn("visita-capture", move || capture::run(&capturing))?;
        let encodings = tracks
            .iter()
            .filter_map(|track| Encoding::new(track, limits))
            .collect();
        publisher.spawn("visita-encode", move || {
            encoding::run(&shared, encodings, on_encoded);
        })?;
        Ok(publisher)
    }

    fn spawn(&mut self, name: &str, run: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
        let (life, alive) = mpsc::channel();
        let handle = thread::Builder::new().name(name.into()).spawn(move || {
            let _life = life;
            run();
        })?;
        self.threads.push(Thread { handle, alive });
        Ok(())
    }

    /// What to encode from now on, and how large at most; tracks not listed are not encoded. A
    /// track that begins anew begins with a key frame.
    pub fn wanted(&self, tracks: &[SendTrack]) {
        let wanted = tracks.iter().map(|send| (send.track, send.size)).collect();
        lock(&self.shared.orders).wanted = wanted;
    }

    /// Makes the track's next frame a key frame.
    pub fn key_frame(&self, track: TrackId) {
        let mut orders = lock(&self.shared.orders);
        if !orders.keys.contains(&track) {
            orders.keys.push(track);
        }
    }

    /// Aims at this many bits a second, instead of what fits the size.
    pub fn bitrate(&self, track: TrackId, bits: u32) {
        lock(&self.shared.orders).bitrates.insert(track, bits);
    }

    /// Changes to another source, or with `None` to none: the camera is closed.
    pub fn source(&self, source: Option<Opener>) {
        *lock(&self.shared.next) = Next::Source(source);
        self.shared.next_changed.notify_all();
    }

    /// The newest picture captured; `None` while there is no source.
    pub fn own(&self) -> Option<Picture> {
        lock(&self.shared.own).clone()
    }

    /// What was sent so far, a row for each track that ever was.
    pub fn sent(&self) -> Vec<Sent> {
        lock(&self.shared.sent).values().cloned().collect()
    }

    /// How many pictures were captured and replaced by newer ones before they could be encoded.
    pub fn passed_over(&self) -> u64 {
        self.shared.captured.replaced()
    }

    /// Ends the threads and closes the source.
    pub fn stop(mut self) -> Vec<Sent> {
        self.end();
        self.sent()
    }

    fn end(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        // The lock makes sure that the capture thread either waits already or sees the flag.
        drop(lock(&self.shared.next));
        self.shared.next_changed.notify_all();
        self.shared.captured.close();
        for Thread { handle, alive } in self.threads.drain(..) {
            if alive.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Disconnected) {
                let _ = handle.join();
            } else {
                tracing::warn!("the picture source hangs and is left behind");
            }
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
