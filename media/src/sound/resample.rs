//! From one rate to another: rubato's band-limited resampler, which takes any pair of rates (a
//! device's real one among them) and adds less than a millisecond and a half.

use rubato::{
    Async, FixedAsync, Resampler as _, SincInterpolationParameters, SincInterpolationType,
    WindowFunction, audioadapter_buffers::direct::InterleavedSlice,
};

use super::Error;

/// Rates that devices and files have, in hertz.
const RATES: std::ops::RangeInclusive<u32> = 4_000..=384_000;
/// The filter's length, in samples of the lower rate: its half is the delay (1.3 ms at 48 kHz). With
/// its window the band is whole up to nine tenths, and what folds back 90 dB down.
const TAPS: u32 = 128;

/// Turns a stream of mono samples from one rate into another.
pub(super) struct Resampler {
    /// `None` where both rates are one.
    inner: Option<Inner>,
}

struct Inner {
    resampler: Async<f32>,
    chunk: usize,
    taps: usize,
    pending: Vec<f32>,
    out: Vec<f32>,
}

impl Resampler {
    /// Between two rates in hertz.
    pub(super) fn new(from: u32, to: u32) -> Result<Self, Error> {
        if !RATES.contains(&from) || !RATES.contains(&to) {
            return Err(Error::Unsupported(format!("{from} Hz to {to} Hz")));
        }
        if from == to {
            return Ok(Self { inner: None });
        }
        // 5 ms at a time: little is held back, and what comes is near a block's length.
        let chunk = (from / 200) as usize;
        let taps = (u64::from(TAPS) * u64::from(from.max(to)) / u64::from(to)) as usize;
        let parameters = SincInterpolationParameters::new(taps, WindowFunction::BlackmanHarris)
            .oversampling_factor(256)
            .interpolation(SincInterpolationType::Linear);
        let ratio = f64::from(to) / f64::from(from);
        let resampler = Async::new_sinc(ratio, 1.0, &parameters, chunk, 1, FixedAsync::Input)
            .map_err(|error| Error::Unsupported(error.to_string()))?;
        let out = vec![0.0; resampler.output_frames_max()];
        Ok(Self {
            inner: Some(Inner {
                resampler,
                chunk,
                taps,
                pending: Vec::with_capacity(2 * chunk),
                out,
            }),
        })
    }

    /// Takes samples, and gives what comes out of them.
    pub(super) fn push(&mut self, samples: &[f32], mut give: impl FnMut(f32)) {
        let Some(inner) = &mut self.inner else {
            samples.iter().copied().for_each(give);
            return;
        };
        inner.pending.extend_from_slice(samples);
        let mut used = 0;
        while inner.pending.len() - used >= inner.chunk {
            let chunk = &inner.pending[used..used + inner.chunk];
            used += inner.chunk;
            let room = inner.out.len();
            let (Ok(chunk), Ok(mut out)) = (
                InterleavedSlice::new(chunk, 1, inner.chunk),
                InterleavedSlice::new_mut(&mut inner.out, 1, room),
            ) else {
                continue;
            };
            match inner.resampler.process_into_buffer(&chunk, &mut out, None) {
                Ok((_, made)) => inner.out[..made].iter().copied().for_each(&mut give),
                Err(error) => tracing::debug!(%error, "a block can't be resampled"),
            }
        }
        inner.pending.drain(..used);
    }

    /// How long ago the newest sample that came out went in, of all that went in, in microseconds.
    pub(super) fn held_us(&self) -> u64 {
        self.inner.as_ref().map_or(0, |inner| {
            let held = inner.pending.len() + inner.taps / 2;
            held as u64 * 5_000 / inner.chunk as u64
        })
    }

    /// Forgets all sound that it still holds.
    #[cfg(test)]
    pub(super) fn reset(&mut self) {
        if let Some(inner) = &mut self.inner {
            inner.pending.clear();
            inner.resampler.reset();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resampled(from: u32, to: u32, hertz: f32) -> Vec<f32> {
        let mut resampler = Resampler::new(from, to).unwrap();
        let sound: Vec<f32> = (0..from)
            .map(|at| {
                let turns = f64::from(at) / f64::from(from) * f64::from(hertz);
                (turns.fract() * std::f64::consts::TAU).sin() as f32
            })
            .collect();
        let mut out = Vec::new();
        // As callbacks come: never in the resampler's own length.
        for piece in sound.chunks(317) {
            resampler.push(piece, |sample| out.push(sample));
        }
        out
    }

    /// The share of the power that is at this pitch.
    fn purity(sound: &[f32], hertz: f32, rate: u32) -> f32 {
        let (mut sine, mut cosine, mut power) = (0.0_f64, 0.0_f64, 0.0_f64);
        for (at, &sample) in sound.iter().enumerate() {
            let angle = at as f64 / f64::from(rate) * f64::from(hertz) * std::f64::consts::TAU;
            sine += f64::from(sample) * angle.sin();
            cosine += f64::from(sample) * angle.cos();
            power += f64::from(sample) * f64::from(sample);
        }
        ((sine * sine + cosine * cosine) * 2.0 / (sound.len() as f64 * power)) as f32
    }

    #[test]
    fn a_tone_stays_what_it_is_at_every_usual_rate() {
        for rate in [
            8_000, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000, 192_000,
        ] {
            for (from, to) in [(rate, 48_000), (48_000, rate)] {
                let out = resampled(from, to, 1_000.0);
                let least = to as usize * 98 / 100;
                assert!(
                    (least..=to as usize).contains(&out.len()),
                    "{from} → {to}: {}",
                    out.len()
                );
                let pure = purity(&out[to as usize / 10..], 1_000.0, to);
                assert!(pure > 0.9999, "{from} → {to}: {pure}");
            }
        }
    }

    #[test]
    fn what_a_lower_rate_cant_hold_is_gone() {
        let out = resampled(48_000, 16_000, 11_000.0);
        let loudest = out[1_000..]
            .iter()
            .fold(0.0_f32, |most, sample| most.max(sample.abs()));
        assert!(loudest < 0.001, "{loudest}");
    }

    #[test]
    fn after_a_reset_nothing_is_left() {
        let mut resampler = Resampler::new(44_100, 48_000).unwrap();
        resampler.push(&vec![1.0; 44_100], |_| {});
        resampler.reset();
        let mut loudest = 0.0_f32;
        resampler.push(&vec![0.0; 44_100], |sample| {
            loudest = loudest.max(sample.abs());
        });
        assert!(loudest == 0.0, "{loudest}");
    }

    #[test]
    fn rates_that_no_device_has_are_refused() {
        for rate in [0, 1, 3_999, u32::MAX] {
            assert!(Resampler::new(rate, 48_000).is_err());
        }
    }
}
