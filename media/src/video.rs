//! What the encoders of moving pictures have in common.

use bytes::Bytes;
use visita_protocol::{
    frame::References,
    media::{Layer, Size},
};

/// How to encode.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Config {
    /// The pictures' size.
    pub size: Size,
    /// The bit rate to aim at, in bits per second.
    pub bitrate: u32,
    /// The most pictures a second.
    pub fps: f32,
    /// Temporal layers: 1, or 2, where every second frame is of layer 1 and nothing refers to it.
    pub temporal_layers: u8,
}

impl Config {
    /// A call's picture: 30 a second, two temporal layers, bits by size.
    pub fn new(size: Size) -> Self {
        Self {
            size,
            bitrate: bitrate(size),
            fps: 30.0,
            temporal_layers: 2,
        }
    }
}

/// Bits a second for a picture of this size at 30 a second: 600 kbit/s at 640×360, and not quite
/// in proportion to the pixels, since smaller pictures have more detail in each.
pub fn bitrate(size: Size) -> u32 {
    let share = f64::from(size.area()) / (640.0 * 360.0);
    (600_000.0 * share.powf(0.75)).clamp(80_000.0, 2_500_000.0) as u32
}

/// An encoded frame.
#[derive(Clone, Debug)]
pub struct Frame {
    /// H.264: Annex B, parameter sets before a key frame. VP8: as RFC 6386 has it.
    pub bytes: Bytes,
    /// Its layer.
    pub layer: Layer,
    /// What it refers to: distances back among the frames that came out of this encoder.
    pub references: References,
}

/// Below it, 160×90 can't be told apart from noise.
pub(crate) const LEAST_BITRATE: u32 = 30_000;
/// Far above what any size here needs.
pub(crate) const MOST_BITRATE: u32 = 20_000_000;
