//! Everybody else's pictures, from the host's chunks to decoded.

use std::{collections::BTreeMap, time::Duration};

use bytes::{Bytes, BytesMut};
use tokio::task::{JoinHandle, spawn_blocking};
use visita_media::{clock, receive};
use visita_protocol::{
    chunk::Assembler,
    control::{ClientMessage, Member, Watch},
    frame::Header,
    id::{ClockId, MemberId, TrackId},
    media::{Codec, Kind, Source},
    time::{MediaTime, Now},
};

use super::{
    Options,
    sights::{Sight, Sights},
    tally::{Delays, Key, Tally, lock},
};
use crate::{
    clock::now,
    pictures::{Pictures, Whose},
    report::{self, Report},
    session,
    trace::{Stamp, Trace},
};

/// How long decoders may take with the last frames of a member or a call; a busy machine needs
/// more than a moment.
pub(super) const LAST_FRAMES: Duration = Duration::from_secs(2);

pub(super) struct Incoming {
    session: session::Handle,
    pictures: Pictures,
    start: MediaTime,
    own: MemberId,
    own_clock: Option<ClockId>,
    decode: bool,
    trace: Option<Trace>,
    members: BTreeMap<MemberId, Member>,
    tracks: BTreeMap<Key, Track>,
    /// Which camera track of each member the host forwards now.
    active: BTreeMap<MemberId, TrackId>,
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
    decoder: Option<receive::Receiver>,
    /// What came, when it isn't decoded: frames and bytes.
    counted: (u64, u64),
}

impl Incoming {
    pub(super) fn new(
        options: &Options,
        session: session::Handle,
        pictures: Pictures,
        start: MediaTime,
        own: MemberId,
        members: &[Member],
    ) -> Self {
        Self {
            session,
            pictures,
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
            departed: BTreeMap::new(),
            tally: Tally::default(),
            sights: Sights::default(),
            ending: Vec::new(),
        }
    }

    /// A member came or changed.
    pub(super) fn member(&mut self, member: &Member) {
        for ((owner, id), track) in &self.tracks {
            if *owner == member.id && !member.tracks.iter().any(|t| t.id == *id) {
                track.pause();
            }
        }
        if member.tracks.is_empty() {
            self.active.remove(&member.id);
            self.pictures.forget(Whose::Member(member.id));
        }
        self.members.insert(member.id, member.clone());
    }

    pub(super) fn left(&mut self, member: MemberId) {
        self.members.remove(&member);
        self.active.remove(&member);
        self.departed.insert(member, now());
        self.pictures.forget(Whose::Member(member));
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
            self.pictures.forget(Whose::Member(member));
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
            let stats = |id| tracks.get(&(member.id, id)).map(Track::stats);
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
        if let Some(trace) = &self.trace {
            trace.stamp(Stamp::Arrived {
                from: key.0,
                track: key.1,
                captured: header.timestamp,
            });
        }
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
        if let Some(decoder) = &track.decoder {
            decoder.frame(receive::Frame {
                sequence: header.sequence,
                time: header.timestamp,
                references: header.references,
                payload,
            });
        } else {
            track.counted.0 += 1;
            track.counted.1 += frame.bytes as u64;
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
        let delays = self.tally.begin(key, member.name.reveal(), kind, codec);
        let decoder = if self.decode {
            self.decoder(key, codec, same_clock, delays)
        } else {
            None
        };
        let track = Track {
            codec,
            kind,
            assembler: Assembler::new(),
            decoder,
            counted: (0, 0),
        };
        self.tracks.insert(key, track);
        true
    }

    fn decoder(
        &self,
        (member, id): Key,
        codec: Codec,
        same_clock: bool,
        delays: Delays,
    ) -> Option<receive::Receiver> {
        let (session, pictures, trace) = (
            self.session.clone(),
            self.pictures.clone(),
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
                pictures.put(Whose::Member(member), picture);
            }
            receive::Event::NeedKeyFrame => {
                // Said again while none comes, so a session that is over needs no word here.
                let _ = session.say(ClientMessage::NeedKeyFrame { member, track: id });
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
    pub(super) fn report(&self, sent: Vec<report::Sent>) -> Report {
        let live = |key| self.tracks.get(&key).map(Track::stats);
        self.tally.report(self.start, live, sent)
    }

    /// Ends all decoders.
    pub(super) async fn finish(mut self, sent: Vec<report::Sent>) -> Report {
        let keys: Vec<Key> = self.tracks.keys().copied().collect();
        for key in keys {
            self.end(key);
        }
        for ending in std::mem::take(&mut self.ending) {
            // One that broke down counts as what it did before.
            let _ = ending.await;
        }
        self.report(sent)
    }

    /// Ends a track's decoder. It may be at a frame, so it isn't waited for here.
    fn end(&mut self, key: Key) {
        let Some(track) = self.tracks.remove(&key) else {
            return;
        };
        let ended = self.tally.end(key, track.stats());
        let (Some(decoder), trace) = (track.decoder, self.trace.clone()) else {
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

impl Track {
    fn is_busy(&self) -> bool {
        let stats = self.decoder.as_ref().map(receive::Receiver::stats);
        stats.is_some_and(|stats| stats.decoded + stats.dropped < stats.received)
    }

    fn pause(&self) {
        if let Some(decoder) = &self.decoder {
            decoder.paused();
        }
    }

    fn stats(&self) -> receive::Stats {
        match &self.decoder {
            Some(decoder) => decoder.stats(),
            None => receive::Stats {
                received: self.counted.0,
                bytes: self.counted.1,
                ..receive::Stats::default()
            },
        }
    }
}
