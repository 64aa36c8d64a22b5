//! How loud sound is, and whether somebody speaks: pure.

/// Digital silence, in decibels below full scale.
pub const SILENCE: f32 = -127.0;

/// The root mean square of some samples, in decibels below full scale (a square wave at full scale
/// = 0), never under −127.
pub fn dbfs(samples: &[f32]) -> f32 {
    if samples.is_empty() {
        return SILENCE;
    }
    let power = samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len() as f32;
    of_power(power)
}

/// A mean power in decibels below full scale, within 0 and −127.
pub fn of_power(power: f32) -> f32 {
    let dbfs = 10.0 * power.log10();
    // What is no number is no sound.
    if dbfs > SILENCE {
        dbfs.min(0.0)
    } else {
        SILENCE
    }
}

/// Speech is so many decibels above the room's noise…
const ABOVE_NOISE: f32 = 9.0;
/// …and not softer than this: a whisper at arm's length, at the usual gain.
const WHISPER: f32 = -60.0;
/// The noise is what is left in the pauses, which come every second or so: it is followed down at
/// once, and up by so many decibels a second, so that a sentence isn't taken for it.
const NOISE_RISES: f32 = 3.0;
/// No room is more silent: only devices that are switched off.
const LEAST_NOISE: f32 = -80.0;
/// How long somebody still speaks after the last loud frame: words have holes.
const HANG_FRAMES: u32 = 10;

/// Whether somebody speaks, told from how loud frames of 20 ms are against the room's noise. (The
/// processing has a detector of its own, but doesn't tell what it finds.)
#[derive(Clone, Debug)]
pub struct Voice {
    noise: f32,
    hang: u32,
}

impl Default for Voice {
    fn default() -> Self {
        Self {
            noise: -50.0,
            hang: 0,
        }
    }
}

impl Voice {
    /// In a room that wasn't heard yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether somebody speaks in this frame of 20 ms.
    pub fn frame(&mut self, dbfs: f32) -> bool {
        let risen = self.noise + NOISE_RISES / 50.0;
        self.noise = dbfs.max(LEAST_NOISE).min(risen);
        if dbfs > self.noise + ABOVE_NOISE && dbfs > WHISPER {
            self.hang = HANG_FRAMES;
            return true;
        }
        self.hang = self.hang.saturating_sub(1);
        self.hang > 0
    }
}

/// Of the last second, so many frames with voice are talking: a cough is shorter.
const TALKING_FRAMES: u32 = 25;
const SECOND_FRAMES: u32 = 50;

/// Whether somebody talks, not only coughs: for the word to who talks while muted.
#[derive(Clone, Debug, Default)]
pub struct Talking {
    /// One bit for each of the last frames.
    recent: u64,
}

impl Talking {
    /// Nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether somebody talks, after this frame of 20 ms.
    pub fn frame(&mut self, voice: bool) -> bool {
        let all = (1 << SECOND_FRAMES) - 1;
        self.recent = ((self.recent << 1) | u64::from(voice)) & all;
        self.recent.count_ones() >= TALKING_FRAMES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_what_they_are() {
        assert!((dbfs(&[1.0, -1.0]) - 0.0).abs() < 1e-6);
        assert!((dbfs(&[0.1; 960]) + 20.0).abs() < 1e-3);
        for silent in [&[][..], &[0.0; 9], &[f32::NAN; 9]] {
            assert!((dbfs(silent) - SILENCE).abs() < 1e-6);
        }
        assert!((dbfs(&[f32::INFINITY]) - 0.0).abs() < 1e-6);
    }

    /// Frames of speech and pauses over a noise; answers the share with voice of each second.
    fn heard(speech: f32, noise: f32, seconds: usize) -> Vec<f32> {
        let mut voice = Voice::new();
        let frames = (0..seconds * 50).map(|frame| {
            // Syllables of 120 ms with holes of 80 between, a pause of a second every three.
            let speaks = frame / 50 % 3 != 2 && frame % 10 < 6;
            voice.frame(if speaks { speech } else { noise })
        });
        let frames: Vec<bool> = frames.collect();
        let share = |second: &[bool]| second.iter().filter(|&&v| v).count() as f32 / 50.0;
        frames.chunks(50).map(share).collect()
    }

    #[test]
    fn speech_is_told_from_noise() {
        for (speech, noise) in [
            (-25.0, -60.0),
            (-50.0, -75.0),
            (-25.0, -40.0),
            (-20.0, -32.0),
        ] {
            let heard = heard(speech, noise, 60);
            for (second, share) in heard.iter().enumerate().skip(6) {
                if second % 3 == 2 {
                    assert!(*share <= 0.25, "{speech} over {noise}: {share} in {second}");
                } else {
                    assert!(*share >= 0.9, "{speech} over {noise}: {share} in {second}");
                }
            }
        }
    }

    #[test]
    fn a_fan_that_starts_is_soon_no_voice() {
        let mut voice = Voice::new();
        for _ in 0..500 {
            voice.frame(-70.0);
        }
        let loud = (0..1000).filter(|_| voice.frame(-45.0)).count();
        assert!(loud < 400, "{loud} frames");
        assert!(!voice.frame(-45.0));
    }

    #[test]
    fn a_cough_is_no_talking() {
        let mut talking = Talking::new();
        assert!(!(0..20).any(|_| talking.frame(true)));
        assert!(!(0..50).any(|_| talking.frame(false)));
        assert!((0..30).any(|_| talking.frame(true)));
        for _ in 0..50 {
            talking.frame(false);
        }
        assert!(!talking.frame(false));
    }
}
