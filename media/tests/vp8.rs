//! VP8 on the synthetic picture: what comes out is what others are told, and what goes in is what a
//! stranger may send.
#![cfg(target_os = "linux")] // where libvpx is
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::{collection::vec, prelude::*};
use visita_media::{
    Picture, convert, marker,
    source::{
        Source as _, Synthetic,
        synthetic::{self, Pace},
    },
    vp8::{
        decode::{self, Decoder},
        encode::{Config, Encoder, Error, Frame},
        header::Header,
    },
};
use visita_protocol::{media::Size, time::MediaTime};

const SIZE: Size = Size::new(640, 360);
const SMALL: Size = Size::new(320, 180);

fn pictures(size: Size, count: usize) -> Vec<Picture> {
    let config = synthetic::Config::new(size, 30).unwrap().paced(Pace::Free);
    let mut source = Synthetic::new(config).unwrap();
    (0..count).map(|_| source.next().unwrap()).collect()
}

fn encoded(config: Config, pictures: &[Picture]) -> Vec<(MediaTime, Frame)> {
    let mut encoder = Encoder::new(config).unwrap();
    let frame = |picture: &Picture| Some((picture.time(), encoder.encode(picture).unwrap()?));
    pictures.iter().filter_map(frame).collect()
}

/// Every picture refers to the one before.
fn single_layer(size: Size) -> Config {
    Config {
        temporal_layers: 1,
        ..Config::new(size)
    }
}

#[test]
fn key_frames_come_when_they_are_asked_for_and_tell_the_size() {
    for config in [Config::new(SIZE), single_layer(SIZE), Config::new(SMALL)] {
        let mut encoder = Encoder::new(config).unwrap();
        let mut asked = true;
        // Ten seconds: libvpx's own would come every 128 frames.
        for (number, picture) in pictures(config.size, 300).iter().enumerate() {
            if number == 11 || number == 12 {
                encoder.force_key();
                asked = true;
            }
            let Some(frame) = encoder.encode(picture).unwrap() else {
                continue;
            };
            let header = Header::parse(&frame.bytes).unwrap();
            assert_eq!(header.key, asked.then_some(config.size), "{number}");
            assert!(header.shown);
            assert_eq!(frame.references.is_key(), asked, "{number}");
            assert!(!asked || frame.layer.temporal == 0);
            asked = false;
        }
        assert!(!asked);
    }
}

#[test]
fn the_base_layer_can_be_decoded_alone() {
    // So few bits that rate control leaves pictures out, of both layers.
    let config = Config {
        bitrate: 120_000,
        ..Config::new(SIZE)
    };
    let frames = encoded(config, &pictures(SIZE, 300));
    assert!((150..290).contains(&frames.len()), "{}", frames.len());
    let upper = frames.iter().filter(|(_, frame)| frame.layer.temporal == 1);
    assert!(upper.count() >= frames.len() / 2 - 1, "every second one");
    let (mut alone, mut full) = (Decoder::new(), Decoder::new());
    let mut seen = Vec::new();
    for (time, frame) in &frames {
        let whole = full.decode(&frame.bytes, *time).unwrap().unwrap();
        if frame.layer.temporal > 0 {
            continue;
        }
        let picture = alone.decode(&frame.bytes, *time).unwrap().unwrap();
        assert_eq!(picture, whole, "to the last bit");
        seen.push(marker::read(&picture).expect("no marker").number);
    }
    assert!(seen.len() >= 50 && seen.is_sorted(), "{seen:?}");
}

#[test]
fn references_are_true() {
    // Each frame is decoded with nothing before it but what it says it refers to.
    for config in [Config::new(SMALL), single_layer(SMALL)] {
        let frames = encoded(config, &pictures(SMALL, 16));
        let mut full = Decoder::new();
        let whole: Vec<_> = frames
            .iter()
            .map(|(time, frame)| full.decode(&frame.bytes, *time).unwrap().unwrap())
            .collect();
        for (last, expected) in whole.iter().enumerate() {
            let mut chain = vec![last];
            while let Some(&distance) = frames[chain[0]].1.references.distances().first() {
                chain.insert(0, chain[0] - usize::from(distance));
            }
            let mut decoder = Decoder::new();
            let decoded = chain.iter().map(|&at| {
                let (time, frame) = &frames[at];
                decoder.decode(&frame.bytes, *time).unwrap()
            });
            let alone = decoded.last().flatten();
            assert_eq!(alone.as_ref(), Some(expected), "frame {last} by {chain:?}");
        }
    }
}

#[test]
fn the_marker_survives_at_every_size_and_rate() {
    let source = pictures(SIZE, 90);
    for (size, bitrate) in [
        (SIZE, 600_000),
        (SIZE, 300_000),
        (SMALL, 150_000),
        (Size::new(160, 90), 80_000),
        (Size::new(360, 640), 600_000),
        (Size::new(1280, 720), 1_500_000),
    ] {
        let scaled: Vec<_> = if size == Size::new(360, 640) {
            pictures(size, 90)
        } else {
            let scaled = |picture| convert::scaled(picture, size).unwrap();
            source.iter().map(scaled).collect()
        };
        let config = Config {
            bitrate,
            ..Config::new(size)
        };
        let frames = encoded(config, &scaled);
        let mut decoder = Decoder::new();
        for (time, frame) in &frames {
            let picture = decoder.decode(&frame.bytes, *time).unwrap().unwrap();
            assert_eq!(picture.size(), size);
            let mark = marker::read(&picture);
            assert_eq!(
                mark.map(|mark| mark.time),
                Some(*time),
                "{size:?} {bitrate}"
            );
        }
        let came = frames.len();
        assert!(came >= 60, "{size:?} at {bitrate}: {came} of 90");
    }
}

#[test]
fn the_bit_rate_is_kept_and_changed_without_a_key_frame() {
    let source = pictures(SIZE, 390);
    let mut encoder = Encoder::new(Config {
        bitrate: 500_000,
        ..Config::new(SIZE)
    })
    .unwrap();
    let mut keys = 0;
    let mut bits = |encoder: &mut Encoder, pictures: &[Picture]| {
        let mut bytes = 0;
        for frame in pictures.iter().filter_map(|p| encoder.encode(p).unwrap()) {
            bytes += frame.bytes.len();
            keys += u32::from(frame.references.is_key());
        }
        bytes as f64 * 8.0 * 30.0 / pictures.len() as f64
    };
    let first = bits(&mut encoder, &source[..150]);
    assert!((300_000.0..650_000.0).contains(&first), "{first}");
    encoder.set_bitrate(200_000).unwrap();
    let second = bits(&mut encoder, &source[150..300]);
    assert!(second < 320_000.0, "{second}");
    encoder.set_bitrate(900_000).unwrap();
    let third = bits(&mut encoder, &source[300..]);
    assert!(third > 1.5 * second, "{third}");
    assert_eq!(encoder.config().bitrate, 900_000);
    assert_eq!(keys, 1, "the first");
}

#[test]
fn fewer_pictures_get_more_bits_each() {
    let source = pictures(SIZE, 180);
    let bytes = |fps: f32| {
        let mut encoder = Encoder::new(Config {
            bitrate: 250_000,
            ..Config::new(SIZE)
        })
        .unwrap();
        encoder.set_fps(fps);
        let every = (30.0 / fps) as usize;
        let len = |picture| Some(encoder.encode(picture).unwrap()?.bytes.len());
        let picked = source.iter().step_by(every);
        let sizes: Vec<_> = picked.filter_map(len).skip(5).collect();
        sizes.iter().sum::<usize>() / sizes.len()
    };
    let (slow, fast) = (bytes(10.0), bytes(30.0));
    assert!(slow > 2 * fast, "{slow} and {fast} bytes a picture");
}

#[test]
fn a_picture_of_another_size_is_an_error() {
    let mut encoder = Encoder::new(Config::new(SIZE)).unwrap();
    let other = encoder.encode(&pictures(SMALL, 1)[0]);
    assert!(matches!(other, Err(Error::Size { .. })));
    assert!(encoder.encode(&pictures(SIZE, 1)[0]).unwrap().is_some());
}

#[test]
fn the_decoder_begins_at_a_key_frame_and_goes_on_at_the_next() {
    let mut encoder = Encoder::new(single_layer(SIZE)).unwrap();
    let mut decoder = Decoder::new();
    for (number, picture) in pictures(SIZE, 30).iter().enumerate() {
        if number == 20 {
            encoder.force_key();
        }
        let frame = encoder.encode(picture).unwrap().unwrap();
        if number == 10 {
            let cut = &frame.bytes[..frame.bytes.len() / 8];
            assert!(decoder.decode(cut, picture.time()).is_err());
            continue;
        }
        let result = decoder.decode(&frame.bytes, picture.time());
        match number {
            0..10 | 20.. => assert!(result.unwrap().is_some(), "{number}"),
            _ => assert!(matches!(result, Err(decode::Error::NoKeyFrame)), "{number}"),
        }
    }
}

#[test]
fn an_other_size_in_the_stream_is_followed() {
    let mut decoder = Decoder::new();
    for (width, height) in [(640, 360), (320, 180), (480, 270), (360, 640), (640, 360)] {
        let size = Size::new(width, height);
        for (time, frame) in encoded(Config::new(size), &pictures(size, 4)) {
            let picture = decoder.decode(&frame.bytes, time).unwrap().unwrap();
            assert_eq!(picture.size(), size);
            assert_eq!(marker::read(&picture).unwrap().time, time);
        }
    }
}

#[test]
fn a_frame_that_asks_for_too_much_is_refused() {
    let frames = encoded(Config::new(SMALL), &pictures(SMALL, 1));
    let mut bytes = frames[0].1.bytes.to_vec();
    bytes[6..10].copy_from_slice(&[0xff, 0x3f, 0xff, 0x3f]);
    let refused = Decoder::new().decode(&bytes, MediaTime(0));
    assert!(matches!(refused, Err(decode::Error::TooLarge)));
}

/// Frames to spoil: a key frame and three others.
fn whole() -> &'static [(MediaTime, Frame)] {
    use std::sync::OnceLock;
    static FRAMES: OnceLock<Vec<(MediaTime, Frame)>> = OnceLock::new();
    FRAMES.get_or_init(|| encoded(Config::new(SMALL), &pictures(SMALL, 4)))
}

/// What a stranger does to a frame.
#[derive(Clone, Debug)]
enum Spoilt {
    Cut(usize),
    Changed(Vec<(usize, u8)>),
    /// Another size in a key frame's header, up to the largest that is decoded.
    Resized(u16, u16),
    Noise(Vec<u8>),
    /// Noise behind a header that would do.
    Dressed(Vec<u8>),
}

fn spoilt() -> impl Strategy<Value = (usize, Spoilt)> {
    let how = prop_oneof![
        any::<usize>().prop_map(Spoilt::Cut),
        vec((any::<usize>(), any::<u8>()), 1..8).prop_map(Spoilt::Changed),
        (1..2000_u16, 1..1100_u16).prop_map(|(width, height)| Spoilt::Resized(width, height)),
        vec(any::<u8>(), 0..2000).prop_map(Spoilt::Noise),
        vec(any::<u8>(), 60..2000).prop_map(Spoilt::Dressed),
    ];
    (0..4_usize, how)
}

fn spoil(frame: &[u8], how: Spoilt) -> Vec<u8> {
    let mut bytes = frame.to_vec();
    match how {
        Spoilt::Cut(at) => bytes.truncate(at % frame.len()),
        Spoilt::Changed(changes) => {
            for (at, byte) in changes {
                bytes[at % frame.len()] = byte;
            }
        }
        Spoilt::Resized(width, height) => {
            bytes[6..8].copy_from_slice(&width.to_le_bytes());
            bytes[8..10].copy_from_slice(&height.to_le_bytes());
        }
        Spoilt::Noise(noise) => bytes = noise,
        Spoilt::Dressed(mut noise) => {
            noise[..10].copy_from_slice(&[0x50, 1, 0, 0x9d, 0x01, 0x2a, 64, 1, 180, 0]);
            bytes = noise;
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_decoder_survives_what_strangers_send(sent in vec(spoilt(), 1..12)) {
        let mut decoder = Decoder::new();
        for (which, how) in sent {
            let (time, frame) = &whole()[which];
            match decoder.decode(&spoil(&frame.bytes, how), *time) {
                Ok(Some(picture)) => {
                    prop_assert!(picture.size().area() <= 1920 * 1088);
                    prop_assert_eq!(picture.time(), *time);
                }
                Ok(None) => {}
                Err(_) => {
                    let next = decoder.decode(&whole()[1].1.bytes, MediaTime(0));
                    prop_assert!(matches!(next, Err(decode::Error::NoKeyFrame)));
                }
            }
        }
        let (time, frame) = &whole()[0];
        let picture = decoder.decode(&frame.bytes, *time).unwrap().unwrap();
        prop_assert_eq!(marker::read(&picture).unwrap().number, 0, "a key frame brings it back");
    }
}
