//! The marker's golden vectors, which readers in other languages are held to as well.
//!
//! `VISITA_UPDATE_VECTORS=1 cargo test -p visita-media --test marker_vectors` writes them anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

use std::{fmt::Write as _, fs, path::PathBuf};

use visita_media::{
    Picture, convert,
    h264::{decode, encode},
    jpeg,
    marker::{self, Mark},
    picture::Draft,
    source::{
        Source as _, Synthetic,
        synthetic::{self, Pace},
    },
};
use visita_protocol::{media::Size, time::MediaTime};

/// A picture and what its marker says.
struct Case {
    file: &'static str,
    mark: Mark,
    picture: Picture,
    /// Whether it is the same on every machine and in every version of the codecs.
    exact: bool,
}

fn cases() -> Vec<Case> {
    let drawn = |file, width, height, number, time| {
        let mark = Mark {
            number,
            time: MediaTime(time),
        };
        let mut draft = Draft::filled(Size::new(width, height), mark.time, [90, 128, 128]).unwrap();
        assert!(marker::write(&mut draft, mark));
        Case {
            file,
            mark,
            picture: draft.finish(),
            exact: true,
        }
    };
    let config = synthetic::Config::new(Size::new(320, 180), 30)
        .unwrap()
        .paced(Pace::Free);
    let mut source = Synthetic::new(config).unwrap();
    let pictures: Vec<_> = (0..20).map(|_| source.next().unwrap()).collect();
    let small = encode::Config {
        bitrate: 150_000,
        ..encode::Config::new(Size::new(320, 180))
    };
    let mut encoder = encode::Encoder::new(small).unwrap();
    let mut decoder = decode::Decoder::new();
    let frames = pictures
        .iter()
        .filter_map(|picture| encoder.encode(picture).unwrap());
    let decoded = frames
        .filter_map(|frame| decoder.decode(&frame.bytes, MediaTime(0)).unwrap())
        .last()
        .unwrap();
    let tiny = convert::scaled(&pictures[7], Size::new(160, 90)).unwrap();
    let tiny = jpeg::Encoder::new(jpeg::QUALITY)
        .unwrap()
        .encode(&tiny)
        .unwrap();
    let tiny = jpeg::Decoder::new()
        .unwrap()
        .decode(&tiny, MediaTime(0))
        .unwrap();
    let coded = |file, picture| Case {
        file,
        mark: marker::read(&picture).unwrap(),
        picture,
        exact: false,
    };
    vec![
        drawn(
            "marker-drawn-320x180.pgm",
            320,
            180,
            0x1234_5678,
            987_654_321_012,
        ),
        drawn(
            "marker-drawn-194x110.pgm",
            194,
            110,
            u32::MAX,
            0xffff_ffff_ffff,
        ),
        drawn("marker-drawn-108x60.pgm", 108, 60, 0, 0),
        coded("marker-h264-320x180.pgm", decoded),
        coded("marker-jpeg-160x90.pgm", tiny),
    ]
}

fn pgm(picture: &Picture) -> Vec<u8> {
    let mut bytes = format!("P5\n{} {}\n255\n", picture.width(), picture.height()).into_bytes();
    bytes.extend_from_slice(picture.y());
    bytes
}

fn from_pgm(bytes: &[u8]) -> Picture {
    let mut lines = bytes.splitn(4, |&byte| byte == b'\n');
    assert_eq!(lines.next().unwrap(), b"P5");
    let size = String::from_utf8(lines.next().unwrap().to_vec()).unwrap();
    let (width, height) = size.split_once(' ').unwrap();
    let size = Size::new(width.parse().unwrap(), height.parse().unwrap());
    assert_eq!(lines.next().unwrap(), b"255");
    let mut draft = Draft::filled(size, MediaTime(0), [0, 128, 128]).unwrap();
    draft.planes().y.copy_from_slice(lines.next().unwrap());
    draft.finish()
}

fn json(marks: &[(&str, Size, Mark)]) -> String {
    let mut text = String::from(
        "{\n  \"about\": \"Luma (PGM) of pictures with a marker; the layout is in media/src/marker.rs\",\n  \"columns\": 36,\n  \"rows\": 20,\n  \"cases\": [\n",
    );
    for (index, (file, size, mark)) in marks.iter().enumerate() {
        let [first, second, third] = marker::words(*mark);
        let comma = if index + 1 < marks.len() { "," } else { "" };
        writeln!(
            text,
            "    {{ \"file\": \"{file}\", \"width\": {}, \"height\": {}, \"number\": {}, \"time_us\": {}, \"words\": [{first}, {second}, {third}] }}{comma}",
            size.width, size.height, mark.number, mark.time.0,
        )
        .unwrap();
    }
    text.push_str("  ]\n}\n");
    text
}

#[test]
fn the_vectors_are_current_and_read() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let update = std::env::var_os("VISITA_UPDATE_VECTORS").is_some();
    let mut marks = Vec::new();
    for case in cases() {
        let path = folder.join(case.file);
        if update {
            fs::write(&path, pgm(&case.picture)).unwrap();
        }
        let bytes = fs::read(&path).unwrap();
        let picture = from_pgm(&bytes);
        let mark = marker::read(&picture).unwrap_or_else(|| panic!("no marker in {}", case.file));
        if case.exact {
            assert_eq!(mark, case.mark, "{}", case.file);
            assert_eq!(
                bytes,
                pgm(&case.picture),
                "{} is not what is drawn now",
                case.file
            );
        }
        marks.push((case.file, picture.size(), mark));
    }
    let path = folder.join("marker.json");
    if update {
        fs::write(&path, json(&marks)).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        json(&marks),
        "marker.json is not current"
    );
}
