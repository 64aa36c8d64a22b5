//! Everybody else's sound and pictures, from the host's chunks to decoded.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use tokio::task::{JoinHandle, spawn_blocking};
use visita_media::{
    clock, receive,
    sound::{
        BLOCK,
        listen::{self, Output},
    },
};
use visita_protocol::{
    chunk::Assembler,
    control::{Member, Watch},
    frame::Header,
    id::{ClockId, MemberId, TrackId},
    media::{Codec, Kind, Source, Track as Announced},
    time::{MediaTime, Now},
};

use super::{
    Options,
    ears::Ears,
    showing::Showing,
    sights::{Sight, Sights},
    tally::{Delays, Key, Stats, Tally, lock},
};
use crate::{
    clock::now,
    pictures::Pictures,
    report::{self, Report},
    session,
    trace::{Stamp, Trace},
};

/// How long decoders may take with the last frames of a member or a call; a busy machine needs
/// more than a moment.
pub(super) const LAST_FRAMES: Duration = Duration::from_secs(2);

pub(super) struct Incoming {
    session: session::Handle,
    ears: Ears,
    showing: Arc<Showing>,
    /// Puts what `showing` holds.
    puts: JoinHandle<()>,
    start: MediaTime,
    own: MemberId,
    own_clock: Option<ClockId>,
    decode: bool,
    trace: Option<Trace>,
    members: BTreeMap<MemberId, Member>,
    tracks: BTreeMap<Key, Track>,
    /// Which camera track of each member the host forwards now.
    active: BTreeMap<MemberId, TrackId>,
    /// How loud members are heard that aren't heard as sent.
    volumes: BTreeMap<MemberId, f32>,
    /// Who left, and when: their last frames are still being decoded.
    departed: BTreeMap<MemberId, Now>,
    tally: Tally,
    sights: Sights,
    /// Decoders that finish their last frame.
    ending: Vec<JoinHandle<()>>,
}

struct Track {
    codec: Codec,
    kind: Kind,
    assembler: Assembler<Bytes>,
    sink: Sink,
}

/// Where a track's frames go.
enum Sink {
    Picture(receive::Receiver),
    /// To the call's one listener.
    Sound,
    /// Nowhere.
    Counted {
        frames: u64,
        bytes: u64,
    },
}

impl Incoming {
    pub(super) fn new(
        options: &Options,
        session: session::Handle,
        pictures: Pictures,
        ears: Ears,
        start: MediaTime,
        own: MemberId,
        members: &[Member],
    ) -> Self {
        let showing = Showing::new(pictures, ears.clone(), options.trace.clone());
        let heard = |member: &Member| member.id != own && sends(member, Kind::Audio);
        if options.decode && members.iter().any(heard) {
            ears.open();
        }
        Self {
            session,
            ears,
            puts: tokio::spawn(showing.clone().run()),
            showing,
            start,
            own,
            own_clock: clock::id(),
            decode: options.decode,
            trace: options.trace.clone(),
            members: members
                .iter()
                .map(|member| (member.id, member.clone()))
                .collect(),
            tracks: BTreeMap::new(),
            active: BTreeMap::new(),
            volumes: BTreeMap::new(),
            departed: BTreeMap::new(),
            tally: Tally::default(),
            sights: Sights::default(),
            ending: Vec::new(),
        }
    }

    /// A member came or changed.
    pub(super) fn member(&mut self, member: &Member) {
        let mut silent = Vec::new();
        for (key, track) in &self.tracks {
            let (owner, id) = *key;
            if owner != member.id || member.tracks.iter().any(|track| track.id == id) {
                continue;
            }
            match track.kind {
                Kind::Video => track.pause(),
                // Nothing that still comes of a muted member is to be heard.
                Kind::Audio => silent.push(*key),
            }
        }
        for key in silent {
            self.end(key);
        }
        if !sends(member, Kind::Video) {
            self.active.remove(&member.id);
            self.showing.forget(member.id);
        }
        if sends(member, Kind::Audio) && self.decode && member.id != self.own {
            self.ears.open();
        }
        self.members.insert(member.id, member.clone());
    }

    pub(super) fn left(&mut self, member: MemberId) {
        self.members.remove(&member);
        self.active.remove(&member);
        self.departed.insert(member, now());
        self.showing.forget(member);
        self.volumes.remove(&member);
        let sounds = self.tracks.iter();
        let sounds =
            sounds.filter(|((owner, _), track)| *owner == member && track.kind == Kind::Audio);
        let sounds: Vec<Key> = sounds.map(|(key, _)| *key).collect();
        for key in sounds {
            self.end(key);
        }
    }

    /// Who is there, after more happened than the host kept for this participant.
    pub(super) fn told(&mut self, members: &[Member]) {
        let gone = |id: &&MemberId| !members.iter().any(|member| member.id == **id);
        let gone: Vec<MemberId> = self.members.keys().filter(gone).copied().collect();
        for member in gone {
            self.left(member);
        }
        for member in members {
            self.member(member);
        }
    }

    /// Ends the decoders of those who left, once they are done with the last frames. To be called
    /// some times a second.
    pub(super) fn sweep(&mut self) {
        self.ending.retain(|ending| !ending.is_finished());
        let now = now();
        let busy = |incoming: &Self, member| {
            let mut tracks = incoming
                .tracks
                .iter()
                .filter(|((owner, _), _)| *owner == member);
            tracks.any(|(_, track)| track.is_busy())
        };
        let done: Vec<MemberId> = self
            .departed
            .iter()
            .filter(|(member, since)| now.since(**since) > LAST_FRAMES || !busy(self, **member))
            .map(|(member, _)| *member)
            .collect();
        for member in done {
            self.departed.remove(&member);
            let of_member = |(owner, _): &&Key| *owner == member;
            let keys: Vec<Key> = self.tracks.keys().filter(of_member).copied().collect();
            for key in keys {
                self.end(key);
            }
            // The decoder may have put a picture after the member went.
            self.showing.forget(member);
        }
    }

    /// Whose picture comes and can't be shown, as of now. To be called some times a second.
    pub(super) fn unseen(&mut self) -> Vec<MemberId> {
        if !self.decode {
            return Vec::new();
        }
        let tracks = &self.tracks;
        let of = self.members.values().filter_map(|member| {
            let camera = || {
                let all = member.tracks.iter();
                all.filter(|track| track.source == Source::Camera)
            };
            camera().next()?;
            let stats = |id| tracks.get(&(member.id, id)).and_then(Track::pictures);
            let all: Vec<receive::Stats> = camera().filter_map(|track| stats(track.id)).collect();
            let sight = Sight {
                readable: camera().any(|track| receive::DECODES.contains(&track.codec)),
                received: all.iter().map(|stats| stats.received).sum(),
                decoded: all.iter().map(|stats| stats.decoded).sum(),
            };
            (member.id != self.own).then_some((member.id, sight))
        });
        self.sights.look(now(), of)
    }

    /// What is shown changes: a picture that isn't shown isn't frozen.
    pub(super) fn watch(&mut self, watch: &Watch) {
        for ((owner, _), track) in &self.tracks {
            let view = watch.views.iter().find(|view| view.member == *owner);
            if view.map_or(watch.others, |view| view.size).is_none() {
                track.pause();
            }
        }
    }

    /// The connection is gone, and with it what was half here.
    pub(super) fn lost(&mut self) {
        for track in self.tracks.values_mut() {
            track.assembler.abandon();
        }
    }

    /// A chunk came.
    pub(super) fn chunk(&mut self, message: Bytes) {
        let (header, payload) = match Header::parse(&message) {
            Ok((header, at)) => (header, message.slice(at..)),
            Err(error) => {
                tracing::debug!(%error, "a chunk that can't be read is dropped");
                return;
            }
        };
        let key = (header.sender, header.track);
        if header.sender == self.own || !self.know(key) {
            return;
        }
        let Some(track) = self.tracks.get_mut(&key) else {
            return;
        };
        let bytes = payload.len();
        let frame = match track.assembler.push(header, payload, bytes) {
            Ok(Some(frame)) => frame,
            Ok(None) => return,
            Err(error) => {
                tracing::debug!(%error, from = %key.0, "a chunk out of place is dropped");
                return;
            }
        };
        let payload = match frame.chunks.as_slice() {
            [whole] => whole.clone(),
            chunks => {
                let mut payload = BytesMut::with_capacity(frame.bytes);
                for chunk in chunks {
                    payload.extend_from_slice(chunk);
                }
                payload.freeze()
            }
        };
        self.take(key, header, payload);
    }

    /// A whole frame came another way than chunks do.
    pub(super) fn frame(&mut self, header: Header, payload: Bytes) {
        let key = (header.sender, header.track);
        if header.sender == self.own || !self.know(key) {
            return;
        }
        let track = self.tracks.get_mut(&key);
        // One that was overtaken, or came before over the connection.
        if track.is_some_and(|track| track.assembler.pass(header.sequence)) {
            self.take(key, header, payload);
        }
    }

    fn take(&mut self, key: Key, header: Header, payload: Bytes) {
        let Some(track) = self.tracks.get_mut(&key) else {
            return;
        };
        if let Some(trace) = &self.trace {
            trace.stamp(Stamp::Arrived {
                from: key.0,
                track: key.1,
                captured: header.timestamp,
            });
        }
        match &mut track.sink {
            Sink::Picture(decoder) => decoder.frame(receive::Frame {
                sequence: header.sequence,
                time: header.timestamp,
                references: header.references,
                payload,
            }),
            Sink::Sound => self.ears.frame(
                key.0,
                listen::Frame {
                    sequence: header.sequence,
                    time: header.timestamp,
                    payload,
                },
            ),
            Sink::Counted { frames, bytes } => {
                *frames += 1;
                *bytes += payload.len() as u64;
            }
        }
        if track.kind == Kind::Video
            && let Some(before) = self.active.insert(key.0, key.1)
            && before != key.1
            && let Some(before) = self.tracks.get(&(key.0, before))
        {
            // The host changed to another encoding: the one before stopped on purpose.
            before.pause();
        }
    }

    /// Whether a track is one that its sender announced; makes its decoder at its first frame.
    fn know(&mut self, key: Key) -> bool {
        let member = self.members.get(&key.0);
        let announced =
            member.and_then(|member| member.tracks.iter().find(|track| track.id == key.1));
        let codec = announced.map(|track| track.codec);
        match (self.tracks.get(&key), codec) {
            // The last frames of a track that was withdrawn still count.
            (Some(_), None) => return true,
            (Some(track), Some(codec)) if track.codec == codec => return true,
            (Some(_), Some(_)) => self.end(key),
            (None, None) => return false,
            (None, Some(_)) => {}
        }
        let (Some(member), Some(codec)) = (self.members.get(&key.0), codec) else {
            return false;
        };
        let Some(kind) = codec.kind() else {
            return false;
        };
        let same_clock = self.own_clock.is_some() && member.clock == self.own_clock;
        let name = member.name.reveal();
        let delays = self.tally.begin(key, name, kind, codec, same_clock);
        let counted = Sink::Counted {
            frames: 0,
            bytes: 0,
        };
        let sink = match kind {
            _ if !self.decode => counted,
            Kind::Video => self
                .decoder(key, codec, same_clock, delays)
                .map_or(counted, Sink::Picture),
            Kind::Audio => {
                self.hear(key.0);
                Sink::Sound
            }
        };
        let track = Track {
            codec,
            kind,
            assembler: Assembler::new(),
            sink,
        };
        self.tracks.insert(key, track);
        true
    }

    /// A member's sound begins. Each is heard by one track at a time: another one ends.
    fn hear(&mut self, member: MemberId) {
        let mut sounds = self.tracks.iter();
        let other = sounds
            .find(|((owner, _), track)| *owner == member && matches!(track.sink, Sink::Sound));
        if let Some(key) = other.map(|(key, _)| *key) {
            self.end(key);
        }
        self.ears.open();
        if let Some(&volume) = self.volumes.get(&member) {
            self.ears.volume(member, volume);
        }
    }

    /// How loud a member is heard from now on: 0 not at all, 1 as sent.
    pub(super) fn volume(&mut self, member: MemberId, volume: f32) {
        self.volumes.insert(member, volume);
        self.ears.volume(member, volume);
    }

    /// Plays a sound of this device's own once.
    pub(super) fn sound(&self, blocks: &[[f32; BLOCK]]) {
        self.ears.sound(blocks);
    }

    /// Plays sound elsewhere.
    pub(super) fn play(&self, output: Output) {
        self.ears.output(output);
    }

    /// How loud everybody is who sends sound, in decibels of full scale.
    pub(super) fn levels(&self) -> Vec<(MemberId, f32)> {
        self.ears.levels()
    }

    fn decoder(
        &self,
        (member, id): Key,
        codec: Codec,
        same_clock: bool,
        delays: Delays,
    ) -> Option<receive::Receiver> {
        let (session, showing, trace) = (
            self.session.clone(),
            self.showing.clone(),
            self.trace.clone(),
        );
        let on_event = move |event| match event {
            receive::Event::Picture(picture) => {
                if same_clock {
                    let delay = clock::now().0.saturating_sub(picture.time().0);
                    lock(&delays).add(delay);
                }
                if let Some(trace) = &trace {
                    trace.stamp(Stamp::Decoded {
                        from: member,
                        track: id,
                        picture: picture.clone(),
                    });
                }
                showing.decoded(member, picture);
            }
            receive::Event::NeedKeyFrame => {
                session.need_key_frame(member, id);
            }
        };
        match receive::Receiver::start(codec, on_event) {
            Ok(decoder) => Some(decoder),
            Err(error) => {
                tracing::warn!(%error, from = %member, "a track is counted, but not shown");
                None
            }
        }
    }

    /// Whether decoders still work.
    pub(super) fn is_busy(&self) -> bool {
        self.tracks.values().any(Track::is_busy)
    }

    /// What was measured so far.
    pub(super) fn report(&self, sent: Vec<report::Sent>, ways: report::Ways) -> Report {
        let live = |key: Key| self.tracks.get(&key).map(|track| self.stats(key.0, track));
        let offset = |member| self.showing.offset(member);
        Report {
            ways,
            ..self.tally.report(self.start, live, offset, sent)
        }
    }

    fn stats(&self, member: MemberId, track: &Track) -> Stats {
        match track.sink {
            Sink::Sound => Stats::Sound(self.ears.stats(member).unwrap_or_default()),
            Sink::Counted { frames, bytes } if track.kind == Kind::Audio => {
                Stats::Sound(listen::Stats {
                    received: frames,
                    bytes,
                    ..listen::Stats::default()
                })
            }
            Sink::Picture(_) | Sink::Counted { .. } => {
                Stats::Picture(track.pictures().unwrap_or_default())
            }
        }
    }

    /// Ends all decoders.
    pub(super) async fn finish(mut self, sent: Vec<report::Sent>, ways: report::Ways) -> Report {
        let keys: Vec<Key> = self.tracks.keys().copied().collect();
        for key in keys {
            self.end(key);
        }
        for ending in std::mem::take(&mut self.ending) {
            // One that broke down counts as what it did before.
            let _ = ending.await;
        }
        self.puts.abort();
        let ears = self.ears.clone();
        let _ = spawn_blocking(move || ears.close()).await;
        self.report(sent, ways)
    }

    /// Ends a track's decoder. It may be at a frame, so it isn't waited for here.
    fn end(&mut self, key: Key) {
        let Some(track) = self.tracks.remove(&key) else {
            return;
        };
        let stats = match self.stats(key.0, &track) {
            Stats::Sound(stats) => {
                if matches!(track.sink, Sink::Sound) {
                    self.ears.forget(key.0);
                    self.showing.muted(key.0);
                    if let Some(trace) = &self.trace {
                        trace.stamp(Stamp::Heard {
                            from: key.0,
                            track: key.1,
                            mixed_us: stats.mixed_us.clone(),
                            heard_us: stats.delay_us.clone(),
                        });
                    }
                }
                self.tally.silent(key, stats);
                return;
            }
            Stats::Picture(stats) => stats,
        };
        let ended = self.tally.end(key, stats);
        let (Sink::Picture(decoder), trace) = (track.sink, self.trace.clone()) else {
            return;
        };
        self.ending.push(spawn_blocking(move || {
            let stats = decoder.stop();
            if let Some(trace) = trace {
                trace.stamp(Stamp::Ended {
                    from: key.0,
                    track: key.1,
                    decode_us: stats.decode_us.clone(),
                });
            }
            *lock(&ended) = stats;
        }));
    }
}

/// Whether a member announced sound, or picture.
fn sends(member: &Member, kind: Kind) -> bool {
    let of_kind = |track: &Announced| track.codec.kind() == Some(kind);
    member.tracks.iter().any(of_kind)
}

impl Track {
    fn is_busy(&self) -> bool {
        let Sink::Picture(decoder) = &self.sink else {
            return false;
        };
        let stats = decoder.stats();
        stats.decoded + stats.dropped < stats.received
    }

    fn pause(&self) {
        if let Sink::Picture(decoder) = &self.sink {
            decoder.paused();
        }
    }

    /// What was done of it, if it is picture.
    fn pictures(&self) -> Option<receive::Stats> {
        match &self.sink {
            _ if self.kind == Kind::Audio => None,
            Sink::Picture(decoder) => Some(decoder.stats()),
            Sink::Counted { frames, bytes } => Some(receive::Stats {
                received: *frames,
                bytes: *bytes,
                ..receive::Stats::default()
            }),
            Sink::Sound => None,
        }
    }
}
