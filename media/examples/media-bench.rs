//! What each step of a picture's way costs, in microseconds for each picture of 640×360, as a
//! table in Markdown: `media-bench [PICTURES]`.
#![allow(clippy::print_stdout)]

use std::{error::Error, hint::black_box, time::Instant};

use visita_media::{
    Picture,
    convert::{self, Converter, Format, Raw},
    h264::{
        self,
        encode::{Config, Frame},
    },
    jpeg, marker,
    picture::Draft,
    source::{
        Source as _, Synthetic,
        synthetic::{self, Pace},
    },
    stats::Percentiles,
    vp8,
};
use visita_protocol::{media::Size, time::MediaTime};

const SIZE: Size = Size::new(640, 360);

fn row(name: &str, count: usize, mut step: impl FnMut(usize)) {
    // In nanoseconds, so that a step of a few microseconds is still told apart.
    let mut times = Percentiles::new();
    let begin = Instant::now();
    for number in 0..count {
        let begin = Instant::now();
        step(number);
        times.add(begin.elapsed().as_nanos() as u64);
    }
    let mean = begin.elapsed().as_secs_f64() * 1e6 / count as f64;
    let at = |share| times.at(share).unwrap_or(0) as f64 / 1000.0;
    println!(
        "| {name} | {mean:.0} | {:.0} | {:.0} | {:.0} |",
        at(0.5),
        at(0.95),
        at(0.99)
    );
}

/// Two rows: all pictures encoded, and what came of it decoded. What rate control did and how like
/// the pictures still are goes to standard error.
fn there_and_back(
    codec: &str,
    config: Config,
    pictures: &[Picture],
    mut encode: impl FnMut(&Picture) -> Option<Frame>,
    mut decode: impl FnMut(&[u8]) -> Option<Picture>,
) {
    let (count, kbit) = (pictures.len(), config.bitrate / 1000);
    let what = format!("{kbit} kbit/s, {} temporal", config.temporal_layers);
    let mut frames = Vec::with_capacity(count);
    row(&format!("{codec} encode, {what}"), count, |number| {
        frames.extend(encode(&pictures[number]).map(|frame| (number, frame.bytes)));
    });
    let mut decoded = Vec::with_capacity(frames.len());
    row(&format!("{codec} decode, {what}"), frames.len(), |at| {
        let (number, bytes) = &frames[at];
        decoded.extend(decode(bytes).map(|picture| (*number, picture)));
    });
    let bytes: usize = frames.iter().map(|(_, bytes)| bytes.len()).sum();
    let rate = bytes as f64 * 8.0 * 30.0 / count as f64 / 1000.0;
    let likeness = decoded
        .iter()
        .map(|(number, picture)| psnr(&pictures[*number], picture));
    let psnr = likeness.sum::<f64>() / decoded.len().max(1) as f64;
    eprintln!(
        "{codec}, {what}: {} of {count} frames, {rate:.0} kbit/s, {psnr:.1} dB",
        frames.len()
    );
}

/// How like two pictures are in luma, in decibels.
fn psnr(one: &Picture, other: &Picture) -> f64 {
    let squares = one.y().iter().zip(other.y()).map(|(&a, &b)| {
        let difference = f64::from(a) - f64::from(b);
        difference * difference
    });
    let mean = squares.sum::<f64>() / one.y().len() as f64;
    10.0 * (255.0 * 255.0 / mean.max(1e-3)).log10()
}

fn main() -> Result<(), Box<dyn Error>> {
    let count = std::env::args()
        .nth(1)
        .map_or(Ok(600), |count| count.parse::<usize>())?
        .max(1);
    let config = synthetic::Config::new(SIZE, 30)?.paced(Pace::Free);
    let mut source = Synthetic::new(config)?;
    let pictures = (0..count)
        .map(|_| source.next())
        .collect::<Result<Vec<_>, _>>()?;

    println!("| 640×360, one thread | mean µs | p50 | p95 | p99 |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    row("draw the synthetic picture", count, |_| {
        drop(black_box(source.next()));
    });

    for layers in [1, 2] {
        for bitrate in [500_000, 300_000] {
            let config = Config {
                bitrate,
                temporal_layers: layers,
                ..Config::new(SIZE)
            };
            let mut encoder = h264::encode::Encoder::new(config)?;
            let mut decoder = h264::decode::Decoder::new();
            there_and_back(
                "H.264",
                config,
                &pictures,
                |picture| encoder.encode(picture).ok().flatten(),
                |bytes| decoder.decode(bytes, MediaTime(0)).ok().flatten(),
            );
            if !vp8::AVAILABLE {
                continue;
            }
            let mut encoder = vp8::encode::Encoder::new(config)?;
            let mut decoder = vp8::decode::Decoder::new();
            there_and_back(
                "VP8",
                config,
                &pictures,
                |picture| encoder.encode(picture).ok().flatten(),
                |bytes| decoder.decode(bytes, MediaTime(0)).ok().flatten(),
            );
        }
    }

    let mut encoder = jpeg::Encoder::new(jpeg::QUALITY)?;
    let mut jpegs = Vec::with_capacity(count);
    row("JPEG encode, q60", count, |number| {
        jpegs.extend(encoder.encode(&pictures[number]).ok());
    });
    let mut decoder = jpeg::Decoder::new()?;
    row("JPEG decode, q60", jpegs.len(), |number| {
        drop(black_box(decoder.decode(&jpegs[number], MediaTime(0))));
    });
    let bytes: usize = jpegs.iter().map(bytes::Bytes::len).sum();
    eprintln!("JPEG: {} bytes a picture", bytes / jpegs.len().max(1));

    conversions(&pictures, count)?;
    row("read the marker", count, |number| {
        black_box(marker::read(&pictures[number]));
    });
    row("a picture's buffer, made and freed", count, |_| {
        drop(black_box(Draft::new(SIZE, MediaTime(0))));
    });
    Ok(())
}

fn conversions(pictures: &[Picture], count: usize) -> Result<(), Box<dyn Error>> {
    let mut converter = Converter::new();
    for (name, format, bytes) in [
        ("NV12 → I420", Format::Nv12, 3 * 640 * 360 / 2),
        ("YUYV → I420", Format::Yuyv, 2 * 640 * 360),
        ("RGB → I420", Format::Rgb, 3 * 640 * 360),
    ] {
        let buffer: Vec<u8> = (0..bytes).map(|number| (number * 7 % 251) as u8).collect();
        row(name, count, |_| {
            let raw = Raw {
                format,
                width: 640,
                height: 360,
                bytes: &buffer,
            };
            drop(black_box(converter.picture(raw, MediaTime(0))));
        });
    }
    let mut rgba = vec![0; 4 * 640 * 360];
    row("I420 → RGBA", count, |number| {
        black_box(pictures[number].rgba(&mut rgba));
    });
    row("640×360 → 320×180 (2×2 box)", count, |number| {
        drop(black_box(convert::scaled(
            &pictures[number],
            Size::new(320, 180),
        )));
    });
    row("640×360 → 480×270", count, |number| {
        drop(black_box(convert::scaled(
            &pictures[number],
            Size::new(480, 270),
        )));
    });
    let large = convert::scaled(&pictures[0], Size::new(1280, 720))?;
    row("1280×720 → 640×360 (2×2 box)", count, |_| {
        drop(black_box(convert::scaled(&large, SIZE)));
    });
    Ok(())
}
