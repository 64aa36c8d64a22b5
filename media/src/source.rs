//! Where pictures come from.

mod camera;
mod choice;
mod feed;
mod file;
mod form;
pub mod synthetic;
pub mod y4m;

use crate::picture::Picture;

pub use camera::{Camera, Device, cameras, plugged};
pub use choice::{BadChoice, Choice};
pub use feed::Feed;
pub use file::File;
pub use synthetic::Synthetic;

/// Gives pictures at its own pace. It lives on the thread that opened it.
pub trait Source {
    /// What to call it on a screen: a camera's name.
    fn name(&self) -> &str;

    /// Waits for the next picture. After an error the source is of no more use.
    fn next(&mut self) -> Result<Picture, Error>;

    /// The next picture, or `None` if after a moment there is none yet: for sources that may have
    /// nothing to give for a long time, and mustn't keep who waits from ending.
    fn poll(&mut self) -> Result<Option<Picture>, Error> {
        self.next().map(Some)
    }
}

/// Makes a source, on the thread that will use it, as often as it is asked.
pub type Opener = Box<dyn FnMut() -> Result<Box<dyn Source>, Error> + Send>;

/// Why there are no pictures. The words are for a screen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such camera.
    #[error("no camera was found; connect one, or choose another")]
    Missing,
    /// The system doesn't let this program use the camera.
    #[error("this program may not use the camera; allow it in the system's settings")]
    Denied,
    /// Another program has it.
    #[error("the camera is in use by another program; close that one first")]
    Busy,
    /// It stopped giving pictures.
    #[error("the camera stopped ({0}); check its cable, or choose another")]
    Lost(String),
    /// It gives nothing that can be used.
    #[error("the camera gives no picture that can be used ({0}); choose another")]
    Unsupported(String),
    /// A file that can't be played.
    #[error("the file can't be played: {0}")]
    File(String),
    /// Anything else.
    #[error("no picture: {0}")]
    Failed(String),
}

impl Error {
    /// Whether it may pass by itself, so that opening again is worth trying.
    pub fn may_pass(&self) -> bool {
        matches!(self, Error::Missing | Error::Busy | Error::Lost(_))
    }
}
