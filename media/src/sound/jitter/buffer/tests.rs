use visita_protocol::red::Repeater;

use super::*;
use crate::sound::{BLOCK_US, FRAME_US, level::dbfs, opus::Encoder};

const TIME: u64 = 9_000_000_000;

/// A voice of sorts at this pitch, for so many frames, as packets.
fn packets(pitch: f32, count: usize) -> Vec<Bytes> {
    let mut encoder = Encoder::new(32_000).unwrap();
    encoder.loss(10).unwrap();
    let mut at = 0_usize;
    (0..count)
        .map(|_| {
            let frame = std::array::from_fn(|_| {
                at += 1;
                let turns = (pitch * at as f32 / 48_000.0).fract() * std::f32::consts::TAU;
                0.25 * (turns.sin() + 0.5 * (2.0 * turns).sin())
            });
            Bytes::copy_from_slice(encoder.encode(&frame).unwrap())
        })
        .collect()
}

/// Plays packets that take so many microseconds each (`None` = lost) and come in order; the
/// receiver's clock runs so many ppm fast.
fn play(packets: &[Bytes], delay: impl Fn(usize) -> Option<u64>, ppm: i64) -> (Vec<f32>, Buffer) {
    let mut buffer = Buffer::new().unwrap();
    let mut arrivals: Vec<(u64, usize)> = (0..packets.len())
        .filter_map(|number| Some((number as u64 * FRAME_US + delay(number)?, number)))
        .collect();
    arrivals.sort_unstable();
    let mut arrivals = arrivals.into_iter().peekable();
    let (mut heard, mut out) = (Vec::new(), [0.0; BLOCK]);
    for tick in 0..packets.len() as i64 * 2 {
        let tick_us = tick * BLOCK_US as i64;
        let now = (tick_us - tick_us * ppm / 1_000_000) as u64;
        while let Some((arrival, number)) = arrivals.next_if(|(arrival, _)| *arrival <= now) {
            let time = TIME + number as u64 * FRAME_US;
            buffer.packet(number as u32, time, packets[number].clone(), arrival);
        }
        buffer.block(now, &mut out);
        heard.extend(out);
    }
    (heard, buffer)
}

fn roughest(sound: &[f32]) -> f32 {
    let jumps = sound.windows(2).map(|pair| (pair[0] - pair[1]).abs());
    jumps.fold(0.0, f32::max)
}

#[test]
fn a_calm_line_gives_what_was_sent() {
    let (heard, buffer) = play(
        &packets(150.0, 200),
        |number| Some(number as u64 % 3 * 1_000),
        0,
    );
    let counts = buffer.counts();
    assert!(counts.decoded >= 195, "{counts:?}");
    assert_eq!(counts.plan, super::super::plan::Counts::default());
    let middle = &heard[heard.len() / 2..];
    assert!((dbfs(middle) + 14.1).abs() < 1.0, "{}", dbfs(middle));
}

#[test]
fn a_gap_is_filled_fades_and_ends_without_a_click() {
    let delay = |number: usize| {
        let gap = (300..315).contains(&number);
        Some(if gap {
            (315 - number as u64) * FRAME_US
        } else {
            1_000
        })
    };
    let sent = packets(150.0, 600);
    let (calm, _) = play(&sent, |_| Some(1_000), 0);
    let (heard, buffer) = play(&sent, delay, 0);
    let counts = buffer.counts().plan;
    assert!(
        (200_000..=320_000).contains(&counts.concealed_us),
        "{counts:?}"
    );
    let fastest = roughest(&calm[48_000..]);
    assert!(roughest(&heard[48_000..]) < 2.0 * fastest, "no click");
    // Silent at the end of the gap, which is 6 s after the beginning and 300 ms long.
    let at = |ms: usize| &heard[ms * 48..(ms + 10) * 48];
    assert!(dbfs(at(6_280)) < -50.0, "{}", dbfs(at(6_280)));
    assert!(dbfs(at(6_700)) > -20.0);
}

#[test]
fn lost_packets_are_repaired() {
    let (heard, buffer) = play(
        &packets(150.0, 600),
        |number| (number % 20 != 7).then_some(number as u64 % 3 * 10_000),
        0,
    );
    let counts = buffer.counts();
    assert!(counts.plan.repaired_us >= 20 * FRAME_US, "{counts:?}");
    let quietest = heard[96_000..].chunks(960).map(dbfs).fold(0.0, f32::min);
    assert!(quietest > -24.0, "no holes: {quietest} dBFS");
}

/// As a sender makes payloads that each repeat so many packets.
fn repeating(packets: &[Bytes], copies: usize) -> Vec<Bytes> {
    let mut repeater = Repeater::new();
    let numbered = packets.iter().enumerate();
    let payloads = numbered.map(|(number, packet)| {
        let time = MediaTime(TIME + number as u64 * FRAME_US);
        repeater.payload(time, packet.clone(), copies)
    });
    payloads.collect()
}

#[test]
fn what_is_repeated_stands_in_for_what_is_lost_and_sounds_the_same() {
    let sent = packets(150.0, 600);
    let (calm, _) = play(&sent, |_| Some(40_000), 0);
    let lost = |number: usize| !(number % 20 == 7 || number % 20 == 8);
    let payloads = repeating(&sent, 2);
    let (heard, buffer) = play(&payloads, |number| lost(number).then_some(1_000), 0);
    let counts = buffer.counts();
    assert!(counts.plan.copied >= 58, "{counts:?}");
    assert_eq!(counts.plan.repaired_us, 0, "{counts:?}");
    assert!(counts.plan.concealed_us <= 3 * FRAME_US, "{counts:?}");
    assert_eq!(counts.broken, 0, "{counts:?}");
    let quietest = |sound: &[f32]| sound[192_000..].chunks(960).map(dbfs).fold(0.0, f32::min);
    assert!(quietest(&heard) > quietest(&calm) - 1.0, "no holes");
    assert!(roughest(&heard[192_000..]) < 1.2 * roughest(&calm[192_000..]));
}

#[test]
fn redundancy_that_cant_be_read_is_a_broken_packet() {
    let mut sent = repeating(&packets(150.0, 100), 1);
    for payload in sent.iter_mut().skip(10).step_by(5) {
        payload.truncate(4);
    }
    let (heard, buffer) = play(&sent, |_| Some(0), 0);
    assert_eq!(buffer.counts().broken, 18, "{:?}", buffer.counts());
    assert!(heard.iter().all(|sample| sample.is_finite()));
}

#[test]
fn clocks_that_run_apart_are_followed() {
    for ppm in [-300, 300] {
        // Ten minutes at 300 ppm are 180 ms.
        let sent = packets(150.0, 30_000);
        let (heard, buffer) = play(&sent, |number| Some(number as u64 % 3 * 1_000), ppm);
        let counts = buffer.counts();
        let stretched_ms = counts.stretched / 48;
        assert!(
            (120..=260).contains(&stretched_ms),
            "{ppm} ppm: {stretched_ms} ms"
        );
        assert_eq!(counts.plan.concealed_us, 0, "{ppm} ppm: {counts:?}");
        // A receiver that runs fast has played all before the end.
        let quietest = heard[96_000..heard.len() - 24_000]
            .chunks(960)
            .map(dbfs)
            .fold(0.0, f32::min);
        assert!(quietest > -17.0, "{ppm} ppm: {quietest} dBFS");
    }
}

#[test]
fn garbage_is_counted_and_bounded() {
    let mut sent = packets(150.0, 300);
    for (number, packet) in sent.iter_mut().enumerate() {
        if number % 5 == 2 {
            let noise = (0..number as u32).map(|at| (at * 7_919 % 251) as u8);
            *packet = noise.collect();
        }
    }
    let (heard, buffer) = play(&sent, |_| Some(0), 0);
    assert!(buffer.counts().broken > 10, "{:?}", buffer.counts());
    assert!(heard.iter().all(|sample| sample.is_finite()));
}

#[test]
fn nobody_is_silence() {
    let mut buffer = Buffer::new().unwrap();
    let mut out = [1.0; BLOCK];
    assert_eq!(buffer.block(5, &mut out), Heard::Nobody);
    assert!(out.iter().all(|sample| *sample == 0.0));
}
