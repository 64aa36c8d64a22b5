//! A receiver at the end of lines of different speed, in simulated time: what it is left with, how
//! late that is, and how it gets more again.

#![allow(clippy::unwrap_used, clippy::expect_used)] // also in what the tests are made of

use std::collections::HashSet;

use visita_protocol::{
    chunk::FINE,
    control::Carries,
    frame::{Header, References},
    id::{MemberId, TrackId},
    keyframe::Requests,
    line::{MISSING, Word},
    media::{Kind, Layer},
    receiver::{Item, Level, Receiver, Selected, Verdict},
    time::{MediaTime, Now},
};

const PICTURE: TrackId = TrackId(0);
const SOUND: TrackId = TrackId(1);

/// How often the relay looks at what it tells of a line.
const LOOK_MS: u64 = 250;

#[derive(Clone, Copy, PartialEq)]
struct Frame {
    header: Header,
    bytes: usize,
    at: u64,
}

/// A camera of two spatial layers with two temporal layers each, 30 a second: 84 KB a second of
/// the large layer, half of it in the base, and 26 of the small one; with a microphone of 4 KB.
#[derive(Default)]
struct Camera {
    pictures: u32,
    sequence: u32,
    sounds: u32,
    /// The last base frame of each spatial layer.
    base: [Option<u32>; 2],
    key_wanted: bool,
}

impl Camera {
    fn header(track: TrackId, sequence: u32) -> Header {
        Header {
            sender: MemberId(1),
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

    fn picture(&mut self, at: u64) -> Vec<Frame> {
        let upper = self.pictures % 2 == 1;
        let key = !upper && (self.key_wanted || self.pictures == 0);
        self.pictures += 1;
        if key {
            self.key_wanted = false;
        }
        [0, 1]
            .map(|spatial| self.layer(at, spatial, upper, key))
            .to_vec()
    }

    fn layer(&mut self, at: u64, spatial: usize, upper: bool, key: bool) -> Frame {
        let sequence = self.sequence;
        self.sequence += 1;
        let references = match self.base[spatial] {
            Some(base) if !key => References::new(&[(sequence - base) as u16]).unwrap(),
            _ => References::NONE,
        };
        if !upper {
            self.base[spatial] = Some(sequence);
        }
        let bytes = match (spatial, key) {
            (0, false) => 850,
            (0, true) => 5_000,
            (_, false) => 2_800,
            (_, true) => 20_000,
        };
        let layer = Layer {
            spatial: spatial as u8,
            temporal: u8::from(upper),
        };
        let chunks = if bytes > 16_384 { 2 } else { 1 };
        Frame {
            header: Header {
                layer,
                references,
                chunks,
                ..Self::header(PICTURE, sequence)
            },
            bytes,
            at,
        }
    }

    fn sound(&mut self, at: u64) -> Frame {
        self.sounds += 1;
        Frame {
            header: Self::header(SOUND, self.sounds),
            bytes: 80,
            at,
        }
    }
}

/// A line, the receiver before it, and the camera before that.
struct World {
    camera: Camera,
    receiver: Receiver<(), Frame>,
    requests: Requests,
    ms: u64,
    /// What the line may carry now, in bytes; negative while it is busy.
    credit: f64,
    decoded: HashSet<u32>,
    fine: bool,
    /// What the receiver is told that the line carries.
    word: Word,
}

/// What came over a stretch of time.
#[derive(Debug, Default)]
struct Stretch {
    pictures: usize,
    latest_picture: u64,
    sounds: usize,
    latest_sound: u64,
    levels: Vec<Level>,
    /// What was told, and when.
    told: Vec<(u64, Carries)>,
}

impl World {
    fn new() -> Self {
        let mut receiver = Receiver::new();
        receiver.route(
            MemberId(1),
            &[
                Selected {
                    track: PICTURE,
                    kind: Kind::Video,
                    layer: 1,
                },
                Selected {
                    track: SOUND,
                    kind: Kind::Audio,
                    layer: 0,
                },
            ],
        );
        Self {
            camera: Camera::default(),
            receiver,
            requests: Requests::new(),
            ms: 0,
            credit: 0.0,
            decoded: HashSet::new(),
            fine: false,
            word: Word::default(),
        }
    }

    /// Goes on for so many seconds over a line of so many bytes a second.
    fn run(&mut self, seconds: u64, bytes_per_s: u32) -> Stretch {
        let mut stretch = Stretch::default();
        for _ in 0..seconds * 1000 {
            self.ms += 1;
            let now = Now(self.ms * 1000);
            let mut frames = Vec::new();
            if self.ms.is_multiple_of(20) {
                frames.push(self.camera.sound(self.ms));
            }
            if self.ms.is_multiple_of(33) {
                frames.extend(self.camera.picture(self.ms));
            }
            for frame in frames {
                if frame.header.track == PICTURE && frame.header.references.is_key() {
                    self.requests.came(PICTURE);
                }
                let frame = self.cut(frame);
                let verdict = self.receiver.frame(now, &frame.header, frame.bytes, &frame);
                if matches!(
                    verdict,
                    Verdict::Dropped {
                        key_frame: true,
                        ..
                    }
                ) && self.requests.need(now, PICTURE)
                {
                    self.camera.key_wanted = true;
                }
            }
            self.camera.key_wanted |= !self.requests.due(now).is_empty();
            if stretch.levels.last() != Some(&self.receiver.level()) {
                stretch.levels.push(self.receiver.level());
            }
            if self.ms.is_multiple_of(LOOK_MS) {
                let carries = self.receiver.level() < Level::SoundOnly;
                let told = self.word.turn(now, carries);
                stretch.told.extend(told.map(|told| (self.ms, told)));
            }
            // The line holds a little, as a socket does.
            self.credit = (self.credit + f64::from(bytes_per_s) / 1000.0).min(2_000.0);
            while self.credit > 0.0
                && let Some(item) = self.receiver.pop(now)
            {
                self.arrive(item, &mut stretch);
            }
        }
        stretch
    }

    /// As a relay does: finely, for a receiver that isn't given everything.
    fn cut(&self, mut frame: Frame) -> Frame {
        if self.fine && self.receiver.level() != Level::Full {
            frame.header.chunks = frame.bytes.div_ceil(FINE) as u16;
        }
        frame
    }

    fn arrive(&mut self, item: Item<(), Frame>, stretch: &mut Stretch) {
        let (frame, chunk) = match item {
            Item::Chunk { frame, chunk } => (frame, chunk),
            Item::Mark(mark) => {
                self.receiver.answered(Now(self.ms * 1000), mark);
                return;
            }
            Item::Control(()) => return,
        };
        self.credit -= (frame.bytes / usize::from(frame.header.chunks)) as f64;
        if chunk + 1 < frame.header.chunks {
            return;
        }
        let late = self.ms - frame.at;
        if frame.header.track == SOUND {
            stretch.sounds += 1;
            stretch.latest_sound = stretch.latest_sound.max(late);
            return;
        }
        let sequence = frame.header.sequence;
        for &distance in frame.header.references.distances() {
            assert!(self.decoded.contains(&(sequence - u32::from(distance))));
        }
        self.decoded.insert(sequence);
        stretch.pictures += 1;
        stretch.latest_picture = stretch.latest_picture.max(late);
    }
}

#[test]
fn a_fast_line_carries_everything_at_once() {
    let mut world = World::new();
    world.run(2, 1_000_000);
    let stretch = world.run(20, 1_000_000);
    assert_eq!(stretch.levels, [Level::Full]);
    assert!(
        (605..=607).contains(&stretch.pictures) && stretch.sounds == 1000,
        "{stretch:?}"
    );
    assert!(
        stretch.latest_picture <= 25 && stretch.latest_sound <= 25,
        "{stretch:?}"
    );
}

/// The line's speed, the best level that fits it, and pictures a second at least.
const SLOW: [(u32, Level, usize); 4] = [
    (60_000, Level::BaseTemporal, 12),
    (25_000, Level::LowSpatial, 12),
    (11_000, Level::KeyFrames, 0),
    (5_000, Level::SoundOnly, 0),
];

#[test]
fn a_slow_line_carries_what_fits_and_sound_before_all() {
    for (bytes_per_s, fits, pictures) in SLOW {
        let mut world = World::new();
        world.run(5, 1_000_000);
        world.run(20, bytes_per_s);
        let stretch = world.run(60, bytes_per_s);
        let context = format!("{bytes_per_s}: {stretch:?}");
        assert!(stretch.levels.contains(&fits), "{context}");
        assert!(stretch.pictures >= 60 * pictures, "{context}");
        assert!(stretch.sounds >= 2900, "{context}");
        // A picture that was begun goes out before the next sound: at most one chunk is in the way.
        let chunk_ms = u64::from(16_384 * 1000 / bytes_per_s);
        assert!(stretch.latest_sound <= 400 + chunk_ms, "{context}");
        assert!(stretch.latest_picture <= 1_300 + 2 * chunk_ms, "{context}");
        // It is tried with more, ever more seldom.
        assert!(stretch.levels.len() <= 16, "{context}");
    }
}

#[test]
fn on_150_kbit_s_sound_is_whole_and_in_time_between_small_chunks() {
    const LINE: u32 = 150_000 / 8;
    let mut world = World::new();
    world.fine = true;
    world.run(5, 1_000_000);
    let falling = world.run(5, LINE);
    world.run(15, LINE);
    let stretch = world.run(60, LINE);
    let context = format!("{falling:?}, {stretch:?}");
    println!("{context}");
    // Only the chunk that was on its way when the line fell was a large one.
    assert!(falling.sounds >= 200, "{context}");
    assert!(stretch.sounds >= 2_998, "{context}");
    // A sound waits for a small chunk and for the sounds before it.
    assert!(stretch.latest_sound <= 80, "{context}");
    assert!(stretch.pictures > 0, "{context}");
}

#[test]
fn a_line_that_gets_fast_again_carries_everything_again() {
    for (bytes_per_s, _, _) in SLOW {
        let mut world = World::new();
        world.run(5, 1_000_000);
        world.run(20, bytes_per_s);
        world.run(75, 1_000_000);
        let stretch = world.run(20, 1_000_000);
        assert_eq!(stretch.levels, [Level::Full], "{bytes_per_s}");
        assert!(
            stretch.pictures >= 605 && stretch.latest_picture <= 25,
            "{bytes_per_s}: {stretch:?}"
        );
    }
}

#[test]
fn that_a_line_carries_no_pictures_is_told_once_and_taken_back_once() {
    for bytes_per_s in [5_000, 6_500, 8_000] {
        let mut world = World::new();
        world.fine = true;
        assert_eq!(world.run(20, 1_000_000).told, []);
        let began = world.ms;
        let slow = world.run(300, bytes_per_s);
        let [(at, Carries::Sound)] = slow.told[..] else {
            panic!("{bytes_per_s}: {slow:?}")
        };
        // The queues need some seconds to give up on pictures, most where a key frame a second nearly
        // passes.
        let missing = MISSING.as_millis() as u64;
        assert!((missing..missing + 12_000).contains(&(at - began)), "{at}");
        assert!(slow.sounds >= 14_900, "{bytes_per_s}: {slow:?}");
        // They are tried at least once a minute.
        let good = world.run(300, 1_000_000);
        let [(_, Carries::Pictures)] = good.told[..] else {
            panic!("{bytes_per_s}: {good:?}")
        };
    }
}

#[test]
fn a_line_that_carries_some_pictures_is_not_told_to_carry_none() {
    for bytes_per_s in [60_000, 25_000] {
        let mut world = World::new();
        world.run(20, 1_000_000);
        assert_eq!(world.run(300, bytes_per_s).told, [], "{bytes_per_s}");
    }
    // One picture a second is hardly any: whatever is told of it doesn't flicker.
    for bytes_per_s in [15_000, 11_000, 9_500] {
        let mut world = World::new();
        world.run(20, 1_000_000);
        let told = world.run(600, bytes_per_s).told;
        assert!(told.len() <= 6, "{bytes_per_s}: {told:?}");
    }
    let mut stalled = World::new();
    stalled.run(5, 1_000_000);
    assert_eq!(stalled.run(2, 1).told, []);
    assert_eq!(stalled.run(60, 1_000_000).told, []);
}

#[test]
fn a_short_stall_costs_little() {
    let mut world = World::new();
    world.run(5, 1_000_000);
    world.run(1, 1);
    let after = world.run(2, 1_000_000);
    assert!(after.pictures >= 20, "{after:?}");
    world.run(10, 1_000_000);
    let stretch = world.run(10, 1_000_000);
    assert_eq!(stretch.levels, [Level::Full]);
}
