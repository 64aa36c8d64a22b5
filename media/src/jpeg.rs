//! JPEG pictures: the track for browsers that decode nothing else, and cameras that send them.
//! JPEG is full range and [`Picture`] is video range: both ways convert.

use bytes::Bytes;
use turbojpeg::{Compressor, Decompressor, OutputBuf, Subsamp, YuvImage, YuvPlanesImage};
use visita_protocol::{media::Size, time::MediaTime};

use crate::picture::{BadSize, Draft, Picture};

/// The quality of the JPEG track: at equal bits higher ones show no better on a phone.
pub const QUALITY: u8 = 60;

/// The most pixels that a JPEG picture may have: 1920×1200, as cameras send them. A few bytes can
/// claim 65535×65535.
const MOST_PIXELS: usize = 1920 * 1200;

/// Why a picture can't be coded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not a JPEG picture, or a broken one; or the encoder refused.
    #[error("JPEG: {0}")]
    Codec(#[from] turbojpeg::Error),
    /// A size that no picture can have.
    #[error("JPEG: {0}")]
    Size(#[from] BadSize),
    /// A kind of JPEG that isn't sent: progressive, lossless, arithmetic, or of odd colours.
    #[error("JPEG: only baseline pictures are taken")]
    Unusual,
}

/// Encodes pictures, 4:2:0, baseline.
pub struct Encoder {
    compressor: Compressor,
    planes: Vec<u8>,
}

impl Encoder {
    /// An encoder of this quality, 1 to 100.
    pub fn new(quality: u8) -> Result<Self, Error> {
        let mut compressor = Compressor::new()?;
        compressor.set_quality(i32::from(quality.clamp(1, 100)))?;
        Ok(Self {
            compressor,
            planes: Vec::new(),
        })
    }

    /// The picture as JPEG.
    pub fn encode(&mut self, picture: &Picture) -> Result<Bytes, Error> {
        let luma = picture.y().len();
        self.planes.clear();
        self.planes
            .extend(picture.y().iter().map(|&value| full_luma(value)));
        self.planes.extend(
            picture.bytes()[luma..]
                .iter()
                .map(|&value| full_chroma(value)),
        );
        let (y_plane, chroma) = self.planes.split_at(luma);
        let (u_plane, v_plane) = chroma.split_at(luma / 4);
        let (width, height) = (picture.width(), picture.height());
        let image = YuvPlanesImage {
            y_plane,
            u_plane,
            v_plane,
            width,
            height,
            y_stride: width,
            u_stride: width / 2,
            v_stride: width / 2,
            subsamp: Subsamp::Sub2x2,
        };
        let mut out = OutputBuf::new_owned();
        self.compressor.compress_yuv_planes(&image, &mut out)?;
        Ok(Bytes::copy_from_slice(&out))
    }
}

/// Decodes baseline pictures of any subsampling.
pub struct Decoder {
    decompressor: Decompressor,
    pixels: Vec<u8>,
}

impl Decoder {
    /// A decoder.
    pub fn new() -> Result<Self, Error> {
        Ok(Self {
            decompressor: Decompressor::new()?,
            pixels: Vec::new(),
        })
    }

    /// The picture in a JPEG; a last odd column or row is cut off.
    pub fn decode(&mut self, jpeg: &[u8], time: MediaTime) -> Result<Picture, Error> {
        let result = self.baseline(jpeg, time);
        if result.is_err() {
            // libjpeg's state after a broken picture makes it refuse the next good one.
            self.decompressor = Decompressor::new()?;
        }
        result
    }

    fn baseline(&mut self, jpeg: &[u8], time: MediaTime) -> Result<Picture, Error> {
        let header = self.decompressor.read_header(jpeg)?;
        if header.is_progressive || header.is_lossless || header.is_arithmetic {
            return Err(Error::Unusual);
        }
        let (width, height) = (header.width, header.height);
        if !matches!(
            header.colorspace,
            turbojpeg::Colorspace::YCbCr | turbojpeg::Colorspace::Gray
        ) || width.saturating_mul(height) > MOST_PIXELS
        {
            return Err(Error::Unusual);
        }
        let size = Size::new(width as u16 & !1, height as u16 & !1);
        let mut draft = Draft::new(size, time)?;
        let subsamp = header.subsamp;
        let len = turbojpeg::yuv_pixels_len(width, 1, height, subsamp)?;
        self.pixels.resize(len, 0);
        let image = YuvImage {
            pixels: self.pixels.as_mut_slice(),
            width,
            align: 1,
            height,
            subsamp,
        };
        let ((luma_wide, luma_high), (chroma_wide, chroma_high)) =
            (image.y_size(), image.uv_size());
        self.decompressor.decompress_to_yuv(jpeg, image)?;

        let (luma, chroma) = self.pixels.split_at(luma_wide * luma_high);
        let planes = draft.planes();
        let (wide, half) = (usize::from(size.width), usize::from(size.width) / 2);
        for (to, from) in planes
            .y
            .chunks_exact_mut(wide)
            .zip(luma.chunks_exact(luma_wide))
        {
            for (to, &from) in to.iter_mut().zip(from) {
                *to = video_luma(from);
            }
        }
        if subsamp == Subsamp::Gray {
            planes.u.fill(128);
            planes.v.fill(128);
            return Ok(draft.finish());
        }
        let (u, v) = chroma.split_at(chroma_wide * chroma_high);
        for (to, from) in [(planes.u, u), (planes.v, v)] {
            let rows = Rows {
                samples: from,
                wide: chroma_wide,
                high: chroma_high,
            };
            for (row, to) in to.chunks_exact_mut(half).enumerate() {
                rows.write(subsamp, row, to);
            }
        }
        Ok(draft.finish())
    }
}

/// A chroma plane of a file, of whatever subsampling.
struct Rows<'a> {
    samples: &'a [u8],
    wide: usize,
    high: usize,
}

impl Rows<'_> {
    fn row(&self, row: usize) -> &[u8] {
        &self.samples[row.min(self.high - 1) * self.wide..][..self.wide]
    }

    /// Writes the 4:2:0 picture's chroma row `row`.
    fn write(&self, subsamp: Subsamp, row: usize, to: &mut [u8]) {
        match subsamp {
            // What the JPEG track sends.
            Subsamp::Sub2x2 => {
                for (to, &from) in to.iter_mut().zip(self.row(row)) {
                    *to = video_chroma(from);
                }
            }
            // What most cameras send.
            Subsamp::Sub2x1 => {
                let (upper, lower) = (self.row(2 * row), self.row(2 * row + 1));
                for ((to, &upper), &lower) in to.iter_mut().zip(upper).zip(lower) {
                    *to = video_chroma(u16::midpoint(u16::from(upper) + 1, u16::from(lower)) as u8);
                }
            }
            _ => self.write_any(subsamp, row, to),
        }
    }

    fn write_any(&self, subsamp: Subsamp, row: usize, to: &mut [u8]) {
        // How many of the file's samples make one of ours, each way; where the file has fewer
        // (4:1:1), one stands for several.
        let across = (2 / subsamp.width().min(2), subsamp.width().div_ceil(2));
        let down = (2 / subsamp.height().min(2), subsamp.height().div_ceil(2));
        let first = row * down.0 / down.1;
        let (upper, lower) = (self.row(first), self.row(first + down.0 - 1));
        for (column, to) in to.iter_mut().enumerate() {
            let left = (column * across.0 / across.1).min(self.wide - 1);
            let right = (left + across.0 - 1).min(self.wide - 1);
            let samples = [upper[left], upper[right], lower[left], lower[right]];
            let sum: u16 = samples.into_iter().map(u16::from).sum();
            *to = video_chroma(((sum + 2) / 4) as u8);
        }
    }
}

// The ranges' ratios as 16-bit fractions: without branches or tables, so that they vectorise.

fn full_luma(video: u8) -> u8 {
    // 255/219
    let above = u32::from(video.clamp(16, 235)) - 16;
    ((above * 76309 + 32768) >> 16) as u8
}

fn full_chroma(video: u8) -> u8 {
    // 255/224 around 128
    let above = i32::from(video.clamp(16, 240)) - 128;
    (((above * 74606 + 32768) >> 16) + 128).clamp(0, 255) as u8
}

fn video_luma(full: u8) -> u8 {
    // 219/255
    ((u32::from(full) * 56284 + 32768) >> 16) as u8 + 16
}

fn video_chroma(full: u8) -> u8 {
    // 224/255 around 128
    let above = i32::from(full) - 128;
    (((above * 57569 + 32768) >> 16) + 128) as u8
}

#[cfg(test)]
mod tests {
    use turbojpeg::{Image, PixelFormat};

    use super::*;

    #[test]
    fn ranges_have_the_same_ends_and_round_trip() {
        assert_eq!((full_luma(16), full_luma(235)), (0, 255));
        assert_eq!((full_luma(0), full_luma(255)), (0, 255));
        assert_eq!((video_luma(0), video_luma(255)), (16, 235));
        assert_eq!((full_chroma(128), video_chroma(128)), (128, 128));
        assert_eq!((full_chroma(16), full_chroma(240)), (0, 255));
        for value in 16..=235 {
            assert_eq!(video_luma(full_luma(value)), value);
            assert!(video_chroma(full_chroma(value)).abs_diff(value) <= 1);
        }
    }

    #[test]
    fn other_subsamplings_decode_to_the_same_picture() {
        let (width, height) = (48, 34);
        let mut pixels = Vec::new();
        for row in 0..height {
            for column in 0..width {
                let colour = if column < width / 2 {
                    [200, 40, 40]
                } else {
                    [40, 60, 180]
                };
                pixels.extend(if row < 16 { colour } else { [90, 200, 90] });
            }
        }
        let image = Image {
            pixels: pixels.as_slice(),
            width,
            pitch: 3 * width,
            height,
            format: PixelFormat::RGB,
        };
        let mut decoder = Decoder::new().unwrap();
        let reference = turbojpeg::compress(image, 95, Subsamp::None).unwrap();
        let reference = decoder.decode(&reference, MediaTime(1)).unwrap();
        // The top left corner is red: BT.601 video range says so.
        assert!(reference.y()[2].abs_diff(89) <= 4, "{}", reference.y()[2]);
        assert!(reference.v()[1].abs_diff(195) <= 6, "{}", reference.v()[1]);
        for subsamp in [
            Subsamp::Sub2x1,
            Subsamp::Sub2x2,
            Subsamp::Sub1x2,
            Subsamp::Sub4x1,
        ] {
            let jpeg = turbojpeg::compress(image, 95, subsamp).unwrap();
            let picture = decoder.decode(&jpeg, MediaTime(1)).unwrap();
            assert_eq!(picture.size(), reference.size());
            let far = picture.bytes().iter().zip(reference.bytes());
            let far = far.filter(|(a, b)| a.abs_diff(**b) > 12).count();
            assert!(
                far < picture.bytes().len() / 20,
                "{subsamp:?}: {far} pixels far off"
            );
        }
        let jpeg = turbojpeg::compress(image, 95, Subsamp::Gray).unwrap();
        let grey = decoder.decode(&jpeg, MediaTime(1)).unwrap();
        assert!(grey.u().iter().chain(grey.v()).all(|&value| value == 128));
    }

    #[test]
    fn odd_sizes_lose_their_edge() {
        let image = Image {
            pixels: [99; 3 * 35 * 17].as_slice(),
            width: 35,
            pitch: 105,
            height: 17,
            format: PixelFormat::RGB,
        };
        let jpeg = turbojpeg::compress(image, 80, Subsamp::Sub2x2).unwrap();
        let picture = Decoder::new().unwrap().decode(&jpeg, MediaTime(0)).unwrap();
        assert_eq!(picture.size(), Size::new(34, 16));
    }

    #[test]
    fn a_picture_survives() {
        let mut draft = Draft::filled(Size::new(64, 48), MediaTime(9), [120, 100, 170]).unwrap();
        draft.planes().y[..64 * 24].fill(50);
        let picture = draft.finish();
        let jpeg = Encoder::new(QUALITY).unwrap().encode(&picture).unwrap();
        let back = Decoder::new().unwrap().decode(&jpeg, MediaTime(9)).unwrap();
        let worst = picture
            .bytes()
            .iter()
            .zip(back.bytes())
            .map(|(a, b)| a.abs_diff(*b))
            .max();
        assert!(worst < Some(12), "{worst:?}");
    }

    fn picture_of(jpeg: &[u8]) -> Picture {
        Decoder::new().unwrap().decode(jpeg, MediaTime(0)).unwrap()
    }

    #[test]
    fn garbage_progressive_and_truncated_pictures_are_errors_or_pictures_never_panics() {
        let mut decoder = Decoder::new().unwrap();
        let picture = Draft::filled(Size::new(64, 48), MediaTime(0), [120, 100, 170])
            .unwrap()
            .finish();
        let jpeg = Encoder::new(QUALITY).unwrap().encode(&picture).unwrap();
        for length in 0..jpeg.len() {
            let _ = decoder.decode(&jpeg[..length], MediaTime(0));
        }
        for index in 0..jpeg.len() {
            let mut broken = jpeg.to_vec();
            broken[index] ^= 0x5a;
            let _ = decoder.decode(&broken, MediaTime(0));
        }
        let after = decoder.decode(&jpeg, MediaTime(0)).unwrap();
        assert_eq!(after, picture_of(&jpeg), "a good one after bad ones");

        let mut compressor = Compressor::new().unwrap();
        compressor.set_progressive(true).unwrap();
        let image = Image {
            pixels: [9; 3 * 16 * 16].as_slice(),
            width: 16,
            pitch: 48,
            height: 16,
            format: PixelFormat::RGB,
        };
        let progressive = compressor.compress_to_vec(image).unwrap();
        assert!(matches!(
            decoder.decode(&progressive, MediaTime(0)),
            Err(Error::Unusual)
        ));
    }
}
