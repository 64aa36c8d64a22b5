//! What WebRTC's packetisers must see of a frame that is sealed, put around it by the carrier and
//! taken off again by the carrier at the other edge; no other part knows of it.
//!
//! - **H.264**: parameter sets that are always the same, and one NAL unit with all of the sealed
//!   frame in it, escaped. A delta frame is the NAL unit alone. The true parameter sets are sealed.
//! - **VP8**: the first bytes of a frame, always the same, then the sealed frame: the ten of a key
//!   frame of 640×360, the one of another. The true ones are sealed.
//! - **Opus** is passed on whatever its bytes are, and **JPEG** never travels in RTP: nothing is put.

use std::borrow::Cow;

use crate::media::Codec;

/// A start code as senders write it; in what arrives its first zero may be missing.
const START: [u8; 4] = [0, 0, 0, 1];
/// A sequence parameter set: Constrained Baseline, 640×360.
const SPS: [u8; 15] = [
    0x67, 0x42, 0xc0, 0x1f, 0x8c, 0x8d, 0x40, 0x50, 0x17, 0xfc, 0xb0, 0x0f, 0x08, 0x84, 0x6a,
];
/// The picture parameter set for it.
const PPS: [u8; 4] = [0x68, 0xce, 0x3c, 0x80];
/// How the NAL unit of a key frame begins: its type, and a slice header of an I picture.
const KEY_SLICE: [u8; 3] = [0x65, 0x88, 0x80];
/// The same of a delta frame.
const DELTA_SLICE: [u8; 3] = [0x41, 0x9a, 0x80];
/// What ends the sealed bytes: a NAL unit mustn't end with a zero.
const END: u8 = 0x80;
/// What keeps two zeros apart from a byte of at most this value, which would make a start code.
const ESCAPE: u8 = 3;

/// A key frame's first bytes: shown, a first partition of 63 bytes, the start code, 640×360.
const VP8_KEY: [u8; 10] = [0xf0, 0x07, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01];
/// A delta frame's first byte: shown.
const VP8_DELTA: [u8; 1] = [0x11];
/// The bit of a VP8 frame's first byte that is 0 in key frames.
const VP8_INTER: u8 = 1;

/// Why bytes aren't a dressed frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A codec that isn't known here.
    #[error("no such codec")]
    Codec,
    /// Not the bytes that stand before a sealed frame of the codec.
    #[error("not the bytes before a sealed frame")]
    Start,
    /// The NAL unit isn't escaped, or doesn't end as it must.
    #[error("not a NAL unit with a sealed frame in it")]
    Nal,
}

/// Puts around a sealed frame what the codec's packetiser must see.
pub fn dress(codec: Codec, key: bool, sealed: &[u8]) -> Result<Cow<'_, [u8]>, Error> {
    match codec {
        Codec::H264 => Ok(Cow::Owned(dress_h264(key, sealed))),
        Codec::Vp8 => {
            let start: &[u8] = if key { &VP8_KEY } else { &VP8_DELTA };
            Ok(Cow::Owned([start, sealed].concat()))
        }
        Codec::Opus | Codec::Jpeg => Ok(Cow::Borrowed(sealed)),
        Codec::Unknown => Err(Error::Codec),
    }
}

/// What was in a dressed frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undressed<'a> {
    /// Whether it says that it is a key frame.
    pub key: bool,
    /// The sealed frame.
    pub sealed: Cow<'a, [u8]>,
}

/// Takes off what [`dress`] put around.
pub fn undress(codec: Codec, payload: &[u8]) -> Result<Undressed<'_>, Error> {
    match codec {
        Codec::H264 => undress_h264(payload),
        Codec::Vp8 => {
            let key = payload.first().ok_or(Error::Start)? & VP8_INTER == 0;
            let start: &[u8] = if key { &VP8_KEY } else { &VP8_DELTA };
            let sealed = payload.strip_prefix(start).ok_or(Error::Start)?;
            Ok(Undressed {
                key,
                sealed: sealed.into(),
            })
        }
        Codec::Opus | Codec::Jpeg => Ok(Undressed {
            key: true,
            sealed: payload.into(),
        }),
        Codec::Unknown => Err(Error::Codec),
    }
}

fn dress_h264(key: bool, sealed: &[u8]) -> Vec<u8> {
    // An escape for each 64 KiB is what random bytes need; more room is taken when it is needed.
    let mut out = Vec::with_capacity(sealed.len() + 64);
    if key {
        for set in [&SPS[..], &PPS] {
            out.extend_from_slice(&START);
            out.extend_from_slice(set);
        }
    }
    out.extend_from_slice(&START);
    out.extend_from_slice(if key { &KEY_SLICE } else { &DELTA_SLICE });
    let mut zeros = 0;
    for &byte in sealed.iter().chain([&END]) {
        if zeros == 2 && byte <= ESCAPE {
            out.push(ESCAPE);
            zeros = 0;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        out.push(byte);
    }
    out
}

fn undress_h264(payload: &[u8]) -> Result<Undressed<'_>, Error> {
    let at = payload
        .windows(3)
        .rposition(|three| three == &START[1..])
        .ok_or(Error::Start)?;
    let nal = &payload[at + 3..];
    let (key, escaped) = if let Some(rest) = nal.strip_prefix(&KEY_SLICE) {
        (true, rest)
    } else {
        (false, nal.strip_prefix(&DELTA_SLICE).ok_or(Error::Start)?)
    };
    let mut sealed = Vec::with_capacity(escaped.len());
    let mut zeros = 0;
    for &byte in escaped {
        if zeros == 2 && byte <= ESCAPE {
            if byte != ESCAPE {
                return Err(Error::Nal);
            }
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        sealed.push(byte);
    }
    if sealed.pop() != Some(END) {
        return Err(Error::Nal);
    }
    Ok(Undressed {
        key,
        sealed: sealed.into(),
    })
}
