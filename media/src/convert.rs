//! From what cameras give to [`Picture`], and from one size to another.

use visita_protocol::{media::Size, time::MediaTime};
use yuv::{
    BufferStoreMut, YuvConversionMode, YuvPackedImage, YuvPlanarImageMut, YuvRange,
    YuvStandardMatrix,
};

use crate::{
    jpeg,
    picture::{BadSize, Draft, Picture},
};

mod scale;

pub use scale::{fit, scaled, turned};

/// How the pixels of a raw buffer lie. Rows follow one another without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// 4:2:0, a luma plane and one of blue and red differences in turn; video range.
    Nv12,
    /// 4:2:0, a luma plane, one of blue differences and one of red ones; video range.
    I420,
    /// 4:2:2, two pixels in four bytes: Y, U, Y, V; video range.
    Yuyv,
    /// A JPEG picture.
    Mjpeg,
    /// Luma alone, video range.
    Gray,
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red.
    Bgr,
    /// Red, green, blue, opacity (taken as opaque).
    Rgba,
}

/// A raw buffer with its form.
#[derive(Clone, Copy, Debug)]
pub struct Raw<'a> {
    /// How the pixels lie.
    pub format: Format,
    /// Columns; a JPEG picture brings its own.
    pub width: u16,
    /// Rows; a JPEG picture brings its own.
    pub height: u16,
    /// The buffer; what is over is ignored.
    pub bytes: &'a [u8],
}

/// Why a buffer can't become a picture.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The size can't be one of a picture.
    #[error(transparent)]
    Size(#[from] BadSize),
    /// The buffer is shorter than its size says.
    #[error("{len} bytes are too few for {width}×{height} {format:?}")]
    Short {
        /// The buffer's length.
        len: usize,
        /// Columns.
        width: u16,
        /// Rows.
        height: u16,
        /// The form.
        format: Format,
    },
    /// The JPEG picture can't be decoded.
    #[error(transparent)]
    Jpeg(#[from] jpeg::Error),
    /// The conversion refused the buffer.
    #[error("conversion from {0:?} failed")]
    Convert(Format),
}

/// Converts raw buffers to pictures, keeping what can be used again from one to the next.
#[derive(Default)]
pub struct Converter {
    jpeg: Option<jpeg::Decoder>,
}

impl Converter {
    /// A converter.
    pub fn new() -> Self {
        Self::default()
    }

    /// The picture in a raw buffer. A last odd column or row is cut off.
    pub fn picture(&mut self, raw: Raw<'_>, time: MediaTime) -> Result<Picture, Error> {
        let Raw {
            format,
            width,
            height,
            bytes,
        } = raw;
        if format == Format::Mjpeg {
            let decoder = match &mut self.jpeg {
                Some(decoder) => decoder,
                none => none.insert(jpeg::Decoder::new()?),
            };
            return Ok(decoder.decode(bytes, time)?);
        }
        let (columns, rows) = (usize::from(width), usize::from(height));
        let needed = match format {
            Format::Nv12 | Format::I420 => {
                columns * rows + columns.div_ceil(2) * rows.div_ceil(2) * 2
            }
            Format::Yuyv => columns.div_ceil(2) * 4 * rows,
            Format::Gray | Format::Mjpeg => columns * rows,
            Format::Rgb | Format::Bgr => columns * rows * 3,
            Format::Rgba => columns * rows * 4,
        };
        let short = Error::Short {
            len: bytes.len(),
            width,
            height,
            format,
        };
        let bytes = bytes.get(..needed).ok_or(short)?;
        let mut draft = Draft::new(Size::new(width & !1, height & !1), time)?;
        match format {
            Format::Nv12 => from_nv12(&mut draft, columns, rows, bytes),
            Format::I420 => from_i420(&mut draft, columns, rows, bytes),
            Format::Gray => from_gray(&mut draft, columns, bytes),
            _ => from_packed(&mut draft, format, columns, bytes)?,
        }
        Ok(draft.finish())
    }
}

fn from_nv12(draft: &mut Draft, columns: usize, rows: usize, bytes: &[u8]) {
    let (luma, chroma) = bytes.split_at(columns * rows);
    let width = usize::from(draft.size().width);
    let planes = draft.planes();
    copy_rows(planes.y, width, luma, columns);
    let stride = columns.div_ceil(2) * 2;
    let chroma_rows = planes
        .u
        .chunks_exact_mut(width / 2)
        .zip(planes.v.chunks_exact_mut(width / 2));
    for ((u, v), pairs) in chroma_rows.zip(chroma.chunks_exact(stride)) {
        for ((u, v), pair) in u.iter_mut().zip(v).zip(pairs.chunks_exact(2)) {
            *u = pair[0];
            *v = pair[1];
        }
    }
}

fn from_i420(draft: &mut Draft, columns: usize, rows: usize, bytes: &[u8]) {
    let (luma, chroma) = bytes.split_at(columns * rows);
    let (u, v) = chroma.split_at(chroma.len() / 2);
    let width = usize::from(draft.size().width);
    let planes = draft.planes();
    copy_rows(planes.y, width, luma, columns);
    copy_rows(planes.u, width / 2, u, columns.div_ceil(2));
    copy_rows(planes.v, width / 2, v, columns.div_ceil(2));
}

fn from_gray(draft: &mut Draft, columns: usize, bytes: &[u8]) {
    let width = usize::from(draft.size().width);
    let planes = draft.planes();
    copy_rows(planes.y, width, bytes, columns);
    planes.u.fill(128);
    planes.v.fill(128);
}

fn copy_rows(to: &mut [u8], width: usize, from: &[u8], stride: usize) {
    for (to, from) in to.chunks_exact_mut(width).zip(from.chunks_exact(stride)) {
        to.copy_from_slice(&from[..width]);
    }
}

fn from_packed(
    draft: &mut Draft,
    format: Format,
    columns: usize,
    bytes: &[u8],
) -> Result<(), Error> {
    let Size { width, height } = draft.size();
    let mut target = planar(draft);
    let columns = columns as u32;
    let (range, matrix) = (YuvRange::Limited, YuvStandardMatrix::Bt601);
    let mode = YuvConversionMode::Balanced;
    let done = match format {
        Format::Yuyv => {
            let stride = columns.div_ceil(2) * 4;
            let (width, height) = (u32::from(width), u32::from(height));
            let source = YuvPackedImage {
                yuy: bytes,
                yuy_stride: stride,
                width,
                height,
            };
            yuv::yuyv422_to_yuv420(&mut target, &source)
        }
        Format::Bgr => yuv::bgr_to_yuv420(&mut target, bytes, columns * 3, range, matrix, mode),
        Format::Rgba => yuv::rgba_to_yuv420(&mut target, bytes, columns * 4, range, matrix, mode),
        _ => yuv::rgb_to_yuv420(&mut target, bytes, columns * 3, range, matrix, mode),
    };
    done.map_err(|_| Error::Convert(format))
}

fn planar(draft: &mut Draft) -> YuvPlanarImageMut<'_, u8> {
    let Size { width, height } = draft.size();
    let planes = draft.planes();
    let (width, height) = (u32::from(width), u32::from(height));
    YuvPlanarImageMut {
        y_plane: BufferStoreMut::Borrowed(planes.y),
        y_stride: width,
        u_plane: BufferStoreMut::Borrowed(planes.u),
        u_stride: width / 2,
        v_plane: BufferStoreMut::Borrowed(planes.v),
        v_stride: width / 2,
        width,
        height,
    }
}

#[cfg(test)]
mod tests;
