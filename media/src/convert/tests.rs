use super::*;

fn converted(format: Format, width: u16, height: u16, bytes: &[u8]) -> Picture {
    Converter::new()
        .picture(
            Raw {
                format,
                width,
                height,
                bytes,
            },
            MediaTime(3),
        )
        .unwrap()
}

#[test]
fn nv12_is_taken_apart() {
    let bytes: Vec<u8> = (0..12).collect();
    let picture = converted(Format::Nv12, 4, 2, &bytes);
    assert_eq!(picture.y(), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(picture.u(), [8, 10]);
    assert_eq!(picture.v(), [9, 11]);
    assert_eq!(picture.time(), MediaTime(3));
}

#[test]
fn nv12_of_odd_size_loses_its_edge() {
    // 5×3: luma rows of 5, chroma rows of 6 (three pairs), two of them.
    let mut bytes: Vec<u8> = (0..15).collect();
    bytes.extend(100..112);
    let picture = converted(Format::Nv12, 5, 3, &bytes);
    assert_eq!(picture.size(), Size::new(4, 2));
    assert_eq!(picture.y(), [0, 1, 2, 3, 5, 6, 7, 8]);
    assert_eq!(picture.u(), [100, 102]);
    assert_eq!(picture.v(), [101, 103]);
}

#[test]
fn yuyv_keeps_luma_and_means_chroma() {
    // Two rows of four pixels; wide enough to go through the SIMD paths below.
    let bytes = [
        10, 100, 20, 200, 30, 110, 40, 210, //
        50, 104, 60, 204, 70, 114, 80, 214,
    ];
    let picture = converted(Format::Yuyv, 4, 2, &bytes);
    assert_eq!(picture.y(), [10, 20, 30, 40, 50, 60, 70, 80]);
    for (got, means) in [(picture.u(), [102, 112]), (picture.v(), [202, 212])] {
        for (got, mean) in got.iter().zip(means) {
            assert!(
                got.abs_diff(mean) <= 2,
                "{got} is no mean of rows around {mean}"
            );
        }
    }
}

#[test]
fn wide_yuyv_is_as_narrow_yuyv() {
    // 642 columns: vector paths and their rests.
    let (width, height) = (642_usize, 4_usize);
    let mut bytes = Vec::new();
    for row in 0..height {
        for pair in 0..width / 2 {
            bytes.extend([
                (pair % 200) as u8,
                (pair % 90) as u8,
                (row * 10) as u8,
                (pair % 70) as u8,
            ]);
        }
    }
    let picture = converted(Format::Yuyv, width as u16, height as u16, &bytes);
    for row in 0..height {
        for pair in 0..width / 2 {
            assert_eq!(picture.y()[row * width + 2 * pair], (pair % 200) as u8);
            assert_eq!(picture.y()[row * width + 2 * pair + 1], (row * 10) as u8);
            assert_eq!(picture.u()[row / 2 * (width / 2) + pair], (pair % 90) as u8);
            assert_eq!(picture.v()[row / 2 * (width / 2) + pair], (pair % 70) as u8);
        }
    }
}

#[test]
fn colours_become_the_standards_numbers() {
    // BT.601 video range.
    let golden = [
        ([0, 0, 0], [16, 128, 128]),
        ([255, 255, 255], [235, 128, 128]),
        ([255, 0, 0], [81, 90, 240]),
        ([0, 255, 0], [145, 54, 34]),
        ([0, 0, 255], [41, 240, 110]),
    ];
    for (rgb, yuv) in golden {
        let [r, g, b] = rgb;
        for (format, pixel) in [
            (Format::Rgb, vec![r, g, b]),
            (Format::Bgr, vec![b, g, r]),
            (Format::Rgba, vec![r, g, b, 0]),
        ] {
            let picture = converted(format, 34, 6, &pixel.repeat(34 * 6));
            for (plane, want) in [picture.y(), picture.u(), picture.v()].into_iter().zip(yuv) {
                for &got in plane {
                    assert!(
                        got.abs_diff(want) <= 2,
                        "{format:?} {rgb:?}: {got}, not {want}"
                    );
                }
            }
        }
    }
}

#[test]
fn grey_has_no_colour() {
    let picture = converted(Format::Gray, 3, 2, &[1, 2, 3, 4, 5, 6]);
    assert_eq!(picture.size(), Size::new(2, 2));
    assert_eq!(picture.y(), [1, 2, 4, 5]);
    assert_eq!(
        (picture.u(), picture.v()),
        ([128].as_slice(), [128].as_slice())
    );
}

#[test]
fn short_buffers_and_bad_sizes_are_errors() {
    let mut converter = Converter::new();
    let formats = [
        Format::Nv12,
        Format::Yuyv,
        Format::Gray,
        Format::Rgb,
        Format::Bgr,
        Format::Rgba,
    ];
    for format in formats {
        let raw = Raw {
            format,
            width: 64,
            height: 48,
            bytes: &[0; 1000],
        };
        assert!(matches!(
            converter.picture(raw, MediaTime(0)),
            Err(Error::Short { .. })
        ));
        let raw = Raw {
            format,
            width: 0,
            height: 48,
            bytes: &[0; 1000],
        };
        assert!(matches!(
            converter.picture(raw, MediaTime(0)),
            Err(Error::Size(_))
        ));
    }
    let raw = Raw {
        format: Format::Mjpeg,
        width: 64,
        height: 48,
        bytes: b"\xff\xd8 no picture",
    };
    assert!(matches!(
        converter.picture(raw, MediaTime(0)),
        Err(Error::Jpeg(_))
    ));
}

#[test]
fn i420_of_odd_size_loses_its_edge() {
    // 5×3: luma rows of 5, then two chroma planes of two rows of 3.
    let mut bytes: Vec<u8> = (0..15).collect();
    bytes.extend(100..112);
    let picture = converted(Format::I420, 5, 3, &bytes);
    assert_eq!(picture.size(), Size::new(4, 2));
    assert_eq!(picture.y(), [0, 1, 2, 3, 5, 6, 7, 8]);
    assert_eq!(picture.u(), [100, 101]);
    assert_eq!(picture.v(), [106, 107]);
}
