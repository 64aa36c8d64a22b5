//! What each participant must send, and what of it each other one gets.
//!
//! Tracks of one source are alternatives. Of a camera's, those are encoded that serve everybody who
//! shows it at the least cost ([`choice`]), and a receiver gets the best of them that it decodes:
//! H.264, then VP8, then JPEG. So one member without H.264 may make everybody get VP8, JPEG is sent
//! only while somebody who can decode nothing else shows it, and what nobody shows isn't encoded.

use std::collections::BTreeMap;

use crate::{
    control::{SendTrack, Watch},
    error::Code,
    frame::{MAX_LAYER, MAX_TRACKS},
    id::MemberId,
    media::{Codec, Kind, Size, Source, Track},
    receiver::Selected,
};

mod choice;

use choice::{Codecs, Wish, choose};

/// What counts of a participant.
#[derive(Clone, Copy, Debug)]
pub struct Participant<'a> {
    /// Who.
    pub id: MemberId,
    /// What it could send.
    pub tracks: &'a [Track],
    /// What it decodes.
    pub decodes: &'a [Codec],
    /// What it shows.
    pub watch: &'a Watch,
    /// Whether its connection is up. One that is away shows nothing.
    pub connected: bool,
}

/// Who sends what, and who gets what. Kept as participants come, change and go: what a change
/// doesn't touch isn't worked out again.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    senders: BTreeMap<MemberId, Sending>,
}

/// What one participant sends. Those of whom nobody wants anything aren't listed.
#[derive(Clone, Debug, Default)]
struct Sending {
    /// What each other could be given of its camera. Those who are away count: a line that comes and
    /// goes doesn't make everybody change codecs.
    wishes: BTreeMap<MemberId, Wish>,
    /// The codecs of its camera from which each is given the best.
    codecs: Codecs,
    /// By track.
    sends: Vec<SendTrack>,
    /// To whom.
    receivers: BTreeMap<MemberId, Given>,
}

/// What one receiver gets of one sender: tracks, and the size at which each is shown.
#[derive(Clone, Debug, Default, PartialEq)]
struct Given {
    tracks: Vec<Selected>,
    sizes: Vec<Size>,
}

/// What became different in a plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// Receiver, sender, and all that the one gets of the other from now on.
    pub routes: Vec<(MemberId, MemberId, Vec<Selected>)>,
    /// Who sends what from now on, by track.
    pub sends: Vec<(MemberId, Vec<SendTrack>)>,
}

/// The sources that this version forwards, each by one of its tracks.
const SOURCES: [Source; 2] = [Source::Microphone, Source::Camera];

impl Plan {
    /// What a receiver gets of a sender.
    pub fn route(&self, receiver: MemberId, sender: MemberId) -> &[Selected] {
        let sending = self.senders.get(&sender);
        let given = sending.and_then(|sending| sending.receivers.get(&receiver));
        given.map_or(&[], |given| &given.tracks)
    }

    /// Somebody came, changed or went: works out anew what it gets and what is got of it, and for
    /// everybody what is got of those whose codecs it made other ones.
    pub fn update(&mut self, participants: &[Participant<'_>], id: MemberId) -> Changes {
        let mut changes = Changes::default();
        let is_there = participants.iter().any(|participant| participant.id == id);
        if !is_there && let Some(sending) = self.senders.remove(&id) {
            let routes = sending.receivers.into_keys();
            changes
                .routes
                .extend(routes.map(|receiver| (receiver, id, vec![])));
        }
        for sender in participants {
            let sending = self.senders.entry(sender.id).or_default();
            sending.update(sender, participants, id, &mut changes);
            if sending.wishes.is_empty() && sending.receivers.is_empty() {
                self.senders.remove(&sender.id);
            }
        }
        changes
    }
}

impl Sending {
    /// The participant `id` came, changed or went: it may be the sender itself.
    fn update(
        &mut self,
        sender: &Participant<'_>,
        participants: &[Participant<'_>],
        id: MemberId,
        changes: &mut Changes,
    ) {
        let others = || participants.iter().filter(|other| other.id != sender.id);
        let changed = |other: &&Participant<'_>| sender.id == id || other.id == id;
        let mut wishes = false;
        let mut touched = false;
        if sender.id != id && !participants.iter().any(|other| other.id == id) {
            wishes |= self.wish(id, None);
            touched |= self.give(id, sender.id, Given::default(), changes);
        }
        for receiver in others().filter(changed) {
            wishes |= self.wish(receiver.id, wish(receiver, sender));
        }
        let before = self.codecs;
        if wishes {
            self.codecs = choose(before, self.wishes.values().copied());
        }
        let others_too = self.codecs != before;
        for receiver in others().filter(|other| others_too || changed(other)) {
            let given = given(receiver, sender, self.codecs);
            touched |= self.give(receiver.id, sender.id, given, changes);
        }
        if touched {
            self.sum_up(sender.id, changes);
        }
    }

    /// Notes what a receiver could be given. Returns whether that is something else than before.
    fn wish(&mut self, receiver: MemberId, wish: Option<Wish>) -> bool {
        match wish {
            Some(wish) => self.wishes.insert(receiver, wish) != Some(wish),
            None => self.wishes.remove(&receiver).is_some(),
        }
    }

    /// Notes what a receiver gets. Returns whether that is something else than before.
    fn give(
        &mut self,
        receiver: MemberId,
        sender: MemberId,
        given: Given,
        changes: &mut Changes,
    ) -> bool {
        let nothing = Given::default();
        let before = self.receivers.get(&receiver).unwrap_or(&nothing);
        if *before == given {
            return false;
        }
        if before.tracks != given.tracks {
            changes
                .routes
                .push((receiver, sender, given.tracks.clone()));
        }
        if given == nothing {
            self.receivers.remove(&receiver);
        } else {
            self.receivers.insert(receiver, given);
        }
        true
    }

    /// Works out what is sent of what others get.
    fn sum_up(&mut self, sender: MemberId, changes: &mut Changes) {
        let mut sends: Vec<SendTrack> = Vec::new();
        for given in self.receivers.values() {
            for (selected, &size) in given.tracks.iter().zip(&given.sizes) {
                match sends.iter_mut().find(|send| send.track == selected.track) {
                    Some(send) => send.size = send.size.max(size),
                    None => sends.push(SendTrack {
                        track: selected.track,
                        size,
                    }),
                }
            }
        }
        sends.sort_by_key(|send| send.track);
        if sends != self.sends {
            self.sends.clone_from(&sends);
            changes.sends.push((sender, sends));
        }
    }
}

/// What a receiver could be given of a sender's camera, if it shows it.
fn wish(receiver: &Participant<'_>, sender: &Participant<'_>) -> Option<Wish> {
    let shown = shown(receiver.watch, sender.id)?;
    let camera = || {
        sender
            .tracks
            .iter()
            .filter(|track| track.source == Source::Camera)
    };
    let has = Codecs::of(camera().map(|track| track.codec));
    let codecs = has.both(Codecs::of(receiver.decodes.iter().copied()));
    let largest = camera().filter_map(|track| track.layers.last());
    let most = largest.map(|size| size.area()).max().unwrap_or(0);
    (!codecs.is_empty()).then(|| Wish {
        codecs,
        pixels: shown.area().min(most).max(1),
    })
}

/// What a receiver gets of a sender.
fn given(receiver: &Participant<'_>, sender: &Participant<'_>, codecs: Codecs) -> Given {
    let mut given = Given::default();
    if !receiver.connected {
        return given;
    }
    for (track, size) in chosen(receiver, sender, codecs) {
        let kind = if track.source == Source::Camera {
            Kind::Video
        } else {
            Kind::Audio
        };
        given.tracks.push(Selected {
            track: track.id,
            kind,
            layer: layer_for(&track.layers, size),
        });
        given.sizes.push(size);
    }
    given
}

/// The tracks that a receiver gets of a sender, and at which size it shows them.
fn chosen<'t>(
    receiver: &Participant<'_>,
    sender: &Participant<'t>,
    codecs: Codecs,
) -> impl Iterator<Item = (&'t Track, Size)> {
    SOURCES.into_iter().filter_map(move |source| {
        let track = best(sender.tracks, source, |codec| {
            receiver.decodes.contains(&codec) && (source != Source::Camera || codecs.has(codec))
        })?;
        let size = match source {
            Source::Camera => shown(receiver.watch, sender.id)?,
            _ => Size::new(0, 0),
        };
        Some((track, size))
    })
}

/// The size at which a member is shown; `None` if it isn't.
pub fn shown(watch: &Watch, member: MemberId) -> Option<Size> {
    let view = watch.views.iter().rev().find(|view| view.member == member);
    view.map_or(watch.others, |view| view.size)
        .filter(|size| size.area() > 0)
}

/// The best track of a source whose codec will do, if any.
fn best(tracks: &[Track], source: Source, will_do: impl Fn(Codec) -> bool) -> Option<&Track> {
    let fits = |track: &&Track| {
        track.source == source && track.codec != Codec::Unknown && will_do(track.codec)
    };
    // `Codec` is ordered best first.
    tracks.iter().filter(fits).min_by_key(|track| track.codec)
}

/// The smallest layer that covers a size; the largest if none does.
pub fn layer_for(layers: &[Size], shown: Size) -> u8 {
    let covers = |layer: &Size| layer.width >= shown.width && layer.height >= shown.height;
    let last = layers.len().saturating_sub(1);
    layers.iter().position(covers).unwrap_or(last) as u8
}

/// Checks a list of tracks. Tracks of a source or codec of a newer version are left out: nobody
/// can be given them.
pub fn check(tracks: Vec<Track>) -> Result<Vec<Track>, Code> {
    if tracks.len() > MAX_TRACKS {
        return Err(Code::BadTracks);
    }
    for (index, track) in tracks.iter().enumerate() {
        if tracks[..index].iter().any(|earlier| earlier.id == track.id) || !sane(track) {
            return Err(Code::BadTracks);
        }
    }
    let known = |track: &Track| track.source != Source::Unknown && track.codec != Codec::Unknown;
    Ok(tracks.into_iter().filter(known).collect())
}

fn sane(track: &Track) -> bool {
    let layers = &track.layers;
    let ascending = layers.windows(2).all(|pair| {
        pair[0].area() < pair[1].area()
            && pair[0].width <= pair[1].width
            && pair[0].height <= pair[1].height
    });
    let sized = layers.iter().all(|size| size.area() > 0);
    match (track.source, track.codec.kind()) {
        (Source::Camera, Some(Kind::Video)) => {
            (1..=usize::from(MAX_LAYER) + 1).contains(&layers.len()) && ascending && sized
        }
        (Source::Microphone, Some(Kind::Audio)) => layers.is_empty(),
        (Source::Camera, Some(Kind::Audio)) | (Source::Microphone, Some(Kind::Video)) => false,
        (Source::Unknown, _) | (_, None) => true,
    }
}

#[cfg(test)]
mod tests;
