//! Redundancy for sound: a frame repeats the packets before it, in the form of RFC 2198.
//!
//! A payload that repeats something is a list of headers, oldest packet first, then the packets
//! in the same order. The packets' numbers are those before the frame's own, without a gap.
//!
//! | bytes | of | |
//! | --- | --- | --- |
//! | 4 | each older packet | 1 bit 1, 7 bits [`PAYLOAD_TYPE`], 14 bits how much earlier it was captured in samples of 48 kHz, 10 bits length |
//! | 1 | the frame's own packet | 1 bit 0, 7 bits [`PAYLOAD_TYPE`] |
//!
//! It needs no mark: as an Opus packet, its first byte would be one of 2.5 ms, and every packet
//! of ours is of 20 ms. So it can be told once the clear header is only a hint.

use std::collections::VecDeque;

use bytes::{BufMut as _, Bytes, BytesMut};

use crate::time::MediaTime;

/// The payload type in the headers, of the dynamic ones (RFC 3551, section 6).
pub const PAYLOAD_TYPE: u8 = 96;
/// The most older packets in a payload: what more would repair costs more than it brings.
pub const MAX_COPIES: usize = 2;
/// The largest packet that can be repeated, in bytes: the length has 10 bits.
pub const MAX_REPEATED: usize = (1 << 10) - 1;

/// Bits a second that may be left for a packet itself: below it speech loses its consonants.
pub const LEAST_BITS: u32 = 12_000;

const FOLLOWS: u8 = 0x80;
const LONG: usize = 4;
const SHORT: usize = 1;
/// The offset's largest value, of 14 bits: 341 ms.
const MAX_OFFSET: u64 = (1 << 14) - 1;
/// A packet's sound, and how far from it the times of two may be that follow each other.
const PACKET_US: u64 = 20_000;
const SLACK_US: u64 = 10_000;
/// Packets a second.
const PER_S: u32 = 50;

/// From so much loss on, in percent, one older packet is repeated, and two; each until the loss is
/// below the other value, so that it isn't switched to and fro.
const ONE: (u32, u32) = (2, 1);
const TWO: (u32, u32) = (10, 7);

/// How many older packets a sender repeats that repeated so many `before`, while so many of a
/// hundred get lost and sound may take so many bits a second.
pub fn copies(before: usize, percent: u32, bits: u32) -> usize {
    let from = |(on, off): (u32, u32), copies| if before >= copies { off } else { on };
    let wanted = if percent >= from(TWO, 2) {
        2
    } else {
        usize::from(percent >= from(ONE, 1))
    };
    let affordable = |copies: &usize| primary_bits(bits, *copies) >= LEAST_BITS;
    (1..=wanted).rev().find(affordable).unwrap_or(0)
}

/// What is left for a packet itself of so many bits a second, when so many others are repeated.
pub fn primary_bits(bits: u32, copies: usize) -> u32 {
    let copies = copies as u32;
    if copies == 0 {
        return bits;
    }
    let headers = (copies * LONG as u32 + SHORT as u32) * 8 * PER_S;
    bits.saturating_sub(headers) / (copies + 1)
}

/// Whether a payload repeats anything.
pub fn is_redundant(payload: &[u8]) -> bool {
    payload.first() == Some(&(FOLLOWS | PAYLOAD_TYPE))
}

/// Why bytes aren't a payload with redundancy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Fewer bytes than the headers say.
    #[error("truncated")]
    Truncated,
    /// Another payload type, or nothing that is repeated.
    #[error("not this payload type ({0})")]
    Type(u8),
    /// More older packets than [`MAX_COPIES`].
    #[error("too many packets")]
    TooMany,
    /// An older packet isn't older than those behind it.
    #[error("packets out of order")]
    Order,
    /// A packet without a byte.
    #[error("an empty packet")]
    Empty,
}

/// A packet that was sent before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Older {
    /// How many samples before the frame it was captured.
    pub offset: u16,
    /// It.
    pub packet: Bytes,
}

/// What is in a payload with redundancy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packets {
    /// The packets before, oldest first.
    pub older: Vec<Older>,
    /// The frame's own.
    pub primary: Bytes,
}

/// An older packet with the number and time that it had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered {
    /// Its place in the track.
    pub sequence: u32,
    /// When it was captured.
    pub time: MediaTime,
    /// It.
    pub packet: Bytes,
}

impl Packets {
    /// Reads a payload, none of which is copied.
    pub fn read(payload: &Bytes) -> Result<Self, Error> {
        let mut headers = Vec::with_capacity(MAX_COPIES);
        let mut at = 0;
        loop {
            let rest = payload.get(at..).unwrap_or_default();
            let &first = rest.first().ok_or(Error::Truncated)?;
            let kind = first & !FOLLOWS;
            if kind != PAYLOAD_TYPE || at == 0 && first & FOLLOWS == 0 {
                return Err(Error::Type(kind));
            }
            if first & FOLLOWS == 0 {
                at += SHORT;
                break;
            }
            if headers.len() == MAX_COPIES {
                return Err(Error::TooMany);
            }
            let &[_, high, middle, low] = rest.first_chunk::<LONG>().ok_or(Error::Truncated)?;
            let both = u32::from(high) << 16 | u32::from(middle) << 8 | u32::from(low);
            headers.push(((both >> 10) as u16, (both & 0x3ff) as usize));
            at += LONG;
        }
        let mut older = Vec::with_capacity(headers.len());
        let mut before = u16::MAX;
        for (offset, length) in headers {
            if offset == 0 || offset >= before {
                return Err(Error::Order);
            }
            before = offset;
            if length == 0 {
                return Err(Error::Empty);
            }
            if payload.len() - at < length {
                return Err(Error::Truncated);
            }
            let packet = payload.slice(at..at + length);
            older.push(Older { offset, packet });
            at += length;
        }
        let primary = payload.slice(at..);
        if primary.is_empty() {
            return Err(Error::Empty);
        }
        Ok(Self { older, primary })
    }

    /// The packets before with their numbers and times, oldest first, of a frame with this number
    /// and time. What would lie before the beginning is left out.
    pub fn numbered(&self, sequence: u32, time: MediaTime) -> impl Iterator<Item = Numbered> {
        let count = self.older.len();
        self.older
            .iter()
            .enumerate()
            .filter_map(move |(at, older)| {
                Some(Numbered {
                    sequence: sequence.checked_sub((count - at) as u32)?,
                    time: MediaTime(time.0.checked_sub(u64::from(older.offset) * 125 / 6)?),
                    packet: older.packet.clone(),
                })
            })
    }

    /// The payload's bytes; `None` if these packets can't be said in one.
    pub fn write(&self) -> Option<Bytes> {
        let ordered = self
            .older
            .windows(2)
            .all(|pair| pair[0].offset > pair[1].offset);
        let fits = |older: &Older| {
            let length = 1..=MAX_REPEATED;
            (1..=MAX_OFFSET).contains(&older.offset.into()) && length.contains(&older.packet.len())
        };
        let count = 1..=MAX_COPIES;
        let sound = count.contains(&self.older.len()) && self.older.iter().all(fits);
        if !sound || !ordered || self.primary.is_empty() {
            return None;
        }
        let repeated: usize = self.older.iter().map(|older| older.packet.len()).sum();
        let headers = self.older.len() * LONG + SHORT;
        let mut payload = BytesMut::with_capacity(headers + repeated + self.primary.len());
        for Older { offset, packet } in &self.older {
            let both = u32::from(*offset) << 10 | packet.len() as u32;
            payload.put_u32(u32::from(FOLLOWS | PAYLOAD_TYPE) << 24 | both);
        }
        payload.put_u8(PAYLOAD_TYPE);
        for older in &self.older {
            payload.put_slice(&older.packet);
        }
        payload.put_slice(&self.primary);
        Some(payload.freeze())
    }
}

/// A sender's last packets, out of which it makes payloads.
#[derive(Clone, Debug, Default)]
pub struct Repeater {
    last: VecDeque<(MediaTime, Bytes)>,
}

impl Repeater {
    /// That knows of nothing sent.
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing of before is repeated.
    pub fn forget(&mut self) {
        self.last.clear();
    }

    /// The payload of the next packet, which was captured at this time. It repeats at most so many
    /// of those before it, and none from before a pause: that would come too late for anybody.
    pub fn payload(&mut self, time: MediaTime, packet: Bytes, copies: usize) -> Bytes {
        let mut older = Vec::with_capacity(MAX_COPIES);
        for (distance, (before, packet)) in self.last.iter().rev().take(copies).enumerate() {
            let since = time.0.saturating_sub(before.0);
            let offset = (since * 6 + 62) / 125;
            let fresh = since <= (distance as u64 + 1) * PACKET_US + SLACK_US;
            let behind = older.last().map_or(0, |older: &Older| older.offset);
            if !fresh || offset <= behind.into() || offset > MAX_OFFSET {
                break;
            }
            if packet.is_empty() || packet.len() > MAX_REPEATED {
                break;
            }
            older.push(Older {
                offset: offset as u16,
                packet: packet.clone(),
            });
        }
        older.reverse();
        if self.last.len() == MAX_COPIES {
            self.last.pop_front();
        }
        self.last.push_back((time, packet.clone()));
        let primary = packet;
        let packets = Packets { older, primary };
        packets.write().unwrap_or(packets.primary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPUS: &[u8] = b"\x78opus";
    const NOTHING: [u32; 0] = [];

    fn packet(number: u64) -> (MediaTime, Bytes) {
        let bytes = vec![0x78, number as u8, 3, 4];
        (MediaTime(5_000_000 + number * PACKET_US), bytes.into())
    }

    fn numbers(payload: &Bytes, sequence: u32) -> Vec<u32> {
        let Ok(packets) = Packets::read(payload) else {
            return vec![];
        };
        let older = packets.numbered(sequence, MediaTime(1 << 40));
        older.map(|older| older.sequence).collect()
    }

    #[test]
    fn the_first_byte_is_no_opus_packet_of_20_ms() {
        // Configuration 28 lasts 2.5 ms, and code 0 is one frame (RFC 6716, section 3.1).
        let first = FOLLOWS | PAYLOAD_TYPE;
        assert_eq!((first >> 3, first & 3), (28, 0));
        assert!(!is_redundant(OPUS));
        assert!(!is_redundant(&[]));
    }

    #[test]
    fn the_packets_before_are_repeated_with_their_times() {
        let mut repeater = Repeater::new();
        for number in 0..5 {
            let (time, packet) = packet(number);
            let payload = repeater.payload(time, packet.clone(), 2);
            if number < 1 {
                assert_eq!(payload, packet);
                continue;
            }
            let packets = Packets::read(&payload).unwrap();
            assert_eq!(packets.primary, packet);
            let older: Vec<_> = packets.numbered(number as u32, time).collect();
            assert_eq!(older.len(), number.min(2) as usize);
            for older in older {
                let (time, packet) = self::packet(older.sequence.into());
                assert_eq!((older.time, older.packet), (time, packet));
            }
        }
    }

    #[test]
    fn nothing_from_before_a_pause_is_repeated() {
        let mut repeater = Repeater::new();
        let mut say = |number| {
            let (time, packet) = packet(number);
            repeater.payload(time, packet, 2)
        };
        assert_eq!(numbers(&say(0), 0), NOTHING);
        assert_eq!(numbers(&say(1), 1), [0]);
        // 400 ms of silence, of which nothing is sent and nothing numbered.
        assert_eq!(numbers(&say(21), 2), NOTHING);
        assert_eq!(numbers(&say(22), 3), [2]);
        assert_eq!(numbers(&say(23), 4), [2, 3]);
        // A clock that goes back.
        assert_eq!(numbers(&say(3), 5), NOTHING);
        repeater.forget();
        let (time, packet) = packet(4);
        assert_eq!(numbers(&repeater.payload(time, packet, 2), 6), NOTHING);
    }

    #[test]
    fn what_is_too_large_to_repeat_is_not() {
        let mut repeater = Repeater::new();
        let large = Bytes::from(vec![0x78; MAX_REPEATED + 1]);
        repeater.payload(packet(0).0, packet(0).1, 2);
        repeater.payload(packet(1).0, large, 2);
        let payload = repeater.payload(packet(2).0, packet(2).1, 2);
        assert_eq!(payload, packet(2).1);
    }

    #[test]
    fn redundancy_follows_the_loss_with_a_gap_between_on_and_off() {
        let mut now = 0;
        let mut seen = vec![];
        for percent in [0, 1, 2, 1, 0, 9, 10, 7, 6, 1, 0, 30] {
            now = copies(now, percent, 40_000);
            seen.push(now);
        }
        assert_eq!(seen, [0, 0, 1, 1, 0, 1, 2, 2, 1, 1, 0, 2]);
    }

    #[test]
    fn all_together_stays_within_the_bits() {
        for bits in (0..=40_000).step_by(500) {
            for percent in 0..=100 {
                let copies = copies(0, percent, bits);
                let primary = primary_bits(bits, copies);
                assert!(copies == 0 || primary >= LEAST_BITS, "{bits} {percent}");
                let n = copies as u32;
                let headers = if n == 0 { 0 } else { (4 * n + 1) * 400 };
                assert!(primary * (n + 1) + headers <= bits);
            }
        }
        assert_eq!(copies(0, 50, 28_000), 1);
        assert_eq!(copies(0, 50, 16_000), 0);
    }
}
