//! The committed vectors, which the page's tests assert as well (`protocol/vectors/README.md`).

#![allow(clippy::unwrap_used, clippy::expect_used)] // also in what the tests are made of

use std::{fs, path::Path, time::Duration};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use visita_protocol::{
    chunk::{self, Assembler},
    compress,
    control::{self, Carries, LobbyMessage, Unreadable},
    error::Code,
    frame::{self, Header, References},
    id::{MemberId, TrackId},
    line::Pause,
    losses::Window,
    media::Layer,
    name::PersonName,
    pulse::{Pulse, Turn},
    red::{self, Packets, Repeater},
    session::{self, Accept, Session},
    sound::{Level, Meter},
    time::{MediaTime, Now},
};

fn load<T: DeserializeOwned>(file: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("vectors")
        .join(file);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

/// Bytes that can't be read, and why.
#[derive(Deserialize)]
struct Unread {
    name: String,
    hex: String,
    error: String,
}

#[derive(Deserialize)]
struct HeaderValue {
    sender: u32,
    track: u8,
    layer: Layer,
    sequence: u32,
    timestamp: u64,
    chunk: u16,
    chunks: u16,
    references: Vec<u16>,
    #[serde(default)]
    level: Option<LevelValue>,
}

#[derive(Deserialize)]
struct LevelValue {
    dbov: i8,
    voice: bool,
}

impl HeaderValue {
    fn header(&self) -> Header {
        Header {
            sender: MemberId(self.sender),
            track: TrackId(self.track),
            layer: self.layer,
            sequence: self.sequence,
            timestamp: MediaTime(self.timestamp),
            chunk: self.chunk,
            chunks: self.chunks,
            references: References::new(&self.references).unwrap(),
            level: self.level.as_ref().map(|level| {
                let told = Level::from_byte(level.dbov.unsigned_abs() | u8::from(level.voice) << 7);
                assert_eq!(told.dbov() as i8, level.dbov);
                assert_eq!(told.voice(), level.voice);
                told
            }),
        }
    }
}

#[test]
fn frames() {
    #[derive(Deserialize)]
    struct Valid {
        name: String,
        hex: String,
        value: HeaderValue,
        payload: String,
        extension: String,
    }
    #[derive(Deserialize)]
    struct Frames {
        valid: Vec<Valid>,
        invalid: Vec<Unread>,
    }
    let frames: Frames = load("frames.json");
    for Valid {
        name,
        hex,
        value,
        payload,
        extension,
    } in frames.valid
    {
        let message = bytes(&hex);
        let (header, offset) = Header::parse(&message).unwrap();
        assert_eq!(header, value.header(), "{name}");
        assert_eq!(message[offset..], bytes(&payload), "{name}");
        if extension.is_empty() {
            let mut written = Vec::new();
            header.write(&mut written);
            assert_eq!(written, message[..offset], "{name}");
        }
    }
    for Unread { name, hex, error } in frames.invalid {
        let kind = match Header::parse(&bytes(&hex)).expect_err(&name) {
            frame::Error::Truncated => "truncated",
            frame::Error::Type(_) => "type",
            frame::Error::Length(_) => "length",
            frame::Error::References => "references",
            frame::Error::Chunk { .. } => "chunk",
            frame::Error::Layer => "layer",
            frame::Error::Extension(_) => "extension",
        };
        assert_eq!(kind, error, "{name}");
    }
}

#[test]
fn chunks() {
    #[derive(Deserialize)]
    struct Split {
        name: String,
        bytes: usize,
        max_chunk: usize,
        #[serde(default)]
        chunks: Vec<(usize, usize)>,
    }
    #[derive(Deserialize)]
    struct Event {
        header: HeaderValue,
        bytes: usize,
        outcome: String,
    }
    #[derive(Deserialize)]
    struct Assembly {
        name: String,
        events: Vec<Event>,
    }
    #[derive(Deserialize)]
    struct Chunks {
        split: Vec<Split>,
        refused: Vec<Split>,
        assembly: Vec<Assembly>,
    }
    let vectors: Chunks = load("chunks.json");
    let header = Header {
        sender: MemberId(0),
        track: TrackId(0),
        layer: Layer::default(),
        sequence: 0,
        timestamp: MediaTime(0),
        chunk: 0,
        chunks: 1,
        references: References::NONE,
        level: None,
    };
    for Split {
        name,
        bytes,
        max_chunk,
        chunks,
    } in vectors.split
    {
        let split = chunk::split(header, bytes, max_chunk).unwrap();
        let ranges: Vec<_> = split.map(|(_, range)| (range.start, range.end)).collect();
        assert_eq!(ranges, chunks, "{name}");
    }
    for Split {
        name,
        bytes,
        max_chunk,
        ..
    } in vectors.refused
    {
        assert!(chunk::split(header, bytes, max_chunk).is_err(), "{name}");
    }
    for Assembly { name, events } in vectors.assembly {
        let mut assembler = Assembler::new();
        for event in events {
            let outcome = match assembler.push(event.header.header(), (), event.bytes) {
                Ok(None) => "more",
                Ok(Some(_)) => "whole",
                Err(_) => "refused",
            };
            assert_eq!(outcome, event.outcome, "{name}");
        }
    }
}

#[derive(Deserialize)]
struct Good {
    name: String,
    text: String,
    value: Value,
}

#[derive(Deserialize)]
struct Bad {
    name: String,
    text: String,
    code: Code,
    numbered: Option<(u64, u64)>,
}

fn both_ways<P: serde::Serialize, E: std::fmt::Debug>(
    cases: &[Good],
    parse: impl Fn(&str) -> Result<P, E>,
) {
    for Good { name, text, value } in cases {
        let packet = parse(text).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let written = control::write(&packet).unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(&written).unwrap(),
            *value,
            "{name}"
        );
        let again = control::write(&parse(&written).unwrap()).unwrap();
        assert_eq!(again, written, "{name}");
    }
}

fn refused<P: std::fmt::Debug>(cases: Vec<Bad>, parse: impl Fn(&str) -> Result<P, Unreadable>) {
    for Bad {
        name,
        text,
        code,
        numbered,
    } in cases
    {
        assert_eq!(
            parse(&text).expect_err(&name),
            Unreadable { code, numbered },
            "{name}"
        );
    }
}

#[test]
fn control() {
    #[derive(Deserialize)]
    struct Name {
        text: String,
        tidy: Option<String>,
        code: Option<Code>,
    }
    #[derive(Deserialize)]
    struct Control {
        client: Vec<Good>,
        relay: Vec<Good>,
        lobby: Vec<Good>,
        bad_client: Vec<Bad>,
        bad_relay: Vec<Bad>,
        names: Vec<Name>,
    }
    let vectors: Control = load("control.json");
    both_ways(&vectors.client, control::parse_client);
    both_ways(&vectors.relay, control::parse_relay);
    both_ways(&vectors.lobby, |text| {
        serde_json::from_str::<LobbyMessage>(text)
    });
    refused(vectors.bad_client, control::parse_client);
    refused(vectors.bad_relay, control::parse_relay);
    for Name { text, tidy, code } in vectors.names {
        match PersonName::new(&text) {
            Ok(name) => assert_eq!(Some(name.reveal()), tidy.as_deref(), "{text:?}"),
            Err(error) => assert_eq!(Some(error), code, "{text:?}"),
        }
    }
}

#[test]
fn sessions() {
    #[derive(Deserialize)]
    struct Case {
        name: String,
        events: Vec<Event>,
    }
    #[derive(Deserialize)]
    struct Event {
        send: Option<String>,
        n: Option<u64>,
        acked: Option<u64>,
        accept: Option<(u64, u64)>,
        resume: Option<u64>,
        outcome: Option<String>,
        received: Option<u64>,
        unacknowledged: Option<usize>,
        again: Option<Vec<(u64, String)>>,
        error: Option<String>,
    }
    #[derive(Deserialize)]
    struct Sessions {
        sessions: Vec<Case>,
    }
    for Case { name, events } in load::<Sessions>("session.json").sessions {
        let mut session = Session::new();
        for event in events {
            let mut outcome = None;
            let mut again = None;
            let result = if let Some(body) = event.send {
                assert_eq!(session.send(body).ok(), event.n, "{name}");
                Ok(())
            } else if let Some(ack) = event.acked {
                session.acked(ack)
            } else if let Some((n, ack)) = event.accept {
                session.accept(n, ack).map(|accept| {
                    let word = if accept == Accept::New {
                        "new"
                    } else {
                        "duplicate"
                    };
                    outcome = Some(word.to_owned());
                })
            } else {
                let resent = session.resume(event.resume.unwrap());
                resent.map(|resent| again = Some(resent.collect()))
            };
            let error = result.err().map(|error| match error {
                session::Error::Gap { .. } => "gap",
                session::Error::AckAhead { .. } => "ack_ahead",
                session::Error::Forgotten { .. } => "forgotten",
            });
            assert_eq!(error, event.error.as_deref(), "{name}");
            assert_eq!(outcome, event.outcome, "{name}");
            assert_eq!(again, event.again, "{name}");
            if let Some(received) = event.received {
                assert_eq!(session.received(), received, "{name}");
            }
            if let Some(waiting) = event.unacknowledged {
                assert_eq!(session.unacknowledged(), waiting, "{name}");
            }
        }
    }
}

#[test]
fn compressed() {
    #[derive(Deserialize)]
    struct Packet {
        name: String,
        hex: String,
        text: String,
    }
    #[derive(Deserialize)]
    struct Invalid {
        name: String,
        hex: String,
        bound: usize,
    }
    #[derive(Deserialize)]
    struct Compressed {
        packets: Vec<Packet>,
        invalid: Vec<Invalid>,
    }
    let vectors: Compressed = load("compressed.json");
    for Packet { name, hex, text } in vectors.packets {
        assert_eq!(
            compress::decompress(&bytes(&hex), text.len()).unwrap(),
            text,
            "{name}"
        );
    }
    for Invalid { name, hex, bound } in vectors.invalid {
        assert!(compress::decompress(&bytes(&hex), bound).is_err(), "{name}");
    }
}

#[test]
fn levels() {
    #[derive(Deserialize)]
    struct Quantised {
        dbov: Option<f32>,
        voice: bool,
        byte: u8,
    }
    #[derive(Deserialize)]
    struct Metered {
        name: String,
        frames: Vec<(Option<f32>, bool)>,
        told: Vec<u8>,
    }
    #[derive(Deserialize)]
    struct Levels {
        quantised: Vec<Quantised>,
        meter: Vec<Metered>,
    }
    let vectors: Levels = load("levels.json");
    for Quantised { dbov, voice, byte } in vectors.quantised {
        let level = Level::new(dbov.unwrap_or(f32::NEG_INFINITY), voice);
        assert_eq!(level.to_byte(), byte, "{dbov:?}");
    }
    for Metered { name, frames, told } in vectors.meter {
        let mut meter = Meter::new();
        let frames = frames.into_iter();
        let bytes = frames.map(|(dbov, voice)| {
            meter
                .frame(dbov.unwrap_or(f32::NEG_INFINITY), voice)
                .to_byte()
        });
        assert_eq!(bytes.collect::<Vec<_>>(), told, "{name}");
    }
}

#[test]
fn lines() {
    #[derive(Deserialize)]
    struct Case {
        name: String,
        spells: Vec<(u64, bool)>,
        changes: Vec<(u64, bool, Carries)>,
    }
    #[derive(Deserialize)]
    struct Lines {
        look_ms: u64,
        pause: Vec<Case>,
    }
    let Lines { look_ms, pause } = load("line.json");
    for Case {
        name,
        spells,
        changes,
    } in pause
    {
        let (mut pause, mut ms, mut told) = (Pause::default(), 0, Vec::new());
        for (long, carries) in spells {
            let end = ms + long;
            while ms < end {
                if pause.turn(Now(ms * 1000), carries) {
                    told.push((ms, pause.sends(), pause.carries()));
                }
                ms += look_ms;
            }
        }
        assert_eq!(told, changes, "{name}");
    }
}

#[test]
fn pulses() {
    #[derive(Deserialize)]
    struct Case {
        name: String,
        heartbeat_ms: u64,
        heard_ms: Vec<u64>,
        until_ms: u64,
        turns: Vec<(u64, String)>,
    }
    #[derive(Deserialize)]
    struct Pulses {
        look_ms: usize,
        cases: Vec<Case>,
    }
    let Pulses { look_ms, cases } = load("pulse.json");
    for case in cases {
        let mut pulse = Pulse::new(Duration::from_millis(case.heartbeat_ms));
        let mut turns = Vec::new();
        for ms in (0..=case.until_ms).step_by(look_ms) {
            let heard = case.heard_ms.iter().rfind(|at| **at <= ms).unwrap();
            let turn = pulse.turn(Now(ms * 1000), Now(heard * 1000));
            let name = match turn {
                Some(Turn::Quiet) => "quiet",
                Some(Turn::Back) => "back",
                Some(Turn::Broken) => "broken",
                None => continue,
            };
            turns.push((ms, name.to_owned()));
            if turn == Some(Turn::Broken) {
                break;
            }
        }
        assert_eq!(turns, case.turns, "{}", case.name);
    }
}

#[test]
fn redundancy() {
    #[derive(Deserialize)]
    struct Older {
        offset: u16,
        packet: String,
    }
    #[derive(Deserialize)]
    struct Valid {
        name: String,
        hex: String,
        older: Vec<Older>,
        primary: String,
    }
    #[derive(Deserialize)]
    struct Numbered {
        name: String,
        hex: String,
        sequence: u32,
        time: u64,
        older: Vec<(u32, u64, String)>,
    }
    #[derive(Deserialize)]
    struct Repeated {
        name: String,
        frames: Vec<(u64, String, usize)>,
        payloads: Vec<String>,
    }
    #[derive(Deserialize)]
    struct Counted {
        name: String,
        adds: Vec<(u32, u32)>,
        permille: Vec<u32>,
    }
    #[derive(Deserialize)]
    struct Red {
        valid: Vec<Valid>,
        invalid: Vec<Unread>,
        numbered: Vec<Numbered>,
        repeated: Vec<Repeated>,
        copies: Vec<(usize, u32, u32, usize)>,
        bits: Vec<(u32, usize, u32)>,
        window: Vec<Counted>,
    }
    let vectors: Red = load("red.json");
    let read = |hex: &str| Packets::read(&bytes(hex).into());
    for case in vectors.valid {
        let packets = read(&case.hex).unwrap();
        let older = case.older.iter().map(|older| red::Older {
            offset: older.offset,
            packet: bytes(&older.packet).into(),
        });
        assert_eq!(packets.older, older.collect::<Vec<_>>(), "{}", case.name);
        assert_eq!(packets.primary, bytes(&case.primary), "{}", case.name);
        assert_eq!(packets.write().unwrap(), bytes(&case.hex), "{}", case.name);
    }
    for Unread { name, hex, error } in vectors.invalid {
        let kind = match read(&hex).expect_err(&name) {
            red::Error::Truncated => "truncated",
            red::Error::Type(_) => "type",
            red::Error::TooMany => "too_many",
            red::Error::Order => "order",
            red::Error::Empty => "empty",
        };
        assert_eq!(kind, error, "{name}");
    }
    for case in vectors.numbered {
        let packets = read(&case.hex).unwrap();
        let older = packets.numbered(case.sequence, MediaTime(case.time));
        let older = older.map(|older| (older.sequence, older.time.0, older.packet));
        let expected = case.older.into_iter();
        let expected = expected.map(|(sequence, time, hex)| (sequence, time, bytes(&hex).into()));
        assert!(older.eq(expected), "{}", case.name);
    }
    for case in vectors.repeated {
        let mut repeater = Repeater::new();
        let payloads = case.frames.into_iter().map(|(time, packet, copies)| {
            repeater.payload(MediaTime(time), bytes(&packet).into(), copies)
        });
        let expected: Vec<_> = case.payloads.iter().map(|hex| bytes(hex)).collect();
        assert_eq!(payloads.collect::<Vec<_>>(), expected, "{}", case.name);
    }
    for (before, percent, bits, copies) in vectors.copies {
        let case = format!("{before} {percent} {bits}");
        assert_eq!(red::copies(before, percent, bits), copies, "{case}");
    }
    for (bits, copies, primary) in vectors.bits {
        assert_eq!(red::primary_bits(bits, copies), primary, "{bits} {copies}");
    }
    for Counted {
        name,
        adds,
        permille,
    } in vectors.window
    {
        let mut window = Window::new();
        let counted = adds.into_iter().map(|(sent, lost)| {
            window.add(sent, lost);
            window.permille()
        });
        assert_eq!(counted.collect::<Vec<_>>(), permille, "{name}");
    }
}
