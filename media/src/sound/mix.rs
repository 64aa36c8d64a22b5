//! Many voices into one, never louder than a loudspeaker takes: pure.

use super::BLOCK;

/// Nothing is ever louder than this: −1 dBFS.
pub const CEILING: f32 = 0.891_250_9;

/// The limiter looks so many samples ahead (2.5 ms): a peak is turned down before it comes, not
/// cut off.
const STEP: usize = BLOCK / 4;
/// How fast it lets go, for each step: 0.1 dB in 2.5 ms, so that speech isn't heard to pump.
const RELEASE: f32 = 1.011_58;

/// What a sample may be at most before it is limited: more than a roomful at full scale. A codec
/// that was fed garbage gives more, and the limiter would take seconds to let go of it.
const LOUDEST: f32 = 16.0;

/// Adds blocks up.
#[derive(Clone, Debug)]
pub struct Mixer {
    sum: [f32; BLOCK],
}

impl Default for Mixer {
    fn default() -> Self {
        Self { sum: [0.0; BLOCK] }
    }
}

impl Mixer {
    /// Of nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds somebody whose volume goes from one value to another within the block, so that a
    /// change isn't heard as a click. What isn't a number is silence.
    pub fn add(&mut self, block: &[f32; BLOCK], from: f32, to: f32) {
        for (at, (sum, sample)) in self.sum.iter_mut().zip(block).enumerate() {
            let volume = from + (to - from) * (at as f32 / BLOCK as f32);
            let sample = sample * volume;
            if sample.is_finite() {
                *sum += sample;
            }
        }
    }

    /// Takes the sum, and begins anew.
    pub fn take(&mut self) -> [f32; BLOCK] {
        std::mem::replace(&mut self.sum, [0.0; BLOCK])
    }
}

/// Turns down what would be too loud. Sound comes out [`Limiter::DELAY`] samples later.
#[derive(Clone, Debug)]
pub struct Limiter {
    held: [f32; STEP],
    /// The gain that what is held may have at most.
    held_gain: f32,
    /// The gain at the end of what came out last.
    gain: f32,
}

impl Default for Limiter {
    fn default() -> Self {
        Self {
            held: [0.0; STEP],
            held_gain: 1.0,
            gain: 1.0,
        }
    }
}

impl Limiter {
    /// By how many samples sound is late.
    pub const DELAY: usize = STEP;

    /// That has heard nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits a block in place.
    pub fn block(&mut self, block: &mut [f32; BLOCK]) {
        for step in block.as_chunks_mut::<STEP>().0 {
            self.step(step);
        }
    }

    /// The gain goes in a straight line between the ends of a step, and both ends are no more than
    /// the step can take: so no sample is above the ceiling.
    fn step(&mut self, coming: &mut [f32; STEP]) {
        let mut peak = 0.0_f32;
        for sample in coming.iter_mut() {
            *sample = if sample.is_finite() {
                sample.clamp(-LOUDEST, LOUDEST)
            } else {
                0.0
            };
            peak = peak.max(sample.abs());
        }
        let coming_gain = if peak > CEILING { CEILING / peak } else { 1.0 };
        let from = self.gain;
        let to = (from * RELEASE)
            .min(1.0)
            .min(self.held_gain)
            .min(coming_gain);
        for (at, held) in self.held.iter_mut().enumerate() {
            let gain = from + (to - from) * (at as f32 / STEP as f32);
            // Rounding may leave a hair above.
            *held = (*held * gain).clamp(-CEILING, CEILING);
        }
        std::mem::swap(&mut self.held, coming);
        self.held_gain = coming_gain;
        self.gain = to;
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[test]
    fn soft_sound_is_left_alone_and_late() {
        let mut limiter = Limiter::new();
        let sound: Vec<f32> = (0..BLOCK * 4)
            .map(|at| (at as f32 * 0.01).sin() * 0.8)
            .collect();
        let mut out = Vec::new();
        for block in sound.as_chunks::<BLOCK>().0 {
            let mut block = *block;
            limiter.block(&mut block);
            out.extend(block);
        }
        assert_eq!(out[Limiter::DELAY..], sound[..sound.len() - Limiter::DELAY]);
    }

    #[test]
    fn a_peak_is_turned_down_before_it_comes_and_let_go_after() {
        let mut limiter = Limiter::new();
        let mut out = Vec::new();
        for number in 0..200 {
            let mut block = std::array::from_fn(|at| {
                let time = (number * BLOCK + at) as f32 / BLOCK as f32;
                let swell = ((time - 50.0) / 10.0).clamp(0.0, 1.0) * std::f32::consts::PI;
                (0.5 + 7.5 * swell.sin()) * (time * 48.0).sin()
            });
            limiter.block(&mut block);
            out.extend(block);
        }
        let peak = |samples: &[f32]| samples.iter().fold(0.0_f32, |m, s| m.max(s.abs()));
        assert!(peak(&out) <= CEILING);
        assert!(peak(&out[190 * BLOCK..]) > 0.49, "it lets go");
        let jump = out.windows(2).map(|pair| (pair[0] - pair[1]).abs());
        let jump = jump.fold(0.0, f32::max);
        // A sine of this pitch at the ceiling steps by 0.09; a hard cut would step by 0.8.
        assert!(jump < 0.2, "no click: {jump}");
    }

    #[test]
    fn voices_add_up_and_volumes_hold() {
        let mut mixer = Mixer::new();
        mixer.add(&[0.25; BLOCK], 1.0, 1.0);
        mixer.add(&[0.5; BLOCK], 0.5, 0.5);
        mixer.add(&[f32::NAN; BLOCK], 1.0, 1.0);
        mixer.add(&[0.9; BLOCK], 0.0, 0.0);
        assert!(
            mixer
                .take()
                .iter()
                .all(|sample| (sample - 0.5).abs() < 1e-6)
        );
        assert!(mixer.take().iter().all(|sample| *sample == 0.0));
        mixer.add(&[1.0; BLOCK], 0.0, 1.0);
        let faded = mixer.take();
        assert!(faded[0] < 0.01 && faded[BLOCK - 1] > 0.99);
    }

    fn any_sample() -> impl Strategy<Value = f32> {
        prop_oneof![
            4 => -1.0..1.0_f32,
            2 => -100.0..100.0_f32,
            1 => any::<f32>(),
            1 => Just(f32::NAN),
            1 => Just(f32::INFINITY),
        ]
    }

    proptest! {
        #[test]
        fn nothing_is_ever_above_the_ceiling(
            blocks in vec(vec(any_sample(), 1..40), 1..20),
        ) {
            let mut limiter = Limiter::new();
            for samples in blocks {
                let mut block = std::array::from_fn(|at| samples[at % samples.len()]);
                limiter.block(&mut block);
                for sample in block {
                    prop_assert!(sample.is_finite() && sample.abs() <= CEILING);
                }
            }
        }
    }
}
