//! What the processing does with speech: for its tests, and for the bench that writes it down.

use visita_media::sound::{BLOCK, RATE, level::dbfs, process::Processor};

use crate::pulse::sentence;

const SECOND: usize = RATE as usize;
const LENGTH: usize = 14 * SECOND;

/// Fourteen seconds of somebody who talks, at −22 dBFS.
fn talk(voice: &str, words: &str) -> Vec<f32> {
    let spoken = sentence(voice, words);
    let scale = 10_f32.powf((-22.0 - dbfs(&spoken)) / 20.0);
    let scaled = spoken
        .iter()
        .map(|sample| (sample * scale).clamp(-0.9, 0.9));
    scaled
        .collect::<Vec<_>>()
        .into_iter()
        .cycle()
        .take(LENGTH)
        .collect()
}

fn far() -> Vec<f32> {
    talk(
        "es-419",
        "El doctor viene por la tarde a verle, y le trae los resultados de la sangre. \
         Mientras tanto puede usted comer algo ligero, pero nada de sal.",
    )
}

/// What a loudspeaker and a room make of sound: 40 ms of way and buffers, then reflections that
/// die away within 100 ms, −6 dB in all.
fn room(sound: &[f32]) -> Vec<f32> {
    const WAY: usize = 1_920;
    let mut state = 99_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    let mut taps: Vec<(usize, f32)> = (0..4_800)
        // Only each eighth late reflection: a dense response takes long and shows nothing more.
        .filter(|at| *at < 600 || at % 8 == 0)
        .map(|at| (at, noise() * 0.15 * (-(at as f32) / 1_000.0).exp()))
        .collect();
    taps[0].1 = 1.0;
    taps[210].1 = -0.4;
    taps[530].1 = 0.3;
    let power: f32 = taps.iter().map(|(_, tap)| tap * tap).sum();
    let scale = 0.5 / power.sqrt();
    (0..sound.len())
        .map(|at| {
            let heard = taps.iter().filter_map(|&(delay, tap)| {
                let from = at.checked_sub(delay + WAY)?;
                Some(tap * sound[from])
            });
            heard.sum::<f32>() * scale
        })
        .collect()
}

pub(crate) fn process(far: &[f32], heard: &[f32]) -> Vec<f32> {
    let mut processor = Processor::new();
    let blocks = |sound: &[f32]| sound.as_chunks::<BLOCK>().0.to_vec();
    let mut out = Vec::new();
    for (played, mut block) in blocks(far).iter().zip(blocks(heard)) {
        processor.played(played);
        processor.captured(&mut block, 40_000);
        out.extend(block);
    }
    out
}

/// How much less echo there is, in decibels.
pub(crate) struct Echo {
    /// In the first two seconds.
    pub(crate) soon: f32,
    /// After them.
    pub(crate) later: f32,
}

/// The far end's speech, played into a room and heard there.
pub(crate) fn echo() -> Echo {
    let far = far();
    let echo = room(&far);
    let out = process(&far, &echo);
    let less = |range: std::ops::Range<usize>| dbfs(&echo[range.clone()]) - dbfs(&out[range]);
    Echo {
        soon: less(0..2 * SECOND),
        later: less(2 * SECOND..LENGTH / BLOCK * BLOCK),
    }
}

/// The mean of the ratios of a sound to what differs from it, in frames of 20 ms that aren't
/// silent, each at its best gain and within −10 and 35 dB.
fn segmental_snr(sound: &[f32], heard: &[f32]) -> f32 {
    let ratios: Vec<f32> = sound
        .chunks_exact(960)
        .zip(heard.chunks_exact(960))
        .filter(|(sound, _)| dbfs(sound) > -40.0)
        .map(|(sound, heard)| {
            let both: f32 = sound.iter().zip(heard).map(|(a, b)| a * b).sum();
            let own: f32 = sound.iter().map(|a| a * a).sum();
            let gain = both / own;
            let differs = sound.iter().zip(heard).map(|(a, b)| (b - gain * a).powi(2));
            let ratio = gain * gain * own / differs.sum::<f32>().max(1e-9);
            (10.0 * ratio.log10()).clamp(-10.0, 35.0)
        })
        .collect();
    ratios.iter().sum::<f32>() / ratios.len() as f32
}

/// What is left of somebody who speaks while the far end does, in decibels.
pub(crate) struct Kept {
    pub(crate) segmental_snr: f32,
    /// Against nobody else speaking.
    pub(crate) level: f32,
}

/// The processing changes phases and gain, so what comes out is compared with what would come out
/// if nobody else spoke.
pub(crate) fn double_talk() -> Kept {
    let far = far();
    let mut near = talk(
        "en-us+f3",
        "I miss you so much, and the children ask for you every evening when we sit down for \
         dinner. We will come on Sunday if the nurses let us in.",
    );
    // It speaks from the sixth second on, when the room is known.
    near[..6 * SECOND].fill(0.0);
    let echo = room(&far);
    let heard: Vec<f32> = near
        .iter()
        .zip(&echo)
        .map(|(near, echo)| near + echo)
        .collect();
    let out = process(&far, &heard);
    let alone = process(&vec![0.0; LENGTH], &near);
    let speaks = 6 * SECOND..13 * SECOND;
    Kept {
        segmental_snr: segmental_snr(&alone[speaks.clone()], &out[speaks.clone()]),
        level: dbfs(&out[speaks.clone()]) - dbfs(&alone[speaks]),
    }
}
