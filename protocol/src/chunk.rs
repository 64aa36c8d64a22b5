//! Frames in chunks: cutting them up, and putting them together again.
//!
//! A frame over a few KB is cut so that sound gets between its chunks. All chunks of a frame have
//! the same header but for the chunk's index.

use std::{ops::Range, sync::Arc};

use crate::frame::{Header, MAX_CHUNKS, MAX_FRAME};

/// The payload bytes of a chunk on a carrier that has one ordered stream: 13 ms of a line of
/// 10 Mbit/s, so sound waits less than its own frame's 20 ms.
pub const CHUNK: usize = 16 * 1024;

/// The same on a line that showed itself slow: 55 ms of one of 150 kbit/s, on which a usual chunk
/// would hold sound up for most of a second. The smallest in which a largest frame fits.
pub const FINE: usize = MAX_FRAME / MAX_CHUNKS as usize;

/// A frame that is larger than the limit, or would have more chunks than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a frame of {bytes} bytes doesn't fit in {MAX_CHUNKS} chunks of {max_chunk} bytes and {MAX_FRAME} in all"
)]
pub struct TooLarge {
    /// The frame's payload.
    pub bytes: usize,
    /// A chunk's payload.
    pub max_chunk: usize,
}

/// Cuts a frame of `bytes` payload bytes into chunks of at most `max_chunk`: each chunk's header
/// and its part of the payload. A frame without payload is one empty chunk.
pub fn split(
    header: Header,
    bytes: usize,
    max_chunk: usize,
) -> Result<impl ExactSizeIterator<Item = (Header, Range<usize>)>, TooLarge> {
    let too_large = TooLarge { bytes, max_chunk };
    if bytes > MAX_FRAME || max_chunk == 0 {
        return Err(too_large);
    }
    let chunks = u16::try_from(bytes.div_ceil(max_chunk).max(1)).map_err(|_| too_large)?;
    if chunks > MAX_CHUNKS {
        return Err(too_large);
    }
    Ok((0..chunks).map(move |chunk| {
        let start = usize::from(chunk) * max_chunk;
        (
            Header {
                chunk,
                chunks,
                ..header
            },
            start..bytes.min(start + max_chunk),
        )
    }))
}

/// Why a chunk was left out. The frame that it belonged to is lost when its own chunks were
/// affected; other frames and tracks aren't.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The frame's sequence isn't above that of all frames begun before.
    #[error("frame {sequence} comes after frame {latest}")]
    Replayed {
        /// The chunk's.
        sequence: u32,
        /// The highest so far.
        latest: u32,
    },
    /// A chunk came that isn't the frame's next.
    #[error("chunk {got} came where {expected} is next")]
    OutOfOrder {
        /// The chunk that would be right.
        expected: u16,
        /// The chunk that came.
        got: u16,
    },
    /// The header differs from that of the frame's chunks before. The frame is lost.
    #[error("the header differs from that of the frame's other chunks")]
    Mismatch,
    /// The frame has more payload bytes than the limit. The frame is lost.
    #[error("the frame has more than {MAX_FRAME} bytes")]
    TooLarge,
}

/// The chunks of a frame, in order. A clone shares them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chunks<F> {
    /// The frame is one chunk.
    One(F),
    /// The frame was cut.
    Many(Arc<[F]>),
}

impl<F> Chunks<F> {
    /// The chunks.
    pub fn as_slice(&self) -> &[F] {
        match self {
            Chunks::One(chunk) => std::slice::from_ref(chunk),
            Chunks::Many(chunks) => chunks,
        }
    }
}

/// A whole frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame<F> {
    /// The header of its first chunk.
    pub header: Header,
    /// Its chunks, as many as the header says.
    pub chunks: Chunks<F>,
    /// The payload bytes of all chunks.
    pub bytes: usize,
}

#[derive(Debug)]
struct Partial<F> {
    header: Header,
    chunks: Vec<F>,
    bytes: usize,
}

/// Puts the frames of one sender's track together, one at a time: its chunks come in order, and
/// those of two frames aren't mixed.
#[derive(Debug)]
pub struct Assembler<F> {
    partial: Option<Partial<F>>,
    latest: Option<u32>,
    abandoned: u64,
}

impl<F> Default for Assembler<F> {
    fn default() -> Self {
        Self {
            partial: None,
            latest: None,
            abandoned: 0,
        }
    }
}

impl<F> Assembler<F> {
    /// An assembler that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a chunk with `bytes` payload bytes; gives the frame that it completes.
    pub fn push(
        &mut self,
        header: Header,
        chunk: F,
        bytes: usize,
    ) -> Result<Option<Frame<F>>, Error> {
        match &self.partial {
            Some(partial) if partial.header.sequence == header.sequence => {
                self.extend(header, chunk, bytes)
            }
            _ => self.begin(header, chunk, bytes),
        }
    }

    /// A whole frame with this number came another way; what was begun before it is lost. False if
    /// it isn't above all numbers so far, and so to be left out.
    pub fn pass(&mut self, sequence: u32) -> bool {
        if self.latest.is_some_and(|latest| sequence <= latest) {
            return false;
        }
        self.abandon();
        self.latest = Some(sequence);
        true
    }

    /// Whether a frame with this number, or a later one, is over, so that nothing of it counts.
    pub fn has_passed(&self, sequence: u32) -> bool {
        let partial = self.partial.as_ref();
        let begun = partial.is_some_and(|partial| partial.header.sequence == sequence);
        !begun && self.latest.is_some_and(|latest| sequence <= latest)
    }

    /// How many frames were begun and never completed.
    pub fn abandoned(&self) -> u64 {
        self.abandoned
    }

    /// The payload bytes that wait for the rest of their frame, at most [`MAX_FRAME`].
    pub fn waiting(&self) -> usize {
        self.partial.as_ref().map_or(0, |partial| partial.bytes)
    }

    /// Forgets the frame that is begun, because its carrier is gone. Sequences go on.
    pub fn abandon(&mut self) {
        self.abandoned += u64::from(self.partial.take().is_some());
    }

    fn begin(&mut self, header: Header, chunk: F, bytes: usize) -> Result<Option<Frame<F>>, Error> {
        if let Some(latest) = self.latest
            && header.sequence <= latest
        {
            return Err(Error::Replayed {
                sequence: header.sequence,
                latest,
            });
        }
        if header.chunk != 0 {
            return Err(Error::OutOfOrder {
                expected: 0,
                got: header.chunk,
            });
        }
        self.abandon();
        self.latest = Some(header.sequence);
        if bytes > MAX_FRAME {
            return Err(Error::TooLarge);
        }
        if header.chunks == 1 {
            return Ok(Some(Frame {
                header,
                chunks: Chunks::One(chunk),
                bytes,
            }));
        }
        // Grows with what really comes, not with what the header promises.
        self.partial = Some(Partial {
            header,
            chunks: vec![chunk],
            bytes,
        });
        Ok(None)
    }

    fn extend(
        &mut self,
        header: Header,
        chunk: F,
        bytes: usize,
    ) -> Result<Option<Frame<F>>, Error> {
        let Some(mut partial) = self.partial.take() else {
            return Ok(None);
        };
        let expected = partial.chunks.len() as u16;
        if (Header { chunk: 0, ..header }) != partial.header {
            self.abandoned += 1;
            return Err(Error::Mismatch);
        }
        if header.chunk != expected {
            // Those before are still good: this one came twice, or will come again.
            self.partial = Some(partial);
            return Err(Error::OutOfOrder {
                expected,
                got: header.chunk,
            });
        }
        if partial.bytes + bytes > MAX_FRAME {
            self.abandoned += 1;
            return Err(Error::TooLarge);
        }
        partial.chunks.push(chunk);
        partial.bytes += bytes;
        if partial.chunks.len() < usize::from(header.chunks) {
            self.partial = Some(partial);
            return Ok(None);
        }
        let Partial {
            header,
            chunks,
            bytes,
        } = partial;
        Ok(Some(Frame {
            header,
            chunks: Chunks::Many(chunks.into()),
            bytes,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        frame::References,
        id::{MemberId, TrackId},
        media::Layer,
        time::MediaTime,
    };

    fn header(sequence: u32) -> Header {
        Header {
            sender: MemberId(3),
            track: TrackId(1),
            layer: Layer::default(),
            sequence,
            timestamp: MediaTime(7),
            chunk: 0,
            chunks: 1,
            references: References::NONE,
            level: None,
        }
    }

    fn chunks(sequence: u32, bytes: usize, max: usize) -> Vec<(Header, Range<usize>)> {
        split(header(sequence), bytes, max).unwrap().collect()
    }

    #[test]
    fn a_frame_is_cut_and_put_together() {
        let cut = chunks(0, 25, 10);
        assert_eq!(
            cut.iter()
                .map(|(_, range)| range.clone())
                .collect::<Vec<_>>(),
            [0..10, 10..20, 20..25]
        );
        let mut assembler = Assembler::new();
        assert_eq!(assembler.push(cut[0].0, 'a', 10), Ok(None));
        assert_eq!(assembler.push(cut[1].0, 'b', 10), Ok(None));
        let frame = assembler.push(cut[2].0, 'c', 5).unwrap().unwrap();
        assert_eq!(
            (frame.chunks.as_slice(), frame.bytes),
            (&['a', 'b', 'c'][..], 25)
        );
        assert_eq!(chunks(0, 0, 10), [(header(0), 0..0)]);
        assert!(split(header(0), MAX_FRAME + 1, CHUNK).is_err());
        assert!(split(header(0), 2000, 1).is_err() && split(header(0), 1, 0).is_err());
    }

    #[test]
    fn wrong_chunks_are_refused_and_other_frames_go_on() {
        let (five, six) = (chunks(5, 30, 10), chunks(6, 30, 10));
        let mut assembler = Assembler::new();
        assert_eq!(
            assembler.push(five[1].0, (), 10),
            Err(Error::OutOfOrder {
                expected: 0,
                got: 1
            })
        );
        assembler.push(five[0].0, (), 10).unwrap();
        assert_eq!(
            assembler.push(five[0].0, (), 10),
            Err(Error::OutOfOrder {
                expected: 1,
                got: 0
            })
        );
        assert_eq!(
            assembler.push(five[2].0, (), 10),
            Err(Error::OutOfOrder {
                expected: 1,
                got: 2
            })
        );
        let other = Header {
            timestamp: MediaTime(8),
            ..five[1].0
        };
        assert_eq!(assembler.push(other, (), 10), Err(Error::Mismatch));
        assert_eq!(
            assembler.push(five[1].0, (), 10),
            Err(Error::Replayed {
                sequence: 5,
                latest: 5
            })
        );
        for (header, _) in &six[..2] {
            assert_eq!(assembler.push(*header, (), 10), Ok(None));
        }
        assert!(assembler.push(six[2].0, (), 10).unwrap().is_some());
        assert_eq!((assembler.waiting(), assembler.abandoned()), (0, 1));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut assembler = Assembler::new();
        for sequence in 0..10 {
            assembler
                .push(chunks(sequence, 30, 10)[0].0, (), 10)
                .unwrap();
            assert_eq!(
                (assembler.waiting(), assembler.abandoned()),
                (10, u64::from(sequence))
            );
        }
        let big = Header {
            chunks: 2,
            ..header(20)
        };
        assembler.push(big, (), MAX_FRAME).unwrap();
        assert_eq!(
            assembler.push(Header { chunk: 1, ..big }, (), 1),
            Err(Error::TooLarge)
        );
        assert_eq!(assembler.waiting(), 0);
    }
}
