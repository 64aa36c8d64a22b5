//! What loss does to speech, and what in-band correction and redundancy make good of it at the same
//! bitrate: encoder, a line that loses packets, jitter buffer, output, all in simulated time. A table
//! in Markdown: `sound-loss WAV [SECONDS]`. With `--samples` no table but, for each of its rows, a
//! line of JSON (the row's first cells, and how many samples) with what was said and what was heard
//! behind it, `f32` in little-endian, for another program to judge: nothing is kept.

use std::{error::Error, io::Write, path::Path};

use bytes::Bytes;
use visita_media::{
    sound::{
        BLOCK, BLOCK_US, FRAME, FRAME_US, RATE,
        jitter::{Buffer, Counts, Heard},
        opus::{Encoder, is_silence},
        source::File,
    },
    stats::Percentiles,
};
use visita_protocol::{
    red::{self, Repeater},
    time::MediaTime,
};

/// When the first sample was captured.
const BEGIN_US: u64 = 1_000_000_000;
/// How long the fastest packet takes, and by how much others take longer at most: a good Wi-Fi.
const WAY_US: u64 = 20_000;
const JITTER_US: u64 = 8_000;
/// How many packets a burst has on average.
const BURST: f64 = 3.0;

/// What is done against loss.
#[derive(Clone, Copy)]
struct Against {
    name: &'static str,
    /// Whether Opus is told of the loss, so that it puts a coarse copy into the next packet.
    fec: bool,
    /// How many packets are repeated.
    copies: usize,
}

const AGAINST: [Against; 5] = [
    Against {
        name: "nothing",
        fec: false,
        copies: 0,
    },
    Against {
        name: "in-band correction",
        fec: true,
        copies: 0,
    },
    Against {
        name: "one repeated",
        fec: false,
        copies: 1,
    },
    Against {
        name: "one repeated, in-band correction",
        fec: true,
        copies: 1,
    },
    Against {
        name: "two repeated",
        fec: false,
        copies: 2,
    },
];

/// A packet on its way.
struct Sent {
    /// Which frame of what was said.
    frame: usize,
    sequence: u32,
    time: u64,
    payload: Bytes,
}

fn encoded(
    said: &[f32],
    bits: u32,
    loss: u32,
    against: Against,
) -> Result<Vec<Sent>, Box<dyn Error>> {
    let mut encoder = Encoder::new(red::primary_bits(bits, against.copies))?;
    encoder.loss(if against.fec { loss } else { 0 })?;
    let look_ahead = encoder.look_ahead()? as u64 * 1_000_000 / u64::from(RATE);
    let mut repeater = Repeater::new();
    let (mut sent, mut silences) = (Vec::new(), 0);
    for (number, frame) in said.as_chunks::<FRAME>().0.iter().enumerate() {
        let packet = Bytes::copy_from_slice(encoder.encode(frame)?);
        // As the publisher has it: silence is said once, and as often more as packets are repeated.
        silences = if is_silence(&packet) { silences + 1 } else { 0 };
        if silences > 1 + against.copies {
            continue;
        }
        let time = BEGIN_US + number as u64 * FRAME_US - look_ahead;
        sent.push(Sent {
            frame: number,
            sequence: sent.len() as u32,
            time,
            payload: repeater.payload(MediaTime(time), packet, against.copies),
        });
    }
    Ok(sent)
}

/// xorshift64*: the same numbers on every machine.
struct Dice(u64);

impl Dice {
    fn share(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// A line: by how much it delays what is sent at each frame's time, `None` where it loses it. The
/// same for all that are compared, however much silence they leave out.
fn line(percent: u32, burst: bool, frames: usize) -> Vec<Option<u64>> {
    let mut dice = Dice(0x10_55 + u64::from(percent));
    let mut loses = false;
    let share = f64::from(percent) / 100.0;
    (0..frames)
        .map(|_| {
            // Gilbert's model: bursts end after three packets on average.
            let chance = match (burst, loses) {
                (false, _) => share,
                (true, true) => 1.0 - 1.0 / BURST,
                (true, false) => share / (BURST * (1.0 - share)),
            };
            loses = dice.share() < chance;
            let delay = WAY_US + (dice.share() * JITTER_US as f64) as u64;
            (!loses).then_some(delay)
        })
        .collect()
}

/// What a receiver heard.
struct Output {
    /// Each sample at the place where it was said.
    heard: Vec<f32>,
    counts: Counts,
    /// From capture to the mixer, in microseconds.
    delay: Percentiles,
}

fn heard(sent: &[Sent], line: &[Option<u64>], samples: usize) -> Result<Output, Box<dyn Error>> {
    let mut arrivals: Vec<(u64, &Sent)> = sent
        .iter()
        .filter_map(|sent| Some((sent.time + FRAME_US + line[sent.frame]?, sent)))
        .collect();
    arrivals.sort_by_key(|(arrival, sent)| (*arrival, sent.sequence));
    let mut arrivals = arrivals.into_iter().peekable();
    let mut buffer = Buffer::new()?;
    let mut output = Output {
        heard: vec![0.0; samples],
        counts: Counts::default(),
        delay: Percentiles::new(),
    };
    let mut block = [0.0; BLOCK];
    let ticks = (samples / BLOCK) as u64 + 100;
    for now in (0..ticks).map(|tick| BEGIN_US + tick * BLOCK_US) {
        while let Some((arrival, sent)) = arrivals.next_if(|(arrival, _)| *arrival <= now) {
            buffer.packet(sent.sequence, sent.time, sent.payload.clone(), arrival);
        }
        if let Heard::Sound(Some(time)) = buffer.block(now, &mut block) {
            output.delay.add(now.saturating_sub(time));
            let at = (time.saturating_sub(BEGIN_US) * 6 + 62) / 125;
            for (place, sample) in output.heard.iter_mut().skip(at as usize).zip(block) {
                *place = sample;
            }
        }
    }
    output.counts = buffer.counts();
    Ok(output)
}

/// How alike what was heard is to something else, as the mean signal-to-noise ratio of 20 ms
/// each, in dB, where there is any sound.
fn alike(to: &[f32], heard: &[f32]) -> f64 {
    const QUIET: f64 = 1e-5;
    let (mut sum, mut count) = (0.0, 0_u32);
    for at in (FRAME..to.len().min(heard.len()).saturating_sub(2 * FRAME)).step_by(FRAME) {
        let of = &to[at..at + FRAME];
        let power: f64 = of.iter().map(|sample| f64::from(sample * sample)).sum();
        if power / (FRAME as f64) < QUIET {
            continue;
        }
        // Pieces taken out or put in move what follows by less than a sample, or by a period.
        let noise = |shift: usize| {
            let from = &heard[at + shift - FRAME / 4..][..FRAME];
            let pairs = of.iter().zip(from);
            pairs
                .map(|(of, is)| f64::from((of - is) * (of - is)))
                .sum::<f64>()
        };
        let near = FRAME / 4 - 2..=FRAME / 4 + 2;
        let mut least = near.map(noise).fold(f64::INFINITY, f64::min);
        if power < 3.0 * least {
            least = (0..FRAME / 2).map(noise).fold(least, f64::min);
        }
        sum += (10.0 * (power / least.max(1e-12)).log10()).clamp(-10.0, 35.0);
        count += 1;
    }
    sum / f64::from(count.max(1))
}

fn read(path: &Path, seconds: usize) -> Result<Vec<f32>, Box<dyn Error>> {
    let mut file = File::open(path)?;
    let mut said = Vec::with_capacity(seconds * RATE as usize);
    while said.len() < seconds * RATE as usize {
        let mut block = [0.0; BLOCK];
        file.read(&mut block)?;
        said.extend(block);
    }
    Ok(said)
}

/// A row of the table.
struct Row {
    cells: String,
    heard: Vec<f32>,
    whole: Vec<f32>,
}

fn row(
    said: &[f32],
    bits: u32,
    (percent, burst): (u32, bool),
    against: Against,
) -> Result<Row, Box<dyn Error>> {
    let sent = encoded(said, bits, percent, against)?;
    let bytes: usize = sent.iter().map(|sent| sent.payload.len()).sum();
    let heard_of = |percent| heard(&sent, &line(percent, burst, said.len() / FRAME), said.len());
    let (whole, output) = (heard_of(0)?, heard_of(percent)?);
    let counts = output.counts.plan;
    let how = match (percent, burst) {
        (0, _) => "none".to_owned(),
        (_, false) => format!("{percent} %, singly"),
        (_, true) => format!("{percent} %, in bursts"),
    };
    let seconds = said.len() as f64 / f64::from(RATE);
    let cells = format!(
        "| {} | {how} | {} | {:.1} | {} | {} | {} | {:.0} |",
        bits / 1000,
        against.name,
        bytes as f64 * 8.0 / 1000.0 / seconds,
        counts.repaired_us / 1000,
        counts.copied * FRAME_US / 1000,
        counts.concealed_us / 1000,
        output.delay.at(0.5).unwrap_or(0) as f64 / 1000.0,
    );
    Ok(Row {
        cells,
        heard: output.heard,
        whole: whole.heard,
    })
}

fn give(out: &mut impl Write, said: &[f32], row: &Row) -> Result<(), Box<dyn Error>> {
    let about = serde_json::json!({
        "cells": row.cells, "samples": said.len(), "rate": RATE,
    });
    writeln!(out, "{about}")?;
    for sample in said.iter().chain(&row.heard) {
        out.write_all(&sample.to_le_bytes())?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let (options, arguments): (Vec<String>, Vec<String>) = std::env::args()
        .skip(1)
        .partition(|given| given == "--samples");
    let path = arguments
        .first()
        .ok_or("sound-loss WAV [SECONDS] [--samples]")?;
    let seconds = match arguments.get(1) {
        Some(seconds) => seconds.parse::<usize>()?.max(5),
        None => 60,
    };
    let said = read(Path::new(path), seconds)?;
    let samples = !options.is_empty();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    if !samples {
        writeln!(
            out,
            "| kbit/s | lost | against it | kbit/s sent | repaired ms | repeated ms | made up ms | delay p50 ms | like without loss, dB | like what was said, dB |"
        )?;
        writeln!(
            out,
            "| ---: | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
        )?;
    }
    let lines = [
        (0, false),
        (5, false),
        (10, false),
        (20, false),
        (5, true),
        (10, true),
        (20, true),
    ];
    for bits in [40_000, 28_000] {
        for line in lines {
            for against in AGAINST {
                let nothing_to_tell = line.0 == 0 && against.fec;
                let affordable = red::primary_bits(bits, against.copies) >= red::LEAST_BITS;
                if nothing_to_tell || !affordable {
                    continue;
                }
                let row = row(&said, bits, line, against)?;
                if samples {
                    give(&mut out, &said, &row)?;
                } else {
                    writeln!(
                        out,
                        "{} {:.1} | {:.1} |",
                        row.cells,
                        alike(&row.whole, &row.heard),
                        alike(&said, &row.heard),
                    )?;
                    out.flush()?;
                }
            }
        }
    }
    Ok(out.flush()?)
}
