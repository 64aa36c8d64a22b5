//! A tone.

use super::super::{BLOCK, RATE};

/// The loudness of a tone's top: −12 dBFS, clear and not startling.
const PEAK: f32 = 0.25;

/// A sine that goes on.
#[derive(Clone, Debug)]
pub struct Tone {
    turns: f64,
    step: f64,
}

impl Tone {
    /// Of this many hertz.
    pub fn new(hertz: f32) -> Self {
        Self {
            turns: 0.0,
            step: f64::from(hertz) / f64::from(RATE),
        }
    }

    /// The next 10 ms.
    pub fn read(&mut self, out: &mut [f32; BLOCK]) {
        for sample in out {
            *sample = PEAK * (self.turns * std::f64::consts::TAU).sin() as f32;
            self.turns = (self.turns + self.step).fract();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_has_its_pitch_and_no_seams() {
        let mut tone = Tone::new(1_000.0);
        let mut out = [0.0; BLOCK];
        let mut all = Vec::new();
        for _ in 0..100 {
            tone.read(&mut out);
            all.extend(out);
        }
        let rises = all
            .windows(2)
            .filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0);
        assert!((998..=1001).contains(&rises.count()));
        let step = all.windows(2).map(|pair| (pair[0] - pair[1]).abs());
        assert!(step.fold(0.0, f32::max) < PEAK * 0.132);
    }
}
