//! Echo cancelling, noise suppression and gain control, in that order, by `sonora` (WebRTC's, in
//! Rust).

use sonora::{
    AudioProcessing, Config, StreamConfig,
    config::{
        AdaptiveDigital, EchoCanceller, GainController2, HighPassFilter, MaxProcessingRate,
        NoiseSuppression, NoiseSuppressionLevel, Pipeline,
    },
};

use super::{BLOCK, RATE};

/// The most that soft speech is made louder, in decibels: a whisper becomes speech, a room's hum
/// doesn't become noise. (The default of 50 makes the ward's noise a guest.)
const MOST_GAIN_DB: f32 = 30.0;
/// How much noise may be turned down: by 6 dB at most. More takes consonants with it: in a ward's
/// noise STOI falls by up to 0.046 with `High` and 0.018 with `Moderate`, and by 0.001 with `Low`
/// (`scripts/bench sound`).
const NOISE: NoiseSuppressionLevel = NoiseSuppressionLevel::Low;
/// What it begins with: a tablet at arm's length.
const FIRST_GAIN_DB: f32 = 9.0;
/// The longest playback delay that is believed, in milliseconds: the library's.
const MOST_DELAY_MS: u64 = 500;

/// How long the filters ring after something loud, in blocks: 250 ms later it is 120 dB down
/// (measured with a tone at full scale).
const RINGS: usize = 25;

/// Cleans what a microphone hears.
pub struct Processor {
    processing: AudioProcessing,
}

impl Default for Processor {
    fn default() -> Self {
        Self::new()
    }
}

impl Processor {
    /// That has heard nothing yet: it takes a second or two to know the room.
    pub fn new() -> Self {
        let stream = StreamConfig::new(RATE, 1);
        let processing = AudioProcessing::builder()
            .config(config())
            .capture_config(stream)
            .render_config(stream)
            .build();
        Self { processing }
    }

    /// How much later sound comes out, in microseconds (measured: 717 samples).
    pub const DELAY_US: u64 = 14_900;

    /// Forgets the sound that is still in the filters, and keeps what was learned of the room.
    pub fn flush(&mut self) {
        for _ in 0..RINGS {
            self.played(&[0.0; BLOCK]);
            self.captured(&mut [0.0; BLOCK], 0);
        }
    }

    /// This is played in the room.
    pub fn played(&mut self, block: &[f32; BLOCK]) {
        let mut unchanged = [0.0; BLOCK];
        let told = self
            .processing
            .process_render_f32(&[block], &mut [&mut unchanged]);
        if let Err(error) = told {
            tracing::debug!(?error, "the echo canceller isn't told what is played");
        }
    }

    /// Cleans what was captured. The delay is that from a block's being handed to
    /// [`Processor::played`] to its coming back here, in microseconds: a hint, since the
    /// canceller looks for the echo itself.
    pub fn captured(&mut self, block: &mut [f32; BLOCK], delay_us: u64) {
        let delay = (delay_us / 1000).min(MOST_DELAY_MS) as i32;
        for sample in block.iter_mut() {
            // One that isn't a number would stay in the filters for good.
            if !sample.is_finite() {
                *sample = 0.0;
            }
        }
        let heard = *block;
        let processed = self.processing.set_stream_delay_ms(delay).and_then(|()| {
            self.processing
                .process_capture_f32(&[&heard], &mut [block.as_mut_slice()])
        });
        if let Err(error) = processed {
            tracing::debug!(?error, "a block isn't processed");
            *block = heard;
        }
    }
}

fn config() -> Config {
    Config {
        pipeline: Pipeline {
            maximum_internal_processing_rate: MaxProcessingRate::Rate48kHz,
            multi_channel_render: false,
            multi_channel_capture: false,
            ..Pipeline::default()
        },
        high_pass_filter: Some(HighPassFilter::default()),
        echo_canceller: Some(EchoCanceller::default()),
        noise_suppression: Some(NoiseSuppression {
            level: NOISE,
            ..NoiseSuppression::default()
        }),
        gain_controller2: Some(GainController2 {
            adaptive_digital: Some(AdaptiveDigital {
                max_gain_db: MOST_GAIN_DB,
                initial_gain_db: FIRST_GAIN_DB,
                ..AdaptiveDigital::default()
            }),
            ..GainController2::default()
        }),
        ..Config::default()
    }
}

#[cfg(test)]
mod tests;
