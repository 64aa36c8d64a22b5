//! Tracks and frames, as a participant announces and sends them.

use bytes::{BufMut as _, Bytes, BytesMut};
use visita_protocol::{
    frame::{Header, References},
    id::{MemberId, TrackId},
    media::{Codec, Layer, Source, Track},
    sound::Level,
    time::MediaTime,
};

use super::SIZE;

pub fn camera() -> Track {
    Track {
        id: TrackId(0),
        source: Source::Camera,
        codec: Codec::H264,
        layers: vec![SIZE],
        sealed: false,
    }
}

pub const MICROPHONE: u8 = 2;

pub fn microphone() -> Track {
    Track {
        id: TrackId(MICROPHONE),
        source: Source::Microphone,
        codec: Codec::Opus,
        layers: vec![],
        sealed: false,
    }
}

/// A sound frame that says to be so loud.
pub fn sound(sequence: u32, level: Level, payload: &[u8]) -> Bytes {
    let header = Header {
        level: Some(level),
        ..header(MICROPHONE, sequence, true)
    };
    chunk(&header, payload)
}

pub fn header(track: u8, sequence: u32, key: bool) -> Header {
    Header {
        sender: MemberId(0),
        track: TrackId(track),
        layer: Layer::default(),
        sequence,
        timestamp: MediaTime(u64::from(sequence) * 33_333),
        chunk: 0,
        chunks: 1,
        references: if key {
            References::NONE
        } else {
            References::new(&[1]).unwrap()
        },
        level: None,
    }
}

/// A chunk as a participant sends it.
pub fn chunk(header: &Header, payload: &[u8]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(header.len() + payload.len());
    header.write(&mut bytes);
    bytes.put_slice(payload);
    bytes.freeze()
}

/// One of the chunks of a key frame of track 0.
pub fn piece(sequence: u32, index: u16, of: u16, payload: &[u8]) -> Bytes {
    let header = Header {
        chunk: index,
        chunks: of,
        ..header(0, sequence, true)
    };
    chunk(&header, payload)
}

pub fn frame(track: u8, sequence: u32, key: bool, payload: &[u8]) -> Bytes {
    chunk(&header(track, sequence, key), payload)
}
