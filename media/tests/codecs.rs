//! Real codecs on the synthetic picture: what comes out is what a browser or another client
//! expects, and what goes in is what a stranger may send.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

use visita_media::{
    Picture, convert,
    h264::{
        decode::{self, Decoder},
        encode::{Config, Encoder, Frame},
        nal::{self, Sps, kind},
    },
    jpeg, marker,
    source::{
        Source as _, Synthetic,
        synthetic::{self, Pace},
    },
};
use visita_protocol::{media::Size, time::MediaTime};

const SIZE: Size = Size::new(640, 360);

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

fn kinds(frame: &[u8]) -> Vec<u8> {
    nal::units(frame).map(nal::kind_of).collect()
}

#[test]
fn the_stream_is_constrained_baseline_with_parameter_sets_before_key_frames() {
    for layers in [1, 2] {
        for size in [
            SIZE,
            Size::new(320, 180),
            Size::new(160, 90),
            Size::new(1280, 720),
        ] {
            let config = Config {
                temporal_layers: layers,
                ..Config::new(size)
            };
            let mut encoder = Encoder::new(config).unwrap();
            for (number, picture) in pictures(size, 20).iter().enumerate() {
                if number == 11 {
                    encoder.force_key().unwrap();
                }
                let Some(frame) = encoder.encode(picture).unwrap() else {
                    continue;
                };
                let kinds = kinds(&frame.bytes);
                if frame.references.is_key() {
                    assert_eq!(kinds, [kind::SPS, kind::PPS, kind::IDR], "{number}");
                    let sps = Sps::parse(nal::units(&frame.bytes).next().unwrap()).unwrap();
                    assert_eq!(sps.profile, 66);
                    assert_ne!(
                        sps.constraints & 0x40,
                        0,
                        "not constrained: {:#x}",
                        sps.constraints
                    );
                    assert!(sps.level <= 31, "level {}", sps.level);
                    assert_eq!(sps.coded.width, size.width.next_multiple_of(16));
                } else {
                    assert_eq!(kinds, [kind::SLICE], "{number}");
                }
                assert_eq!(
                    frame.references.is_key(),
                    number == 0 || number == 11,
                    "{number}"
                );
            }
        }
    }
}

#[test]
fn the_base_layer_can_be_decoded_alone() {
    let frames = encoded(Config::new(SIZE), &pictures(SIZE, 60));
    assert!(frames.iter().any(|(_, frame)| frame.layer.temporal == 1));
    let mut decoder = Decoder::new();
    let mut seen = Vec::new();
    for (index, (time, frame)) in frames.iter().enumerate() {
        for &distance in frame.references.distances() {
            let referred = &frames[index - usize::from(distance)].1;
            assert_eq!(
                referred.layer.temporal, 0,
                "frame {index} refers to an upper layer"
            );
        }
        if frame.layer.temporal > 0 {
            continue;
        }
        let picture = decoder
            .decode(&frame.bytes, *time)
            .unwrap()
            .expect("a picture for a frame");
        let mark = marker::read(&picture).expect("no marker");
        assert_eq!(mark.time, *time);
        seen.push(mark.number);
    }
    assert!(seen.len() >= 25 && seen.is_sorted(), "{seen:?}");
}

#[test]
fn references_are_true() {
    // Each frame is decoded with nothing before it but what it says it refers to.
    let frames = encoded(
        Config::new(Size::new(320, 180)),
        &pictures(Size::new(320, 180), 16),
    );
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
        let alone = chain
            .iter()
            .map(|&index| {
                decoder
                    .decode(&frames[index].1.bytes, frames[index].0)
                    .unwrap()
            })
            .last();
        assert_eq!(
            alone.flatten().as_ref(),
            Some(expected),
            "frame {last} by {chain:?}"
        );
    }
}

#[test]
fn the_marker_survives_h264_at_every_size_and_rate() {
    let source = pictures(SIZE, 90);
    for (size, bitrate) in [
        (SIZE, 600_000),
        (SIZE, 300_000),
        (Size::new(320, 180), 150_000),
        (Size::new(160, 90), 80_000),
    ] {
        let scaled: Vec<_> = source
            .iter()
            .map(|picture| convert::scaled(picture, size).unwrap())
            .collect();
        let frames = encoded(
            Config {
                bitrate,
                ..Config::new(size)
            },
            &scaled,
        );
        let mut decoder = Decoder::new();
        let (mut read, mut decoded) = (0, 0);
        for (time, frame) in &frames {
            let picture = decoder.decode(&frame.bytes, *time).unwrap().unwrap();
            decoded += 1;
            read += u32::from(marker::read(&picture).is_some_and(|mark| mark.time == *time));
        }
        assert_eq!(read, decoded, "{size:?} at {bitrate}");
        assert!(decoded >= 60, "{size:?} at {bitrate}: {decoded} of 90");
    }
}

#[test]
fn the_marker_survives_jpeg_and_scaling() {
    for picture in pictures(Size::new(1280, 720), 5) {
        for size in [
            SIZE,
            Size::new(480, 270),
            Size::new(320, 180),
            Size::new(240, 134),
            Size::new(160, 90),
        ] {
            let small = convert::scaled(&picture, size).unwrap();
            let jpeg = jpeg::Encoder::new(jpeg::QUALITY)
                .unwrap()
                .encode(&small)
                .unwrap();
            let back = jpeg::Decoder::new()
                .unwrap()
                .decode(&jpeg, picture.time())
                .unwrap();
            assert_eq!(marker::read(&back), marker::read(&picture), "{size:?}");
            let large = convert::scaled(&back, SIZE).unwrap();
            assert_eq!(
                marker::read(&large),
                marker::read(&picture),
                "{size:?} made larger"
            );
        }
    }
}

#[test]
fn the_bit_rate_is_kept_and_can_be_changed() {
    let source = pictures(SIZE, 330);
    let mut encoder = Encoder::new(Config {
        bitrate: 500_000,
        ..Config::new(SIZE)
    })
    .unwrap();
    let bits = |encoder: &mut Encoder, pictures: &[Picture]| {
        let len = |picture| Some(encoder.encode(picture).unwrap()?.bytes.len());
        let bytes: usize = pictures.iter().filter_map(len).sum();
        bytes as f64 * 8.0 * 30.0 / pictures.len() as f64
    };
    let first = bits(&mut encoder, &source[..120]);
    assert!((300_000.0..650_000.0).contains(&first), "{first}");
    encoder.set_bitrate(200_000).unwrap();
    let second = bits(&mut encoder, &source[120..240]);
    assert!(second < 320_000.0, "{second}");
    encoder.set_bitrate(900_000).unwrap();
    let third = bits(&mut encoder, &source[240..]);
    assert!(third > 1.5 * second, "{third}");
    assert_eq!(encoder.config().bitrate, 900_000);
}

/// Every picture refers to the one before.
fn single_layer() -> Encoder {
    let config = Config {
        temporal_layers: 1,
        ..Config::new(SIZE)
    };
    Encoder::new(config).unwrap()
}

#[test]
fn fewer_pictures_get_more_bits_each() {
    let source = pictures(SIZE, 120);
    let bytes = |fps: f32| {
        let mut encoder = Encoder::new(Config {
            bitrate: 250_000,
            ..Config::new(SIZE)
        })
        .unwrap();
        encoder.set_fps(fps).unwrap();
        let every = (30.0 / fps) as usize;
        let len = |picture| Some(encoder.encode(picture).unwrap()?.bytes.len());
        let sizes: Vec<_> = source
            .iter()
            .step_by(every)
            .filter_map(len)
            .skip(5)
            .collect();
        sizes.iter().sum::<usize>() / sizes.len()
    };
    let (slow, fast) = (bytes(10.0), bytes(30.0));
    assert!(slow > 2 * fast, "{slow} and {fast} bytes a picture");
}

#[test]
fn a_picture_of_another_size_is_an_error() {
    let mut encoder = Encoder::new(Config::new(SIZE)).unwrap();
    assert!(
        encoder
            .encode(&pictures(Size::new(320, 180), 1)[0])
            .is_err()
    );
    assert!(encoder.encode(&pictures(SIZE, 1)[0]).unwrap().is_some());
}

#[test]
fn the_decoder_begins_at_a_key_frame_and_goes_on_at_the_next() {
    let source = pictures(SIZE, 30);
    let mut encoder = single_layer();
    let mut decoder = Decoder::new();
    for (number, picture) in source.iter().enumerate() {
        if number == 20 {
            encoder.force_key().unwrap();
        }
        let mut bytes = encoder.encode(picture).unwrap().unwrap().bytes.to_vec();
        if number == 10 {
            // Cut within the slice's header. Cut later, it's chance whether the codec notices.
            bytes.truncate(6);
            assert!(decoder.decode(&bytes, picture.time()).is_err());
            continue;
        }
        let result = decoder.decode(&bytes, picture.time());
        match number {
            0..10 | 20.. => assert!(result.unwrap().is_some(), "{number}"),
            _ => assert!(matches!(result, Err(decode::Error::NoKeyFrame)), "{number}"),
        }
    }
    let mut late = Decoder::new();
    let delta = encoder.encode(&source[0]).unwrap().unwrap();
    assert!(matches!(
        late.decode(&delta.bytes, MediaTime(0)),
        Err(decode::Error::NoKeyFrame)
    ));
}

#[test]
fn what_refers_to_a_lost_frame_is_not_shown() {
    let source = pictures(SIZE, 12);
    let mut encoder = single_layer();
    let mut decoder = Decoder::new();
    for (number, picture) in source.iter().enumerate() {
        let frame = encoder.encode(picture).unwrap().unwrap();
        if number == 5 {
            continue;
        }
        let shown = decoder.decode(&frame.bytes, picture.time()).ok().flatten();
        assert_eq!(shown.is_some(), number < 5, "{number}");
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
        }
    }
}

/// xorshift: the same bytes in every run.
fn noise(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[test]
fn the_decoder_survives_what_strangers_send() {
    let frames = encoded(
        Config::new(Size::new(320, 180)),
        &pictures(Size::new(320, 180), 12),
    );
    let mut state = 0x1234_5678_9abc_def1_u64;
    let mut decoder = Decoder::new();
    let mut errors = 0;
    for round in 0..600 {
        let (time, frame) = &frames[round % frames.len()];
        let mut bytes = frame.bytes.to_vec();
        match round % 4 {
            0 => bytes.truncate(noise(&mut state) as usize % bytes.len()),
            1 => {
                for _ in 0..=noise(&mut state) % 8 {
                    let at = noise(&mut state) as usize % bytes.len();
                    bytes[at] = noise(&mut state) as u8;
                }
            }
            2 => {
                bytes = (0..noise(&mut state) % 2000)
                    .map(|_| noise(&mut state) as u8)
                    .collect();
            }
            _ => {
                let mut random: Vec<u8> = (0..500).map(|_| noise(&mut state) as u8).collect();
                random[..5].copy_from_slice(&[
                    0,
                    0,
                    0,
                    1,
                    if round % 8 == 3 { 0x65 } else { 0x67 },
                ]);
                bytes = random;
            }
        }
        errors += u32::from(decoder.decode(&bytes, *time).is_err());
    }
    assert!(errors > 300, "{errors}");
    let picture = decoder
        .decode(&frames[0].1.bytes, frames[0].0)
        .unwrap()
        .unwrap();
    assert_eq!(
        marker::read(&picture).unwrap().number,
        0,
        "a key frame brings it back"
    );
}

#[test]
fn a_parameter_set_that_asks_for_too_much_is_refused() {
    // Baseline, level 5.1, 8192×8192: seq 0, frame_num 0, poc type 2, one reference, 511, 511.
    let sps = [
        0,
        0,
        0,
        1,
        0x67,
        66,
        0xc0,
        51,
        0b1101_1010,
        0b0000_0000,
        0b0100_0000,
        0b0000_0000,
        0b1000_0000,
        0b0000_0110,
        0x80,
    ];
    let mut stream = sps.to_vec();
    stream.extend([
        0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80, 0, 0, 0, 1, 0x65, 0x88, 0x80,
    ]);
    assert!(Decoder::new().decode(&stream, MediaTime(0)).is_err());
}
