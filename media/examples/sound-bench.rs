//! What each step of sound's way costs, in microseconds for each 20 ms, as a table in Markdown:
//! `sound-bench [FRAMES]`.
#![allow(clippy::print_stdout)]

use std::{error::Error, hint::black_box, time::Instant};

use bytes::Bytes;
use visita_media::{
    sound::{
        BLOCK, FRAME, FRAME_US, RATE,
        jitter::Buffer,
        mix::{Limiter, Mixer},
        opus::{Decoder, Encoder},
        process::Processor,
    },
    stats::Percentiles,
};

fn row(name: &str, count: usize, mut step: impl FnMut(usize)) {
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

/// A buzz whose pitch and loudness wander, as a voice's do.
fn voice(frames: usize) -> Vec<[f32; FRAME]> {
    let mut turns = 0.0_f32;
    let mut at = 0_u32;
    let mut sample = || {
        let t = at as f32 / RATE as f32;
        at += 1;
        turns = (turns + (130.0 + 30.0 * (t * 2.0).sin()) / RATE as f32).fract();
        let overtones = (1..8).map(|n| (turns * n as f32 * std::f32::consts::TAU).sin() / n as f32);
        0.2 * overtones.sum::<f32>() * (0.6 + 0.4 * (t * 25.0).sin())
    };
    (0..frames)
        .map(|_| std::array::from_fn(|_| sample()))
        .collect()
}

fn halves(frame: &[f32; FRAME]) -> &[[f32; BLOCK]] {
    frame.as_chunks::<BLOCK>().0
}

fn main() -> Result<(), Box<dyn Error>> {
    let count = std::env::args()
        .nth(1)
        .map_or(Ok(3000), |count| count.parse::<usize>())?
        .max(1);
    let frames = voice(count);
    println!("| 20 ms of sound, one thread | mean µs | p50 | p95 | p99 |");
    println!("| --- | ---: | ---: | ---: | ---: |");

    let mut processor = Processor::new();
    row("echo, noise and gain", count, |number| {
        for half in halves(&frames[number]) {
            processor.played(half);
            let mut block = *half;
            processor.captured(&mut block, 40_000);
            black_box(block);
        }
    });
    let mut packets = Vec::new();
    for (bitrate, loss) in [(40_000, 0), (28_000, 0), (28_000, 10), (12_000, 0)] {
        let mut encoder = Encoder::new(bitrate)?;
        encoder.loss(loss)?;
        packets.clear();
        let name = format!(
            "encode at {} kbit/s, {loss} % loss expected",
            bitrate / 1000
        );
        row(&name, count, |number| {
            if let Ok(packet) = encoder.encode(&frames[number]) {
                packets.push(Bytes::copy_from_slice(packet));
            }
        });
    }
    let mut decoder = Decoder::new()?;
    row("decode", count, |number| {
        let mut out = [0.0; FRAME];
        let _ = black_box(decoder.decode(&packets[number], &mut out));
    });
    for senders in [1_usize, 3, 11] {
        let buffers: Result<Vec<_>, _> = (0..senders).map(|_| Buffer::new()).collect();
        let mut buffers = buffers?;
        let (mut mixer, mut limiter) = (Mixer::new(), Limiter::new());
        let name = format!("decode, jitter buffer, mix and limit {senders}");
        row(&name, count, |number| {
            let now = number as u64 * FRAME_US;
            for half in 0..2 {
                for buffer in &mut buffers {
                    if half == 0 {
                        buffer.packet(number as u32, now, packets[number].clone(), now);
                    }
                    let mut block = [0.0; BLOCK];
                    buffer.block(now + half * FRAME_US / 2, &mut block);
                    mixer.add(&block, 1.0, 1.0);
                }
                let mut block = mixer.take();
                limiter.block(&mut block);
                black_box(block);
            }
        });
    }
    Ok(())
}
