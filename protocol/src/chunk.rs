//! Frames in chunks: cutting them up, and putting them together again.
//!
//! A frame over a few KB is cut so that sound gets between its chunks. All chunks of a frame have
//! the same header but for the chunk's index.

use std::{collections::VecDeque, ops::Range, sync::Arc};

use crate::frame::{Header, MAX_CHUNKS, MAX_FRAME};

/// The most frames of one track that are put together at a time. On an ordered carrier there is
/// one; the others leave room for carriers that deliver out of order.
pub const MAX_IN_ASSEMBLY: usize = 4;

/// The payload bytes of a chunk on a carrier that has one ordered stream: 13 ms of a line of
/// 10 Mbit/s, so sound waits less than its own frame's 20 ms.
pub const CHUNK: usize = 16 * 1024;

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

/// Puts the frames of one sender's track together.
#[derive(Debug)]
pub struct Assembler<F> {
    partial: VecDeque<Partial<F>>,
    latest: Option<u32>,
    abandoned: u64,
}

impl<F> Default for Assembler<F> {
    fn default() -> Self {
        Self {
            partial: VecDeque::new(),
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
        if let Some(at) = self
            .partial
            .iter()
            .position(|p| p.header.sequence == header.sequence)
        {
            return self.extend(at, header, chunk, bytes);
        }
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
        if self.partial.len() == MAX_IN_ASSEMBLY {
            self.partial.pop_front();
            self.abandoned += 1;
        }
        // Grows with what really comes, not with what the header promises.
        self.partial.push_back(Partial {
            header,
            chunks: vec![chunk],
            bytes,
        });
        Ok(None)
    }

    /// How many frames were begun and never completed.
    pub fn abandoned(&self) -> u64 {
        self.abandoned
    }

    /// How many frames are being put together.
    pub fn in_assembly(&self) -> usize {
        self.partial.len()
    }

    /// Forgets the frames that are begun, because their carrier is gone. Sequences go on.
    pub fn abandon(&mut self) {
        self.abandoned += self.partial.len() as u64;
        self.partial.clear();
    }

    fn extend(
        &mut self,
        at: usize,
        header: Header,
        chunk: F,
        bytes: usize,
    ) -> Result<Option<Frame<F>>, Error> {
        let partial = &mut self.partial[at];
        let expected = partial.chunks.len() as u16;
        let outcome = if (Header { chunk: 0, ..header }) != partial.header {
            Err(Error::Mismatch)
        } else if header.chunk != expected {
            return Err(Error::OutOfOrder {
                expected,
                got: header.chunk,
            });
        } else if partial.bytes + bytes > MAX_FRAME {
            Err(Error::TooLarge)
        } else {
            partial.chunks.push(chunk);
            partial.bytes += bytes;
            if partial.chunks.len() < usize::from(header.chunks) {
                return Ok(None);
            }
            Ok(())
        };
        let Some(done) = self.partial.remove(at) else {
            return Ok(None);
        };
        match outcome {
            Ok(()) => Ok(Some(Frame {
                header: done.header,
                chunks: Chunks::Many(done.chunks.into()),
                bytes: done.bytes,
            })),
            Err(error) => {
                self.abandoned += 1;
                Err(error)
            }
        }
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
        assembler.push(six[0].0, (), 10).unwrap();
        let other = Header {
            timestamp: MediaTime(8),
            ..five[1].0
        };
        assert_eq!(assembler.push(other, (), 10), Err(Error::Mismatch));
        assert_eq!(
            assembler.push(five[1].0, (), 10),
            Err(Error::Replayed {
                sequence: 5,
                latest: 6
            })
        );
        assembler.push(six[1].0, (), 10).unwrap();
        assert!(assembler.push(six[2].0, (), 10).unwrap().is_some());
        assert_eq!((assembler.in_assembly(), assembler.abandoned()), (0, 1));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut assembler = Assembler::new();
        for sequence in 0..10 {
            assembler
                .push(chunks(sequence, 30, 10)[0].0, (), 10)
                .unwrap();
            assert!(assembler.in_assembly() <= MAX_IN_ASSEMBLY);
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
    }
}
