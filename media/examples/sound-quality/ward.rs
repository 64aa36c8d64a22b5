//! Speech in a ward's noise, before and after the processing.

use std::io::{self, Write};

use visita_media::sound::{BLOCK, RATE, level::dbfs, process::Processor};

use crate::{pulse::sentence, speech::process};

const SECOND: usize = RATE as usize;
/// Processing begins with a call; what it does then isn't measured.
const LEAD: usize = 4 * SECOND;
/// Somebody at arm's length, in decibels of full scale while they speak.
const SPEECH_DBFS: f32 = -26.0;
/// Frames of speech softer than this are pauses.
const PAUSE_DBFS: f32 = -45.0;
const SNRS: [f32; 2] = [5.0, 0.0];

/// xorshift32: the same numbers on every machine.
struct Dice(u32);

impl Dice {
    /// From −1 to 1.
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as f32 / (u32::MAX / 2) as f32 - 1.0
    }
}

/// For each noise and ratio a line of JSON with what is known, then three stretches of as many
/// samples as it says, in 32-bit floats: the speech alone, what the microphone hears, and what
/// comes out.
pub(crate) fn noise(out: &mut impl Write) -> io::Result<()> {
    let speech = speech();
    let noises = [
        ("fan", fan(speech.len())),
        ("alarm", alarm(speech.len())),
        ("voices", voices(speech.len())),
    ];
    let all = (0..speech.len()).map(|at| noises.iter().map(|(_, noise)| noise[at]).sum());
    let all = unit(all.collect());
    for (name, noise) in noises.iter().chain([&("all three", all)]) {
        for snr in SNRS {
            measured(out, name, snr, &speech, noise)?;
        }
    }
    Ok(())
}

fn measured(
    out: &mut impl Write,
    name: &str,
    snr: f32,
    speech: &[f32],
    noise: &[f32],
) -> io::Result<()> {
    let scale = 10_f32.powf((SPEECH_DBFS - snr) / 20.0);
    let mixed = |sign: f32| -> Vec<f32> {
        let both = speech.iter().zip(noise);
        both.map(|(speech, noise)| speech + sign * scale * noise)
            .collect()
    };
    let silence = vec![0.0; speech.len()];
    let heard = mixed(1.0);
    let came = process(&silence, &heard);
    // Speech and noise behind a processing that isn't linear are told apart by processing them
    // once more with the noise turned over (Hagerman and Olofsson, 2004).
    let turned = process(&silence, &mixed(-1.0));
    let half = |sign: f32| -> Vec<f32> {
        let both = came.iter().zip(&turned);
        both.map(|(a, b)| f32::midpoint(*a, sign * b)).collect()
    };
    let late = (Processor::DELAY_US * u64::from(RATE) / 1_000_000) as usize;
    let range = LEAD..came.len() - late;
    let behind = LEAD + late..came.len();
    let speaks: Vec<bool> = speech[range.clone()]
        .chunks_exact(BLOCK)
        .map(|block| dbfs(block) > PAUSE_DBFS)
        .collect();
    let scaled: Vec<f32> = noise.iter().map(|sample| sample * scale).collect();
    let before = ratio(&speech[range.clone()], &scaled[range.clone()], &speaks);
    let (kept, left) = (half(1.0), half(-1.0));
    let after = ratio(&kept[behind.clone()], &left[behind.clone()], &speaks);
    writeln!(
        out,
        r#"{{"noise":"{name}","snr_db":{snr},"gain_db":{},"rate":{RATE},"samples":{}}}"#,
        after - before,
        range.len()
    )?;
    for sound in [&speech[range.clone()], &heard[range], &came[behind]] {
        let bytes: Vec<u8> = sound
            .iter()
            .flat_map(|sample| sample.to_le_bytes())
            .collect();
        out.write_all(&bytes)?;
    }
    Ok(())
}

/// How much stronger the one is than the other while somebody speaks, in decibels.
fn ratio(sound: &[f32], noise: &[f32], speaks: &[bool]) -> f32 {
    let power = |samples: &[f32]| -> f64 {
        let blocks = samples.chunks_exact(BLOCK).zip(speaks);
        let spoken = blocks.filter(|(_, speaks)| **speaks);
        spoken
            .flat_map(|(block, _)| block)
            .map(|sample| f64::from(*sample).powi(2))
            .sum()
    };
    (10.0 * (power(sound) / power(noise)).log10()) as f32
}

/// Two people in turn, with pauses between sentences.
fn speech() -> Vec<f32> {
    let said = [
        (
            "es-419",
            "Buenas tardes, mamá. ¿Cómo pasaste la noche? El doctor dice que vas mejor.",
        ),
        (
            "en-us+f3",
            "I brought the letters from home, and the children painted a picture.",
        ),
        (
            "es-419+f2",
            "La enfermera viene a las seis con la medicina, y después puedes dormir.",
        ),
        (
            "en-us",
            "Tell me whether the new pillow helps, or if we should ask for another one.",
        ),
        (
            "es-419",
            "El domingo vamos todos a verte, si los médicos nos dejan entrar.",
        ),
        (
            "en-gb+f4",
            "The garden is full of apples this year, so your sister makes jam all day.",
        ),
    ];
    let mut all = vec![0.0; 2 * SECOND];
    for (voice, words) in said {
        let spoken = sentence(voice, words);
        let loud: Vec<f32> = spoken
            .chunks_exact(BLOCK)
            .filter(|block| dbfs(block) > PAUSE_DBFS)
            .flatten()
            .copied()
            .collect();
        let scale = 10_f32.powf((SPEECH_DBFS - dbfs(&loud)) / 20.0);
        all.extend(spoken.iter().map(|sample| sample * scale));
        all.extend(vec![0.0; SECOND / 2]);
    }
    all.truncate(all.len() / BLOCK * BLOCK);
    all
}

/// At full power: a mean square of 1.
fn unit(mut sound: Vec<f32>) -> Vec<f32> {
    let power = sound.iter().map(|sample| sample * sample).sum::<f32>() / sound.len() as f32;
    let scale = 1.0 / power.sqrt().max(f32::MIN_POSITIVE);
    for sample in &mut sound {
        *sample *= scale;
    }
    sound
}

fn sine(at: usize, hertz: f64) -> f32 {
    let turns = at as f64 * hertz / f64::from(RATE);
    (turns.fract() * std::f64::consts::TAU).sin() as f32
}

/// Air that rushes, and a motor that hums.
fn fan(length: usize) -> Vec<f32> {
    let mut dice = Dice(0x5eed);
    let (mut slow, mut slower) = (0.0, 0.0);
    let sounds = (0..length).map(|at| {
        let white = dice.next();
        // Two poles at 400 and 2,500 Hz: soft above, as a ventilation grille is.
        slow += (white - slow) * 0.052;
        slower += (white - slower) * 0.28;
        let hum = sine(at, 100.0) + 0.5 * sine(at, 200.0) + 0.3 * sine(at, 147.0);
        slow + 0.15 * slower + 0.02 * hum
    });
    unit(sounds.collect())
}

/// A monitor's alarm of middle urgency (IEC 60601-1-8): three pulses of 200 ms every other
/// second, each with overtones.
fn alarm(length: usize) -> Vec<f32> {
    const PULSE: usize = SECOND / 5;
    const EVERY: usize = 2 * SECOND;
    const NOTES: [f64; 3] = [523.3, 659.3, 784.0];
    let sounds = (0..length).map(|at| {
        let (number, within) = (at % EVERY / (PULSE * 2), at % EVERY % (PULSE * 2));
        let Some(note) = NOTES.get(number).filter(|_| within < PULSE) else {
            return 0.0;
        };
        // 20 ms to rise, as much to fall.
        let edge = within.min(PULSE - within) as f32 / (SECOND / 50) as f32;
        let tones = (1..=5_u8).map(|n| sine(at, note * f64::from(n)) / f32::from(n));
        edge.min(1.0) * tones.sum::<f32>()
    });
    unit(sounds.collect())
}

/// Others who talk in the room: five at once, none of whom is understood.
fn voices(length: usize) -> Vec<f32> {
    let others = [
        (
            "en-us",
            "And then we waited for the bus, but it never came, so we walked all the way.",
        ),
        (
            "es-419+f2",
            "Dile que traiga las llaves, porque la puerta de atrás está cerrada.",
        ),
        (
            "en-gb",
            "Could somebody bring another chair, please, there are four of us today.",
        ),
        (
            "es-419+m3",
            "No, el martes no puedo, tengo que llevar a mi hijo a la escuela.",
        ),
        (
            "en-us+f4",
            "She said the results are coming tomorrow, or the day after at the latest.",
        ),
    ];
    let mut all = vec![0.0; length];
    for (number, (voice, words)) in others.into_iter().enumerate() {
        let spoken = unit(sentence(voice, words));
        // Each begins elsewhere.
        let from = number * spoken.len() / others.len();
        for (into, sample) in all.iter_mut().zip(spoken.iter().cycle().skip(from)) {
            *into += sample;
        }
    }
    unit(all)
}
