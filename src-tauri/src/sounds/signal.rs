//! The app's own soft sounds, made by computation: a few notes that rise, fall, or knock. The page
//! makes the same in browsers (`ui/platform/browser/sound/signal.js`), and says when one is due.

use std::f32::consts::TAU;

use serde::Deserialize;
use visita_media::sound::{BLOCK, RATE};

/// What is told by a sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// Somebody came.
    Join,
    /// Somebody left.
    Leave,
    /// Somebody begins to wait.
    Knock,
}

/// A note: its pitch in hertz, and when it begins and how long it lasts, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Note {
    hertz: u32,
    at_ms: u32,
    long_ms: u32,
}

/// −24 dBFS at its loudest, half of the test tone: heard in a quiet room, and wakes nobody behind a
/// curtain.
const GAIN: f32 = 0.063;
/// How long a note takes to be as loud, so that it doesn't click or startle.
const RISE_MS: u32 = 15;

const fn note(hertz: u32, at_ms: u32, long_ms: u32) -> Note {
    Note {
        hertz,
        at_ms,
        long_ms,
    }
}

impl Signal {
    const fn notes(self) -> [Note; 2] {
        match self {
            Self::Join => [note(587, 0, 200), note(880, 200, 260)],
            Self::Leave => [note(880, 0, 200), note(587, 200, 260)],
            Self::Knock => [note(392, 0, 140), note(392, 200, 220)],
        }
    }

    /// Its samples.
    pub(crate) fn blocks(self) -> Vec<[f32; BLOCK]> {
        let notes = self.notes();
        let end = notes.iter().map(|note| note.begin() + note.long()).max();
        let mut blocks = vec![[0.0; BLOCK]; end.unwrap_or(0).div_ceil(BLOCK)];
        for note in notes {
            let places = blocks.as_flattened_mut().iter_mut().skip(note.begin());
            for (at, sample) in places.take(note.long()).enumerate() {
                *sample += note.at(at);
            }
        }
        blocks
    }
}

impl Note {
    const fn begin(self) -> usize {
        samples(self.at_ms)
    }

    const fn long(self) -> usize {
        samples(self.long_ms)
    }

    /// One of its samples: it rises in a line, and falls in one.
    fn at(self, at: usize) -> f32 {
        let (at, rise, long) = (at as f32, samples(RISE_MS) as f32, self.long() as f32);
        let loud = (at / rise).min((long - at) / (long - rise));
        GAIN * loud * (TAU * (at * self.hertz as f32 / RATE as f32).fract()).sin()
    }
}

const fn samples(ms: u32) -> usize {
    ms as usize * RATE as usize / 1000
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ALL: [(&str, Signal); 3] = [
        ("join", Signal::Join),
        ("leave", Signal::Leave),
        ("knock", Signal::Knock),
    ];

    #[test]
    fn the_notes_are_the_pages_own() {
        let vectors = include_str!("../../../protocol/vectors/signals.json");
        let vectors: Value = serde_json::from_str(vectors).unwrap();
        assert_eq!(vectors["gain"].as_f64().map(|gain| gain as f32), Some(GAIN));
        assert_eq!(vectors["rise_ms"], RISE_MS);
        for (name, signal) in ALL {
            let note = |note: Note| {
                let Note {
                    hertz,
                    at_ms,
                    long_ms,
                } = note;
                json!({ "hertz": hertz, "at_ms": at_ms, "long_ms": long_ms })
            };
            assert_eq!(vectors["signals"][name], json!(signal.notes().map(note)));
            assert_eq!(
                serde_json::from_value::<Signal>(json!(name)).unwrap(),
                signal
            );
        }
    }

    /// How often the samples cross zero upwards, in hertz.
    fn pitch(samples: &[f32]) -> f32 {
        let crossed = samples
            .windows(2)
            .filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0);
        crossed.count() as f32 * RATE as f32 / samples.len() as f32
    }

    #[test]
    fn each_is_soft_and_short_and_its_notes_are_what_they_say() {
        for (name, signal) in ALL {
            let blocks = signal.blocks();
            let all = blocks.as_flattened();
            assert!(all.len() < RATE as usize / 2, "{name}");
            let peak = all
                .iter()
                .fold(0.0_f32, |most, sample| most.max(sample.abs()));
            assert!((0.9 * GAIN..=GAIN).contains(&peak), "{name}: {peak}");
            for note in signal.notes() {
                let part = &all[note.begin()..note.begin() + note.long()];
                let heard = pitch(part);
                assert!(
                    (heard - note.hertz as f32).abs() < 10.0,
                    "{name}: {heard} Hz"
                );
                for edge in [&part[..24], &part[part.len() - 24..]] {
                    assert!(
                        edge.iter().all(|sample| sample.abs() < 0.1 * GAIN),
                        "{name} clicks"
                    );
                }
            }
        }
    }
}
