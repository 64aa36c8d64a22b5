//! Pictures cut anew for a slow receiver, so that sound gets between smaller chunks.

use std::cell::OnceCell;

use bytes::{BufMut as _, Bytes, BytesMut};
use visita_protocol::{
    chunk::{Chunks, FINE, Frame},
    frame::Header,
    media::Codec,
};

/// How a track's frames are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Coding {
    pub(crate) codec: Codec,
    /// Whether they are sealed ([`visita_protocol::sealed`]).
    pub(crate) sealed: bool,
}

/// A frame as it came, and cut finely if anybody needs it so: once for all of them.
pub(crate) struct Cut<'f> {
    pub(crate) coding: Coding,
    whole: &'f Frame<Bytes>,
    fine: OnceCell<Option<Frame<Bytes>>>,
}

impl<'f> Cut<'f> {
    pub(crate) fn new(coding: Coding, whole: &'f Frame<Bytes>) -> Self {
        Self {
            coding,
            whole,
            fine: OnceCell::new(),
        }
    }

    /// The frame as its sender cut it.
    pub(crate) fn whole(&self) -> &Frame<Bytes> {
        self.whole
    }

    /// The frame in chunks of at most [`FINE`] payload bytes.
    pub(crate) fn fine(&self) -> &Frame<Bytes> {
        let fine = self.fine.get_or_init(|| cut(self.whole));
        fine.as_ref().unwrap_or(self.whole)
    }
}

/// A chunk's header as it came, and its payload.
fn parts(chunk: &Bytes) -> Option<(&[u8], &[u8])> {
    let (_, start) = Header::parse(chunk).ok()?;
    chunk.split_at_checked(start)
}

/// `None` if there is nothing to cut.
fn cut(frame: &Frame<Bytes>) -> Option<Frame<Bytes>> {
    let before = frame.chunks.as_slice();
    let chunks = u16::try_from(frame.bytes.div_ceil(FINE)).ok()?;
    if usize::from(chunks) <= before.len() {
        return None;
    }
    // Extensions that this version doesn't know stay in it.
    let (header, _) = parts(before.first()?)?;
    let mut payload = BytesMut::with_capacity(frame.bytes);
    for chunk in before {
        payload.put_slice(parts(chunk)?.1);
    }
    let message = |(index, part): (usize, &[u8])| {
        let mut message = BytesMut::with_capacity(header.len() + part.len());
        message.put_slice(header);
        Header::number(&mut message, index as u16, chunks);
        message.put_slice(part);
        message.freeze()
    };
    let cut = payload.chunks(FINE).enumerate().map(message);
    Some(Frame {
        header: Header {
            chunks,
            ..frame.header
        },
        chunks: Chunks::Many(cut.collect()),
        bytes: frame.bytes,
    })
}

#[cfg(test)]
mod tests {
    use visita_protocol::{
        chunk::{Assembler, split},
        frame::{MAX_CHUNKS, MAX_FRAME, References},
        id::{MemberId, TrackId},
        media::Layer,
        time::MediaTime,
    };

    use super::*;

    const H264: Coding = Coding {
        codec: Codec::H264,
        sealed: false,
    };

    /// A frame of so many bytes in chunks of at most `most`, with an extension of a later version.
    fn frame(bytes: usize, most: usize) -> (Frame<Bytes>, Vec<u8>) {
        let payload: Vec<u8> = (0..bytes).map(|at| (at * 7) as u8).collect();
        let header = Header {
            sender: MemberId(4),
            track: TrackId(1),
            layer: Layer::default(),
            sequence: 900,
            timestamp: MediaTime(12_345),
            chunk: 0,
            chunks: 1,
            references: References::new(&[1, 4]).unwrap(),
            level: None,
        };
        let mut assembler = Assembler::new();
        let mut whole = None;
        for (header, range) in split(header, bytes, most).unwrap() {
            let mut message = BytesMut::new();
            header.write(&mut message);
            message.put_slice(&[0x91, 1, 2]);
            message[1] += 3;
            message.put_slice(&payload[range.clone()]);
            whole = assembler
                .push(header, message.freeze(), range.len())
                .unwrap();
        }
        (whole.unwrap(), payload)
    }

    #[test]
    fn what_is_cut_finely_comes_together_as_it_was() {
        for (bytes, most) in [
            (1_025, 16_384),
            (20_000, 16_384),
            (100_000, 16_384),
            (20_000, 999_999),
            (MAX_FRAME, 16_384),
            (5_000, 1_500),
        ] {
            let (whole, payload) = frame(bytes, most);
            let cut = Cut::new(H264, &whole);
            let fine = cut.fine();
            assert_eq!(fine.bytes, bytes);
            assert!(fine.header.chunks <= MAX_CHUNKS);
            let mut assembler = Assembler::new();
            let mut together = Vec::new();
            let mut last = None;
            for chunk in fine.chunks.as_slice() {
                let (header, start) = Header::parse(chunk).unwrap();
                let part = &chunk[start..];
                assert!(!part.is_empty() && part.len() <= FINE);
                assert_eq!(&chunk[start - 3..start], [0x91, 1, 2]);
                together.extend_from_slice(part);
                last = assembler.push(header, (), part.len()).unwrap();
            }
            assert_eq!(last.unwrap().header, fine.header);
            assert_eq!(
                Header {
                    chunks: whole.header.chunks,
                    ..fine.header
                },
                whole.header
            );
            assert_eq!(together, payload);
        }
    }

    #[test]
    fn what_is_fine_already_stays_as_it_came() {
        for (bytes, most) in [(0, 1), (1_024, 16_384), (10_000, 1_000)] {
            let (whole, _) = frame(bytes, most);
            let cut = Cut::new(H264, &whole);
            assert!(std::ptr::eq(cut.fine(), cut.whole()));
        }
    }
}
