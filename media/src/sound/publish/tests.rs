use visita_protocol::red::Packets;

use super::{
    outgoing::{GUARD_US, Outgoing},
    *,
};
use crate::sound::{
    BLOCK, BLOCK_US, FRAME,
    level::dbfs,
    opus::{Decoder, is_silence},
};

/// Long enough for any machine; nothing waits for it when all is well.
const AGES: Duration = Duration::from_mins(1);

/// An outgoing half without a thread, and what leaves it.
struct Half {
    outgoing: Outgoing,
    gate: Mutex<Gate>,
    sent: Mutex<Sent>,
    left: mpsc::Receiver<Encoded>,
    events: Vec<Event>,
    time: u64,
    phase: usize,
}

impl Half {
    fn new(process: bool) -> Self {
        let (to_left, left) = mpsc::channel();
        Self {
            outgoing: Outgoing::new(Played::new(), process, 32_000).unwrap(),
            gate: Mutex::new(Gate {
                muted: false,
                wanted: true,
                opened: MediaTime(0),
                on_encoded: Box::new(move |encoded| to_left.send(encoded).unwrap()),
            }),
            sent: Mutex::default(),
            left,
            events: Vec::new(),
            time: 1_000_000,
            phase: 0,
        }
    }

    fn muted(&self, muted: bool) {
        lock(&self.gate).set(MediaTime(self.time), |gate| gate.muted = muted);
    }

    /// Captures so many blocks of a voice of this loudness.
    fn hear(&mut self, blocks: usize, peak: f32) {
        for _ in 0..blocks {
            let block: [f32; BLOCK] = std::array::from_fn(|_| {
                self.phase += 1;
                let turns = (self.phase as f32 * 300.0 / 48_000.0).fract();
                peak * (turns * std::f32::consts::TAU).sin()
            });
            let events = &mut self.events;
            self.outgoing.block(
                block,
                MediaTime(self.time),
                &self.gate,
                &self.sent,
                &mut |event| events.push(event),
            );
            self.time += BLOCK_US;
        }
    }

    fn left(&self) -> Vec<Encoded> {
        self.left.try_iter().collect()
    }
}

fn decoded(packets: &[Encoded]) -> Vec<f32> {
    let mut decoder = Decoder::new().unwrap();
    let mut all = Vec::new();
    for packet in packets {
        let mut out = [0.0; FRAME];
        decoder.decode(&packet.payload, &mut out).unwrap();
        all.extend(out);
    }
    all
}

#[test]
fn frames_follow_each_other_in_number_and_time() {
    let mut half = Half::new(false);
    half.hear(200, 0.3);
    let left = half.left();
    assert!((97..=100).contains(&left.len()), "{}", left.len());
    for (number, packet) in left.iter().enumerate() {
        assert_eq!(packet.sequence, number as u32);
        assert_eq!(packet.time.0 - left[0].time.0, number as u64 * 20_000);
        assert!(packet.level.dbov() <= 0.0);
    }
    assert!(
        left.last().unwrap().level.voice(),
        "a steady loud voice is one, at first"
    );
    let sent = lock(&half.sent).clone();
    assert_eq!(sent.frames, left.len() as u64);
    assert_eq!(sent.encode_us.count(), 100);
}

#[test]
fn nothing_captured_while_muted_ever_leaves() {
    for process in [false, true] {
        let mut half = Half::new(process);
        half.hear(100, 0.0);
        for round in 0..20_usize {
            half.left();
            half.muted(true);
            // Muted in the middle of a frame as well as between two.
            half.hear(33 + round, 0.9);
            assert_eq!(half.left().len(), 0, "nothing leaves while muted");
            half.muted(false);
            half.hear(60, 0.0);
            let left = half.left();
            assert!(!left.is_empty());
            let loudest = decoded(&left)
                .iter()
                .fold(0.0_f32, |most, sample| most.max(sample.abs()));
            assert!(
                loudest < 0.001,
                "processing {process}, round {round}: {loudest}"
            );
        }
    }
}

#[test]
fn unmuted_for_less_than_a_frame_and_muted_again_lets_nothing_out() {
    let mut half = Half::new(false);
    half.muted(true);
    half.hear(50, 0.9);
    for _ in 0..10 {
        // Both within one block: the thread sees only that the gate is open again.
        half.muted(false);
        half.muted(true);
        half.muted(false);
        half.hear((GUARD_US / BLOCK_US) as usize, 0.9);
        half.muted(true);
        half.hear(7, 0.9);
    }
    assert_eq!(half.left().len(), 0);
}

#[test]
fn who_talks_while_muted_is_told_and_who_does_not_is_not() {
    let mut half = Half::new(false);
    let told = |events: &[Event]| {
        let talks = |event: &&Event| {
            matches!(
                event,
                Event::Level {
                    talking_while_muted: true,
                    ..
                }
            )
        };
        events.iter().filter(talks).count()
    };
    half.hear(100, 0.001);
    half.hear(200, 0.3);
    assert_eq!(told(&half.events), 0, "nobody is muted");
    half.muted(true);
    half.hear(500, 0.001);
    half.events.clear();
    half.hear(50, 0.001);
    assert_eq!(told(&half.events), 0);
    half.hear(100, 0.3);
    assert!(told(&half.events) > 0);
    let levels = half
        .events
        .iter()
        .filter(|event| matches!(event, Event::Level { .. }));
    assert_eq!(levels.count(), 15, "ten a second");
}

#[test]
fn silence_is_said_once_and_not_sent() {
    let mut half = Half::new(false);
    half.hear(100, 0.3);
    half.left();
    half.hear(400, 0.0);
    let left = half.left();
    let marks = left.iter().filter(|packet| is_silence(&packet.payload));
    assert!((5..=12).contains(&marks.count()), "one each 400 ms");
    assert!(left.len() < 60, "{} of 200 frames", left.len());
    let numbers: Vec<u32> = left.iter().map(|packet| packet.sequence).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1));
    assert!(lock(&half.sent).silent > 140);
}

/// The numbers and times of what a frame repeats.
fn repeated(frame: &Encoded) -> Vec<(u32, u64)> {
    let Ok(packets) = Packets::read(&frame.payload) else {
        return vec![];
    };
    let older = packets.numbered(frame.sequence, frame.time);
    older.map(|older| (older.sequence, older.time.0)).collect()
}

#[test]
fn what_gets_lost_is_repeated_within_the_same_bits() {
    let mut bytes = Vec::new();
    for (percent, copies) in [(0, 0), (5, 1), (20, 2)] {
        let mut half = Half::new(false);
        half.outgoing.line(40_000, percent);
        half.hear(2_000, 0.3);
        let left = half.left();
        for frame in &left {
            let older = repeated(frame);
            assert_eq!(older.len(), copies.min(frame.sequence as usize));
            for (sequence, time) in older {
                let original = &left[sequence as usize];
                assert!(time.abs_diff(original.time.0) <= 11);
            }
        }
        let sent: usize = left.iter().map(|frame| frame.payload.len()).sum();
        assert_eq!(lock(&half.sent).bytes, sent as u64);
        bytes.push(sent as f64 * 8.0 / 20.0);
    }
    for bits in bytes {
        assert!(bits <= 40_000.0 * 1.05, "{bits} bits a second");
    }
}

#[test]
fn where_packets_are_repeated_silence_is_said_as_often() {
    let marks = |percent| {
        let mut half = Half::new(false);
        half.outgoing.line(40_000, percent);
        half.hear(100, 0.3);
        half.left();
        half.hear(60, 0.0);
        let own = half.left().into_iter().filter(|frame| {
            let packets = Packets::read(&frame.payload);
            let packet = packets.map_or(frame.payload.clone(), |packets| packets.primary);
            is_silence(&packet)
        });
        own.count()
    };
    assert_eq!([marks(0), marks(5), marks(20)], [1, 2, 3]);
}

#[test]
fn nothing_from_before_a_silence_or_a_mute_is_repeated() {
    let mut half = Half::new(false);
    half.outgoing.line(40_000, 20);
    half.hear(100, 0.3);
    half.hear(200, 0.0);
    let left = half.left();
    let spans = |frames: &[Encoded]| {
        let with = frames.iter().filter_map(|frame| {
            let oldest = repeated(frame).first()?.1;
            Some(frame.time.0 - oldest)
        });
        with.max().unwrap()
    };
    assert!(spans(&left) <= 50_000);
    let pauses = left
        .windows(2)
        .filter(|pair| pair[1].time.0 - pair[0].time.0 > 50_000);
    let after: Vec<_> = pauses.map(|pair| repeated(&pair[1])).collect();
    assert!(after.len() >= 2, "it is silent");
    assert!(after.iter().all(Vec::is_empty), "{after:?}");
    half.hear(50, 0.3);
    half.left();
    half.muted(true);
    half.hear(3, 0.3);
    half.muted(false);
    half.hear(20, 0.3);
    let left = half.left();
    let first = left[0].sequence;
    for frame in &left {
        assert!(
            repeated(frame)
                .iter()
                .all(|(sequence, _)| *sequence >= first)
        );
    }
}

#[test]
fn what_is_not_wanted_is_not_encoded() {
    let mut half = Half::new(false);
    lock(&half.gate).set(MediaTime(half.time), |gate| gate.wanted = false);
    half.hear(100, 0.3);
    assert_eq!(half.left().len(), 0);
    assert_eq!(lock(&half.sent).frames, 0);
}

struct Running {
    publisher: Publisher,
    events: mpsc::Receiver<Event>,
    encoded: mpsc::Receiver<Encoded>,
}

fn start(source: Choice) -> Running {
    let (to_events, events) = mpsc::channel();
    let (to_encoded, encoded) = mpsc::channel();
    let config = Config {
        source,
        process: false,
        ..Config::default()
    };
    let publisher = Publisher::start(
        config,
        move |event| drop(to_events.send(event)),
        move |frame| drop(to_encoded.send(frame)),
    )
    .unwrap();
    publisher.wanted(true);
    Running {
        publisher,
        events,
        encoded,
    }
}

impl Running {
    /// The next event that is no level.
    fn event(&self) -> Event {
        loop {
            match self.events.recv_timeout(AGES).unwrap() {
                Event::Level { .. } => {}
                event => return event,
            }
        }
    }
}

#[test]
fn a_tone_is_published_until_it_is_changed_muted_or_stopped() {
    let running = start(Choice::Tone(440.0));
    assert!(matches!(running.event(), Event::Started { .. }));
    let packets: Vec<Encoded> = (0..25)
        .map(|_| running.encoded.recv_timeout(AGES).unwrap())
        .collect();
    let heard = decoded(&packets);
    let level = dbfs(&heard[5 * FRAME..]);
    assert!((level + 15.0).abs() < 1.0, "{level} dBFS");
    running.publisher.muted(true);
    while running.encoded.try_recv().is_ok() {}
    // Once it has returned nothing leaves: levels go on, so the thread works.
    for _ in 0..5 {
        running.events.recv_timeout(AGES).unwrap();
    }
    assert!(running.encoded.try_recv().is_err());
    running.publisher.muted(false);
    running.encoded.recv_timeout(AGES).unwrap();
    running
        .publisher
        .source(Choice::File("/nowhere.wav".into()));
    assert!(matches!(running.event(), Event::Stopped(Error::File(_))));
    running.publisher.source(Choice::Tone(880.0));
    assert!(matches!(running.event(), Event::Started { .. }));
    let sent = running.publisher.stop();
    assert!(sent.frames >= 26 && sent.bytes > 0);
}

#[test]
fn a_publisher_of_nothing_ends() {
    let running = start(Choice::None);
    assert_eq!(running.publisher.stop().frames, 0);
    assert!(running.events.try_recv().is_err());
}
