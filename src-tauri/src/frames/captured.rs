//! The page's camera, where the system gives its cameras to web views alone (Android): Rust says
//! when it is to be on, and the page hands over its pictures, which go the way of any camera's.
//!
//! A binary message of the page is a picture. All numbers are big-endian:
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 1 | version, 1 |
//! | 1 | 1 | format: 0 I420, 1 NV12, 2 RGBA; rows follow one another without gaps |
//! | 2 | 2 | width |
//! | 4 | 2 | height |
//! | 6 | 2 | 0 |
//! | 8 | | pixels |

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use visita_media::{
    clock,
    convert::{Converter, Format, Raw},
    source::{Error, Feed},
};

/// Bytes before the pixels.
const HEADER: usize = 8;

/// The largest message with a picture: full HD, the least compact format.
pub(super) const MAX_PICTURE: usize = HEADER + 4 * 1920 * 1080;

/// The page's camera as Rust uses it.
#[derive(Clone)]
pub struct Captured {
    feed: Feed,
    wanted: watch::Receiver<bool>,
}

/// What Rust says to the page.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Order {
    /// The camera is to be on, or off.
    Capture {
        /// Which.
        on: bool,
    },
}

/// What the page says of its camera. Starting and on need no words: pictures come.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Said {
    /// How it is.
    Camera {
        /// The states of the page's own camera.
        state: State,
    },
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Off,
    Starting,
    On,
    Denied,
    Missing,
    Busy,
    Lost,
    Insecure,
    Failed,
}

impl Captured {
    /// What comes goes into this feed.
    pub fn new(feed: Feed) -> Self {
        let (sender, wanted) = watch::channel(false);
        feed.on_wanted(move |on| {
            sender.send_replace(on);
        });
        Self { feed, wanted }
    }

    /// Tells when the camera is to be on.
    pub(super) fn wanted(&self) -> watch::Receiver<bool> {
        self.wanted.clone()
    }

    /// A picture came.
    pub(super) fn picture(&self, converter: &mut Converter, message: &[u8]) {
        let Some(raw) = parse(message) else {
            tracing::warn!("the page sent something that is no picture");
            return;
        };
        match converter.picture(raw, clock::now()) {
            Ok(picture) => self.feed.put(picture),
            Err(error) => tracing::warn!(%error, "the page's picture can't be used"),
        }
    }

    /// The page's camera changed.
    pub(super) fn said(&self, said: Said) {
        let Said::Camera { state } = said;
        let error = match state {
            State::Off | State::Starting | State::On => return,
            State::Denied => Error::Denied,
            State::Missing => Error::Missing,
            State::Busy => Error::Busy,
            State::Lost => Error::Lost("the page's camera".into()),
            State::Insecure | State::Failed => Error::Failed("the page has no camera".into()),
        };
        self.feed.fail(error);
    }

    /// The page is gone; another comes when it was loaded again.
    pub(super) fn gone(&self) {
        self.feed.fail(Error::Lost("the page is gone".into()));
    }
}

fn parse(message: &[u8]) -> Option<Raw<'_>> {
    let (header, bytes) = message.split_first_chunk::<HEADER>()?;
    let [1, format, w1, w0, h1, h0, ..] = *header else {
        return None;
    };
    let format = match format {
        0 => Format::I420,
        1 => Format::Nv12,
        2 => Format::Rgba,
        _ => return None,
    };
    Some(Raw {
        format,
        width: u16::from_be_bytes([w1, w0]),
        height: u16::from_be_bytes([h1, h0]),
        bytes,
    })
}
