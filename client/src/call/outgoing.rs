//! One's own camera on its way to the host.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use tokio::sync::mpsc;
use visita_media::{
    convert,
    publish::{self, Encoded, Limits, Publisher, camera_tracks},
    sound,
    source::Choice,
};
use visita_protocol::{
    control::{Carries, SendTrack},
    frame::Header,
    id::{MemberId, TrackId},
    line::Pause,
    media::{Codec, Kind, Size, Track},
    receiver::{ALL_LAYERS, Level, Selected},
    webrtc::Sent,
};

use super::Options;
use crate::{
    clock::now,
    pictures::{Pictures, Whose},
    rate::{Line, Rate},
    report::{self, Encode},
    session,
    trace::{Stamp, Step, Trace},
    uplink::Fate,
};

/// How many events of the sources and of the loudspeaker wait. They are few; one that is lost would
/// leave the others with a wrong word about the camera or the microphone, never more.
pub(super) const LOCALS: usize = 64;

/// What the call's own threads tell it.
pub(super) enum Local {
    /// The camera changed.
    Source(publish::Event),
    /// A key frame is needed, because frames were dropped here.
    KeyFrame(TrackId),
    /// The microphone changed.
    Sound(sound::publish::Event),
    /// The loudspeaker changed.
    Speaker(sound::listen::Event),
}

pub(super) struct Outgoing {
    publisher: Option<Publisher>,
    shared: Arc<Shared>,
    pictures: Pictures,
    choice: Choice,
    on: bool,
    /// Whether pictures came since it was switched on.
    started: bool,
    limits: Limits,
    tracks: Vec<Track>,
    /// The largest picture that can be sent of this source.
    full: Size,
    wanted: Vec<SendTrack>,
    rate: Option<Rate>,
    /// Whether it isn't sent, because the line doesn't carry even the least of it.
    pause: Pause,
    trace: Option<Trace>,
}

/// What the encoder's thread uses.
struct Shared {
    /// Once there is a session.
    session: OnceLock<session::Handle>,
    /// Pictures, in whatever layers, and bytes that went into the uplink.
    queued: Mutex<BTreeMap<TrackId, (u64, u64)>>,
}

impl Outgoing {
    pub(super) fn start(
        options: &Options,
        pictures: Pictures,
        locals: mpsc::Sender<Local>,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            session: OnceLock::new(),
            queued: Mutex::default(),
        });
        let tracks = camera_tracks(options.limits);
        let on = options.camera_on && options.video != Choice::None;
        let config = publish::Config {
            source: if on {
                options.video.clone().opener()
            } else {
                None
            },
            tracks: tracks.clone(),
            limits: options.limits,
        };
        let on_event = {
            let (locals, pictures) = (locals.clone(), pictures.clone());
            let trace = options.trace.clone();
            move |event| match event {
                publish::Event::Picture(picture) => {
                    if let Some(trace) = &trace {
                        trace.stamp(Stamp::Captured {
                            captured: picture.time(),
                        });
                    }
                    pictures.put(Whose::Own, picture);
                }
                event => {
                    if locals.try_send(Local::Source(event)).is_err() {
                        tracing::debug!("nobody takes the camera's events");
                    }
                }
            }
        };
        let on_encoded = {
            let (shared, trace) = (shared.clone(), options.trace.clone());
            move |encoded: Encoded| {
                let Encoded {
                    track,
                    time: captured,
                    ..
                } = encoded;
                if let Some(trace) = trace.as_ref().filter(|_| encoded.largest) {
                    trace.stamp(Stamp::Encoded { track, captured });
                }
                if shared.send(&encoded) == Fate::DroppedAndNeedsKeyFrame {
                    let _ = locals.try_send(Local::KeyFrame(track));
                }
            }
        };
        let publisher = Publisher::start(config, on_event, on_encoded)?;
        Ok(Self {
            publisher: Some(publisher),
            shared,
            pictures,
            choice: options.video.clone(),
            on,
            started: false,
            limits: options.limits,
            tracks,
            full: options.limits.h264,
            wanted: Vec::new(),
            rate: None,
            pause: Pause::default(),
            trace: options.trace.clone(),
        })
    }

    /// The tracks that RTP carries.
    pub(super) fn by_rtp(&self) -> impl Iterator<Item = Sent> + '_ {
        let carried = self.tracks.iter().filter(|track| is_paced(track));
        carried.map(|track| Sent {
            codec: track.codec,
            track: track.id,
        })
    }

    /// From here on frames can go out.
    pub(super) fn connect(&self, session: session::Handle) {
        let _ = self.shared.session.set(session);
    }

    /// The source gives pictures of this size; `false` if it was switched off meanwhile.
    pub(super) fn started(&mut self, size: Size) -> bool {
        if self.on {
            self.started = true;
            self.full = convert::fit(size, convert::turned(self.limits.h264, size));
            self.pace();
        }
        self.on
    }

    /// No pictures come any more; `false` if it was switched off.
    pub(super) fn stopped(&mut self) -> bool {
        self.started = false;
        self.on
    }

    /// The tracks to announce.
    pub(super) fn tracks(&self) -> &[Track] {
        if self.started && self.pause.sends() {
            &self.tracks
        } else {
            &[]
        }
    }

    /// What the others are told that the line carries.
    pub(super) fn carries(&self) -> Carries {
        self.pause.carries()
    }

    /// Switches the camera; `false` if it is so already or there is none.
    pub(super) fn switch(&mut self, on: bool) -> bool {
        if on == self.on || self.choice == Choice::None {
            return false;
        }
        self.on = on;
        self.started = false;
        self.pause = Pause::default();
        self.open();
        true
    }

    /// Takes pictures from somewhere else; says whether it is being opened now.
    pub(super) fn source(&mut self, choice: Choice) -> bool {
        self.choice = choice;
        if self.on {
            self.open();
        }
        self.on
    }

    fn open(&self) {
        let opener = if self.on {
            self.choice.clone().opener()
        } else {
            None
        };
        if let Some(publisher) = &self.publisher {
            publisher.source(opener);
        }
        if !self.on {
            self.pictures.forget(Whose::Own);
        }
    }

    /// What the host wants from now on; gives what of it is sent. A host that doesn't know yet that
    /// the camera is off isn't heeded.
    pub(super) fn wanted(&mut self, tracks: &[SendTrack]) -> Vec<Selected> {
        let announced = |id: TrackId| self.tracks().iter().find(|track| track.id == id);
        let (wanted, selected): (Vec<_>, Vec<_>) = tracks
            .iter()
            .filter_map(|send| {
                let track = announced(send.track)?;
                let layered = track.layers.len() > 1;
                let selected = Selected {
                    track: send.track,
                    kind: track.codec.kind()?,
                    layer: if layered { ALL_LAYERS } else { 0 },
                };
                Some((send.clone(), selected))
            })
            .unzip();
        if wanted != self.wanted {
            if let Some(trace) = self.trace.as_ref().filter(|_| !wanted.is_empty()) {
                trace.stamp(Stamp::Step(Step::Asked));
            }
            self.wanted = wanted;
            self.pace();
        }
        selected
    }

    /// Whether there is no picture that could still be made smaller.
    pub(super) fn is_least(&self) -> bool {
        self.wanted.is_empty() || self.rate.as_ref().is_some_and(Rate::is_least)
    }

    pub(super) fn key_frame(&self, track: TrackId) {
        if let Some(publisher) = &self.publisher {
            publisher.key_frame(track);
        }
    }

    /// Looks at the uplink, some times a second; gives how it fares.
    pub(super) fn turn(&mut self) -> Line {
        let shared = self.shared.clone();
        let Some(session) = shared.session.get() else {
            return Line::default();
        };
        let state = session.uplink();
        let line = Line {
            age: state.age.max(state.late),
            dropped: state.dropped,
            sound: state.sound,
            sound_dropped: state.sound_dropped,
        };
        self.pause(session, state.level);
        // A rate that grew while nothing was sent would be none that the line showed to take.
        let rate = self.rate.as_mut().filter(|_| self.pause.sends());
        let changed = rate.and_then(|rate| rate.turn(now(), line));
        let keys = session.key_frames_due();
        if let Some(setting) = changed {
            tracing::debug!(
                bits = setting.bits,
                eighths = setting.eighths,
                "the picture follows the line"
            );
            session.slow(self.rate.as_ref().is_some_and(Rate::is_slowed));
            self.apply();
        }
        for track in keys {
            self.key_frame(track);
        }
        line
    }

    /// Stops sending the picture where even the least of it doesn't pass, and tries it again.
    fn pause(&mut self, session: &session::Handle, level: Level) {
        let asked = self.pause.sends() && !self.wanted.is_empty();
        let passes = level < Level::SoundOnly || !self.rate.as_ref().is_some_and(Rate::is_least);
        if !self.pause.turn(now(), passes || !asked) {
            return;
        }
        let (sends, carries) = (self.pause.sends(), self.pause.carries());
        tracing::debug!(
            sends,
            ?carries,
            "whether the picture is sent follows the line"
        );
        if sends && carries == Carries::Sound {
            session.try_pictures();
        }
    }

    /// The bits that the largest wanted H.264 or VP8 picture takes on a good line.
    fn pace(&mut self) {
        let paced = |id| {
            self.tracks
                .iter()
                .any(|track| track.id == id && is_paced(track))
        };
        let size = self
            .wanted
            .iter()
            .filter(|send| paced(send.track))
            .map(|send| send.size)
            .reduce(Size::max);
        let most = publish::bits(self.full, size.unwrap_or(self.full));
        match &mut self.rate {
            Some(rate) => rate.rebase(most),
            None => self.rate = Some(Rate::new(most)),
        }
        self.apply();
    }

    fn apply(&self) {
        let (Some(publisher), Some(rate)) = (&self.publisher, &self.rate) else {
            return;
        };
        let setting = rate.setting();
        let capped: Vec<_> = self
            .wanted
            .iter()
            .map(|send| SendTrack {
                track: send.track,
                size: setting.cap(self.full, send.size),
            })
            .collect();
        publisher.wanted(&capped);
        for track in self.tracks.iter().filter(|track| is_paced(track)) {
            publisher.bitrate(track.id, setting.bits);
        }
    }

    /// The rows of the report.
    pub(super) fn sent(&self) -> Vec<report::Sent> {
        self.publisher
            .as_ref()
            .map(|publisher| self.shared.rows(publisher.sent()))
            .unwrap_or_default()
    }

    /// Closes the source and ends the threads.
    pub(super) async fn stop(&mut self) -> Vec<report::Sent> {
        let Some(publisher) = self.publisher.take() else {
            return Vec::new();
        };
        // A camera may take its time to close.
        let sent = tokio::task::spawn_blocking(move || publisher.stop()).await;
        self.shared.rows(sent.unwrap_or_default())
    }
}

/// Whether a track's encoder aims at a bit rate.
fn is_paced(track: &Track) -> bool {
    track.codec != Codec::Jpeg
}

impl Shared {
    fn send(&self, encoded: &Encoded) -> Fate {
        let Some(session) = self.session.get() else {
            return Fate::Dropped;
        };
        let header = Header {
            sender: MemberId(0),
            track: encoded.track,
            layer: encoded.layer,
            sequence: encoded.sequence,
            timestamp: encoded.time,
            chunk: 0,
            chunks: 1,
            references: encoded.references,
            level: None,
        };
        let fate = session.frame(header, &encoded.payload);
        if fate == Fate::Queued {
            let mut queued = self.queued.lock().unwrap_or_else(PoisonError::into_inner);
            let (frames, bytes) = queued.entry(encoded.track).or_default();
            *frames += u64::from(encoded.largest);
            *bytes += encoded.payload.len() as u64;
        }
        fate
    }

    fn rows(&self, encodings: Vec<publish::Sent>) -> Vec<report::Sent> {
        let queued = self.queued.lock().unwrap_or_else(PoisonError::into_inner);
        let row = |sent: publish::Sent| {
            let (frames, bytes) = queued.get(&sent.track).copied().unwrap_or_default();
            report::Sent {
                kind: Kind::Video,
                codec: sent.codec,
                size: Some(sent.size),
                frames,
                bytes,
                encode_us: Encode::of(&sent.encode_us),
            }
        };
        encodings.into_iter().map(row).collect()
    }
}
