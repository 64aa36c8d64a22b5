//! Frames sealed from one participant to the others: what is inside of them, and what of their
//! header in clear must be true.
//!
//! A frame's sealed payload is SFrame ([`crate::sframe`]) of this, and of nothing else:
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 1 | version 1 (high nibble); 8 if [no header](Clear) went with it in clear, plus the codec: 0 H.264, 1 VP8, 2 JPEG, 3 Opus |
//! | 1 | 15 + 2 each | the header as [`crate::frame`] has it, from the track to the references, without sender and chunk |
//! | … | | the encoded frame |
//!
//! The key's number holds the member, the epoch and the track that a key is for ([`Kid`]), so who
//! sent a frame as which track follows from the key that opens it. The true header is the one
//! inside; the clear one is a hint for the relay, and a frame whose two sides disagree is refused.
//! How loud sound is ([`Header::level`]) stands in clear only.

use bytes::Bytes;

use crate::{
    frame::{self, Header, MAX_FRAME, MAX_REFERENCES, MEDIA_V1, MIN_HEADER},
    id::{MemberId, TrackId},
    media::Codec,
    sframe::{self, BaseKey, KeyError, Suite},
};

pub mod dress;

/// The suite that keys are for.
const SUITE: Suite = Suite::Aes128;
/// Version 1, in the high nibble of the first byte.
const VERSION: u8 = 0x10;
/// In the first byte: no header went with the frame in clear.
const BARE: u8 = 0x08;
/// The codecs by their number in the first byte.
const CODECS: [Codec; 4] = [Codec::H264, Codec::Vp8, Codec::Jpeg, Codec::Opus];
/// What stands before the encoded frame, without its references.
const LEAST: usize = 16;
/// Where the number of references stands.
const COUNT: usize = LEAST - 1;
/// The largest encoded frame that can be sealed: with all around it, it is as large as a frame may be.
pub const MAX_PAYLOAD: usize = MAX_FRAME - LEAST - 2 * MAX_REFERENCES - sframe::MAX_OVERHEAD;

/// How often a member's keys changed. It only grows: no key ever has the number of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u16);

/// Whose key it is, for what: the key's number on the wire. The member is in bits 24 to 55, the epoch
/// in bits 8 to 23, the track in bits 0 to 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kid {
    /// Who seals with it.
    pub member: MemberId,
    /// Since which change of keys.
    pub epoch: Epoch,
    /// The only track that it seals.
    pub track: TrackId,
}

impl Kid {
    /// The number.
    pub fn number(self) -> u64 {
        u64::from(self.member.0) << 24 | u64::from(self.epoch.0) << 8 | u64::from(self.track.0)
    }

    /// Reads a number; `None` if it is too large for one of ours.
    pub fn from_number(number: u64) -> Option<Self> {
        Some(Self {
            member: MemberId(u32::try_from(number >> 24).ok()?),
            epoch: Epoch((number >> 8) as u16),
            track: TrackId(number as u8),
        })
    }
}

/// What of a frame's header goes with it in clear, from its sender to the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clear {
    /// All of it, as on `ws`: a receiver that gets a header must get this one.
    Header,
    /// None, as in RTP: the relay makes one up, and only the sender, the track and whether it is a
    /// key frame are held to what is inside.
    Nothing,
}

/// Why a frame wasn't sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// A codec that isn't known here.
    #[error("no such codec")]
    Codec,
    /// The key is for another track.
    #[error("a frame of {0}, which the key isn't for")]
    Track(TrackId),
    /// More than [`MAX_PAYLOAD`] bytes.
    #[error("a frame of {0} bytes, which is more than {MAX_PAYLOAD}")]
    TooLarge(usize),
    /// SFrame's reason.
    #[error(transparent)]
    SFrame(#[from] sframe::SealError),
}

/// Seals one track. The one owner of its key's counter, on whatever carriers its frames go.
#[derive(Debug)]
pub struct Sealer {
    sframe: sframe::Sealer,
    kid: Kid,
    codec: Codec,
}

impl Sealer {
    /// Seals frames in this codec, of the member and the track in `kid`.
    pub fn new(kid: Kid, codec: Codec, key: BaseKey) -> Self {
        Self {
            sframe: sframe::Sealer::new(SUITE, kid.number(), key),
            kid,
            codec,
        }
    }

    /// Seals an encoded frame: the payload to send under this header. Sender, chunk and level of the
    /// header don't matter.
    pub fn seal(
        &mut self,
        header: &Header,
        clear: Clear,
        payload: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let number = CODECS.iter().position(|&codec| codec == self.codec);
        let codec = number.ok_or(SealError::Codec)? as u8;
        if header.track != self.kid.track {
            return Err(SealError::Track(header.track));
        }
        if payload.len() > MAX_PAYLOAD {
            return Err(SealError::TooLarge(payload.len()));
        }
        let bare = if clear == Clear::Nothing { BARE } else { 0 };
        let mut plaintext = Vec::with_capacity(LEAST + 2 * MAX_REFERENCES + payload.len());
        plaintext.push(VERSION | bare | codec);
        let mut whole = Vec::with_capacity(frame::MAX_HEADER);
        let level = None;
        Header { level, ..*header }.write(&mut whole);
        // Without type and length, sender, and chunk.
        for part in [&whole[2..4], &whole[8..20], &whole[24..]] {
            plaintext.extend_from_slice(part);
        }
        plaintext.extend_from_slice(payload);
        Ok(self.sframe.seal(&[], &plaintext)?)
    }
}

/// What is known of a frame from outside of it.
#[derive(Clone, Copy, Debug)]
pub enum Hint<'a> {
    /// The header in clear, as the relay gave it.
    Header(&'a Header),
    /// Only whose frames of which track these are to be, as of what comes in a WebRTC slot.
    Slot {
        /// Who is in it.
        sender: MemberId,
        /// With which of the member's tracks.
        track: TrackId,
        /// Whether it says that it is a key frame, as all of sound is.
        key: bool,
    },
}

/// In what the two sides of a frame disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Who sent it.
    Sender,
    /// The track, outside, in the key's number or inside.
    Track,
    /// The codec, inside and as it was announced.
    Codec,
    /// Whether it is a key frame, or what it refers to.
    References,
    /// The layer.
    Layer,
    /// Its place in the track.
    Sequence,
    /// When it was captured.
    Timestamp,
}

/// Why a frame was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// SFrame's reason.
    #[error(transparent)]
    SFrame(#[from] sframe::Error),
    /// Another version, or a codec that isn't known here.
    #[error("not a frame of version 1 (first byte {0:#04x})")]
    Form(u8),
    /// The header inside can't be read.
    #[error("the header inside: {0}")]
    Header(#[from] frame::Error),
    /// What is said outside isn't what is inside.
    #[error("the two sides disagree ({0:?})")]
    Disagree(Field),
}

/// A frame that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The true header, whole, in one chunk: the sender is who the key is of, and the level is the
    /// one in clear, if there was any.
    pub header: Header,
    /// The encoded frame.
    pub payload: Bytes,
}

/// Opens frames of all the others.
#[derive(Debug)]
pub struct Opener {
    sframe: sframe::Opener,
}

impl Default for Opener {
    fn default() -> Self {
        Self::new()
    }
}

impl Opener {
    /// An opener without keys.
    pub fn new() -> Self {
        Self {
            sframe: sframe::Opener::new(SUITE),
        }
    }

    /// Takes a key. One that was removed must never be given again.
    pub fn add(&mut self, kid: Kid, key: &BaseKey) -> Result<(), KeyError> {
        self.sframe.add(kid.number(), key)
    }

    /// Wipes a key; says whether it was there.
    pub fn remove(&mut self, kid: Kid) -> bool {
        self.sframe.remove(kid.number())
    }

    /// Opens the payload of a frame of a track that was announced with this codec.
    pub fn open(&mut self, hint: Hint, codec: Codec, sealed: &[u8]) -> Result<Opened, Error> {
        let sframe::Opened { kid, plaintext, .. } = self.sframe.open(&[], sealed)?;
        let kid = Kid::from_number(kid).ok_or(sframe::Error::NoKey(kid))?;
        let Inside {
            went,
            codec: sealed_codec,
            header: inside,
            offset,
        } = Inside::parse(&plaintext)?;
        let (sender, track, key, level) = match hint {
            Hint::Header(clear) => {
                let key = clear.references.is_key();
                (clear.sender, clear.track, key, clear.level)
            }
            Hint::Slot { sender, track, key } => (sender, track, key, None),
        };
        agree(Field::Sender, sender == kid.member)?;
        agree(Field::Track, track == kid.track && track == inside.track)?;
        agree(Field::Codec, codec == sealed_codec)?;
        agree(Field::References, key == inside.references.is_key())?;
        if let (Hint::Header(clear), Clear::Header) = (hint, went) {
            agree(Field::References, clear.references == inside.references)?;
            agree(Field::Layer, clear.layer == inside.layer)?;
            agree(Field::Sequence, clear.sequence == inside.sequence)?;
            agree(Field::Timestamp, clear.timestamp == inside.timestamp)?;
        }
        Ok(Opened {
            header: Header {
                sender,
                level,
                ..inside
            },
            payload: Bytes::from(plaintext).slice(offset..),
        })
    }
}

fn agree(field: Field, same: bool) -> Result<(), Error> {
    if same {
        Ok(())
    } else {
        Err(Error::Disagree(field))
    }
}

/// What was sealed.
struct Inside {
    went: Clear,
    codec: Codec,
    header: Header,
    /// Where the encoded frame begins.
    offset: usize,
}

impl Inside {
    fn parse(plaintext: &[u8]) -> Result<Self, Error> {
        let &form = plaintext.first().ok_or(frame::Error::Truncated)?;
        let known = CODECS.get(usize::from(form & !BARE & 0x0f));
        let &codec = known
            .filter(|_| form & 0xf0 == VERSION)
            .ok_or(Error::Form(form))?;
        let went = if form & BARE == 0 {
            Clear::Header
        } else {
            Clear::Nothing
        };
        let &count = plaintext.get(COUNT).ok_or(frame::Error::Truncated)?;
        if usize::from(count) > MAX_REFERENCES {
            return Err(frame::Error::References.into());
        }
        let references = 2 * usize::from(count);
        let offset = LEAST + references;
        let inside = plaintext.get(1..offset).ok_or(frame::Error::Truncated)?;
        // What isn't inside: type and length, nobody as the sender, and one chunk.
        let mut whole = vec![MEDIA_V1, (MIN_HEADER + references) as u8];
        whole.extend_from_slice(&inside[..2]);
        whole.extend_from_slice(&[0; 4]);
        whole.extend_from_slice(&inside[2..COUNT - 1]);
        whole.extend_from_slice(&[0, 0, 0, 1]);
        whole.extend_from_slice(&inside[COUNT - 1..]);
        let (header, _) = Header::parse(&whole)?;
        Ok(Self {
            went,
            codec,
            header,
            offset,
        })
    }
}
