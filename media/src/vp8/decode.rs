//! Frames to pictures.

use visita_protocol::time::MediaTime;

use super::{Failure, header::Header, native};
use crate::picture::{BadSize, Picture};

/// The largest picture, in pixels: 1080p. Ten bytes of header can ask for more memory than a tablet
/// has.
const MOST_PIXELS: u32 = 1920 * 1088;

/// Why a frame gives no picture.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing can be shown before a key frame: it is the first frame, or one after an error.
    #[error("VP8: no key frame yet")]
    NoKeyFrame,
    /// No VP8.
    #[error("VP8: broken frame")]
    Broken,
    /// A picture larger than 1080p.
    #[error("VP8: too large a picture")]
    TooLarge,
    /// libvpx can't decode it; decoding goes on at the next key frame.
    #[error("VP8: {0}")]
    Codec(#[from] Failure),
    /// A size that no picture can have.
    #[error("VP8: {0}")]
    Size(#[from] BadSize),
}

/// A decoder for one stream. It shows nothing that it had to make up: after an error it is silent
/// until the next key frame.
pub struct Decoder {
    native: Option<native::Decoder>,
}

impl Decoder {
    /// A decoder. Its codec is made with the first key frame.
    pub fn new() -> Self {
        Self { native: None }
    }

    /// Decodes a whole frame. `Ok(None)`: the frame is good and there is no picture in it.
    pub fn decode(&mut self, frame: &[u8], time: MediaTime) -> Result<Option<Picture>, Error> {
        let result = self.decoded(frame, time);
        if result.is_err() {
            // The codec's state is not to be trusted; a new one begins at a key frame.
            self.native = None;
        }
        result
    }

    fn decoded(&mut self, frame: &[u8], time: MediaTime) -> Result<Option<Picture>, Error> {
        let header = Header::parse(frame).ok_or(Error::Broken)?;
        if header.key.is_some_and(|size| size.area() > MOST_PIXELS) {
            return Err(Error::TooLarge);
        }
        let native = match &mut self.native {
            Some(native) => native,
            None if header.key.is_none() => return Err(Error::NoKeyFrame),
            none => none.insert(native::Decoder::new()?),
        };
        native.decode(frame)?;
        Ok(if header.shown {
            native.picture(time)?
        } else {
            None
        })
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}
