//! Sealed frames: RFC 9605's vectors and our own in `vectors/`, which JavaScript asserts as well.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::struct_field_names)] // also in what the tests are made of

use std::{fs, path::Path};

use serde::{Deserialize, de::DeserializeOwned};
use visita_protocol::{
    frame::{Header, References},
    id::{MemberId, TrackId},
    media::{Codec, Layer},
    sealed::{self, Clear, Epoch, Field, Hint, Kid, MAX_PAYLOAD, Opened, SealError, dress},
    sframe::{self, BaseKey, KeyError, MAX_FRAMES, MAX_KEYS, Opener, Sealer, Suite, header},
    sound::Level,
    time::MediaTime,
};

fn load<T: DeserializeOwned>(name: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("vectors")
        .join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Bytes, as hexadecimal text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
struct Hex(Vec<u8>);

impl From<String> for Hex {
    fn from(text: String) -> Self {
        let pairs = (0..text.len()).step_by(2);
        Hex(pairs
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
            .collect())
    }
}

#[derive(Deserialize)]
struct Unread {
    name: String,
    hex: Hex,
    error: String,
}

#[test]
fn rfc_9605_headers() {
    #[derive(Deserialize)]
    struct Case {
        name: String,
        kid: String,
        ctr: String,
        encoded: Hex,
    }
    #[derive(Deserialize)]
    struct Headers {
        headers: Vec<Case>,
        invalid_headers: Vec<Unread>,
    }
    let vectors: Headers = load("sframe.json");
    assert!(vectors.headers.len() > 200);
    for case in vectors.headers {
        let header = header::Header {
            kid: case.kid.parse().unwrap(),
            ctr: case.ctr.parse().unwrap(),
        };
        let mut written = Vec::new();
        header.write(&mut written);
        assert_eq!(written, case.encoded.0, "{}", case.name);
        assert_eq!(written.len(), header.len(), "{}", case.name);
        written.extend_from_slice(&[0xff; 2]);
        let read = header::Header::parse(&written);
        assert_eq!(read, Ok((header, header.len())), "{}", case.name);
    }
    for Unread { name, hex, error } in vectors.invalid_headers {
        let kind = match header::Header::parse(&hex.0).expect_err(&name) {
            header::Error::Truncated => "truncated",
            header::Error::NotMinimal => "not_minimal",
        };
        assert_eq!(kind, error, "{name}");
    }
}

#[test]
fn rfc_9605_frames() {
    #[derive(Deserialize)]
    struct Case {
        name: String,
        suite: u16,
        kid: String,
        ctr: String,
        base_key: Hex,
        metadata: Hex,
        plaintext: Hex,
        sealed: Hex,
    }
    #[derive(Deserialize)]
    struct Frames {
        sealed: Vec<Case>,
    }
    let Frames { sealed } = load("sframe.json");
    assert_eq!(sealed.len(), 2);
    for case in sealed {
        let suites = [Suite::Aes128, Suite::Aes256];
        let suite = suites.into_iter().find(|suite| suite.id() == case.suite);
        let (suite, kid) = (suite.unwrap(), case.kid.parse().unwrap());
        let ctr = case.ctr.parse().unwrap();
        let key = || BaseKey::new(&case.base_key.0);
        let mut sealer = Sealer::starting_at(suite, kid, key(), ctr);
        let sealed = sealer.seal(&case.metadata.0, &case.plaintext.0);
        assert_eq!(sealed, Ok(case.sealed.0.clone()), "{}", case.name);
        let mut opener = Opener::new(suite);
        opener.add(kid, &key()).unwrap();
        // With other metadata it isn't the same frame.
        let forged = opener.open(&[], &case.sealed.0);
        assert_eq!(forged, Err(sframe::Error::Forged), "{}", case.name);
        let opened = opener.open(&case.metadata.0, &case.sealed.0).unwrap();
        assert_eq!(opened.plaintext, case.plaintext.0, "{}", case.name);
        assert_eq!((opened.kid, opened.ctr), (kid, ctr), "{}", case.name);
    }
}

const KEY: [u8; 16] = [7; 16];

fn opener(kid: u64) -> Opener {
    let mut opener = Opener::new(Suite::Aes128);
    opener.add(kid, &BaseKey::new(&KEY)).unwrap();
    opener
}

#[test]
fn a_counter_ends() {
    let first = MAX_FRAMES - 2;
    let mut sealer = Sealer::starting_at(Suite::Aes128, 9, BaseKey::new(&KEY), first);
    assert_ne!(sealer.seal(&[], &[1]), sealer.seal(&[], &[1]));
    for _ in 0..2 {
        let exhausted = sealer.seal(&[], &[1]);
        assert_eq!(exhausted, Err(sframe::SealError::Exhausted));
    }
}

#[test]
fn a_frame_comes_once() {
    let mut sealer = Sealer::new(Suite::Aes128, 9, BaseKey::new(&KEY));
    let frames: Vec<_> = (0..300).map(|_| sealer.seal(&[], &[]).unwrap()).collect();
    let mut opener = opener(9);
    let mut opens = |ctr: usize| match opener.open(&[], &frames[ctr]) {
        Ok(opened) => {
            assert_eq!(opened.ctr, ctr as u64);
            true
        }
        Err(error) => {
            let ctr = ctr as u64;
            assert_eq!(error, sframe::Error::Replayed { kid: 9, ctr });
            false
        }
    };
    assert!(opens(5) && !opens(5) && opens(0) && opens(130) && opens(3));
    assert!(!opens(2), "too old to tell");
    assert!(!opens(5) && opens(299) && !opens(171) && opens(172));
}

#[test]
fn a_forged_frame_moves_nothing() {
    let mut sealer = Sealer::new(Suite::Aes128, 9, BaseKey::new(&KEY));
    let good = sealer.seal(&[], &[7]).unwrap();
    let mut opener = opener(9);
    let headed = |kid, ctr, rest: &[u8]| {
        let mut forged = Vec::new();
        header::Header { kid, ctr }.write(&mut forged);
        [&forged, rest].concat()
    };
    let forged = headed(9, 100_000, &good[2..]);
    assert_eq!(opener.open(&[], &forged), Err(sframe::Error::Forged));
    assert_eq!(opener.open(&[], &good).unwrap().plaintext, [7]);
    let unknown = headed(8, 0, &[0; 40]);
    assert_eq!(opener.open(&[], &unknown), Err(sframe::Error::NoKey(8)));
    let last = headed(9, u64::MAX, &[0; 40]);
    assert!(matches!(
        opener.open(&[], &last),
        Err(sframe::Error::Replayed { .. })
    ));
    let again = opener.add(9, &BaseKey::new(&KEY));
    assert_eq!(again, Err(KeyError::Known(9)));
    assert!(opener.remove(9) && !opener.remove(9));
    assert_eq!(opener.open(&[], &good), Err(sframe::Error::NoKey(9)));
}

#[test]
fn keys_are_bounded_and_never_printed() {
    let mut opener = Opener::new(Suite::Aes128);
    let key = BaseKey::new(&[0xab; 16]);
    for kid in 0..MAX_KEYS as u64 {
        opener.add(kid, &key).unwrap();
    }
    assert_eq!(opener.add(99_999, &key), Err(KeyError::TooMany));
    opener.remove(0);
    assert_eq!(opener.add(99_999, &key), Ok(()));
    assert_eq!(format!("{key:?}"), "BaseKey(…)");
    let sealer = Sealer::new(Suite::Aes128, 1, key);
    let printed = format!("{sealer:?} {opener:?}");
    assert!(printed.contains("Key(…)") && !printed.contains("171, 171"));
}

#[derive(Clone, Deserialize)]
struct HeaderValue {
    sender: u32,
    track: u8,
    layer: Layer,
    sequence: u32,
    timestamp: u64,
    references: Vec<u16>,
    #[serde(default)]
    level: Option<LevelValue>,
}

#[derive(Clone, Deserialize)]
struct LevelValue {
    dbov: i8,
    voice: bool,
}

impl HeaderValue {
    fn header(&self) -> Header {
        let level = self.level.as_ref();
        Header {
            sender: MemberId(self.sender),
            track: TrackId(self.track),
            layer: self.layer,
            sequence: self.sequence,
            timestamp: MediaTime(self.timestamp),
            chunk: 0,
            chunks: 1,
            references: References::new(&self.references).unwrap(),
            level: level.map(|level| Level::new(level.dbov.into(), level.voice)),
        }
    }
}

#[derive(Deserialize)]
struct KidValue {
    member: u32,
    epoch: u16,
    track: u8,
}

impl KidValue {
    fn kid(&self) -> Kid {
        Kid {
            member: MemberId(self.member),
            epoch: Epoch(self.epoch),
            track: TrackId(self.track),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum HintValue {
    Header { header: HeaderValue },
    Slot { sender: u32, track: u8, key: bool },
}

#[derive(Deserialize)]
struct Sealed {
    name: String,
    key: Hex,
    kid: KidValue,
    codec: Codec,
    hint: HintValue,
    sealed: Hex,
}

impl Sealed {
    /// Opens it with its key in an opener of its own.
    fn open(&self) -> Result<Opened, sealed::Error> {
        let mut opener = sealed::Opener::new();
        let key = BaseKey::new(&self.key.0);
        opener.add(self.kid.kid(), &key).unwrap();
        let clear;
        let hint = match &self.hint {
            HintValue::Header { header } => {
                clear = header.header();
                Hint::Header(&clear)
            }
            &HintValue::Slot { sender, track, key } => Hint::Slot {
                sender: MemberId(sender),
                track: TrackId(track),
                key,
            },
        };
        opener.open(hint, self.codec, &self.sealed.0)
    }
}

#[test]
fn sealed_frames() {
    #[derive(Deserialize)]
    struct Valid {
        name: String,
        key: Hex,
        kid: KidValue,
        codec: Codec,
        clear: String,
        header: HeaderValue,
        payload: Hex,
        sealed: Hex,
    }
    #[derive(Deserialize)]
    struct Hinted {
        #[serde(flatten)]
        sealed: Sealed,
        header: HeaderValue,
        payload: Hex,
    }
    #[derive(Deserialize)]
    struct Refused {
        #[serde(flatten)]
        sealed: Sealed,
        error: String,
    }
    #[derive(Deserialize)]
    struct Vectors {
        valid: Vec<Valid>,
        hinted: Vec<Hinted>,
        refused: Vec<Refused>,
    }
    let vectors: Vectors = load("sealed.json");
    for case in vectors.valid {
        let (name, kid, header) = (case.name, case.kid.kid(), case.header.header());
        assert_eq!(Kid::from_number(kid.number()), Some(kid), "{name}");
        let clear = match &*case.clear {
            "header" => Clear::Header,
            "nothing" => Clear::Nothing,
            other => panic!("{other}"),
        };
        let key = || BaseKey::new(&case.key.0);
        let mut sealer = sealed::Sealer::new(kid, case.codec, key());
        let cut = Header {
            chunk: 3,
            chunks: 9,
            ..header
        };
        let sealed = sealer.seal(&cut, clear, &case.payload.0).unwrap();
        assert_eq!(sealed, case.sealed.0, "{name}");
        let mut opener = sealed::Opener::new();
        opener.add(kid, &key()).unwrap();
        let opened = opener
            .open(Hint::Header(&cut), case.codec, &sealed)
            .unwrap();
        assert_eq!(opened.header, header, "{name}");
        assert_eq!(opened.payload, case.payload.0, "{name}");
    }
    for case in vectors.hinted {
        let opened = case.sealed.open().unwrap();
        assert_eq!(opened.header, case.header.header(), "{}", case.sealed.name);
        assert_eq!(opened.payload, case.payload.0, "{}", case.sealed.name);
    }
    for case in vectors.refused {
        let kind = match case.sealed.open().expect_err(&case.sealed.name) {
            sealed::Error::SFrame(error) => match error {
                sframe::Error::Header(_) | sframe::Error::Truncated => "truncated",
                sframe::Error::NoKey(_) => "no_key",
                sframe::Error::Replayed { .. } => "replayed",
                sframe::Error::Forged => "forged",
            },
            sealed::Error::Form(_) => "form",
            sealed::Error::Header(_) => "header",
            sealed::Error::Disagree(field) => match field {
                Field::Sender => "sender",
                Field::Track => "track",
                Field::Codec => "codec",
                Field::References => "references",
                Field::Layer => "layer",
                Field::Sequence => "sequence",
                Field::Timestamp => "timestamp",
            },
        };
        assert_eq!(kind, case.error, "{}", case.sealed.name);
    }
    assert_eq!(Kid::from_number(1 << 56), None);
}

#[test]
fn a_key_seals_its_own_track_and_frames_that_fit() {
    let kid = Kid {
        member: MemberId(1),
        epoch: Epoch(0),
        track: TrackId(2),
    };
    let key = || BaseKey::new(&KEY);
    let mut sealer = sealed::Sealer::new(kid, Codec::Vp8, key());
    let header = Header {
        sender: MemberId(0),
        track: TrackId(2),
        layer: Layer::default(),
        sequence: 9,
        timestamp: MediaTime(0),
        chunk: 0,
        chunks: 1,
        references: References::new(&[1, 2, 3, 4]).unwrap(),
        level: None,
    };
    let other = Header {
        track: TrackId(1),
        ..header
    };
    let sealed = sealer.seal(&other, Clear::Header, &[]);
    assert_eq!(sealed, Err(SealError::Track(TrackId(1))));
    let bytes = vec![0; MAX_PAYLOAD + 1];
    let sealed = sealer.seal(&header, Clear::Header, &bytes);
    assert_eq!(sealed, Err(SealError::TooLarge(bytes.len())));
    let sealed = sealer.seal(&header, Clear::Header, &bytes[1..]).unwrap();
    assert!(sealed.len() <= visita_protocol::frame::MAX_FRAME);
    let mut unknown = sealed::Sealer::new(kid, Codec::Unknown, key());
    let sealed = unknown.seal(&header, Clear::Header, &[]);
    assert_eq!(sealed, Err(SealError::Codec));
}

#[test]
fn dressed_frames() {
    #[derive(Deserialize)]
    struct Dressed {
        name: String,
        codec: Codec,
        key: bool,
        sealed: Hex,
        dressed: Hex,
    }
    #[derive(Deserialize)]
    struct Invalid {
        name: String,
        codec: Codec,
        dressed: Hex,
        error: String,
    }
    #[derive(Deserialize)]
    struct Vectors {
        dressed: Vec<Dressed>,
        arrived: Vec<Dressed>,
        invalid: Vec<Invalid>,
    }
    let vectors: Vectors = load("dress.json");
    for case in &vectors.dressed {
        let dressed = dress::dress(case.codec, case.key, &case.sealed.0).unwrap();
        assert_eq!(*dressed, *case.dressed.0, "{}", case.name);
    }
    for case in vectors.dressed.iter().chain(&vectors.arrived) {
        let undressed = dress::undress(case.codec, &case.dressed.0).unwrap();
        assert_eq!(undressed.key, case.key, "{}", case.name);
        assert_eq!(*undressed.sealed, *case.sealed.0, "{}", case.name);
    }
    for case in vectors.invalid {
        let kind = match dress::undress(case.codec, &case.dressed.0).expect_err(&case.name) {
            dress::Error::Start => "start",
            dress::Error::Nal => "nal",
            dress::Error::Codec => "codec",
        };
        assert_eq!(kind, case.error, "{}", case.name);
    }
    let unknown = dress::dress(Codec::Unknown, true, &[]);
    assert_eq!(unknown, Err(dress::Error::Codec));
    let unknown = dress::undress(Codec::Unknown, &[]);
    assert_eq!(unknown, Err(dress::Error::Codec));
}
