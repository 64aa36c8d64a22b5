//! What tracks are made of.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::id::TrackId;

/// Sound or picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Sound.
    Audio,
    /// Picture.
    Video,
}

/// How a track's frames are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Codec {
    /// H.264 Constrained Baseline, Annex B, parameter sets before every key frame.
    H264,
    /// VP8 (RFC 6386).
    Vp8,
    /// A JPEG picture a frame (baseline, 4:2:0); every frame is a key frame.
    Jpeg,
    /// Opus (RFC 6716), 48 kHz, one packet a frame.
    Opus,
    /// A codec of a newer version: never chosen, never sent to this side.
    #[serde(other)]
    Unknown,
}

impl Codec {
    /// Whether it codes sound or picture; `None` for a codec that isn't known here.
    pub fn kind(self) -> Option<Kind> {
        match self {
            Codec::H264 | Codec::Vp8 | Codec::Jpeg => Some(Kind::Video),
            Codec::Opus => Some(Kind::Audio),
            Codec::Unknown => None,
        }
    }
}

/// A picture's size in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
pub struct Size {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

impl Size {
    /// A size of `width` columns and `height` rows.
    pub const fn new(width: u16, height: u16) -> Self {
        Self { width, height }
    }

    /// The number of pixels.
    pub fn area(self) -> u32 {
        u32::from(self.width) * u32::from(self.height)
    }

    /// The larger width and the larger height of the two.
    pub fn max(self, other: Size) -> Size {
        Size::new(self.width.max(other.width), self.height.max(other.height))
    }
}

/// Which layer a frame belongs to. Spatial layers are encodings of their own (simulcast): a frame
/// refers only to frames of its own spatial layer, and to none of an upper temporal layer.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS,
)]
pub struct Layer {
    /// Spatial layer, 0 = smallest.
    pub spatial: u8,
    /// Temporal layer, 0 = base.
    pub temporal: u8,
}

/// What a track shows or carries. Tracks of one member with the same source are alternatives:
/// a receiver gets one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The camera.
    Camera,
    /// The microphone.
    Microphone,
    /// A source of a newer version.
    #[serde(other)]
    Unknown,
}

/// A track as its owner announces it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Track {
    /// The track's number, chosen by its owner, unique among the owner's tracks.
    pub id: TrackId,
    /// What it carries.
    pub source: Source,
    /// How it is coded.
    pub codec: Codec,
    /// The sizes of the spatial layers, smallest first; empty for sound.
    #[serde(default)]
    pub layers: Vec<Size>,
    /// Whether its frames are sealed ([`crate::sealed`]): at the edge of RTP the relay dresses them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(as = "Option<bool>", optional)]
    pub sealed: bool,
}
