//! Control packets as zstd with a trained dictionary.
//!
//! A packet that gets smaller may travel as a binary message: the byte
//! [`CONTROL_ZSTD_V1`], then one zstd frame that holds the packet's JSON text, compressed with
//! `protocol/dictionary/control-v1.zdict`. It is meant for connections whose welcome says so;
//! media is never compressed with zstd, as nothing is gained.

use std::sync::LazyLock;

use zstd::{
    bulk::{Compressor, Decompressor},
    dict::{DecoderDictionary, EncoderDictionary},
};

use crate::frame::CONTROL_ZSTD_V1;

/// Version 1's dictionary, made by `cargo run -p visita-protocol --example train-dictionary`.
/// Both sides must have the same bytes, so it never changes: another dictionary is another
/// [`crate::control::Compression`].
pub const DICTIONARY_V1: &[u8] = include_bytes!("../dictionary/control-v1.zdict");

/// Packets shorter than this aren't tried: acknowledgements and pings, where a frame's own header
/// eats what is gained.
pub const WORTH_TRYING: usize = 64;

/// zstd's default. Packets are small; higher levels gain nothing on them.
const LEVEL: i32 = 3;

static ENCODER: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(DICTIONARY_V1, LEVEL));
static DECODER: LazyLock<DecoderDictionary<'static>> =
    LazyLock::new(|| DecoderDictionary::copy(DICTIONARY_V1));

/// Why a binary message isn't a compressed packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The first byte says something else.
    #[error("not a compressed control packet (first byte {0:?})")]
    Type(Option<u8>),
    /// It isn't a zstd frame made with this dictionary, or the text is longer than the bound.
    #[error("not a zstd frame of at most {bound} bytes with version 1's dictionary")]
    Frame {
        /// The bound, in bytes.
        bound: usize,
    },
    /// The content isn't text.
    #[error("not UTF-8")]
    Text,
}

/// The binary message for a packet's text; `None` if it is no smaller than the text.
pub fn compress(text: &str) -> Option<Vec<u8>> {
    if text.len() < WORTH_TRYING {
        return None;
    }
    let mut compressor = Compressor::with_prepared_dictionary(&ENCODER).ok()?;
    // Neither says anything that is needed: there is one dictionary, and TLS checks the bytes.
    compressor.include_dictid(false).ok()?;
    compressor.include_checksum(false).ok()?;
    let frame = compressor.compress(text.as_bytes()).ok()?;
    if frame.len() + 1 >= text.len() {
        return None;
    }
    let mut message = Vec::with_capacity(frame.len() + 1);
    message.push(CONTROL_ZSTD_V1);
    message.extend_from_slice(&frame);
    Some(message)
}

/// The text in a compressed packet, at most `bound` bytes of it: nothing larger is ever made.
pub fn decompress(message: &[u8], bound: usize) -> Result<String, Error> {
    let frame = match message.split_first() {
        Some((&CONTROL_ZSTD_V1, frame)) => frame,
        other => return Err(Error::Type(other.map(|(first, _)| *first))),
    };
    let error = Error::Frame { bound };
    // zstd takes no frame at all for no content.
    if frame.is_empty() {
        return Err(error);
    }
    let mut decompressor = Decompressor::with_prepared_dictionary(&DECODER).map_err(|_| error)?;
    let bytes = decompressor.decompress(frame, bound).map_err(|_| error)?;
    String::from_utf8(bytes).map_err(|_| Error::Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAT: &str = r#"{"type":"message","n":17,"ack":12,"body":{"type":"chat","seq":9,"from":3,"name":"Lucía Ortega","text":"¿Cómo has dormido?","at_ms":1790000000000}}"#;

    #[test]
    fn a_packet_comes_out_as_it_went_in_and_smaller() {
        let message = compress(CHAT).unwrap();
        assert!(
            message.len() * 2 < CHAT.len(),
            "{} of {}",
            message.len(),
            CHAT.len()
        );
        assert_eq!(decompress(&message, CHAT.len()), Ok(CHAT.to_owned()));
        assert_eq!(compress(r#"{"type":"ack","ack":12}"#), None);
    }

    #[test]
    fn nothing_larger_than_the_bound_is_made() {
        let bound = CHAT.len() - 1;
        let message = compress(CHAT).unwrap();
        assert_eq!(decompress(&message, bound), Err(Error::Frame { bound }));
        let bomb = compress(&"x".repeat(10_000_000)).unwrap();
        assert!(bomb.len() < 2000);
        assert_eq!(
            decompress(&bomb, 65_536),
            Err(Error::Frame { bound: 65_536 })
        );
        // The same without its size in the frame's header.
        let mut encoder =
            zstd::stream::Encoder::with_prepared_dictionary(vec![CONTROL_ZSTD_V1], &ENCODER)
                .unwrap();
        std::io::Write::write_all(&mut encoder, &vec![b'x'; 10_000_000]).unwrap();
        assert_eq!(
            decompress(&encoder.finish().unwrap(), 65_536),
            Err(Error::Frame { bound: 65_536 })
        );
    }

    #[test]
    fn what_is_no_compressed_packet_is_refused() {
        assert_eq!(decompress(&[], 100), Err(Error::Type(None)));
        assert_eq!(decompress(&[0x10, 1, 2], 100), Err(Error::Type(Some(0x10))));
        assert_eq!(
            decompress(&[CONTROL_ZSTD_V1, 1, 2], 100),
            Err(Error::Frame { bound: 100 })
        );
    }
}
