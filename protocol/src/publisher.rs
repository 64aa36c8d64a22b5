//! What each participant must send, and what of it each other one gets.
//!
//! Tracks of one source are alternatives. A receiver gets the best of them that it decodes:
//! H.264, then VP8, then JPEG. A publisher is asked for those that somebody gets, so JPEG is sent
//! only while somebody who can decode nothing else shows it, and what nobody shows isn't encoded.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    control::{SendTrack, Watch},
    error::Code,
    frame::{MAX_LAYER, MAX_TRACKS},
    id::MemberId,
    media::{Codec, Kind, Size, Source, Track},
    receiver::Selected,
};

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

/// What one participant sends. Those of whom nobody gets anything aren't listed.
#[derive(Clone, Debug, Default)]
struct Sending {
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

    /// Somebody came, changed or went: works out anew what it gets and what is got of it.
    pub fn update(&mut self, participants: &[Participant<'_>], id: MemberId) -> Changes {
        let mut changes = Changes::default();
        let mut touched = BTreeSet::new();
        if let Some(subject) = participants.iter().find(|participant| participant.id == id) {
            for other in participants.iter().filter(|other| other.id != id) {
                for (receiver, sender) in [(subject, other), (other, subject)] {
                    let given = given(receiver, sender);
                    if self.give(receiver.id, sender.id, given, &mut changes) {
                        touched.insert(sender.id);
                    }
                }
            }
        } else {
            if let Some(sending) = self.senders.remove(&id) {
                let routes = sending.receivers.into_keys();
                changes
                    .routes
                    .extend(routes.map(|receiver| (receiver, id, vec![])));
            }
            let senders: Vec<MemberId> = self.senders.keys().copied().collect();
            for sender in senders {
                if self.give(id, sender, Given::default(), &mut changes) {
                    touched.insert(sender);
                }
            }
        }
        for sender in touched {
            self.sum_up(sender, &mut changes);
        }
        changes
    }

    /// Notes what a receiver gets of a sender. Returns whether that is something else than before.
    fn give(
        &mut self,
        receiver: MemberId,
        sender: MemberId,
        given: Given,
        changes: &mut Changes,
    ) -> bool {
        let nothing = Given::default();
        let sending = self.senders.get(&sender);
        let before = sending.and_then(|sending| sending.receivers.get(&receiver));
        let before = before.unwrap_or(&nothing);
        if *before == given {
            return false;
        }
        if before.tracks != given.tracks {
            changes
                .routes
                .push((receiver, sender, given.tracks.clone()));
        }
        let receivers = &mut self.senders.entry(sender).or_default().receivers;
        if given == nothing {
            receivers.remove(&receiver);
        } else {
            receivers.insert(receiver, given);
        }
        true
    }

    /// Works out what somebody sends of what others get.
    fn sum_up(&mut self, sender: MemberId, changes: &mut Changes) {
        let Some(sending) = self.senders.get_mut(&sender) else {
            return;
        };
        let mut sends: Vec<SendTrack> = Vec::new();
        for given in sending.receivers.values() {
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
        if sends != sending.sends {
            sending.sends.clone_from(&sends);
            changes.sends.push((sender, sends));
        }
        if sending.receivers.is_empty() {
            self.senders.remove(&sender);
        }
    }
}

/// What a receiver gets of a sender.
fn given(receiver: &Participant<'_>, sender: &Participant<'_>) -> Given {
    let mut given = Given::default();
    if !receiver.connected {
        return given;
    }
    for (track, size) in chosen(receiver, sender) {
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
) -> impl Iterator<Item = (&'t Track, Size)> {
    SOURCES.into_iter().filter_map(move |source| {
        let track = best(sender.tracks, source, receiver.decodes)?;
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

/// The best track of a source that is decoded, if any.
pub fn best<'t>(tracks: &'t [Track], source: Source, decodes: &[Codec]) -> Option<&'t Track> {
    let decoded = |track: &&Track| {
        track.source == source && track.codec != Codec::Unknown && decodes.contains(&track.codec)
    };
    // `Codec` is ordered best first.
    tracks
        .iter()
        .filter(decoded)
        .min_by_key(|track| track.codec)
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
mod tests {
    use super::*;
    use crate::{control::View, id::TrackId};

    const SMALL: Size = Size::new(320, 180);
    const LARGE: Size = Size::new(640, 360);

    fn track(id: u8, source: Source, codec: Codec, layers: &[Size]) -> Track {
        Track {
            id: TrackId(id),
            source,
            codec,
            layers: layers.to_vec(),
        }
    }

    fn camera() -> Vec<Track> {
        vec![
            track(0, Source::Camera, Codec::Jpeg, &[LARGE]),
            track(1, Source::Camera, Codec::H264, &[SMALL, LARGE]),
            track(2, Source::Microphone, Codec::Opus, &[]),
        ]
    }

    fn all(size: Size) -> Watch {
        Watch {
            others: Some(size),
            views: vec![],
        }
    }

    #[test]
    fn jpeg_is_sent_only_while_somebody_shows_it_who_decodes_nothing_else() {
        let tracks = camera();
        let (small, large, none) = (all(SMALL), all(LARGE), Watch::default());
        let person = |id, tracks, decodes, watch, connected| Participant {
            id: MemberId(id),
            tracks,
            decodes,
            watch,
            connected,
        };
        let modern: &[Codec] = &[Codec::Jpeg, Codec::H264, Codec::Opus];
        let sent = |last: Participant<'_>| {
            let mut plan = Plan::default();
            let all = [
                person(1, &tracks, modern, &small, true),
                person(2, &[], modern, &small, true),
                last,
            ];
            let mut sends = vec![];
            for id in 1..=3 {
                let changes = plan.update(&all[..id as usize], MemberId(id));
                for (sender, sent) in changes.sends {
                    assert_eq!(sender, MemberId(1));
                    sends = sent;
                }
                assert_eq!(
                    plan.update(&all[..id as usize], MemberId(id)),
                    Changes::default()
                );
            }
            let got = plan.route(MemberId(3), MemberId(1)).to_vec();
            (
                sends
                    .iter()
                    .map(|s| (s.track.0, s.size))
                    .collect::<Vec<_>>(),
                got,
            )
        };
        let nothing = Size::new(0, 0);
        let without = vec![(1, SMALL), (2, nothing)];
        let old: &[Codec] = &[Codec::Jpeg];
        assert_eq!(
            sent(person(3, &[], old, &none, true)),
            (without.clone(), vec![])
        );
        assert_eq!(sent(person(3, &[], old, &large, false)), (without, vec![]));
        let jpeg = Selected {
            track: TrackId(0),
            kind: Kind::Video,
            layer: 0,
        };
        assert_eq!(
            sent(person(3, &[], old, &large, true)),
            (vec![(0, LARGE), (1, SMALL), (2, nothing)], vec![jpeg])
        );
        let (sends, got) = sent(person(3, &[], modern, &large, true));
        assert_eq!(sends, [(1, LARGE), (2, nothing)]);
        assert_eq!(
            got.iter().map(|s| (s.track.0, s.layer)).collect::<Vec<_>>(),
            [(2, 0), (1, 1)]
        );
    }

    #[test]
    fn a_view_outranks_the_size_of_the_others() {
        let view = |size| View {
            member: MemberId(5),
            size,
        };
        let mut watch = Watch {
            others: Some(SMALL),
            views: vec![view(Some(LARGE))],
        };
        assert_eq!(shown(&watch, MemberId(5)), Some(LARGE));
        assert_eq!(shown(&watch, MemberId(6)), Some(SMALL));
        watch.views.push(view(None));
        assert_eq!(shown(&watch, MemberId(5)), None);
        assert_eq!(shown(&all(Size::new(0, 9)), MemberId(5)), None);
    }

    #[test]
    fn the_layer_is_the_smallest_that_covers_the_size() {
        let layers = [SMALL, LARGE];
        for (shown, layer) in [
            (SMALL, 0),
            (Size::new(321, 10), 1),
            (LARGE, 1),
            (Size::new(4000, 4000), 1),
        ] {
            assert_eq!(layer_for(&layers, shown), layer);
        }
        assert_eq!(layer_for(&[], SMALL), 0);
    }

    #[test]
    fn bad_lists_of_tracks_are_refused_and_unknown_tracks_left_out() {
        assert_eq!(check(camera()), Ok(camera()));
        for bad in [
            vec![track(0, Source::Camera, Codec::H264, &[])],
            vec![track(0, Source::Camera, Codec::H264, &[LARGE, SMALL])],
            vec![track(0, Source::Camera, Codec::H264, &[Size::new(0, 10)])],
            vec![track(0, Source::Camera, Codec::Opus, &[])],
            vec![track(0, Source::Microphone, Codec::Opus, &[SMALL])],
            vec![track(0, Source::Microphone, Codec::Jpeg, &[SMALL])],
            [camera(), camera()].concat(),
            (0..9)
                .map(|id| track(id, Source::Microphone, Codec::Opus, &[]))
                .collect(),
        ] {
            assert_eq!(check(bad), Err(Code::BadTracks));
        }
        let newer = track(9, Source::Unknown, Codec::H264, &[]);
        assert_eq!(check([camera(), vec![newer]].concat()), Ok(camera()));
        assert!(
            best(
                &[track(0, Source::Camera, Codec::Unknown, &[SMALL])],
                Source::Camera,
                &[Codec::Unknown]
            )
            .is_none()
        );
    }
}
