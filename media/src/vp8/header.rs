//! What stands in clear at a frame's beginning (RFC 6386, section 9.1).

use visita_protocol::media::Size;

/// A frame's first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The picture's size, which only key frames tell; `None` = no key frame.
    pub key: Option<Size>,
    /// Whether there is a picture to show.
    pub shown: bool,
}

/// A frame's tag: three bytes.
const TAG: usize = 3;
/// A key frame's start code, after the tag.
const START_CODE: [u8; 3] = [0x9d, 0x01, 0x2a];
/// Tag, start code and both sides: what is in clear of a key frame.
const KEY: usize = 10;
/// The newest bitstream; what is above it nobody knows how to decode.
const NEWEST: u8 = 3;

impl Header {
    /// Reads it; `None` if it is no VP8, or cut within its first partition.
    pub fn parse(frame: &[u8]) -> Option<Self> {
        let [first, second, third, ..] = *frame else {
            return None;
        };
        let first_partition =
            usize::from(first >> 5) | usize::from(second) << 3 | usize::from(third) << 11;
        if first >> 1 & 7 > NEWEST {
            return None;
        }
        let shown = first & 0x10 != 0;
        let (key, clear) = if first & 1 == 0 {
            let clear = frame.get(TAG..KEY)?;
            // The two upper bits of each side are a wish to be shown larger, which nobody heeds.
            let side = |at: usize| u16::from_le_bytes([clear[at], clear[at + 1]]) & 0x3fff;
            let size = Size::new(side(3), side(5));
            if clear[..3] != START_CODE || size.area() == 0 {
                return None;
            }
            (Some(size), KEY)
        } else {
            (None, TAG)
        };
        (first_partition > 0 && frame.len() - clear >= first_partition)
            .then_some(Self { key, shown })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key frame of 640×360 with a first partition of 5 bytes.
    const FRAME: [u8; 15] = [
        0x10 | 5 << 5,
        0,
        0,
        0x9d,
        0x01,
        0x2a,
        0x80,
        0x02,
        0x68,
        0x41,
        1,
        2,
        3,
        4,
        5,
    ];

    #[test]
    fn a_key_frame_tells_its_size() {
        let header = Header {
            key: Some(Size::new(640, 360)),
            shown: true,
        };
        assert_eq!(Header::parse(&FRAME), Some(header));
        for cut in 0..FRAME.len() {
            assert_eq!(Header::parse(&FRAME[..cut]), None, "{cut} bytes");
        }
    }

    #[test]
    fn what_is_no_vp8_is_not_taken_for_it() {
        let with = |at: usize, byte: u8| {
            let mut frame = FRAME;
            frame[at] = byte;
            Header::parse(&frame)
        };
        assert!(with(0, FRAME[0] | 7 << 1).is_none(), "of a later version");
        assert!(with(3, 0).is_none(), "no start code");
        assert!(with(1, 1).is_none(), "a partition longer than the frame");
        assert!(with(0, 0x10).is_none(), "no first partition");
        let mut flat = FRAME;
        flat[8..10].copy_from_slice(&[0, 0]);
        assert!(Header::parse(&flat).is_none(), "no rows");
    }

    #[test]
    fn other_frames_tell_none() {
        let delta = [0x10 | 2 << 5 | 1, 0, 0, 7, 7];
        let header = Header {
            key: None,
            shown: true,
        };
        assert_eq!(Header::parse(&delta), Some(header));
        assert_eq!(Header::parse(&delta[..4]), None);
        let hidden = [2 << 5 | 1, 0, 0, 7, 7];
        assert!(!Header::parse(&hidden).unwrap().shown);
    }
}
