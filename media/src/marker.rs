//! A frame number and a time that stand in a picture as blocks, black and white, so that loss and
//! delay can be told from pixels alone, after any codec, at any size, in any language.
//!
//! # Layout
//!
//! The picture is a grid of 36 columns and 20 rows. The block at column `c`, row `r` spans the
//! pixels from `⌊c·width/36⌋` to before `⌊(c+1)·width/36⌋`, and from `⌊r·height/20⌋` to before
//! `⌊(r+1)·height/20⌋`. Columns 1–34 of rows 0–4 are the marker; what isn't named here is black.
//!
//! - Rows 1, 2, 3 each hold a 32-bit word in columns 2–33, most significant bit first (column 2).
//!   White is 1, black is 0.
//! - In each of these rows column 1 is white: the reference for white. Column 34 is black.
//! - Row 1 is the frame number. Row 2 is bits 47–16 of the time in microseconds, row 3 is its bits
//!   15–0 followed by 16 bits of checksum: CRC-16/CCITT-FALSE (polynomial 0x1021, start 0xFFFF,
//!   nothing reflected, nothing added) over ten bytes: the number (4, big-endian), the time (6,
//!   big-endian).
//!
//! # Reading
//!
//! A block's value is the mean luma (or of R, G and B: the marker is grey) of the pixels in its
//! middle: from `x0 + ⌊w/4⌋` to before `x1 − ⌊w/4⌋` for a block from `x0` to before `x1` of width
//! `w`, and so for rows. The threshold of a row is halfway between its blocks at columns 1 and 34;
//! if these differ by less than 64, or the checksum doesn't fit, there is no marker.
//!
//! `media/vectors/marker.json` and the PGM files beside it are what any reader must agree with.

use visita_protocol::{media::Size, time::MediaTime};

use crate::picture::{Draft, Picture};

/// The grid's columns.
pub const COLUMNS: usize = 36;
/// The grid's rows.
pub const ROWS: usize = 20;
/// Rows that hold words.
const WORD_ROWS: std::ops::Range<usize> = 1..4;
/// Rows that the marker covers, its black rim included.
const COVERED_ROWS: usize = 5;
const WHITE_COLUMN: usize = 1;
const FIRST_BIT: usize = 2;
const BLACK_COLUMN: usize = 34;
/// Less contrast than this is no marker (white and black are 219 apart when drawn).
const LEAST_CONTRAST: u32 = 64;
/// The smallest picture that can carry a marker: blocks of 3×3 pixels.
pub const SMALLEST: Size = Size::new(108, 60);

const BLACK: u8 = 16;
const WHITE: u8 = 235;

/// What a marker says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The frame's number.
    pub number: u32,
    /// When it was made, in microseconds; the lower 48 bits (nine years) are drawn.
    pub time: MediaTime,
}

/// Draws the marker. `false`, and nothing drawn, if the picture is smaller than [`SMALLEST`].
pub fn write(draft: &mut Draft, mark: Mark) -> bool {
    let Size { width, height } = draft.size();
    if width < SMALLEST.width || height < SMALLEST.height {
        return false;
    }
    let grid = Grid {
        width: usize::from(width),
        height: usize::from(height),
    };
    let words = words(mark);
    let planes = draft.planes();
    let (left, right) = (
        grid.column(WHITE_COLUMN).start,
        grid.column(BLACK_COLUMN).end,
    );
    for row in 0..COVERED_ROWS {
        let rows = grid.row(row);
        let (first, others) = (rows.start, rows.start + 1..rows.end);
        let line = &mut planes.y[first * grid.width..][..grid.width];
        line[left..right].fill(BLACK);
        if WORD_ROWS.contains(&row) {
            line[grid.column(WHITE_COLUMN)].fill(WHITE);
            let word = words[row - WORD_ROWS.start];
            for bit in (0..32).filter(|bit| word & (1 << (31 - bit)) != 0) {
                line[grid.column(FIRST_BIT + bit)].fill(WHITE);
            }
        }
        for other in others {
            let start = first * grid.width;
            planes
                .y
                .copy_within(start + left..start + right, other * grid.width + left);
        }
    }
    let half = grid.width / 2;
    for row in 0..grid.row(COVERED_ROWS - 1).end.div_ceil(2) {
        planes.u[row * half..][left / 2..right.div_ceil(2)].fill(128);
        planes.v[row * half..][left / 2..right.div_ceil(2)].fill(128);
    }
    true
}

/// Reads the marker; `None` if there is none that can be trusted.
pub fn read(picture: &Picture) -> Option<Mark> {
    let grid = Grid {
        width: picture.width(),
        height: picture.height(),
    };
    if picture.size().width < SMALLEST.width || picture.size().height < SMALLEST.height {
        return None;
    }
    let mut words = [0_u32; 3];
    for (word, row) in words.iter_mut().zip(WORD_ROWS) {
        let value = |column| grid.middle_mean(picture.y(), column, row);
        let (white, black) = (value(WHITE_COLUMN), value(BLACK_COLUMN));
        if white < black + LEAST_CONTRAST {
            return None;
        }
        let threshold = u32::midpoint(white, black);
        *word = (0..32).fold(0, |word, bit| {
            word << 1 | u32::from(value(FIRST_BIT + bit) > threshold)
        });
    }
    let number = words[0];
    let time = u64::from(words[1]) << 16 | u64::from(words[2] >> 16);
    let sum = checksum(number, time);
    (words[2] & 0xffff == u32::from(sum)).then_some(Mark {
        number,
        time: MediaTime(time),
    })
}

/// The three words as they stand in the picture.
pub fn words(mark: Mark) -> [u32; 3] {
    let time = mark.time.0 & 0xffff_ffff_ffff;
    let sum = checksum(mark.number, time);
    [
        mark.number,
        (time >> 16) as u32,
        (time as u32) << 16 | u32::from(sum),
    ]
}

fn checksum(number: u32, time: u64) -> u16 {
    let bytes = number
        .to_be_bytes()
        .into_iter()
        .chain(time.to_be_bytes().into_iter().skip(2));
    bytes.fold(0xffff, |sum, byte| {
        (0..8).fold(sum ^ u16::from(byte) << 8, |sum, _| {
            if sum & 0x8000 != 0 {
                sum << 1 ^ 0x1021
            } else {
                sum << 1
            }
        })
    })
}

struct Grid {
    width: usize,
    height: usize,
}

impl Grid {
    fn column(&self, column: usize) -> std::ops::Range<usize> {
        column * self.width / COLUMNS..(column + 1) * self.width / COLUMNS
    }

    fn row(&self, row: usize) -> std::ops::Range<usize> {
        row * self.height / ROWS..(row + 1) * self.height / ROWS
    }

    fn middle_mean(&self, luma: &[u8], column: usize, row: usize) -> u32 {
        let middle = |span: std::ops::Range<usize>| {
            let quarter = span.len() / 4;
            span.start + quarter..span.end - quarter
        };
        let (columns, rows) = (middle(self.column(column)), middle(self.row(row)));
        let pixels = (columns.len() * rows.len()) as u32;
        let sum: u32 = rows
            .flat_map(|row| &luma[row * self.width..][columns.clone()])
            .map(|&value| u32::from(value))
            .sum();
        sum / pixels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(size: Size, mark: Mark) -> Picture {
        let mut draft = Draft::filled(size, mark.time, [99, 60, 200]).unwrap();
        assert!(write(&mut draft, mark));
        draft.finish()
    }

    #[test]
    fn what_is_written_is_read_at_every_size() {
        let marks = [
            (0, 0),
            (u32::MAX, 0xffff_ffff_ffff),
            (0x1234_5678, 987_654_321_012),
        ];
        for (width, height) in [
            (108, 60),
            (160, 90),
            (320, 180),
            (640, 360),
            (642, 482),
            (1280, 720),
        ] {
            for (number, time) in marks {
                let mark = Mark {
                    number,
                    time: MediaTime(time),
                };
                assert_eq!(read(&marked(Size::new(width, height), mark)), Some(mark));
            }
        }
    }

    #[test]
    fn a_picture_without_a_marker_has_none() {
        for colour in [[16, 128, 128], [235, 128, 128], [99, 60, 200]] {
            let plain = Draft::filled(Size::new(320, 180), MediaTime(0), colour)
                .unwrap()
                .finish();
            assert_eq!(read(&plain), None);
        }
    }

    #[test]
    fn a_wrong_bit_is_noticed() {
        let mark = Mark {
            number: 77,
            time: MediaTime(123_456_789),
        };
        let good = marked(Size::new(360, 200), mark);
        for row in WORD_ROWS {
            for bit in 0..32 {
                let mut draft = Draft::new(good.size(), good.time()).unwrap();
                draft.bytes().copy_from_slice(good.bytes());
                for line in row * 10..row * 10 + 10 {
                    for pixel in &mut draft.planes().y[line * 360 + (FIRST_BIT + bit) * 10..][..10]
                    {
                        *pixel = BLACK + WHITE - *pixel;
                    }
                }
                assert_eq!(read(&draft.finish()), None);
            }
        }
    }

    #[test]
    fn the_checksum_is_the_standard_one() {
        // CRC-16/CCITT-FALSE of "123456789" is 0x29b1; ten bytes here, so its known value for
        // ten zero bytes, computed by hand-held bitwise division elsewhere, stands in the vectors.
        let bitwise = |bytes: &[u8]| {
            bytes.iter().fold(0xffff_u16, |sum, byte| {
                (0..8).fold(sum ^ u16::from(*byte) << 8, |sum, _| {
                    if sum & 0x8000 != 0 {
                        sum << 1 ^ 0x1021
                    } else {
                        sum << 1
                    }
                })
            })
        };
        assert_eq!(bitwise(b"123456789"), 0x29b1);
        assert_eq!(
            checksum(0x3132_3334, 0x3536_3738_3930),
            bitwise(b"1234567890")
        );
    }

    #[test]
    fn a_picture_that_is_too_small_is_left_alone() {
        let mut draft = Draft::filled(Size::new(106, 60), MediaTime(0), [1, 2, 3]).unwrap();
        assert!(!write(
            &mut draft,
            Mark {
                number: 1,
                time: MediaTime(1)
            }
        ));
        assert_eq!(read(&draft.finish()), None);
    }
}
