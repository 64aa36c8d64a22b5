//! A raw picture: I420 in video range (BT.601: luma 16–235, chroma 16–240), the form that
//! cameras give, codecs take and H.264 decoders return.

use std::sync::Arc;

use visita_protocol::{media::Size, time::MediaTime};
use yuv::{YuvPlanarImage, YuvRange, YuvStandardMatrix};

/// The largest picture, per side: 4K UHD's width, as openh264 allows.
pub const MAX_SIDE: u16 = 3840;

/// A size that no picture can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a picture can't be {width}×{height}: both sides must be even, 2 to {MAX_SIDE}")]
pub struct BadSize {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

/// A picture of even width and height with its moment of capture. Cloning shares the pixels.
#[derive(Clone)]
pub struct Picture {
    size: Size,
    time: MediaTime,
    // Buffers aren't kept to be used again: the allocator does that well enough (7 µs a picture
    // of 640×360, 1 % of its encoding; `media-bench`).
    pixels: Arc<Vec<u8>>,
}

impl Picture {
    /// The size.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Columns.
    pub fn width(&self) -> usize {
        usize::from(self.size.width)
    }

    /// Rows.
    pub fn height(&self) -> usize {
        usize::from(self.size.height)
    }

    /// When it was captured, on the sender's clock.
    pub fn time(&self) -> MediaTime {
        self.time
    }

    /// The same picture, captured at another time.
    pub fn at(mut self, time: MediaTime) -> Self {
        self.time = time;
        self
    }

    /// The luma plane, a row after the other without gaps.
    pub fn y(&self) -> &[u8] {
        &self.pixels[..self.width() * self.height()]
    }

    /// The blue-difference plane, half as wide and half as high.
    pub fn u(&self) -> &[u8] {
        let luma = self.width() * self.height();
        &self.pixels[luma..luma + luma / 4]
    }

    /// The red-difference plane, half as wide and half as high.
    pub fn v(&self) -> &[u8] {
        let luma = self.width() * self.height();
        &self.pixels[luma + luma / 4..]
    }

    /// All three planes, one after the other: Y, U, V.
    pub fn bytes(&self) -> &[u8] {
        &self.pixels
    }

    /// How many bytes [`Picture::rgba`] writes.
    pub fn rgba_len(&self) -> usize {
        4 * self.width() * self.height()
    }

    /// Writes the picture as RGBA (full range, opaque) into the first [`Picture::rgba_len`] bytes
    /// of `out`. `false`, and nothing written, if `out` is too small.
    #[must_use]
    pub fn rgba(&self, out: &mut [u8]) -> bool {
        let Some(out) = out.get_mut(..self.rgba_len()) else {
            return false;
        };
        yuv::yuv420_to_rgba(
            &self.planar(),
            out,
            4 * u32::from(self.size.width),
            YuvRange::Limited,
            YuvStandardMatrix::Bt601,
        )
        .is_ok()
    }

    fn planar(&self) -> YuvPlanarImage<'_, u8> {
        let width = u32::from(self.size.width);
        YuvPlanarImage {
            y_plane: self.y(),
            y_stride: width,
            u_plane: self.u(),
            u_stride: width / 2,
            v_plane: self.v(),
            v_stride: width / 2,
            width,
            height: u32::from(self.size.height),
        }
    }
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Picture({}×{} at {})",
            self.size.width, self.size.height, self.time.0
        )
    }
}

impl PartialEq for Picture {
    fn eq(&self, other: &Self) -> bool {
        self.size == other.size && self.time == other.time && self.bytes() == other.bytes()
    }
}

/// A picture that is still being made.
pub struct Draft {
    size: Size,
    time: MediaTime,
    pixels: Vec<u8>,
}

impl Draft {
    /// A picture whose pixels say nothing yet: the maker writes them all.
    pub fn new(size: Size, time: MediaTime) -> Result<Self, BadSize> {
        let fits = |side: u16| side >= 2 && side.is_multiple_of(2) && side <= MAX_SIDE;
        if !fits(size.width) || !fits(size.height) {
            return Err(BadSize {
                width: size.width,
                height: size.height,
            });
        }
        let pixels = vec![0; size.area() as usize * 3 / 2];
        Ok(Self { size, time, pixels })
    }

    /// A picture all in one colour.
    pub fn filled(size: Size, time: MediaTime, [y, u, v]: [u8; 3]) -> Result<Self, BadSize> {
        let mut draft = Self::new(size, time)?;
        let planes = draft.planes();
        planes.y.fill(y);
        planes.u.fill(u);
        planes.v.fill(v);
        Ok(draft)
    }

    /// The size.
    pub fn size(&self) -> Size {
        self.size
    }

    /// The planes, to be written.
    pub fn planes(&mut self) -> Planes<'_> {
        let luma = self.size.area() as usize;
        let (y, chroma) = self.pixels.split_at_mut(luma);
        let (u, v) = chroma.split_at_mut(luma / 4);
        Planes { y, u, v }
    }

    /// All three planes, one after the other, to be written.
    pub fn bytes(&mut self) -> &mut [u8] {
        &mut self.pixels
    }

    /// The picture, done.
    pub fn finish(self) -> Picture {
        Picture {
            size: self.size,
            time: self.time,
            pixels: Arc::new(self.pixels),
        }
    }
}

/// The planes of a [`Draft`], each without gaps between its rows.
pub struct Planes<'a> {
    /// Luma, full size.
    pub y: &'a mut [u8],
    /// Blue difference, half as wide and high.
    pub u: &'a mut [u8],
    /// Red difference, half as wide and high.
    pub v: &'a mut [u8],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_empty_and_huge_sizes_are_refused() {
        for (width, height) in [
            (0, 2),
            (2, 0),
            (3, 2),
            (2, 3),
            (MAX_SIDE + 2, 2),
            (2, u16::MAX),
        ] {
            assert!(Draft::new(Size::new(width, height), MediaTime(0)).is_err());
        }
        assert!(Draft::new(Size::new(2, 2), MediaTime(0)).is_ok());
    }

    #[test]
    fn planes_lie_one_after_the_other() {
        let mut draft = Draft::new(Size::new(4, 2), MediaTime(7)).unwrap();
        for (index, byte) in draft.bytes().iter_mut().enumerate() {
            *byte = index as u8;
        }
        let picture = draft.finish();
        assert_eq!(picture.y(), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(picture.u(), [8, 9]);
        assert_eq!(picture.v(), [10, 11]);
        assert_eq!(picture.time(), MediaTime(7));
    }

    #[test]
    fn video_range_becomes_full_range_rgba() {
        // BT.601 by the standard's own numbers: black, white, and the primaries.
        let golden = [
            ([16, 128, 128], [0, 0, 0]),
            ([235, 128, 128], [255, 255, 255]),
            ([81, 90, 240], [255, 0, 0]),
            ([145, 54, 34], [0, 255, 0]),
            ([41, 240, 110], [0, 0, 255]),
        ];
        for (yuv, rgb) in golden {
            let picture = Draft::filled(Size::new(34, 6), MediaTime(0), yuv)
                .unwrap()
                .finish();
            let mut out = vec![0; picture.rgba_len()];
            assert!(picture.rgba(&mut out));
            for pixel in out.chunks_exact(4) {
                for (got, want) in pixel.iter().zip(rgb) {
                    assert!(got.abs_diff(want) <= 2, "{yuv:?} → {pixel:?}, not {rgb:?}");
                }
                assert_eq!(pixel[3], 255);
            }
        }
    }

    #[test]
    fn a_buffer_that_is_too_small_is_left_alone() {
        let picture = Draft::filled(Size::new(2, 2), MediaTime(0), [16; 3])
            .unwrap()
            .finish();
        let mut out = [7; 15];
        assert!(!picture.rgba(&mut out));
        assert_eq!(out, [7; 15]);
    }
}
