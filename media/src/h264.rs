//! H.264 Constrained Baseline by openh264: Annex B, parameter sets before every key frame.

pub mod decode;
pub mod encode;
pub mod nal;
mod native;
