//! What stands in clear in a bitstream: its units, and what a sequence parameter set says.

use visita_protocol::media::Size;

/// A NAL unit's type, as in H.264's table 7-1.
pub mod kind {
    /// A slice of a picture that isn't a key frame.
    pub const SLICE: u8 = 1;
    /// A slice of a key frame.
    pub const IDR: u8 = 5;
    /// Sequence parameter set.
    pub const SPS: u8 = 7;
    /// Picture parameter set.
    pub const PPS: u8 = 8;
}

/// The units of an Annex B stream, without start codes. Bytes before the first are skipped.
pub fn units(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = after_start_code(stream);
    std::iter::from_fn(move || {
        let unit = rest?;
        let Some(at) = unit.windows(3).position(|window| window == [0, 0, 1]) else {
            rest = None;
            return Some(unit);
        };
        rest = Some(&unit[at + 3..]);
        let end = unit[..at]
            .iter()
            .rposition(|&byte| byte != 0)
            .map_or(0, |last| last + 1);
        Some(&unit[..end])
    })
    .filter(|unit| !unit.is_empty())
}

fn after_start_code(stream: &[u8]) -> Option<&[u8]> {
    let at = stream.windows(3).position(|window| window == [0, 0, 1])?;
    Some(&stream[at + 3..])
}

/// A unit's type.
pub fn kind_of(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |first| first & 0x1f)
}

/// What a sequence parameter set says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sps {
    /// The profile: 66 = Baseline.
    pub profile: u8,
    /// The constraint flags; 0x40 with Baseline = Constrained Baseline.
    pub constraints: u8,
    /// The level times ten.
    pub level: u8,
    /// The coded size in pixels, before cropping.
    pub coded: Size,
}

impl Sps {
    /// Reads a unit of type [`kind::SPS`]; `None` if it is broken, or its pictures aren't 8-bit
    /// 4:2:0.
    pub fn parse(unit: &[u8]) -> Option<Self> {
        let [header, profile, constraints, level, ..] = *unit else {
            return None;
        };
        if header & 0x1f != kind::SPS {
            return None;
        }
        let mut bits = Bits::new(&unit[4..]);
        bits.unsigned()?; // seq_parameter_set_id
        if !matches!(profile, 66 | 77 | 88) {
            bits.high_fields()?;
        }
        bits.unsigned()?; // log2_max_frame_num_minus4
        match bits.unsigned()? {
            0 => {
                bits.unsigned()?; // log2_max_pic_order_cnt_lsb_minus4
            }
            1 => {
                bits.bit()?;
                bits.unsigned()?; // offsets; signed ones are as long as unsigned ones
                bits.unsigned()?;
                let cycle = bits.unsigned()?;
                for _ in 0..cycle.min(256) {
                    bits.unsigned()?;
                }
            }
            _ => {}
        }
        bits.unsigned()?; // max_num_ref_frames
        bits.bit()?; // gaps_in_frame_num_value_allowed_flag
        let width = bits.unsigned()?.checked_add(1)?.checked_mul(16)?;
        let units = bits.unsigned()?.checked_add(1)?.checked_mul(16)?;
        let frames_only = bits.bit()?;
        let height = units.checked_mul(if frames_only { 1 } else { 2 })?;
        let coded = Size::new(width.try_into().ok()?, height.try_into().ok()?);
        Some(Self {
            profile,
            constraints,
            level,
            coded,
        })
    }
}

/// Reads bits, skipping emulation prevention bytes.
struct Bits {
    bytes: Vec<u8>,
    at: usize,
}

impl Bits {
    fn new(escaped: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(escaped.len());
        let mut zeros = 0;
        for &byte in escaped {
            if zeros >= 2 && byte == 3 {
                zeros = 0;
                continue;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            bytes.push(byte);
        }
        Self { bytes, at: 0 }
    }

    /// What profiles from High on have in addition; `None` too if it isn't 8-bit 4:2:0.
    fn high_fields(&mut self) -> Option<()> {
        let (chroma, luma_depth, chroma_depth) =
            (self.unsigned()?, self.unsigned()?, self.unsigned()?);
        if (chroma, luma_depth, chroma_depth) != (1, 0, 0) {
            return None;
        }
        self.bit()?; // qpprime_y_zero_transform_bypass_flag
        if self.bit()? {
            for list in 0..8 {
                if self.bit()? {
                    self.scaling_list(if list < 6 { 16 } else { 64 })?;
                }
            }
        }
        Some(())
    }

    fn scaling_list(&mut self, len: usize) -> Option<()> {
        let (mut last, mut next) = (8_i64, 8_i64);
        for _ in 0..len {
            if next != 0 {
                let code = i64::from(self.unsigned()?);
                let delta = if code % 2 == 1 {
                    (code + 1) / 2
                } else {
                    -code / 2
                };
                next = (last + delta).rem_euclid(256);
            }
            if next != 0 {
                last = next;
            }
        }
        Some(())
    }

    fn bit(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(bit == 1)
    }

    /// An Exp-Golomb number.
    fn unsigned(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.bit()? {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        let mut value = 1_u32;
        for _ in 0..zeros {
            value = value << 1 | u32::from(self.bit()?);
        }
        Some(value - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_taken_apart() {
        let stream = [
            9, 0, 0, 0, 1, 0x67, 5, 0, 0, 1, 0x68, 0, 0, 0, 1, 0x65, 1, 2,
        ];
        let found: Vec<_> = units(&stream).collect();
        assert_eq!(found, [&[0x67, 5][..], &[0x68], &[0x65, 1, 2]]);
        assert_eq!(
            found.iter().map(|unit| kind_of(unit)).collect::<Vec<_>>(),
            [7, 8, 5]
        );
        for none in [&[][..], &[1, 2, 3], &[0, 0, 1]] {
            assert_eq!(units(none).count(), 0);
        }
    }

    #[test]
    fn the_fake_parameter_set_of_the_findings_is_read() {
        // FINDINGS.md's constant SPS, which browsers take: 42c01f.
        let sps = [
            0x67, 0x42, 0xc0, 0x1f, 0x8c, 0x8d, 0x40, 0x50, 0x17, 0xfc, 0xb0, 0x0f, 0x08, 0x84,
            0x6a,
        ];
        let sps = Sps::parse(&sps).unwrap();
        assert_eq!((sps.profile, sps.constraints, sps.level), (66, 0xc0, 31));
        assert_eq!(sps.coded, Size::new(640, 368));
    }

    #[test]
    fn a_set_of_high_profile_is_read() {
        // x264, 640×360, High, level 3.0, no scaling lists.
        let sps = [
            0x67, 0x64, 0x00, 0x1e, 0xac, 0xd9, 0x40, 0xa0, 0x2f, 0xf9, 0x70, 0x11, 0x00, 0x00,
            0x03, 0x00, 0x01, 0x00, 0x00, 0x03, 0x00, 0x3c, 0x0f, 0x16, 0x2d, 0x96,
        ];
        let sps = Sps::parse(&sps).unwrap();
        assert_eq!(
            (sps.profile, sps.level, sps.coded),
            (100, 30, Size::new(640, 368))
        );
    }

    #[test]
    fn broken_sets_are_none() {
        assert_eq!(Sps::parse(&[]), None);
        assert_eq!(Sps::parse(&[0x67, 0x42, 0xc0, 0x1f]), None);
        assert_eq!(Sps::parse(&[0x67, 0x42, 0xc0, 0x1f, 0, 0, 0, 0, 0]), None);
        assert_eq!(
            Sps::parse(&[0x67, 100, 0, 31, 0xff, 0xff, 0xff, 0xff]),
            None
        );
    }
}
