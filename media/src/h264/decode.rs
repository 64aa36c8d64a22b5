//! Frames to pictures.

use openh264::{
    OpenH264API,
    decoder::{Decoder as Native, DecoderConfig, Flush},
    formats::YUVSource as _,
};
use visita_protocol::{media::Size, time::MediaTime};

use super::nal::{self, Sps, kind};
use crate::picture::{BadSize, Draft, Picture};

/// The largest coded picture, in pixels: 1080p. A few bytes of parameter set can ask for more
/// memory than a tablet has.
const MOST_PIXELS: u32 = 1920 * 1088;

/// Why a frame gives no picture.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing can be shown before a key frame: it is the first frame, or one after an error.
    #[error("H.264: no key frame yet")]
    NoKeyFrame,
    /// No H.264, or broken; decoding goes on at the next key frame.
    #[error("H.264: broken frame ({0})")]
    Broken(String),
    /// A picture larger than 1080p, or of a profile that was never offered.
    #[error("H.264: parameter set not acceptable")]
    Unacceptable,
    /// A size that no picture can have.
    #[error("H.264: {0}")]
    Size(#[from] BadSize),
}

/// A decoder for one stream. It shows nothing that it had to make up: after an error it is silent
/// until the next key frame.
pub struct Decoder {
    native: Option<Native>,
}

impl Decoder {
    /// A decoder. Its codec is made with the first key frame.
    pub fn new() -> Self {
        Self { native: None }
    }

    /// Whether only a key frame can be decoded now.
    pub fn needs_key(&self) -> bool {
        self.native.is_none()
    }

    /// Decodes a whole frame. `Ok(None)`: the frame is good and there is no picture in it.
    pub fn decode(&mut self, frame: &[u8], time: MediaTime) -> Result<Option<Picture>, Error> {
        let mut is_key = false;
        let mut slices = false;
        for unit in nal::units(frame) {
            match nal::kind_of(unit) {
                kind::IDR => is_key = true,
                kind::SLICE => slices = true,
                kind::SPS => {
                    let acceptable = Sps::parse(unit).filter(|sps| {
                        u32::from(sps.coded.width) * u32::from(sps.coded.height) <= MOST_PIXELS
                    });
                    if acceptable.is_none() {
                        self.native = None;
                        return Err(Error::Unacceptable);
                    }
                }
                _ => {}
            }
        }
        if !is_key && !slices {
            self.native = None;
            return Err(Error::Broken("no slice".into()));
        }
        let result = self.decode_units(frame, is_key, time);
        if result.is_err() {
            // The codec's state is not to be trusted; a new one begins at a key frame.
            self.native = None;
        }
        result
    }

    fn decode_units(
        &mut self,
        frame: &[u8],
        is_key: bool,
        time: MediaTime,
    ) -> Result<Option<Picture>, Error> {
        let native = match &mut self.native {
            Some(native) => native,
            None if !is_key => return Err(Error::NoKeyFrame),
            none => {
                // No delay: Baseline has no frames that are shown later than decoded.
                let config = DecoderConfig::new().flush_after_decode(Flush::NoFlush);
                let made = Native::with_api_config(OpenH264API::from_source(), config);
                none.insert(made.map_err(|error| Error::Broken(error.to_string()))?)
            }
        };
        let decoded = native
            .decode(frame)
            .map_err(|error| Error::Broken(error.to_string()))?;
        let Some(decoded) = decoded else {
            return Ok(None);
        };
        let (width, height) = decoded.dimensions();
        let size = |side: usize| u16::try_from(side & !1).unwrap_or(u16::MAX);
        let mut draft = Draft::new(Size::new(size(width), size(height)), time)?;
        let wide = usize::from(draft.size().width);
        let strides = decoded.strides();
        let planes = draft.planes();
        copy(planes.y, wide, decoded.y(), strides.0);
        copy(planes.u, wide / 2, decoded.u(), strides.1);
        copy(planes.v, wide / 2, decoded.v(), strides.2);
        Ok(Some(draft.finish()))
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

fn copy(to: &mut [u8], width: usize, from: &[u8], stride: usize) {
    for (to, from) in to.chunks_exact_mut(width).zip(from.chunks(stride)) {
        to.copy_from_slice(&from[..width]);
    }
}
