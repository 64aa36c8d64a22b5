use proptest::{collection::vec, prelude::*};

use super::*;
use crate::sound::level::dbfs;

/// A voice of sorts: a low pitch with overtones, and its loudness going up and down.
fn speech(frames: usize) -> Vec<[f32; FRAME]> {
    let sample = |at: usize| {
        let t = at as f32 / RATE as f32;
        let sum: f32 = (1..12)
            .map(|overtone| {
                let turns = 140.0 * overtone as f32 * t;
                (turns.fract() * std::f32::consts::TAU).sin() / overtone as f32
            })
            .sum();
        0.2 * sum * (0.6 + 0.4 * (t * 4.0 * std::f32::consts::TAU).sin())
    };
    (0..frames)
        .map(|frame| std::array::from_fn(|at| sample(frame * FRAME + at)))
        .collect()
}

fn packets(encoder: &mut Encoder, frames: &[[f32; FRAME]]) -> Vec<Vec<u8>> {
    let encode = |frame| encoder.encode(frame).unwrap().to_vec();
    frames.iter().map(encode).collect()
}

/// The best signal-to-noise ratio at any shift within a frame, in dB.
fn snr(sent: &[f32], heard: &[f32]) -> f32 {
    let compared = sent.len() - FRAME;
    (0..FRAME)
        .map(|shift| {
            let pairs = sent[..compared].iter().zip(&heard[shift..]);
            let (power, noise) = pairs.fold((0.0, 0.0), |(power, noise), (a, b)| {
                (power + a * a, noise + (a - b) * (a - b))
            });
            10.0 * (power / noise).log10()
        })
        .fold(f32::NEG_INFINITY, f32::max)
}

#[test]
fn what_is_encoded_is_decoded() {
    let frames = speech(50);
    let mut encoder = Encoder::new(40_000).unwrap();
    let packets = packets(&mut encoder, &frames);
    let mut decoder = Decoder::new().unwrap();
    let mut heard = Vec::new();
    for packet in &packets {
        let mut out = [0.0; FRAME];
        decoder.decode(packet, &mut out).unwrap();
        heard.extend(out);
    }
    let snr = snr(&frames.concat()[10 * FRAME..], &heard[10 * FRAME..]);
    assert!(snr > 5.0, "{snr} dB");
    assert_eq!(encoder.look_ahead().unwrap(), 312, "6.5 ms");
}

#[test]
fn the_bitrate_is_kept_within_bounds_and_about_met() {
    let frames = speech(200);
    for (asked, most) in [(1, 15_000), (24_000, 30_000), (1_000_000, 48_000)] {
        let mut encoder = Encoder::new(asked).unwrap();
        let bytes: usize = packets(&mut encoder, &frames).iter().map(Vec::len).sum();
        let bits = bytes * 8 * 50 / frames.len();
        assert!((8_000..most).contains(&bits), "{asked}: {bits}");
    }
}

#[test]
fn a_lost_packet_is_repaired_by_the_next_better_than_made_up() {
    let frames = speech(60);
    let mut encoder = Encoder::new(28_000).unwrap();
    encoder.loss(20).unwrap();
    let packets = packets(&mut encoder, &frames);
    let mut whole = Decoder::new().unwrap();
    let mut repaired = Decoder::new().unwrap();
    let mut made_up = Decoder::new().unwrap();
    let (mut lost, mut errors) = (0, [0.0_f32; 2]);
    for (at, packet) in packets.iter().enumerate() {
        let mut out = [[0.0; FRAME]; 3];
        whole.decode(packet, &mut out[0]).unwrap();
        if at % 10 == 9 && at + 1 < packets.len() {
            repaired.repair(&packets[at + 1], &mut out[1]).unwrap();
            made_up.conceal(&mut out[2]).unwrap();
            for (error, heard) in errors.iter_mut().zip(&out[1..]) {
                let difference = out[0].iter().zip(heard).map(|(a, b)| (a - b) * (a - b));
                *error += difference.sum::<f32>();
            }
            lost += 1;
        } else {
            repaired.decode(packet, &mut out[1]).unwrap();
            made_up.decode(packet, &mut out[2]).unwrap();
        }
    }
    assert_eq!(lost, 5);
    let [by_repair, by_guess] = errors;
    assert!(by_repair < by_guess, "{by_repair} against {by_guess}");
}

#[test]
fn silence_is_hardly_sent_and_speech_goes_on_after_it() {
    let mut encoder = Encoder::new(BITRATE).unwrap();
    packets(&mut encoder, &speech(50));
    let silent = packets(&mut encoder, &vec![[0.0; FRAME]; 100]);
    let unsent = silent.iter().filter(|packet| is_silence(packet)).count();
    assert!(unsent > 70, "{unsent} of 100");
    let speaks = packets(&mut encoder, &speech(10));
    assert!(speaks.iter().all(|packet| !is_silence(packet)));
}

#[test]
fn a_steady_tone_is_no_silence() {
    let mut encoder = Encoder::new(BITRATE).unwrap();
    let tone = |frame: usize| {
        std::array::from_fn(|at| {
            let turns = ((frame * FRAME + at) as f32 * 960.0 / RATE as f32).fract();
            0.02 * (turns * std::f32::consts::TAU).sin()
        })
    };
    let tone: Vec<[f32; FRAME]> = (0..500).map(tone).collect();
    let packets = packets(&mut encoder, &tone);
    assert!(packets.iter().all(|packet| !is_silence(packet)));
}

#[test]
fn what_is_made_up_fades() {
    let mut encoder = Encoder::new(BITRATE).unwrap();
    let mut decoder = Decoder::new().unwrap();
    let mut out = [0.0; FRAME];
    for packet in packets(&mut encoder, &speech(50)) {
        decoder.decode(&packet, &mut out).unwrap();
    }
    let before = dbfs(&out);
    for _ in 0..50 {
        decoder.conceal(&mut out).unwrap();
    }
    // The codec keeps what it takes for the room's noise; the jitter buffer fades the rest.
    assert!(dbfs(&out) < before - 6.0, "{before} → {}", dbfs(&out));
}

#[test]
fn a_reset_encoder_holds_nothing() {
    let mut encoder = Encoder::new(40_000).unwrap();
    packets(&mut encoder, &speech(50));
    encoder.reset().unwrap();
    let mut fresh = Encoder::new(40_000).unwrap();
    let quiet = vec![[0.0; FRAME]; 5];
    assert_eq!(packets(&mut encoder, &quiet), packets(&mut fresh, &quiet));
}

#[test]
fn what_is_no_number_is_silence() {
    let mut encoder = Encoder::new(BITRATE).unwrap();
    let mut decoder = Decoder::new().unwrap();
    let mut out = [0.0; FRAME];
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let packet = encoder.encode(&[bad; FRAME]).unwrap().to_vec();
        decoder.decode(&packet, &mut out).unwrap();
        assert!(out.iter().all(|sample| sample.is_finite()));
    }
}

#[test]
fn packets_of_another_length_are_refused() {
    let mut decoder = Decoder::new().unwrap();
    let mut out = [0.0; FRAME];
    // The first byte says 10, 40 and 60 ms of SILK; two and three frames of 20 ms.
    for packet in [[0x00, 1, 2], [0x10, 1, 2], [0x18, 1, 2], [0x09, 1, 1]] {
        assert_eq!(
            decoder.decode(&packet, &mut out),
            Err(Error::Length),
            "{packet:?}"
        );
    }
    assert_eq!(decoder.decode(&[], &mut out), Err(Error::Garbage));
    assert_eq!(decoder.decode(&[0x0b], &mut out), Err(Error::Garbage));
}

proptest! {
    #[test]
    fn garbage_is_sound_or_an_error(packets in vec((vec(any::<u8>(), 0..1500), any::<bool>()), 1..20)) {
        let mut decoder = Decoder::new().unwrap();
        let mut out = [0.0; FRAME];
        for (packet, before) in packets {
            let _ = if before {
                decoder.repair(&packet, &mut out)
            } else {
                decoder.decode(&packet, &mut out)
            };
            prop_assert!(out.iter().all(|sample| sample.is_finite()));
        }
    }
}
