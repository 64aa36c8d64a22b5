//! The media lane's binary messages.
//!
//! A message is a chunk of an encoded frame: a header in clear for the relay, then payload bytes,
//! which the relay never looks into. All numbers are big-endian.
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 1 | version (high nibble, 1) and message type (low nibble, 0 = media) |
//! | 1 | 1 | length of the header in bytes, references and extensions included |
//! | 2 | 1 | track |
//! | 3 | 1 | spatial layer (high nibble), temporal layer (low nibble) |
//! | 4 | 4 | sender: 0 from a participant, the member's id from the relay |
//! | 8 | 4 | sequence, counting the track's frames from 0 |
//! | 12 | 8 | media timestamp, microseconds |
//! | 20 | 2 | chunk's index |
//! | 22 | 2 | number of chunks |
//! | 24 | 1 | number of references, at most 4; 0 = key frame |
//! | 25 | 2 each | references: distances back in the sequence, each at least 1 |
//! | … | | extensions, up to the header's end |
//!
//! An extension is a byte `id << 4 | (length - 1)` and then so many bytes, as in RFC 8285; the id 0
//! is one byte of padding without anything behind it. Those that aren't known are skipped. The id 1
//! is the sound's [`Level`], the byte of RFC 6464.

use crate::{
    id::{MemberId, TrackId},
    media::Layer,
    sound::Level,
    time::MediaTime,
};

/// A header without references and extensions, in bytes.
pub const MIN_HEADER: usize = 25;
/// The longest header that [`Header::write`] makes, in bytes.
pub const MAX_HEADER: usize = MIN_HEADER + 2 * MAX_REFERENCES + LEVEL_EXTENSION;
/// The most references a frame can have.
pub const MAX_REFERENCES: usize = 4;
/// The most tracks of one member: a camera in three codecs, a microphone, and room to grow.
pub const MAX_TRACKS: usize = 8;
/// The largest frame, in payload bytes: a 1080p JPEG of high quality is a third of it.
pub const MAX_FRAME: usize = 1 << 20;
/// The most chunks of a frame: a largest frame in chunks of 1 KiB.
pub const MAX_CHUNKS: u16 = 1024;
/// The first byte of a media message of version 1.
pub const MEDIA_V1: u8 = 0x10;
/// The first byte of a binary message that holds a control packet compressed with zstd.
pub const CONTROL_ZSTD_V1: u8 = 0x11;

/// What a frame refers to: distances back in the track's sequence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct References {
    count: u8,
    distances: [u16; MAX_REFERENCES],
}

impl References {
    /// None: a key frame.
    pub const NONE: Self = Self {
        count: 0,
        distances: [0; MAX_REFERENCES],
    };

    /// References at these distances; `None` if there are too many, or one is zero.
    pub fn new(distances: &[u16]) -> Option<Self> {
        if distances.len() > MAX_REFERENCES || distances.contains(&0) {
            return None;
        }
        let mut references = Self {
            count: distances.len() as u8,
            ..Self::NONE
        };
        references.distances[..distances.len()].copy_from_slice(distances);
        Some(references)
    }

    /// The distances.
    pub fn distances(&self) -> &[u16] {
        &self.distances[..usize::from(self.count)]
    }

    /// Whether the frame can be decoded alone.
    pub fn is_key(&self) -> bool {
        self.count == 0
    }
}

/// The clear header of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    /// The sender, as the relay says; `MemberId(0)` on the way to the relay.
    pub sender: MemberId,
    /// Which of the sender's tracks.
    pub track: TrackId,
    /// Which layer.
    pub layer: Layer,
    /// The frame's place in the track.
    pub sequence: u32,
    /// When it was captured.
    pub timestamp: MediaTime,
    /// Which chunk of the frame this is, from 0.
    pub chunk: u16,
    /// How many there are, at least 1.
    pub chunks: u16,
    /// What the frame refers to.
    pub references: References,
    /// How loud it is, if it is sound and its sender says so.
    pub level: Option<Level>,
}

/// Why bytes aren't a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Fewer bytes than the header says.
    #[error("truncated header")]
    Truncated,
    /// Another version or message type.
    #[error("not a media message of version 1 (first byte {0:#04x})")]
    Type(u8),
    /// The header's length doesn't hold its own fields.
    #[error("a header of {0} bytes doesn't hold its fields")]
    Length(u8),
    /// More references than allowed, one at distance zero, or before the first frame.
    #[error("bad references")]
    References,
    /// A chunk outside the frame, or a frame of no or too many chunks.
    #[error("chunk {chunk} of {chunks}")]
    Chunk {
        /// The index.
        chunk: u16,
        /// The number.
        chunks: u16,
    },
    /// A layer above 3.
    #[error("no such layer")]
    Layer,
    /// An extension that goes on behind the header's end.
    #[error("extension {0} runs over the header's end")]
    Extension(u8),
}

/// The highest spatial and temporal layer.
pub const MAX_LAYER: u8 = 3;

/// The extension that holds a sound's level, and its size with the byte before it.
const LEVEL: u8 = 1;
const LEVEL_EXTENSION: usize = 2;

impl Header {
    /// How many bytes [`Header::write`] appends.
    pub fn len(&self) -> usize {
        let level = if self.level.is_some() {
            LEVEL_EXTENSION
        } else {
            0
        };
        MIN_HEADER + 2 * self.references.distances().len() + level
    }

    /// Never: a header has at least [`MIN_HEADER`] bytes.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Appends the header's bytes.
    pub fn write(&self, out: &mut impl bytes::BufMut) {
        out.put_u8(MEDIA_V1);
        out.put_u8(self.len() as u8);
        out.put_u8(self.track.0);
        out.put_u8(self.layer.spatial << 4 | self.layer.temporal);
        out.put_u32(self.sender.0);
        out.put_u32(self.sequence);
        out.put_u64(self.timestamp.0);
        out.put_u16(self.chunk);
        out.put_u16(self.chunks);
        out.put_u8(self.references.count);
        for &distance in self.references.distances() {
            out.put_u16(distance);
        }
        if let Some(level) = self.level {
            out.put_u8(LEVEL << 4);
            out.put_u8(level.to_byte());
        }
    }

    /// Reads a chunk: its header, and where its payload begins.
    pub fn parse(message: &[u8]) -> Result<(Header, usize), Error> {
        let Some((fixed, _)) = message.split_first_chunk::<MIN_HEADER>() else {
            return Err(match message.first() {
                Some(&first) if first != MEDIA_V1 => Error::Type(first),
                _ => Error::Truncated,
            });
        };
        if fixed[0] != MEDIA_V1 {
            return Err(Error::Type(fixed[0]));
        }
        let u16_at = |at: usize| u16::from_be_bytes([message[at], message[at + 1]]);
        let u32_at = |at: usize| (u32::from(u16_at(at)) << 16) | u32::from(u16_at(at + 2));
        let length = usize::from(fixed[1]);
        let count = usize::from(fixed[24]);
        if count > MAX_REFERENCES {
            return Err(Error::References);
        }
        if length < MIN_HEADER + 2 * count {
            return Err(Error::Length(fixed[1]));
        }
        if message.len() < length {
            return Err(Error::Truncated);
        }
        let layer = Layer {
            spatial: fixed[3] >> 4,
            temporal: fixed[3] & 0x0f,
        };
        if layer.spatial > MAX_LAYER || layer.temporal > MAX_LAYER {
            return Err(Error::Layer);
        }
        let mut distances = [0; MAX_REFERENCES];
        for (index, distance) in distances[..count].iter_mut().enumerate() {
            *distance = u16_at(MIN_HEADER + 2 * index);
        }
        let references = References::new(&distances[..count]).ok_or(Error::References)?;
        let mut header = Header {
            sender: MemberId(u32_at(4)),
            track: TrackId(fixed[2]),
            layer,
            sequence: u32_at(8),
            timestamp: MediaTime(u64::from(u32_at(12)) << 32 | u64::from(u32_at(16))),
            chunk: u16_at(20),
            chunks: u16_at(22),
            references,
            level: None,
        };
        if header.chunks == 0 || header.chunks > MAX_CHUNKS || header.chunk >= header.chunks {
            return Err(Error::Chunk {
                chunk: header.chunk,
                chunks: header.chunks,
            });
        }
        if references
            .distances()
            .iter()
            .any(|&distance| u32::from(distance) > header.sequence)
        {
            return Err(Error::References);
        }
        header.level = level(&message[MIN_HEADER + 2 * count..length])?;
        Ok((header, length))
    }

    /// Writes which chunk it is of how many into a header's bytes, for a frame that is cut anew.
    pub fn number(message: &mut [u8], chunk: u16, chunks: u16) {
        if let Some(fields) = message.get_mut(20..24) {
            let (index, number) = fields.split_at_mut(2);
            index.copy_from_slice(&chunk.to_be_bytes());
            number.copy_from_slice(&chunks.to_be_bytes());
        }
    }

    /// Writes the sender into a chunk's bytes, where they are. `message` must have been parsed.
    pub fn stamp(message: &mut [u8], sender: MemberId) {
        if let Some(field) = message.get_mut(4..8) {
            field.copy_from_slice(&sender.0.to_be_bytes());
        }
    }
}

/// Reads the extensions. Of two levels the last one counts; of a level that a later version made
/// longer, its first byte.
fn level(mut extensions: &[u8]) -> Result<Option<Level>, Error> {
    let mut level = None;
    while let Some((&first, rest)) = extensions.split_first() {
        let id = first >> 4;
        if id == 0 {
            extensions = rest;
            continue;
        }
        let length = usize::from(first & 0x0f) + 1;
        let (data, rest) = rest.split_at_checked(length).ok_or(Error::Extension(id))?;
        if id == LEVEL {
            level = data.first().copied().map(Level::from_byte);
        }
        extensions = rest;
    }
    Ok(level)
}
