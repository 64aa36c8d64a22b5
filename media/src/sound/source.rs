//! Where sound comes from.

use std::{path::PathBuf, str::FromStr};

use super::devices::DeviceId;

mod file;
mod tone;

pub use file::File;
pub use tone::Tone;

/// Which source: `mic`, `mic:ID`, `tone:HZ`, `file:PATH` or `none`.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Choice {
    /// No sound.
    #[default]
    None,
    /// A microphone: this one, or the system's default.
    Microphone(Option<DeviceId>),
    /// A tone of this many hertz.
    Tone(f32),
    /// A file, over and over: WAV by itself, anything else through the `ffmpeg` program.
    File(PathBuf),
}

/// A choice that can't be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is no sound source ({why}); use mic, mic:ID, tone:440, file:PATH or none")]
pub struct BadChoice {
    /// What was given.
    pub given: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// The tones that 48 kHz carry and a loudspeaker can play, in hertz.
const TONES: std::ops::RangeInclusive<f32> = 20.0..=20_000.0;

impl FromStr for Choice {
    type Err = BadChoice;

    fn from_str(text: &str) -> Result<Self, BadChoice> {
        let bad = |why| BadChoice {
            given: text.chars().take(200).collect(),
            why,
        };
        let (kind, rest) = match text.split_once(':') {
            Some((kind, rest)) => (kind, Some(rest)),
            None => (text, None),
        };
        match (kind, rest) {
            ("none", None) => Ok(Choice::None),
            ("mic", None) => Ok(Choice::Microphone(None)),
            ("mic", Some("")) => Err(bad("the microphone's ID is missing")),
            ("mic", Some(id)) => Ok(Choice::Microphone(Some(DeviceId::new(id)))),
            ("tone", Some(hertz)) => match hertz.parse::<f32>() {
                Ok(hertz) if TONES.contains(&hertz) => Ok(Choice::Tone(hertz)),
                _ => Err(bad("expected 20 to 20000 hertz")),
            },
            ("tone", None) => Err(bad("the tone's pitch is missing")),
            ("file", None | Some("")) => Err(bad("the path is missing")),
            ("file", Some(path)) => Ok(Choice::File(path.into())),
            _ => Err(bad("no such kind")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_understood() {
        let of = |text: &str| text.parse::<Choice>().unwrap();
        assert_eq!(of("none"), Choice::None);
        assert_eq!(of("mic"), Choice::Microphone(None));
        let id = DeviceId::new("pulseaudio:in");
        assert_eq!(of("mic:pulseaudio:in"), Choice::Microphone(Some(id)));
        assert_eq!(of("tone:440"), Choice::Tone(440.0));
        assert_eq!(of("file:a:b.wav"), Choice::File("a:b.wav".into()));
    }

    #[test]
    fn anything_else_is_a_clear_error() {
        let bad = [
            "",
            "microphone",
            "mic:",
            "tone",
            "tone:",
            "tone:x",
            "tone:0",
            "tone:NaN",
            "tone:-440",
            "tone:inf",
            "tone:48000",
            "file",
            "file:",
            "none:1",
        ];
        for text in bad {
            let error = text.parse::<Choice>().unwrap_err().to_string();
            assert!(error.contains("use mic"), "{error}");
        }
    }
}
