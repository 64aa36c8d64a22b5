//! No order of events gives a receiver a picture that it can't decode, or lets a queue grow.

use std::collections::HashSet;

use proptest::{collection::vec, prelude::*};
use visita_protocol::{
    frame::{Header, MAX_FRAME, References},
    id::{MemberId, TrackId},
    media::{Kind, Layer},
    receiver::{
        Item, MAX_CONTROL, MAX_PICTURE, MAX_PICTURE_BYTES, MAX_SOUND, Receiver, Selected, Verdict,
    },
    time::{MediaTime, Now},
};

const SENDERS: u32 = 3;

#[derive(Clone, Debug)]
enum Event {
    Frame {
        sender: u32,
        skip: u32,
        layer: (u8, u8),
        references: Vec<u16>,
        chunks: u16,
        bytes: usize,
    },
    /// Key frames all at once.
    Burst {
        sender: u32,
        count: usize,
        bytes: usize,
    },
    Sound {
        sender: u32,
        count: usize,
    },
    Control {
        count: usize,
    },
    Pop {
        count: usize,
    },
    Wait {
        ms: u64,
    },
    Route {
        sender: u32,
        layer: Option<u8>,
        sound: bool,
    },
    Clear,
}

fn event() -> impl Strategy<Value = Event> {
    let references = prop_oneof![
        2 => Just(vec![]),
        5 => vec(1..5_u16, 1..=2),
        1 => vec(1..400_u16, 1..=4),
    ];
    let skip = prop_oneof![8 => Just(1_u32), 2 => 0..4_u32, 1 => 200..300_u32];
    let bytes = prop_oneof![8 => 0..20_000_usize, 1 => 0..=MAX_FRAME + 1];
    prop_oneof![
        12 => (0..SENDERS, skip, (0..2_u8, 0..2_u8), references, 1..4_u16, bytes).prop_map(
            |(sender, skip, layer, references, chunks, bytes)| Event::Frame {
                sender, skip, layer, references, chunks, bytes
            }
        ),
        1 => (0..SENDERS, 1..300_usize, prop_oneof![Just(100), Just(MAX_FRAME)])
            .prop_map(|(sender, count, bytes)| Event::Burst { sender, count, bytes }),
        2 => (0..SENDERS, 1..200_usize).prop_map(|(sender, count)| Event::Sound { sender, count }),
        1 => (1..400_usize).prop_map(|count| Event::Control { count }),
        4 => (1..30_usize).prop_map(|count| Event::Pop { count }),
        3 => (0..700_u64).prop_map(|ms| Event::Wait { ms }),
        1 => (0..SENDERS, proptest::option::weighted(0.8, 0..2_u8), any::<bool>())
            .prop_map(|(sender, layer, sound)| Event::Route { sender, layer, sound }),
        1 => Just(Event::Clear),
    ]
}

const PICTURE: TrackId = TrackId(0);
const SOUND: TrackId = TrackId(1);

fn header(sender: u32, track: TrackId, sequence: u32) -> Header {
    Header {
        sender: MemberId(sender),
        track,
        layer: Layer::default(),
        sequence,
        timestamp: MediaTime(0),
        chunk: 0,
        chunks: 1,
        references: References::NONE,
        level: None,
    }
}

fn selected(layer: Option<u8>, sound: bool) -> Vec<Selected> {
    let picture = layer.map(|layer| Selected {
        track: PICTURE,
        kind: Kind::Video,
        layer,
    });
    let sound = sound.then_some(Selected {
        track: SOUND,
        kind: Kind::Audio,
        layer: 0,
    });
    picture.into_iter().chain(sound).collect()
}

/// What is at the other end: a decoder that remembers what it got on this connection.
#[derive(Default)]
struct Decoder {
    has: HashSet<(MemberId, TrackId, u32)>,
    half: Option<(Header, u16)>,
    half_sound: Option<(Header, u16)>,
}

impl Decoder {
    fn take(&mut self, frame: Header, chunk: u16) -> Result<(), TestCaseError> {
        let half = if frame.track == SOUND {
            &mut self.half_sound
        } else {
            &mut self.half
        };
        let expected = half.map_or(
            0,
            |(begun, next)| if begun == frame { next } else { u16::MAX },
        );
        prop_assert_eq!(chunk, expected, "chunks are mixed");
        if chunk + 1 < frame.chunks {
            *half = Some((frame, chunk + 1));
            return Ok(());
        }
        *half = None;
        for &distance in frame.references.distances() {
            let back = (
                frame.sender,
                frame.track,
                frame.sequence - u32::from(distance),
            );
            prop_assert!(
                self.has.contains(&back),
                "{:?} refers to what never came",
                frame
            );
        }
        prop_assert!(
            self.has.insert((frame.sender, frame.track, frame.sequence)),
            "twice"
        );
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn whatever_happens_a_receiver_can_decode_what_it_gets(events in vec(event(), 0..200)) {
        let mut receiver: Receiver<(), Header> = Receiver::new();
        let mut marks = Vec::new();
        let mut decoder = Decoder::default();
        let mut now = Now(0);
        let mut sequences = [0_u32; SENDERS as usize];
        let mut sounds = 0;
        let mut ever = HashSet::new();
        let all = selected(Some(1), true);
        for sender in 0..2 {
            prop_assert_eq!(receiver.route(MemberId(sender), &all), [PICTURE]);
            ever.insert(MemberId(sender));
        }
        for event in events {
            match event {
                Event::Frame { sender, skip, layer, references, chunks, bytes } => {
                    let sequence = sequences[sender as usize] + skip;
                    sequences[sender as usize] = sequence;
                    let fits = references.iter().all(|&back| u32::from(back) <= sequence);
                    let references = if fits { References::new(&references).unwrap() } else { References::NONE };
                    let layer = Layer { spatial: layer.0, temporal: layer.1 };
                    let header = Header { layer, chunks, references, ..header(sender, PICTURE, sequence) };
                    let _ = receiver.frame(now, &header, bytes, &header);
                }
                Event::Burst { sender, count, bytes } => {
                    for _ in 0..count {
                        sequences[sender as usize] += 1;
                        let header = header(sender, PICTURE, sequences[sender as usize]);
                        let _ = receiver.frame(now, &header, bytes, &header);
                        let depth = receiver.depth();
                        prop_assert!(depth.picture <= MAX_PICTURE);
                        prop_assert!(depth.picture_bytes <= MAX_PICTURE_BYTES);
                    }
                }
                Event::Sound { sender, count } => {
                    for _ in 0..count {
                        sounds += 1;
                        let header = header(sender, SOUND, sounds);
                        let verdict = receiver.frame(now, &header, 80, &header);
                        prop_assert!(matches!(verdict, Verdict::Queued | Verdict::NotSelected));
                    }
                }
                Event::Control { count } => {
                    for _ in 0..count {
                        let full = receiver.depth().control == MAX_CONTROL;
                        prop_assert_eq!(receiver.control(()).is_err(), full);
                    }
                }
                Event::Pop { count } => {
                    for _ in 0..count {
                        match receiver.pop(now) {
                            Some(Item::Chunk { frame, chunk }) => {
                                prop_assert!(ever.contains(&frame.sender));
                                prop_assert_eq!(receiver.depth().control, 0, "control waits behind media");
                                decoder.take(frame, chunk)?;
                            }
                            Some(Item::Mark(mark)) => marks.push(mark),
                            Some(Item::Control(())) => {}
                            None => prop_assert!(receiver.is_empty() || !marks.is_empty()),
                        }
                    }
                }
                Event::Wait { ms } => {
                    now = Now(now.0 + ms * 1000);
                    for mark in marks.drain(..) {
                        receiver.answered(now, mark);
                    }
                }
                Event::Route { sender, layer, sound } => {
                    receiver.route(MemberId(sender), &selected(layer, sound));
                    ever.insert(MemberId(sender));
                }
                Event::Clear => {
                    receiver.clear();
                    marks.clear();
                    decoder = Decoder::default();
                }
            }
            let depth = receiver.depth();
            prop_assert!(depth.control <= MAX_CONTROL && depth.sound <= MAX_SOUND);
            prop_assert!(depth.picture <= MAX_PICTURE && depth.picture_bytes <= MAX_PICTURE_BYTES);
        }
        for mark in marks {
            receiver.answered(now, mark);
        }
        while let Some(item) = receiver.pop(now) {
            match item {
                Item::Chunk { frame, chunk } => decoder.take(frame, chunk)?,
                Item::Mark(mark) => receiver.answered(now, mark),
                Item::Control(()) => {}
            }
        }
        prop_assert_eq!(receiver.depth().picture_bytes, 0);
    }
}
