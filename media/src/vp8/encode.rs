//! Pictures to frames.

use bytes::Bytes;
use visita_protocol::{
    frame::References,
    media::{Layer, Size},
};

use super::{Failure, native};
use crate::picture::Picture;
pub use crate::video::{Config, Frame, bitrate};
use crate::video::{LEAST_BITRATE, MOST_BITRATE};

/// Why a picture can't be encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A picture of another size than the encoder's.
    #[error("VP8: a picture of {}×{} for an encoder of {}×{}", got.width, got.height, set.width, set.height)]
    Size {
        /// The picture's.
        got: Size,
        /// The encoder's.
        set: Size,
    },
    /// The codec failed.
    #[error("VP8: {0}")]
    Codec(#[from] Failure),
}

/// What libvpx is to do with one picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    /// A key frame.
    pub(super) key: bool,
    /// A frame of the upper temporal layer: nothing will refer to it.
    pub(super) upper: bool,
    /// When it is shown and for how long, in microseconds.
    pub(super) at_us: i64,
    pub(super) for_us: u32,
}

/// An encoder for one size.
pub struct Encoder {
    config: Config,
    native: native::Encoder,
    key_due: bool,
    /// How many frames came out since the last one of the base layer, that one included.
    since_base: u16,
    /// When the next picture is shown, in microseconds.
    next_us: i64,
    scratch: Vec<u8>,
}

impl Encoder {
    /// An encoder. Its first frame is a key frame.
    pub fn new(config: Config) -> Result<Self, Error> {
        let config = Config {
            bitrate: config.bitrate.clamp(LEAST_BITRATE, MOST_BITRATE),
            ..config
        };
        Ok(Self {
            native: native::Encoder::new(&config)?,
            config,
            key_due: true,
            since_base: 0,
            next_us: 0,
            scratch: Vec::new(),
        })
    }

    /// What it was made with; bit rate and pictures a second as last set.
    pub fn config(&self) -> Config {
        self.config
    }

    /// Makes the next frame a key frame.
    pub fn force_key(&mut self) {
        self.key_due = true;
    }

    /// Aims at another bit rate, in bits per second.
    pub fn set_bitrate(&mut self, bits: u32) -> Result<(), Error> {
        self.config.bitrate = bits.clamp(LEAST_BITRATE, MOST_BITRATE);
        Ok(self.native.set(&self.config)?)
    }

    /// Expects this many pictures a second: each gets its part of the bit rate.
    pub fn set_fps(&mut self, fps: f32) {
        self.config.fps = fps.clamp(1.0, 120.0);
    }

    /// Encodes a picture; `None` if rate control leaves it out.
    pub fn encode(&mut self, picture: &Picture) -> Result<Option<Frame>, Error> {
        if picture.size() != self.config.size {
            return Err(Error::Size {
                got: picture.size(),
                set: self.config.size,
            });
        }
        // Every second frame that comes out is of the upper layer, and every frame refers to the
        // newest of the base layer and to no other.
        let upper = self.config.temporal_layers > 1 && self.since_base == 1;
        // The rate that was set, not the times of capture: libvpx takes each that comes early or
        // late for another rate.
        let for_us = (1e6 / self.config.fps) as u32;
        let turn = Turn {
            key: self.key_due,
            upper: upper && !self.key_due,
            at_us: self.next_us,
            for_us,
        };
        self.next_us += i64::from(for_us);
        self.scratch.clear();
        let key = self.native.encode(picture, turn, &mut self.scratch)?;
        if self.scratch.is_empty() {
            return Ok(None);
        }
        let references = if key {
            self.key_due = false;
            References::NONE
        } else {
            References::new(&[self.since_base]).unwrap_or(References::NONE)
        };
        self.since_base = if turn.upper { self.since_base + 1 } else { 1 };
        let layer = Layer {
            spatial: 0,
            temporal: turn.upper.into(),
        };
        Ok(Some(Frame {
            bytes: Bytes::copy_from_slice(&self.scratch),
            layer,
            references,
        }))
    }
}
