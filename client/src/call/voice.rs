//! One's own microphone on its way to the host.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use tokio::sync::mpsc;
use visita_media::sound::{
    self,
    played::Played,
    publish::{self, Encoded, Publisher, microphone_track},
    source::Choice,
};
use visita_protocol::{
    control::SendTrack,
    frame::{Header, References},
    id::{MemberId, TrackId},
    media::{Codec, Kind, Layer, Track},
    receiver::Selected,
    webrtc::Sent,
};

use super::{Microphone, Options, lost::Lost, outgoing::Local};
use crate::{
    clock::now,
    rate::{Line, Sound},
    report::{self, Encode},
    session,
    trace::{Stamp, Trace},
    uplink::Fate,
};

/// The microphone's track: far from the camera's numbers, which may become more.
const TRACK: TrackId = TrackId(8);

pub(super) struct Voice {
    publisher: Option<Publisher>,
    shared: Arc<Shared>,
    choice: Choice,
    muted: bool,
    source: Source,
    /// Whether the host knows of it.
    announced: bool,
    told: Microphone,
    rate: Sound,
    lost: Lost,
}

/// How the source fares.
enum Source {
    Starting,
    On { name: String },
    Failed(sound::Error),
}

/// What the publisher's thread uses.
struct Shared {
    /// Once there is a session.
    session: OnceLock<session::Handle>,
    counts: Mutex<Counts>,
    trace: Option<Trace>,
}

#[derive(Default)]
struct Counts {
    /// Frames and bytes that went into the uplink.
    frames: u64,
    bytes: u64,
    /// Frames that didn't.
    refused: u64,
    level: Option<Own>,
}

/// What is captured now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Own {
    pub(super) dbov: f32,
    pub(super) talking_while_muted: bool,
}

impl Voice {
    pub(super) fn start(
        options: &Options,
        played: Played,
        locals: mpsc::Sender<Local>,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            session: OnceLock::new(),
            counts: Mutex::default(),
            trace: options.trace.clone(),
        });
        let mut voice = Self {
            publisher: None,
            shared: shared.clone(),
            choice: options.audio.clone(),
            muted: options.muted,
            source: Source::Starting,
            announced: false,
            told: Microphone::Off,
            rate: Sound::default(),
            lost: Lost::default(),
        };
        let config = publish::Config {
            source: options.audio.clone(),
            process: options.process,
            bitrate: voice.rate.bits(),
            muted: options.muted,
            played,
        };
        let on_event = {
            let shared = shared.clone();
            move |event| match event {
                publish::Event::Level {
                    dbov,
                    talking_while_muted,
                } => {
                    shared.counts().level = Some(Own {
                        dbov,
                        talking_while_muted,
                    });
                }
                event => {
                    if locals.try_send(Local::Sound(event)).is_err() {
                        tracing::debug!("nobody takes the microphone's events");
                    }
                }
            }
        };
        let on_encoded = move |encoded: Encoded| shared.send(&encoded);
        voice.publisher = Some(Publisher::start(config, on_event, on_encoded)?);
        Ok(voice)
    }

    /// The track that RTP carries.
    pub(super) fn by_rtp() -> Sent {
        Sent {
            codec: Codec::Opus,
            track: TRACK,
        }
    }

    /// From here on frames can go out.
    pub(super) fn connect(&self, session: session::Handle) {
        let _ = self.shared.session.set(session);
    }

    /// What changed about the microphone since this was asked last.
    pub(super) fn news(&mut self) -> Option<Microphone> {
        let now = match &self.source {
            _ if self.choice == Choice::None => Microphone::Off,
            Source::Failed(error) => Microphone::Failed(error.clone()),
            _ if self.muted => Microphone::Muted,
            Source::Starting => Microphone::Starting,
            Source::On { name } => Microphone::On { name: name.clone() },
        };
        let changed = now != self.told;
        self.told.clone_from(&now);
        changed.then_some(now)
    }

    /// The track to announce; `None` while there is no sound, or none that may be heard.
    pub(super) fn track(&mut self) -> Option<Track> {
        let comes = self.choice != Choice::None && matches!(self.source, Source::On { .. });
        let announced = comes && !self.muted;
        if announced && !self.announced {
            // The host counts from here on.
            self.lost.untold();
        }
        self.announced = announced;
        self.announced.then(|| microphone_track(TRACK))
    }

    pub(super) fn event(&mut self, event: publish::Event) {
        match event {
            publish::Event::Started { name } | publish::Event::DeviceChanged { name } => {
                self.source = Source::On { name };
            }
            publish::Event::Stopped(error) => {
                self.source = Source::Failed(error);
                self.shared.counts().level = None;
            }
            publish::Event::Level { .. } => {}
        }
    }

    /// Mutes, or lets be heard again. When this returns nothing that is captured while muted can
    /// leave.
    pub(super) fn mute(&mut self, muted: bool) {
        self.muted = muted;
        if let Some(publisher) = &self.publisher {
            publisher.muted(muted);
        }
    }

    /// Takes sound from somewhere else.
    pub(super) fn source(&mut self, choice: Choice) {
        self.source = Source::Starting;
        self.shared.counts().level = None;
        self.choice = choice.clone();
        if let Some(publisher) = &self.publisher {
            publisher.source(choice);
        }
    }

    pub(super) fn process(&self, process: bool) {
        if let Some(publisher) = &self.publisher {
            publisher.process(process);
        }
    }

    /// What the host wants from now on; gives what of it is sent. A host that doesn't know yet that
    /// it was muted isn't heeded.
    pub(super) fn wanted(&self, tracks: &[SendTrack]) -> Option<Selected> {
        let wanted = self.announced && tracks.iter().any(|send| send.track == TRACK);
        if let Some(publisher) = &self.publisher {
            publisher.wanted(wanted);
        }
        wanted.then_some(Selected {
            track: TRACK,
            kind: Kind::Audio,
            layer: 0,
        })
    }

    /// Looks at the line, some times a second.
    pub(super) fn turn(&mut self, line: Line, picture_is_least: bool) {
        if let Some(bits) = self.rate.turn(now(), line, picture_is_least) {
            tracing::debug!(bits, "the sound follows the line");
            if let Some(publisher) = &self.publisher {
                publisher.bitrate(bits);
            }
        }
        let (frames, refused) = {
            let counts = self.shared.counts();
            (counts.frames + counts.refused, counts.refused)
        };
        let dropped = refused + line.sound_dropped;
        let permille = self.lost.turn(now(), frames, dropped);
        if let Some(publisher) = &self.publisher {
            publisher.loss(permille as f32 / 1000.0);
        }
    }

    /// The host says how many of a hundred packets of a track get lost.
    pub(super) fn loss(&mut self, track: TrackId, percent: u8) {
        if track == TRACK {
            self.lost.told(percent);
        }
    }

    /// The room is told anew, and with it what gets lost.
    pub(super) fn told_anew(&mut self) {
        self.lost.untold();
    }

    /// What is captured now, if anything is.
    pub(super) fn own(&self) -> Option<Own> {
        self.shared.counts().level
    }

    /// The row of the report; `None` if nothing was ever encoded.
    pub(super) fn sent(&self) -> Option<report::Sent> {
        self.shared.row(self.publisher.as_ref()?.sent())
    }

    /// Closes the source and ends the thread.
    pub(super) async fn stop(&mut self) -> Option<report::Sent> {
        let publisher = self.publisher.take()?;
        // A microphone may take its time to close.
        let sent = tokio::task::spawn_blocking(move || publisher.stop()).await;
        self.shared.row(sent.ok()?)
    }
}

impl Shared {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, encoded: &Encoded) {
        let Some(session) = self.session.get() else {
            return;
        };
        if let Some(trace) = &self.trace {
            trace.stamp(Stamp::Encoded {
                track: TRACK,
                captured: encoded.time,
            });
        }
        let header = Header {
            sender: MemberId(0),
            track: TRACK,
            layer: Layer::default(),
            sequence: encoded.sequence,
            timestamp: encoded.time,
            chunk: 0,
            chunks: 1,
            references: References::NONE,
            level: Some(encoded.level),
        };
        let queued = session.frame(header, &encoded.payload) == Fate::Queued;
        let mut counts = self.counts();
        if queued {
            counts.frames += 1;
            counts.bytes += encoded.payload.len() as u64;
        } else {
            counts.refused += 1;
        }
    }

    fn row(&self, sent: publish::Sent) -> Option<report::Sent> {
        let counts = self.counts();
        (sent.frames > 0).then(|| report::Sent {
            kind: Kind::Audio,
            codec: Codec::Opus,
            size: None,
            frames: counts.frames,
            bytes: counts.bytes,
            encode_us: Encode::of(&sent.encode_us),
        })
    }
}
