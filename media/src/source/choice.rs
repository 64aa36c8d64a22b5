//! A source as it is named on a command line.

use std::{path::PathBuf, str::FromStr};

use visita_protocol::media::Size;

use super::{Camera, Error, Feed, File, Opener, Source, Synthetic, synthetic};

/// Which source: `camera`, `camera:ID`, `synthetic[:WxH@FPS]`, `file:PATH` or `none`.
#[derive(Clone, Debug, PartialEq)]
pub enum Choice {
    /// A camera: the one of this identity as [`super::cameras`] lists them, or the first.
    Camera(Option<String>),
    /// The synthetic picture.
    Synthetic(synthetic::Config),
    /// A film.
    File(PathBuf),
    /// What somebody else captures; it has no name on a command line.
    Feed(Feed),
    /// No picture.
    None,
}

/// A choice that can't be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{given:?} is no picture source ({why}); use camera, camera:ID, synthetic, synthetic:640x360@30, file:PATH or none"
)]
pub struct BadChoice {
    /// What was given.
    pub given: String,
    /// What is wrong with it.
    pub why: &'static str,
}

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
            ("camera", None) => Ok(Choice::Camera(None)),
            ("camera", Some("")) => Err(bad("the camera's ID is missing")),
            ("camera", Some(id)) => Ok(Choice::Camera(Some(id.to_owned()))),
            ("synthetic", None) => Ok(Choice::Synthetic(synthetic::Config::default())),
            ("synthetic", Some(form)) => form_of(form).map(Choice::Synthetic).map_err(bad),
            ("file", None | Some("")) => Err(bad("the path is missing")),
            ("file", Some(path)) => Ok(Choice::File(path.into())),
            ("none", None) => Ok(Choice::None),
            _ => Err(bad("no such kind")),
        }
    }
}

fn form_of(text: &str) -> Result<synthetic::Config, &'static str> {
    const FORM: &str = "expected WIDTHxHEIGHT@FPS";
    let (size, fps) = text.split_once('@').ok_or(FORM)?;
    let (width, height) = size.split_once('x').ok_or(FORM)?;
    let (width, height) = (
        width.parse().map_err(|_| FORM)?,
        height.parse().map_err(|_| FORM)?,
    );
    let fps = fps.parse().map_err(|_| FORM)?;
    synthetic::Config::new(Size::new(width, height), fps)
}

impl Choice {
    /// How to open it; `None` for [`Choice::None`].
    pub fn opener(self) -> Option<Opener> {
        fn boxed<S: Source + 'static>(source: S) -> Box<dyn Source> {
            Box::new(source)
        }
        Some(match self {
            Choice::Camera(mut id) => Box::new(move || {
                let camera = Camera::open(id.as_deref())?;
                // After a loss the same one is waited for: another shows what nobody meant to show.
                id = Some(camera.id().to_owned());
                Ok(boxed(camera))
            }),
            Choice::Synthetic(config) => Box::new(move || Synthetic::new(config).map(boxed)),
            Choice::File(path) => Box::new(move || File::open(&path).map(boxed)),
            Choice::Feed(feed) => Box::new(move || Ok(feed.open())),
            Choice::None => return None,
        })
    }

    /// Opens it on this thread; `Ok(None)` for [`Choice::None`].
    pub fn open(self) -> Result<Option<Box<dyn Source>>, Error> {
        self.opener().map(|mut open| open()).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_understood() {
        let of = |text: &str| text.parse::<Choice>().unwrap();
        assert_eq!(of("camera"), Choice::Camera(None));
        assert_eq!(
            of("camera:/dev/video0:1"),
            Choice::Camera(Some("/dev/video0:1".into()))
        );
        assert_eq!(
            of("synthetic"),
            Choice::Synthetic(synthetic::Config::default())
        );
        let config = synthetic::Config::new(Size::new(320, 180), 15).unwrap();
        assert_eq!(of("synthetic:320x180@15"), Choice::Synthetic(config));
        assert_eq!(of("file:a:b.y4m"), Choice::File("a:b.y4m".into()));
        assert_eq!(of("none"), Choice::None);
    }

    #[test]
    fn anything_else_is_a_clear_error() {
        let bad = [
            "",
            "webcam",
            "camera:",
            "file",
            "file:",
            "none:1",
            "synthetic:",
            "synthetic:640x360",
            "synthetic:640@30",
            "synthetic:-2x2@30",
            "synthetic:641x360@30",
            "synthetic:640x360@0",
            "synthetic:2x2@30",
            "synthetic:99999x360@30",
            "synthetic:640x360@1000",
        ];
        for text in bad {
            let error = text.parse::<Choice>().unwrap_err().to_string();
            assert!(error.contains("use camera"), "{error}");
        }
        let long = "x"
            .repeat(100_000)
            .parse::<Choice>()
            .unwrap_err()
            .to_string();
        assert!(long.len() < 500);
    }
}
