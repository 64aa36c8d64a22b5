//! The encoders of moving pictures, whichever the codec.

use visita_protocol::media::Codec;

use super::EncodeError;
use crate::{
    h264,
    picture::Picture,
    video::{Config, Frame},
    vp8,
};

pub(super) enum Encoder {
    H264(h264::encode::Encoder),
    Vp8(Box<vp8::encode::Encoder>),
}

impl Encoder {
    /// An encoder of VP8, or else of H.264.
    pub(super) fn new(codec: Codec, config: Config) -> Result<Self, EncodeError> {
        Ok(match codec {
            Codec::Vp8 => Self::Vp8(Box::new(vp8::encode::Encoder::new(config)?)),
            _ => Self::H264(h264::encode::Encoder::new(config)?),
        })
    }

    pub(super) fn config(&self) -> Config {
        match self {
            Self::H264(encoder) => encoder.config(),
            Self::Vp8(encoder) => encoder.config(),
        }
    }

    pub(super) fn force_key(&mut self) -> Result<(), EncodeError> {
        match self {
            Self::H264(encoder) => encoder.force_key()?,
            Self::Vp8(encoder) => encoder.force_key(),
        }
        Ok(())
    }

    pub(super) fn set_bitrate(&mut self, bits: u32) -> Result<(), EncodeError> {
        match self {
            Self::H264(encoder) => encoder.set_bitrate(bits)?,
            Self::Vp8(encoder) => encoder.set_bitrate(bits)?,
        }
        Ok(())
    }

    pub(super) fn set_fps(&mut self, fps: f32) -> Result<(), EncodeError> {
        match self {
            Self::H264(encoder) => encoder.set_fps(fps)?,
            Self::Vp8(encoder) => encoder.set_fps(fps),
        }
        Ok(())
    }

    pub(super) fn encode(&mut self, picture: &Picture) -> Result<Option<Frame>, EncodeError> {
        Ok(match self {
            Self::H264(encoder) => encoder.encode(picture)?,
            Self::Vp8(encoder) => encoder.encode(picture)?,
        })
    }
}
