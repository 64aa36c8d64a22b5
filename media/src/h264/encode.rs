//! Pictures to frames.

use bytes::Bytes;
use openh264_sys2 as sys;
use visita_protocol::{
    frame::References,
    media::{Layer, Size},
};

use super::native;
use crate::picture::Picture;
pub use crate::video::{Config, Frame, bitrate};
use crate::video::{LEAST_BITRATE, MOST_BITRATE};

/// Why a picture can't be encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A picture of another size than the encoder's.
    #[error("H.264: a picture of {}×{} for an encoder of {}×{}", got.width, got.height, set.width, set.height)]
    Size {
        /// The picture's.
        got: Size,
        /// The encoder's.
        set: Size,
    },
    /// The codec failed.
    #[error("H.264: {0}")]
    Codec(#[from] native::Failure),
}

/// An encoder for one size.
pub struct Encoder {
    config: Config,
    native: native::Encoder,
    /// How many frames came out since the last one of the base layer, that one included.
    since_base: u16,
    first_time: Option<u64>,
    last_ms: i64,
    scratch: Vec<u8>,
}

impl Encoder {
    /// An encoder. Its first frame is a key frame.
    pub fn new(config: Config) -> Result<Self, Error> {
        let native = native::Encoder::new(|parameters| set_up(parameters, config))?;
        Ok(Self {
            config,
            native,
            since_base: 0,
            first_time: None,
            last_ms: -1,
            scratch: Vec::new(),
        })
    }

    /// What it was made with; the bit rate as last set.
    pub fn config(&self) -> Config {
        self.config
    }

    /// Makes the next frame a key frame.
    pub fn force_key(&mut self) -> Result<(), Error> {
        Ok(self.native.force_key()?)
    }

    /// Aims at another bit rate, in bits per second.
    pub fn set_bitrate(&mut self, bits: u32) -> Result<(), Error> {
        let bits = bits.clamp(LEAST_BITRATE, MOST_BITRATE);
        self.native.bitrate(bits as i32, most_bits(bits))?;
        self.config.bitrate = bits;
        Ok(())
    }

    /// Expects this many pictures a second: each gets its part of the bit rate.
    pub fn set_fps(&mut self, fps: f32) -> Result<(), Error> {
        let fps = fps.clamp(1.0, 120.0);
        self.native.fps(fps)?;
        self.config.fps = fps;
        Ok(())
    }

    /// Encodes a picture; `None` if rate control leaves it out.
    pub fn encode(&mut self, picture: &Picture) -> Result<Option<Frame>, Error> {
        if picture.size() != self.config.size {
            return Err(Error::Size {
                got: picture.size(),
                set: self.config.size,
            });
        }
        let first = *self.first_time.get_or_insert(picture.time().0);
        let since_ms = (picture.time().0.saturating_sub(first) / 1000) as i64;
        // Rate control divides by the time between pictures.
        self.last_ms = since_ms.max(self.last_ms + 1);
        self.scratch.clear();
        let Some(out) = self
            .native
            .encode(picture, self.last_ms, &mut self.scratch)?
        else {
            return Ok(None);
        };
        let references = if out.key {
            References::NONE
        } else {
            // Every frame refers to the newest frame of the base layer and to no other.
            References::new(&[self.since_base]).unwrap_or(References::NONE)
        };
        self.since_base = if out.temporal == 0 {
            1
        } else {
            self.since_base.saturating_add(1)
        };
        let bytes = Bytes::copy_from_slice(&self.scratch);
        let layer = Layer {
            spatial: 0,
            temporal: out.temporal,
        };
        Ok(Some(Frame {
            bytes,
            layer,
            references,
        }))
    }
}

/// How far rate control may go over the target for a while: half as much again, so that a key
/// frame doesn't make it skip pictures for long.
fn most_bits(target: u32) -> i32 {
    (target + target / 2) as i32
}

fn set_up(parameters: &mut sys::SEncParamExt, config: Config) {
    let (width, height) = (i32::from(config.size.width), i32::from(config.size.height));
    let bitrate = config.bitrate.clamp(LEAST_BITRATE, MOST_BITRATE);
    parameters.iUsageType = sys::CAMERA_VIDEO_REAL_TIME;
    parameters.iPicWidth = width;
    parameters.iPicHeight = height;
    parameters.iTargetBitrate = bitrate as i32;
    parameters.iMaxBitrate = most_bits(bitrate);
    parameters.iRCMode = sys::RC_BITRATE_MODE;
    parameters.bEnableFrameSkip = true;
    parameters.fMaxFrameRate = config.fps;
    parameters.iTemporalLayerNum = i32::from(config.temporal_layers.clamp(1, 2));
    parameters.iSpatialLayerNum = 1;
    parameters.iComplexityMode = sys::LOW_COMPLEXITY;
    // Key frames come when they are asked for, never by themselves.
    parameters.uiIntraPeriod = 0;
    parameters.bEnableSceneChangeDetect = false;
    parameters.iNumRefFrame = 1;
    parameters.eSpsPpsIdStrategy = sys::CONSTANT_ID;
    parameters.bPrefixNalAddingCtrl = false;
    parameters.bEnableSSEI = false;
    parameters.iEntropyCodingModeFlag = 0;
    parameters.iMultipleThreadIdc = 1;
    parameters.bEnableDenoise = false;
    parameters.bEnableAdaptiveQuant = false;
    parameters.bEnableBackgroundDetection = true;
    parameters.bEnableLongTermReference = false;
    let layer = &mut parameters.sSpatialLayers[0];
    layer.iVideoWidth = width;
    layer.iVideoHeight = height;
    layer.fFrameRate = config.fps;
    layer.iSpatialBitrate = bitrate as i32;
    layer.iMaxSpatialBitrate = most_bits(bitrate);
    layer.uiProfileIdc = sys::PRO_BASELINE;
    layer.uiLevelIdc = level(config.size);
    layer.sSliceArgument.uiSliceMode = sys::SM_SINGLE_SLICE;
    layer.sSliceArgument.uiSliceNum = 1;
    // BT.601 in video range (SMPTE 170M = 6), or decoders guess by size.
    layer.bVideoSignalTypePresent = true;
    layer.bFullRange = false;
    layer.bColorDescriptionPresent = true;
    layer.uiColorPrimaries = 6;
    layer.uiTransferCharacteristics = 6;
    layer.uiColorMatrix = 6;
}

/// Level 3.1 (42e01f, what browsers announce) up to 720p; above it what openh264 finds to fit.
fn level(size: Size) -> sys::ELevelIdc {
    if size.area() <= 1280 * 720 {
        sys::LEVEL_3_1
    } else {
        sys::LEVEL_4_1
    }
}
