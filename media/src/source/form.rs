//! Which of a camera's forms is taken: the cheapest that is good enough. Pure.

use visita_protocol::media::Size;

use crate::convert::Format;

/// A form in which a camera can give pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) format: Format,
    pub(super) size: Size,
    /// Pictures a second.
    pub(super) fps: u32,
}

/// The size that is looked for: what a call sends.
const WANTED: Size = Size::new(640, 360);
/// The rate that is looked for, in pictures a second.
const WANTED_FPS: u32 = 30;
/// A slower camera looks bad enough to take another size for more.
const LEAST_FPS: u32 = 24;

/// The place of the best in the list: fast enough, large enough, then the least work a second. Of
/// forms that are all too small the largest.
pub(super) fn best(forms: &[Form]) -> Option<usize> {
    let rank = |form: &Form| {
        let (long, short) = sides(form.size);
        let (least_long, least_short) = sides(WANTED);
        let too_small = long < least_long || short < least_short;
        let area = u64::from(form.size.area());
        let work = area * work(form.format) * u64::from(form.fps.max(WANTED_FPS));
        (
            form.fps < LEAST_FPS,
            too_small,
            if too_small { u64::MAX - area } else { work },
            work,
            form.fps.abs_diff(WANTED_FPS),
        )
    };
    (0..forms.len()).min_by_key(|&at| rank(&forms[at]))
}

/// A tablet held upright has a camera that stands.
fn sides(size: Size) -> (u16, u16) {
    (size.width.max(size.height), size.width.min(size.height))
}

/// What a pixel costs until it can be encoded, roughly and relative to NV12's, bytes on the cable
/// included: a JPEG has to be decoded, six times the work (docs/PERFORMANCE.md). Grey is cheap, but
/// a face without colour looks ill.
fn work(format: Format) -> u64 {
    match format {
        Format::Nv12 | Format::I420 => 10,
        Format::Yuyv => 12,
        Format::Rgb | Format::Bgr | Format::Rgba => 20,
        Format::Mjpeg => 60,
        Format::Gray => 100,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a camera offers: width, height, format, pictures a second.
    type Offered = (u16, u16, Format, u32);

    #[test]
    fn the_cheapest_good_form_is_taken() {
        use Format::{Gray, Mjpeg, Nv12, Rgb, Yuyv};
        let form = |(width, height, format, fps): Offered| Form {
            format,
            size: Size::new(width, height),
            fps,
        };
        // The first of each list is the one to take, wherever it stands.
        let cases: &[(&str, &[Offered])] = &[
            (
                "a usual USB camera: raw where it is fast, JPEG above",
                &[
                    (640, 480, Yuyv, 30),
                    (1920, 1080, Mjpeg, 30),
                    (640, 480, Mjpeg, 30),
                    (1280, 720, Yuyv, 10),
                ],
            ),
            (
                "a little more raw is cheaper than a JPEG that fits",
                &[(640, 480, Yuyv, 30), (640, 360, Mjpeg, 30)],
            ),
            (
                "far more raw is not",
                &[(640, 360, Mjpeg, 30), (1920, 1080, Yuyv, 30)],
            ),
            (
                "of raw forms the cheapest",
                &[
                    (640, 360, Nv12, 30),
                    (640, 360, Mjpeg, 30),
                    (640, 360, Yuyv, 30),
                    (640, 360, Rgb, 30),
                ],
            ),
            (
                "raw that is too slow: JPEG",
                &[(1280, 720, Mjpeg, 30), (1280, 720, Yuyv, 10)],
            ),
            (
                "all too small: the largest",
                &[(320, 240, Yuyv, 30), (160, 120, Nv12, 30)],
            ),
            (
                "all too slow: large enough",
                &[(640, 480, Yuyv, 15), (320, 240, Yuyv, 15)],
            ),
            (
                "the rate that is sent",
                &[
                    (640, 360, Yuyv, 30),
                    (640, 360, Yuyv, 60),
                    (640, 360, Yuyv, 25),
                ],
            ),
            (
                "not twice the rate for a few rows less",
                &[(640, 480, Yuyv, 30), (640, 360, Yuyv, 60)],
            ),
            (
                "a picture that stands",
                &[
                    (360, 640, Nv12, 30),
                    (240, 320, Nv12, 30),
                    (720, 1280, Nv12, 30),
                ],
            ),
            ("colour", &[(640, 480, Mjpeg, 30), (640, 480, Gray, 30)]),
            ("the only one", &[(160, 120, Gray, 5)]),
        ];
        for (what, forms) in cases {
            let mut forms: Vec<Form> = forms.iter().copied().map(form).collect();
            let expected = forms[0];
            for _ in 0..forms.len() {
                forms.rotate_left(1);
                let taken = best(&forms).map(|at| forms[at]);
                assert_eq!(taken, Some(expected), "{what}");
            }
        }
        assert_eq!(best(&[]), None);
    }
}
