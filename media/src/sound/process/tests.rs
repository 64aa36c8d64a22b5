use super::*;
use crate::sound::level::dbfs;

/// xorshift64*.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 40) as f32 / (1 << 23) as f32 - 1.0
    }
}

/// Something like speech: a buzz of changing pitch and noise through two resonances that wander,
/// in syllables with holes between.
fn speech(seconds: usize, seed: u64, pitch: f32) -> Vec<f32> {
    let mut noise = Noise(seed);
    let mut turns = 0.0_f32;
    let mut resonances = [[0.0_f32; 2]; 2];
    let rate = RATE as f32;
    (0..seconds * RATE as usize)
        .map(|at| {
            let t = at as f32 / rate;
            let syllable = (t * 4.3 + seed as f32 * 0.37).fract();
            let loud = (syllable * std::f32::consts::PI).sin().max(0.0).powi(2);
            turns = (turns + pitch * (1.0 + 0.2 * (t * 1.7).sin()) / rate).fract();
            let source = (1.0 - 2.0 * turns) * 0.6 + noise.next() * 0.4;
            let mut sound = 0.0;
            let vowel = (t * 2.1 + seed as f32).sin();
            for (which, memory) in resonances.iter_mut().enumerate() {
                let hertz = if which == 0 {
                    550.0 + 250.0 * vowel
                } else {
                    1_700.0 - 600.0 * vowel
                };
                let angle = std::f32::consts::TAU * hertz / rate;
                let radius = 0.99_f32;
                let out =
                    source + 2.0 * radius * angle.cos() * memory[0] - radius * radius * memory[1];
                *memory = [out, memory[0]];
                sound += out * 0.012;
            }
            (sound * loud).clamp(-0.9, 0.9)
        })
        .collect()
}

/// What a loudspeaker and a room make of sound: 40 ms of way and buffers, then reflections that
/// die away, −6 dB in all.
fn room(sound: &[f32]) -> Vec<f32> {
    const WAY: usize = 1_920;
    const LENGTH: usize = 4_800;
    let mut noise = Noise(99);
    let mut response: Vec<f32> = (0..LENGTH)
        .map(|at| noise.next() * 0.15 * (-(at as f32) / 1_000.0).exp())
        .collect();
    response[0] = 1.0;
    response[210] = -0.4;
    response[530] = 0.3;
    let power: f32 = response.iter().map(|tap| tap * tap).sum();
    let scale = 0.5 / power.sqrt();
    // Only each eighth reflection: a dense response costs minutes and shows nothing more.
    let taps: Vec<(usize, f32)> = response
        .iter()
        .enumerate()
        .filter(|(at, _)| *at < 600 || at % 8 == 0)
        .map(|(at, tap)| (at + WAY, tap * scale))
        .collect();
    (0..sound.len())
        .map(|at| {
            let heard = taps.iter().filter(|(delay, _)| *delay <= at);
            heard.map(|(delay, tap)| tap * sound[at - delay]).sum()
        })
        .collect()
}

fn blocks(sound: &[f32]) -> &[[f32; BLOCK]] {
    sound.as_chunks::<BLOCK>().0
}

/// Plays one into the room where another is captured; answers what comes out.
fn process(far: &[f32], heard: &[f32]) -> Vec<f32> {
    let mut processor = Processor::new();
    let mut out = Vec::new();
    for (played, heard) in blocks(far).iter().zip(blocks(heard)) {
        processor.played(played);
        let mut block = *heard;
        processor.captured(&mut block, 40_000);
        out.extend(block);
    }
    out
}

#[test]
fn the_far_ends_speech_does_not_come_back() {
    let far = speech(12, 3, 120.0);
    let echo = room(&far);
    let ratio = dbfs(&echo) - dbfs(&far);
    assert!((-7.0..=-5.0).contains(&ratio), "the room gives {ratio} dB");
    let out = process(&far, &echo);
    let two_seconds = 2 * RATE as usize;
    let less = dbfs(&echo[two_seconds..]) - dbfs(&out[two_seconds..]);
    println!("echo: {less:.1} dB less after 2 s");
    assert!(less >= 30.0, "{less} dB");
}

#[test]
fn a_flush_leaves_nothing() {
    let mut processor = Processor::new();
    for block in blocks(&speech(3, 5, 180.0)) {
        processor.captured(&mut block.map(|sample| sample * 8.0), 0);
    }
    processor.flush();
    let mut block = [0.0; BLOCK];
    processor.captured(&mut block, 0);
    assert!(dbfs(&block) < -100.0, "{}", dbfs(&block));
}

#[test]
fn a_whisper_is_made_louder_and_nothing_is_too_loud() {
    let whisper: Vec<f32> = speech(10, 5, 180.0)
        .iter()
        .map(|sample| sample * 0.03)
        .collect();
    let out = process(&vec![0.0; whisper.len()], &whisper);
    let late = 8 * RATE as usize;
    let gain = dbfs(&out[late..]) - dbfs(&whisper[late..]);
    println!(
        "a whisper of {:.0} dBFS: {gain:+.1} dB",
        dbfs(&whisper[late..])
    );
    assert!(gain > 6.0, "{gain} dB");
    assert!(out.iter().all(|sample| sample.abs() <= 1.0));
}

#[test]
fn what_is_no_number_does_no_lasting_harm() {
    let sound = speech(2, 7, 150.0);
    let mut processor = Processor::new();
    let mut out = Vec::new();
    for (number, block) in blocks(&sound).iter().enumerate() {
        let mut block = if number == 50 {
            [f32::NAN; BLOCK]
        } else {
            *block
        };
        processor.captured(&mut block, 0);
        out.extend(block);
    }
    assert!(out[RATE as usize..].iter().all(|sample| sample.is_finite()));
}
