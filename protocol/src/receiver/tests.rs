use super::*;
use crate::{frame::References, media::Layer, time::MediaTime};

type Receiver = super::Receiver<&'static str, u32>;

const ALICE: MemberId = MemberId(1);
const PICTURE: TrackId = TrackId(0);
const SOUND: TrackId = TrackId(1);

fn at(ms: u64) -> Now {
    Now(ms * 1000)
}

fn header(track: TrackId, sequence: u32, layer: (u8, u8), references: &[u16]) -> Header {
    Header {
        sender: ALICE,
        track,
        layer: Layer {
            spatial: layer.0,
            temporal: layer.1,
        },
        sequence,
        timestamp: MediaTime(0),
        chunk: 0,
        chunks: 1,
        references: References::new(references).unwrap(),
        level: None,
    }
}

fn picture(sequence: u32, references: &[u16]) -> Header {
    header(PICTURE, sequence, (0, 0), references)
}

fn receiver(layer: u8) -> Receiver {
    let mut receiver = Receiver::new();
    let needed = receiver.route(
        ALICE,
        &[
            Selected {
                track: PICTURE,
                kind: Kind::Video,
                layer,
            },
            Selected {
                track: SOUND,
                kind: Kind::Audio,
                layer: 0,
            },
        ],
    );
    assert_eq!(needed, [PICTURE]);
    receiver
}

fn offer(receiver: &mut Receiver, ms: u64, header: Header) -> Verdict {
    receiver.frame(at(ms), &header, 100, &header.sequence)
}

fn frames(receiver: &mut Receiver, ms: u64) -> Vec<u32> {
    let mut frames = Vec::new();
    while let Some(item) = receiver.pop(at(ms)) {
        match item {
            Item::Chunk { frame, .. } => frames.push(frame),
            Item::Mark(mark) => receiver.answered(at(ms), mark),
            Item::Control(_) => break,
        }
    }
    frames
}

fn dropped(reason: Reason, key_frame: bool) -> Verdict {
    Verdict::Dropped { reason, key_frame }
}

#[test]
fn a_picture_track_starts_at_a_key_frame_and_goes_on_only_while_whole() {
    let mut receiver = receiver(0);
    assert_eq!(
        offer(&mut receiver, 0, picture(3, &[1])),
        dropped(Reason::Reference, true)
    );
    assert_eq!(offer(&mut receiver, 0, picture(4, &[])), Verdict::Queued);
    assert_eq!(offer(&mut receiver, 0, picture(5, &[1])), Verdict::Queued);
    assert_eq!(
        offer(&mut receiver, 0, picture(7, &[1])),
        dropped(Reason::Reference, true)
    );
    assert_eq!(offer(&mut receiver, 0, picture(8, &[3])), Verdict::Queued);
    assert_eq!(
        offer(&mut receiver, 0, picture(8, &[3])),
        dropped(Reason::Late, false)
    );
    assert_eq!(frames(&mut receiver, 0), [4, 5, 8]);
    let other = Header {
        sender: MemberId(2),
        ..picture(9, &[])
    };
    assert_eq!(offer(&mut receiver, 0, other), Verdict::NotSelected);
}

#[test]
fn control_goes_first_and_sound_between_the_chunks_of_a_picture() {
    let mut receiver = receiver(0);
    let large = Header {
        chunks: 3,
        ..picture(0, &[])
    };
    let _ = receiver.frame(at(0), &large, 300, &0);
    assert_eq!(
        receiver.pop(at(0)),
        Some(Item::Chunk { frame: 0, chunk: 0 })
    );
    let _ = receiver.frame(at(0), &header(SOUND, 0, (0, 0), &[]), 10, &99);
    receiver.control("hello").unwrap();
    assert_eq!(receiver.pop(at(0)), Some(Item::Control("hello")));
    assert_eq!(
        receiver.pop(at(0)),
        Some(Item::Chunk {
            frame: 99,
            chunk: 0
        })
    );
    assert_eq!(
        receiver.pop(at(0)),
        Some(Item::Chunk { frame: 0, chunk: 1 })
    );
    assert_eq!(
        receiver.pop(at(0)),
        Some(Item::Chunk { frame: 0, chunk: 2 })
    );
    assert_eq!(receiver.pop(at(0)), None);
    assert_eq!(receiver.depth(), Depth::default());
    assert_eq!(receiver.counters().bytes, 310);
}

#[test]
fn what_waits_of_a_track_that_ends_is_thrown_away_and_the_others_stay() {
    let mut receiver = receiver(0);
    for sequence in 0..3 {
        let sound = header(SOUND, 10 + sequence, (0, 0), &[]);
        assert_eq!(offer(&mut receiver, 0, sound), Verdict::Queued);
        let key = picture(sequence, &[]);
        assert_eq!(offer(&mut receiver, 0, key), Verdict::Queued);
    }
    let selected = |track, kind| Selected {
        track,
        kind,
        layer: 0,
    };
    receiver.route(ALICE, &[selected(PICTURE, Kind::Video)]);
    assert_eq!(frames(&mut receiver, 0), [0, 1, 2]);
    assert_eq!(receiver.counters().dropped(Reason::Purged), 3);
    // Muted and heard again: it goes on behind what was thrown away.
    receiver.route(ALICE, &[selected(SOUND, Kind::Audio)]);
    let sound = header(SOUND, 13, (0, 0), &[]);
    assert_eq!(offer(&mut receiver, 0, sound), Verdict::Queued);
    assert_eq!(frames(&mut receiver, 0), [13]);
}

#[test]
fn layers_are_switched_at_key_frames() {
    let mut receiver = receiver(1);
    assert_eq!(
        offer(&mut receiver, 0, header(PICTURE, 0, (0, 0), &[])),
        Verdict::Queued
    );
    assert_eq!(
        offer(&mut receiver, 0, header(PICTURE, 1, (1, 0), &[])),
        Verdict::Queued
    );
    assert_eq!(
        offer(&mut receiver, 33, header(PICTURE, 2, (0, 0), &[2])),
        dropped(Reason::Spatial, false)
    );
    assert_eq!(
        offer(&mut receiver, 33, header(PICTURE, 3, (1, 0), &[2])),
        Verdict::Queued
    );
    receiver.route(
        ALICE,
        &[Selected {
            track: PICTURE,
            kind: Kind::Video,
            layer: 0,
        }],
    );
    assert_eq!(
        offer(&mut receiver, 66, header(PICTURE, 4, (0, 0), &[2])),
        dropped(Reason::Spatial, true)
    );
    assert_eq!(
        offer(&mut receiver, 66, header(PICTURE, 5, (1, 0), &[2])),
        Verdict::Queued
    );
    assert_eq!(
        offer(&mut receiver, 99, header(PICTURE, 6, (0, 0), &[])),
        Verdict::Queued
    );
    assert_eq!(
        offer(&mut receiver, 99, header(PICTURE, 7, (1, 0), &[])),
        dropped(Reason::Spatial, false)
    );
    assert_eq!(frames(&mut receiver, 99), [0, 1, 3, 5, 6]);
}

#[test]
fn a_layer_that_its_publisher_stops_is_left_for_a_lower_one() {
    let mut receiver = receiver(1);
    assert_eq!(
        offer(&mut receiver, 0, header(PICTURE, 0, (1, 0), &[])),
        Verdict::Queued
    );
    assert_eq!(frames(&mut receiver, 0), [0]);
    assert_eq!(
        offer(&mut receiver, 500, header(PICTURE, 1, (0, 0), &[1])),
        dropped(Reason::Spatial, false)
    );
    assert_eq!(
        offer(&mut receiver, 1000, header(PICTURE, 2, (0, 0), &[1])),
        dropped(Reason::Reference, true)
    );
    assert_eq!(
        offer(&mut receiver, 1033, header(PICTURE, 3, (0, 0), &[])),
        Verdict::Queued
    );
}

/// Two temporal layers on one spatial layer, at 30 a second: base frames refer two back.
fn stream(sequence: u32) -> Header {
    match sequence % 2 {
        0 if sequence == 0 => picture(0, &[]),
        0 => picture(sequence, &[2]),
        _ => header(PICTURE, sequence, (0, 1), &[1]),
    }
}

#[test]
fn a_receiver_that_takes_nothing_is_cut_step_by_step_down_to_sound() {
    let mut receiver = receiver(0);
    let mut levels = vec![receiver.level()];
    for sequence in 0..150 {
        let _ = offer(&mut receiver, u64::from(sequence) * 33, stream(sequence));
        // Sound waits as well, so the queue goes on being old when no picture is left.
        let _ = receiver.frame(
            at(u64::from(sequence) * 33),
            &header(SOUND, sequence, (0, 0), &[]),
            10,
            &0,
        );
        if levels.last() != Some(&receiver.level()) {
            levels.push(receiver.level());
        }
    }
    assert_eq!(
        levels,
        [
            Level::Full,
            Level::BaseTemporal,
            Level::KeyFrames,
            Level::SoundOnly
        ]
    );
    assert_eq!(receiver.depth().picture, 0);
    assert!(receiver.counters().dropped(Reason::SoundOnly) > 0);
}

#[test]
fn a_receiver_that_follows_again_gets_more_step_by_step() {
    let mut receiver = receiver(0);
    let mut key = false;
    let mut levels = Vec::new();
    for sequence in 0..900 {
        let ms = u64::from(sequence) * 33;
        let mut frame = stream(sequence);
        if key && sequence % 2 == 0 {
            frame = picture(sequence, &[]);
        }
        key |= matches!(
            offer(&mut receiver, ms, frame),
            Verdict::Dropped {
                key_frame: true,
                ..
            }
        );
        if frame.references.is_key() {
            key = false;
        }
        if ms > 2000 {
            frames(&mut receiver, ms);
        }
        if levels.last() != Some(&receiver.level()) {
            levels.push(receiver.level());
        }
    }
    assert_eq!(levels[..2], [Level::Full, Level::BaseTemporal]);
    assert_eq!(levels.last(), Some(&Level::Full));
    assert_eq!(
        offer(&mut receiver, 30_000, picture(902, &[])),
        Verdict::Queued
    );
}

#[test]
fn a_new_connection_starts_again_at_a_key_frame() {
    let mut receiver = receiver(0);
    let _ = offer(&mut receiver, 0, picture(0, &[]));
    receiver.control("x").unwrap();
    receiver.clear();
    assert!(receiver.is_empty());
    assert_eq!(
        offer(&mut receiver, 33, picture(1, &[1])),
        dropped(Reason::Reference, true)
    );
    assert_eq!(offer(&mut receiver, 66, picture(2, &[])), Verdict::Queued);
}

#[test]
fn queues_are_bounded() {
    let mut receiver = receiver(0);
    for _ in 0..MAX_CONTROL {
        receiver.control("x").unwrap();
    }
    assert_eq!(receiver.control("x"), Err(Overflow));
    for sequence in 0..1000 {
        let _ = receiver.frame(at(0), &picture(sequence, &[]), MAX_FRAME, &0);
        let _ = receiver.frame(at(0), &header(SOUND, sequence, (0, 0), &[]), 10, &0);
    }
    let depth = receiver.depth();
    assert!(depth.picture_bytes <= MAX_PICTURE_BYTES && depth.sound == MAX_SOUND);
    assert_eq!(
        receiver.frame(at(0), &picture(1000, &[]), MAX_FRAME + 1, &0),
        dropped(Reason::Invalid, false)
    );
}

#[test]
fn a_try_begins_with_key_frames_and_goes_on_when_they_pass() {
    let mut receiver = receiver(0);
    assert!(receiver.gets_pictures());
    receiver.try_pictures(at(0));
    assert_eq!(receiver.level(), Level::KeyFrames);
    assert_eq!(offer(&mut receiver, 0, picture(0, &[])), Verdict::Queued);
    assert_eq!(
        offer(&mut receiver, 33, picture(1, &[1])),
        dropped(Reason::KeyFramesOnly, false)
    );
    assert_eq!(frames(&mut receiver, 40), [0]);
    for ms in (66..2_500).step_by(33) {
        let _ = offer(&mut receiver, ms, picture(ms as u32, &[]));
        frames(&mut receiver, ms);
    }
    assert_eq!(receiver.level(), Level::Full);
    receiver.route(ALICE, &[]);
    assert!(!receiver.gets_pictures());
}

#[test]
fn what_is_cut_off_ends_in_the_middle_of_a_frame() {
    let mut receiver = receiver(0);
    let large = Header {
        chunks: 3,
        ..picture(0, &[])
    };
    let _ = receiver.frame(at(0), &large, 300, &0);
    let _ = offer(&mut receiver, 0, picture(1, &[1]));
    assert!(receiver.pop(at(0)).is_some());
    let sound = Selected {
        track: SOUND,
        kind: Kind::Audio,
        layer: 0,
    };
    let _ = offer(&mut receiver, 0, header(SOUND, 0, (0, 0), &[]));
    receiver.route(ALICE, &[sound]);
    receiver.cut_off();
    let depth = receiver.depth();
    assert_eq!((depth.sound, depth.picture, depth.picture_bytes), (1, 0, 0));
    assert_eq!(frames(&mut receiver, 0), [0]);
}
