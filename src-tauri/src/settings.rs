//! What the environment says. A person needs none of it; tests and demonstrations do.

use std::{env, ffi::OsString, path::PathBuf};

use visita_media::{
    sound::{self, listen::Output},
    source::{BadChoice, Choice, Feed},
};

/// What was set.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// `VISITA_DATA`: the folder to keep state in, instead of the system's place for the app's.
    pub data: Option<PathBuf>,
    /// `VISITA_PORT`: the port that this device hosts on, instead of 3000 or what `relay.toml`
    /// says.
    pub port: Option<u16>,
    /// `VISITA_CAMERA`: what takes the camera's place, such as `synthetic` (a moving picture with
    /// a frame number in it, for trying the app without a camera), `file:PATH`, or `page` (the web
    /// view captures, as it does where the system gives its cameras to nobody else).
    pub camera: Choice,
    /// `VISITA_MICROPHONE`: what takes the microphone's place: `tone:HZ`, `file:PATH`, `none`, or
    /// `device` (as people have it), `device:ID`.
    pub microphone: sound::source::Choice,
    /// `VISITA_SPEAKER`: where sound is played: `device` (as people have it), `device:ID`, or
    /// `none`.
    pub speaker: Output,
}

/// What names the page's own camera.
const PAGE: &str = "page";

/// A variable that can't be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not a port.
    #[error("VISITA_PORT isn't a port; give a number from 0 (any free port) to 65535")]
    Port,
    /// Not a source of pictures.
    #[error("VISITA_CAMERA: {0}")]
    Camera(#[from] BadChoice),
    /// Not a source of sound.
    #[error("VISITA_MICROPHONE: {0}")]
    Microphone(#[from] sound::source::BadChoice),
    /// No place to play sound.
    #[error("VISITA_SPEAKER: {0}")]
    Speaker(#[from] sound::listen::BadOutput),
}

impl Settings {
    /// Reads the environment.
    pub fn from_env() -> Result<Self, Error> {
        Self::new(|name| env::var_os(name))
    }

    fn new(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, Error> {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let port = match set("VISITA_PORT") {
            None => None,
            Some(port) => Some(
                port.to_str()
                    .and_then(|port| port.parse().ok())
                    .ok_or(Error::Port)?,
            ),
        };
        let camera = match set("VISITA_CAMERA") {
            None if cfg!(target_os = "android") => Choice::Feed(Feed::default()),
            None => Choice::Camera(None),
            Some(camera) if camera == PAGE => Choice::Feed(Feed::default()),
            Some(camera) => camera.to_string_lossy().parse()?,
        };
        let microphone = match set("VISITA_MICROPHONE") {
            None => sound::source::Choice::Microphone(None),
            Some(microphone) => source_of(&microphone.to_string_lossy())?,
        };
        let speaker = match set("VISITA_SPEAKER") {
            None => Output::Device(None),
            Some(speaker) => speaker.to_string_lossy().parse()?,
        };
        Ok(Self {
            data: set("VISITA_DATA").map(PathBuf::from),
            port,
            camera,
            microphone,
            speaker,
        })
    }
}

/// A microphone is a device here, as a loudspeaker is.
fn source_of(text: &str) -> Result<sound::source::Choice, sound::source::BadChoice> {
    match text.strip_prefix("device") {
        Some("") => Ok(sound::source::Choice::Microphone(None)),
        Some(id) if id.starts_with(':') => format!("mic{id}").parse(),
        _ => text.parse(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(set: &[(&str, &str)]) -> Result<Settings, Error> {
        Settings::new(|name| {
            set.iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| value.into())
        })
    }

    #[test]
    fn nothing_set_is_what_people_have() {
        let expected = Settings {
            data: None,
            port: None,
            camera: Choice::Camera(None),
            microphone: sound::source::Choice::Microphone(None),
            speaker: Output::Device(None),
        };
        assert_eq!(settings(&[]).unwrap(), expected);
        assert_eq!(
            settings(&[("VISITA_PORT", ""), ("VISITA_CAMERA", "")]).unwrap(),
            expected
        );
    }

    #[test]
    fn what_is_set_counts_and_nonsense_is_named() {
        let set = settings(&[
            ("VISITA_DATA", "/x"),
            ("VISITA_PORT", "0"),
            ("VISITA_CAMERA", "file:a b.y4m"),
            ("VISITA_MICROPHONE", "tone:440"),
            ("VISITA_SPEAKER", "none"),
        ]);
        let expected = Settings {
            data: Some("/x".into()),
            port: Some(0),
            camera: Choice::File("a b.y4m".into()),
            microphone: sound::source::Choice::Tone(440.0),
            speaker: Output::None,
        };
        assert_eq!(set.unwrap(), expected);
        let synthetic = settings(&[("VISITA_CAMERA", "synthetic")]).unwrap().camera;
        assert!(matches!(synthetic, Choice::Synthetic(_)));
        let page = settings(&[("VISITA_CAMERA", "page")]).unwrap().camera;
        assert!(matches!(page, Choice::Feed(_)));
        assert_eq!(settings(&[("VISITA_PORT", "70000")]), Err(Error::Port));
        assert!(matches!(
            settings(&[("VISITA_CAMERA", "webcam")]),
            Err(Error::Camera(_))
        ));
        let microphone = |set| settings(&[("VISITA_MICROPHONE", set)]).map(|set| set.microphone);
        let id = sound::devices::DeviceId::new("alsa:in");
        assert_eq!(
            microphone("device:alsa:in").unwrap(),
            sound::source::Choice::Microphone(Some(id))
        );
        assert_eq!(
            microphone("device").unwrap(),
            sound::source::Choice::Microphone(None)
        );
        for wrong in ["devices", "device:", "tone"] {
            assert!(
                matches!(microphone(wrong), Err(Error::Microphone(_))),
                "{wrong}"
            );
        }
        assert!(matches!(
            settings(&[("VISITA_SPEAKER", "loud")]),
            Err(Error::Speaker(_))
        ));
    }
}
