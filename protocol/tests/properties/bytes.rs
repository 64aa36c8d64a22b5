//! Any bytes parse to a value or an error, and what was written comes back.

use proptest::{collection::vec, prelude::*};
use visita_protocol::{
    chunk::{self, Assembler},
    compress,
    frame::{Header, MAX_CHUNKS, MAX_FRAME, MAX_LAYER, MIN_HEADER, References},
    id::{MemberId, TrackId},
    media::Layer,
    name::ChatText,
    sound::Level,
    time::MediaTime,
};

pub(crate) fn header() -> impl Strategy<Value = Header> {
    let references = vec(1..=u16::MAX, 0..=4);
    let chunk = (1..=MAX_CHUNKS).prop_flat_map(|chunks| (0..chunks, Just(chunks)));
    let layer = (0..=MAX_LAYER, 0..=MAX_LAYER);
    let numbers = any::<(u32, u8, u32, u64, Option<u8>)>();
    (numbers, layer, chunk, references).prop_map(
        |(
            (sender, track, sequence, timestamp, level),
            (spatial, temporal),
            (chunk, chunks),
            references,
        )| {
            let farthest = references.iter().copied().max().unwrap_or(0);
            Header {
                sender: MemberId(sender),
                track: TrackId(track),
                layer: Layer { spatial, temporal },
                sequence: sequence.max(u32::from(farthest)),
                timestamp: MediaTime(timestamp),
                chunk,
                chunks,
                references: References::new(&references).unwrap(),
                level: level.map(Level::from_byte),
            }
        },
    )
}

fn written(header: &Header, payload: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    header.write(&mut message);
    message.extend_from_slice(payload);
    message
}

/// Bytes that are nearly a media message: written, then spoiled here and there, and cut.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let spoil = vec((0..40_usize, any::<u8>()), 0..4);
    (header(), vec(any::<u8>(), 0..20), spoil, 0..60_usize).prop_map(
        |(header, payload, spoil, cut)| {
            let mut message = written(&header, &payload);
            for (at, byte) in spoil {
                if let Some(place) = message.get_mut(at) {
                    *place = byte;
                }
            }
            message.truncate(cut.max(1));
            message
        },
    )
}

fn parses_or_not(message: &[u8]) -> Result<(), TestCaseError> {
    let Ok((header, offset)) = Header::parse(message) else {
        return Ok(());
    };
    prop_assert!((MIN_HEADER..=message.len()).contains(&offset));
    prop_assert!(header.chunk < header.chunks && header.chunks <= MAX_CHUNKS);
    prop_assert!(
        header
            .references
            .distances()
            .iter()
            .all(|&d| d > 0 && u32::from(d) <= header.sequence)
    );
    prop_assert_eq!(
        Header::parse(&written(&header, &[])),
        Ok((header, header.len()))
    );
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_are_a_chunk_or_an_error(message in vec(any::<u8>(), 0..80)) {
        parses_or_not(&message)?;
    }

    #[test]
    fn bytes_that_are_nearly_a_chunk_are_one_or_an_error(message in nearly()) {
        parses_or_not(&message)?;
    }

    #[test]
    fn what_was_written_is_read(header in header(), payload in vec(any::<u8>(), 0..100)) {
        let message = written(&header, &payload);
        prop_assert_eq!(Header::parse(&message), Ok((header, message.len() - payload.len())));
    }

    /// Extensions of later versions and padding, before and after the level, change nothing.
    #[test]
    fn extensions_that_arent_known_are_skipped(
        header in header(),
        unknown in vec((2..=15_u8, vec(any::<u8>(), 1..=16), 0..3_usize), 0..10),
        after in any::<bool>(),
        payload in vec(any::<u8>(), 0..20),
    ) {
        let mut extensions = Vec::new();
        for (id, data, padding) in unknown {
            extensions.extend(vec![0; padding]);
            extensions.push(id << 4 | (data.len() - 1) as u8);
            extensions.extend(data);
        }
        let mut message = written(&header, &[]);
        let own = message.len();
        let level = if header.level.is_some() { own - 2 } else { own };
        let at = if after { own } else { level };
        message.splice(at..at, extensions);
        let length = message.len();
        message[1] = length as u8;
        message.extend_from_slice(&payload);
        prop_assert_eq!(Header::parse(&message), Ok((header, length)));
    }

    #[test]
    fn nobody_speaks_as_another(message in nearly(), claimed: u32, real: u32) {
        let Ok((before, offset)) = Header::parse(&message) else { return Ok(()) };
        let mut forged = message.clone();
        Header::stamp(&mut forged, MemberId(claimed));
        let mut stamped = forged.clone();
        Header::stamp(&mut stamped, MemberId(real));
        let (after, again) = Header::parse(&stamped).unwrap();
        prop_assert_eq!(after, Header { sender: MemberId(real), ..before });
        prop_assert_eq!(offset, again);
        prop_assert_eq!(&stamped[offset..], &message[offset..]);
    }

    #[test]
    fn a_frame_that_is_cut_comes_together(header in header(), bytes in 0..100_000_usize, max in 100..70_000_usize) {
        let Ok(chunks) = chunk::split(header, bytes, max) else {
            prop_assert!(bytes.div_ceil(max) > usize::from(MAX_CHUNKS));
            return Ok(());
        };
        let mut assembler = Assembler::new();
        let mut end = 0;
        let last = chunks.len() - 1;
        for (index, (header, range)) in chunks.enumerate() {
            prop_assert_eq!(range.start, end);
            prop_assert!(range.len() <= max);
            end = range.end;
            let outcome = assembler.push(header, index, range.len()).unwrap();
            prop_assert_eq!(outcome.is_some(), index == last);
            if let Some(frame) = outcome {
                prop_assert_eq!(frame.bytes, bytes);
                let indices: Vec<_> = (0..=last).collect();
                prop_assert_eq!(frame.chunks.as_slice(), &indices[..]);
            }
        }
        prop_assert_eq!(end, bytes);
    }

    #[test]
    fn no_order_of_chunks_makes_a_frame_that_wasnt_sent(
        chunks in vec((0..8_u32, 0..4_u16, 1..4_u16, 0..2_u64, 0..MAX_FRAME), 0..60),
    ) {
        let mut assembler = Assembler::new();
        let mut latest = None;
        for (sequence, chunk, chunks, time, bytes) in chunks {
            let header = Header {
                sender: MemberId(1),
                track: TrackId(0),
                layer: Layer::default(),
                sequence,
                timestamp: MediaTime(time),
                chunk: chunk.min(chunks - 1),
                chunks,
                references: References::NONE,
                level: None,
            };
            let outcome = assembler.push(header, header, bytes);
            prop_assert!(assembler.waiting() <= MAX_FRAME);
            let Ok(Some(frame)) = outcome else { continue };
            prop_assert!(frame.bytes <= MAX_FRAME);
            let first = frame.chunks.as_slice()[0];
            prop_assert_eq!(frame.chunks.as_slice().len(), usize::from(first.chunks));
            for (index, chunk) in frame.chunks.as_slice().iter().enumerate() {
                prop_assert_eq!(*chunk, Header { chunk: index as u16, ..first });
            }
            let begun: Option<u32> = latest;
            prop_assert!(begun != Some(sequence), "frame {} came twice", sequence);
            latest = Some(sequence);
        }
    }

    #[test]
    fn any_bytes_decompress_within_the_bound_or_not_at_all(
        mut message in vec(any::<u8>(), 0..200),
        bound in 0..2000_usize,
    ) {
        if let Some(first) = message.first_mut() {
            *first = 0x11;
        }
        if let Ok(text) = compress::decompress(&message, bound) {
            prop_assert!(text.len() <= bound);
        }
    }

    #[test]
    fn what_is_compressed_comes_out_again_if_it_may(
        text in "(\\PC{0,40}|\\{\"type\":\"message\",\"n\":[0-9]{1,5}){1,6}",
        bound in 0..300_usize,
    ) {
        let Some(message) = compress::compress(&text) else { return Ok(()) };
        prop_assert!(message.len() < text.len());
        prop_assert_eq!(compress::decompress(&message, text.len()), Ok(text.clone()));
        prop_assert_eq!(compress::decompress(&message, bound).is_ok(), bound >= text.len());
    }

    #[test]
    fn a_tidy_text_stays_as_it_is(text in "[\\PC\u{200b}\u{202e}\n\t\u{0} a-c]{0,40}") {
        let Ok(tidy) = ChatText::new(&text) else { return Ok(()) };
        prop_assert_eq!(ChatText::new(tidy.reveal()), Ok(tidy.clone()));
        prop_assert!(!tidy.reveal().chars().any(char::is_control));
    }
}
