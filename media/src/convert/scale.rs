//! From one size to another.

use visita_protocol::media::Size;

use crate::picture::{BadSize, Draft, Picture};

/// The picture at another size. Halving is a mean of 2×2 pixels; other sizes are interpolated
/// between neighbours, after as many halvings as fit, so that nothing is skipped over.
pub fn scaled(picture: &Picture, size: Size) -> Result<Picture, BadSize> {
    if picture.size() == size {
        return Ok(picture.clone());
    }
    let halved = Size::new(picture.size().width / 4 * 2, picture.size().height / 4 * 2);
    if size.width <= halved.width && size.height <= halved.height {
        return scaled(&half(picture, halved)?, size);
    }
    let mut draft = Draft::new(size, picture.time())?;
    let planes = draft.planes();
    let (from, to) = (picture.size(), size);
    plane(picture.y(), from, planes.y, to);
    let (from, to) = (chroma(from), chroma(to));
    plane(picture.u(), from, planes.u, to);
    plane(picture.v(), from, planes.v, to);
    Ok(draft.finish())
}

/// The largest even size of the proportions of `from` that fits into `within`, never larger than
/// `from` itself, and never less than 2×2.
pub fn fit(from: Size, within: Size) -> Size {
    let (width, height) = (u32::from(from.width).max(1), u32::from(from.height).max(1));
    let (most_wide, most_high) = (
        u32::from(within.width).min(width),
        u32::from(within.height).min(height),
    );
    let (wide, high) = if most_wide * height <= most_high * width {
        (most_wide, (most_wide * height + width / 2) / width)
    } else {
        ((most_high * width + height / 2) / height, most_high)
    };
    let even = |side: u32| ((side & !1).max(2)) as u16;
    Size::new(even(wide), even(high))
}

/// A limit for lying pictures as it holds for pictures like this one, which may stand: a tablet
/// that is turned sends as much as before.
pub fn turned(limit: Size, like: Size) -> Size {
    if (like.width < like.height) == (limit.width < limit.height) {
        limit
    } else {
        Size::new(limit.height, limit.width)
    }
}

fn chroma(size: Size) -> Size {
    Size::new(size.width / 2, size.height / 2)
}

/// Half the size, a last row or column that has no partner cut off.
fn half(picture: &Picture, size: Size) -> Result<Picture, BadSize> {
    let mut draft = Draft::new(size, picture.time())?;
    let planes = draft.planes();
    let (wide, half_wide) = (picture.width(), usize::from(size.width));
    half_plane(picture.y(), wide, planes.y, half_wide);
    half_plane(picture.u(), wide / 2, planes.u, half_wide / 2);
    half_plane(picture.v(), wide / 2, planes.v, half_wide / 2);
    Ok(draft.finish())
}

fn half_plane(from: &[u8], stride: usize, to: &mut [u8], width: usize) {
    for (row, to) in to.chunks_exact_mut(width).enumerate() {
        let upper = &from[2 * row * stride..][..2 * width];
        let lower = &from[(2 * row + 1) * stride..][..2 * width];
        let pairs = upper.chunks_exact(2).zip(lower.chunks_exact(2));
        for (to, (upper, lower)) in to.iter_mut().zip(pairs) {
            let sum = u16::from(upper[0])
                + u16::from(upper[1])
                + u16::from(lower[0])
                + u16::from(lower[1]);
            *to = ((sum + 2) / 4) as u8;
        }
    }
}

/// Where a pixel of the target lies among the source's: the nearer neighbours and the weight of
/// the second, of 128.
#[derive(Clone, Copy)]
struct Between {
    first: usize,
    second: usize,
    weight: u16,
}

fn between(index: usize, from: usize, to: usize) -> Between {
    // Pixel centres: (index + ½)·from/to − ½, in 128ths.
    let place = ((2 * index + 1) * from * 64 / to).saturating_sub(64);
    let first = (place / 128).min(from - 1);
    Between {
        first,
        second: (first + 1).min(from - 1),
        weight: (place % 128) as u16,
    }
}

fn plane(from: &[u8], from_size: Size, to: &mut [u8], to_size: Size) {
    let (stride, width) = (usize::from(from_size.width), usize::from(to_size.width));
    let columns: Vec<_> = (0..width)
        .map(|column| between(column, stride, width))
        .collect();
    let mut blended = vec![0_u16; stride];
    for (row, to) in to.chunks_exact_mut(width).enumerate() {
        let at = between(
            row,
            usize::from(from_size.height),
            usize::from(to_size.height),
        );
        let upper = &from[at.first * stride..][..stride];
        let lower = &from[at.second * stride..][..stride];
        for ((blended, &upper), &lower) in blended.iter_mut().zip(upper).zip(lower) {
            *blended = u16::from(upper) * (128 - at.weight) + u16::from(lower) * at.weight;
        }
        for (to, column) in to.iter_mut().zip(&columns) {
            let (left, right) = (
                u32::from(blended[column.first]),
                u32::from(blended[column.second]),
            );
            let weight = u32::from(column.weight);
            *to = ((left * (128 - weight) + right * weight + 8192) >> 14) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use visita_protocol::time::MediaTime;

    use super::*;

    fn picture(width: u16, height: u16, luma: impl Fn(usize, usize) -> u8) -> Picture {
        let mut draft =
            Draft::filled(Size::new(width, height), MediaTime(5), [0, 90, 160]).unwrap();
        for (row, line) in draft
            .planes()
            .y
            .chunks_exact_mut(usize::from(width))
            .enumerate()
        {
            for (column, pixel) in line.iter_mut().enumerate() {
                *pixel = luma(column, row);
            }
        }
        draft.finish()
    }

    #[test]
    fn halving_is_a_mean_of_four() {
        let source = picture(8, 4, |x, y| (10 * y + x) as u8);
        let small = scaled(&source, Size::new(4, 2)).unwrap();
        assert_eq!(small.y(), [6, 8, 10, 12, 26, 28, 30, 32]);
        assert_eq!(
            (small.u(), small.v()),
            ([90, 90].as_slice(), [160, 160].as_slice())
        );
        assert_eq!(small.time(), MediaTime(5));
    }

    #[test]
    fn a_slope_stays_a_slope_at_any_size() {
        let source = picture(256, 128, |x, y| usize::midpoint(x, y) as u8);
        for (width, height) in [
            (190, 96),
            (120, 60),
            (62, 34),
            (40, 128),
            (256, 20),
            (320, 160),
        ] {
            let other = scaled(&source, Size::new(width, height)).unwrap();
            for (row, line) in other.y().chunks_exact(usize::from(width)).enumerate() {
                for (column, &pixel) in line.iter().enumerate() {
                    let x = (column as f64 + 0.5) * 256.0 / f64::from(width) - 0.5;
                    let y = (row as f64 + 0.5) * 128.0 / f64::from(height) - 0.5;
                    let expected = f64::midpoint(x, y);
                    assert!(
                        (f64::from(pixel) - expected).abs() < 3.0,
                        "{width}×{height}: {column},{row}"
                    );
                }
            }
            assert!(other.u().iter().all(|&u| u == 90) && other.v().iter().all(|&v| v == 160));
        }
    }

    #[test]
    fn proportions_are_kept_and_nothing_grows() {
        let fits = |from: (u16, u16), within: (u16, u16)| {
            let size = fit(Size::new(from.0, from.1), Size::new(within.0, within.1));
            (size.width, size.height)
        };
        assert_eq!(fits((1280, 720), (640, 360)), (640, 360));
        assert_eq!(fits((640, 480), (640, 360)), (480, 360));
        assert_eq!(fits((640, 360), (4000, 4000)), (640, 360));
        assert_eq!(fits((720, 1280), (640, 360)), (202, 360));
        assert_eq!(fits((640, 360), (1, 1)), (2, 2));
        assert_eq!(fits((640, 360), (0, 0)), (2, 2));
    }

    #[test]
    fn a_limit_turns_with_the_picture() {
        let (lying, standing) = (Size::new(640, 360), Size::new(360, 640));
        assert_eq!(turned(lying, Size::new(1280, 720)), lying);
        assert_eq!(turned(lying, Size::new(720, 1280)), standing);
        assert_eq!(turned(lying, Size::new(500, 500)), lying);
        assert_eq!(turned(standing, Size::new(1280, 720)), lying);
    }
}
