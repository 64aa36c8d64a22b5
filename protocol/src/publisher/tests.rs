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
        sealed: false,
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
            |_| true
        )
        .is_none()
    );
}

#[test]
fn one_without_h264_makes_everybody_get_vp8_until_it_leaves() {
    let (vp8, h264) = (TrackId(0), TrackId(1));
    let sent = vec![
        track(0, Source::Camera, Codec::Vp8, &[LARGE]),
        track(1, Source::Camera, Codec::H264, &[LARGE]),
    ];
    let watch = all(LARGE);
    let usual: &[Codec] = &[Codec::H264, Codec::Vp8];
    let person = |id: u32, connected| Participant {
        id: MemberId(id),
        tracks: if id == 1 { &sent } else { &[] },
        decodes: if id == 4 { &[Codec::Vp8] } else { usual },
        watch: &watch,
        connected,
    };
    let mut plan = Plan::default();
    let mut room: Vec<_> = (1..=3).map(|id| person(id, true)).collect();
    for id in 1..=3 {
        plan.update(&room, MemberId(id));
    }
    // Who is routed which track, and what the sender is told.
    let told = |changes: Changes| {
        let routes = changes.routes.into_iter();
        let mut routes: Vec<_> = routes
            .map(|(receiver, _, got)| (receiver.0, got.first().map(|one| one.track)))
            .collect();
        routes.sort_unstable();
        let sends = changes.sends.into_iter().flat_map(|(_, sends)| sends);
        (routes, sends.map(|send| send.track).collect::<Vec<_>>())
    };
    let got = |plan: &Plan| plan.route(MemberId(2), MemberId(1))[0].track;
    assert_eq!(got(&plan), h264);

    room.push(person(4, true));
    let routes = vec![(2, Some(vp8)), (3, Some(vp8)), (4, Some(vp8))];
    assert_eq!(told(plan.update(&room, MemberId(4))), (routes, vec![vp8]));

    room[3] = person(4, false);
    let away = told(plan.update(&room, MemberId(4)));
    assert_eq!(away, (vec![(4, None)], vec![]), "it may come back");
    assert_eq!(got(&plan), vp8);

    room.pop();
    let routes = vec![(2, Some(h264)), (3, Some(h264))];
    assert_eq!(told(plan.update(&room, MemberId(4))), (routes, vec![h264]));
}
