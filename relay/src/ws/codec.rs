//! WebSocket frames (RFC 6455), the server's side: bytes in, messages out. Payloads are unmasked
//! where they lie, and leave as slices of the buffer that the socket was read into.

use bytes::{Buf as _, BytesMut};

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A text message; not yet checked for UTF-8.
    Text(BytesMut),
    /// A binary message.
    Binary(BytesMut),
    /// To be answered by a pong with the same payload.
    Ping(BytesMut),
    /// An answer to a ping.
    Pong(BytesMut),
    /// The other side ends the connection, with this code.
    Close(Option<u16>),
}

/// Why the bytes can't go on being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("the message is larger than the limit")]
    TooLarge,
    #[error("not a WebSocket frame: {0}")]
    Protocol(&'static str),
}

const CONTINUATION: u8 = 0;
pub(super) const TEXT: u8 = 1;
pub(super) const BINARY: u8 = 2;
pub(super) const CLOSE: u8 = 8;
pub(super) const PING: u8 = 9;
pub(super) const PONG: u8 = 10;

/// The most pieces of one message. Browsers send one; without a bound, pieces of no bytes at all
/// would keep a connection busy for ever.
const MAX_PIECES: u32 = 1024;

/// Finds messages in bytes.
#[derive(Debug)]
pub(crate) struct Decoder {
    max: usize,
    /// A message of which only pieces have come.
    partial: Option<(u8, BytesMut, u32)>,
}

impl Decoder {
    /// Takes messages of up to `max` bytes.
    pub(crate) fn new(max: usize) -> Self {
        Self { max, partial: None }
    }

    /// Takes the next message off the front of `bytes`, or says that more bytes are needed.
    pub(crate) fn next(&mut self, bytes: &mut BytesMut) -> Result<Option<Event>, Error> {
        loop {
            let Some(head) = Head::read(bytes)? else {
                return Ok(None);
            };
            let control = head.opcode >= CLOSE;
            if control {
                if head.length > 125 || !head.fin {
                    return Err(Error::Protocol("a control frame that is long or in pieces"));
                }
            } else {
                let so_far = self
                    .partial
                    .as_ref()
                    .map_or(0, |(_, partial, _)| partial.len());
                if head.length > (self.max - so_far) as u64 {
                    return Err(Error::TooLarge);
                }
            }
            let length = head.length as usize;
            if bytes.len() < head.size + length {
                bytes.reserve(head.size + length - bytes.len());
                return Ok(None);
            }
            bytes.advance(head.size);
            let mut payload = bytes.split_to(length);
            unmask(&mut payload, head.mask);
            match (head.opcode, self.partial.take()) {
                (TEXT | BINARY, None) if head.fin => {
                    return Ok(Some(message(head.opcode, payload)));
                }
                (TEXT | BINARY, None) => self.partial = Some((head.opcode, payload, 1)),
                (CONTINUATION, Some((opcode, mut whole, pieces))) => {
                    if pieces >= MAX_PIECES {
                        return Err(Error::Protocol("too many pieces"));
                    }
                    whole.extend_from_slice(&payload);
                    if head.fin {
                        return Ok(Some(message(opcode, whole)));
                    }
                    self.partial = Some((opcode, whole, pieces + 1));
                }
                (TEXT | BINARY | CONTINUATION, _) => {
                    return Err(Error::Protocol("pieces out of order"));
                }
                (opcode, partial) => {
                    self.partial = partial;
                    return control_event(opcode, payload).map(Some);
                }
            }
        }
    }

    /// Whether a message has begun and isn't whole.
    #[cfg(test)]
    fn is_partial(&self) -> bool {
        self.partial.is_some()
    }
}

fn message(opcode: u8, payload: BytesMut) -> Event {
    if opcode == TEXT {
        Event::Text(payload)
    } else {
        Event::Binary(payload)
    }
}

fn control_event(opcode: u8, payload: BytesMut) -> Result<Event, Error> {
    match opcode {
        PING => Ok(Event::Ping(payload)),
        PONG => Ok(Event::Pong(payload)),
        CLOSE => match payload[..] {
            [] => Ok(Event::Close(None)),
            [_] => Err(Error::Protocol("half a close code")),
            [high, low, ..] => Ok(Event::Close(Some(u16::from_be_bytes([high, low])))),
        },
        _ => Err(Error::Protocol("unknown kind of frame")),
    }
}

struct Head {
    fin: bool,
    opcode: u8,
    length: u64,
    mask: [u8; 4],
    /// The head's own size in bytes.
    size: usize,
}

impl Head {
    fn read(bytes: &[u8]) -> Result<Option<Self>, Error> {
        let &[first, second, ..] = bytes else {
            return Ok(None);
        };
        if first & 0x70 != 0 {
            return Err(Error::Protocol("reserved bits"));
        }
        if second & 0x80 == 0 {
            return Err(Error::Protocol("a client's frame without a mask"));
        }
        let (length, at) = match second & 0x7f {
            126 => match bytes.get(2..4) {
                Some(&[a, b]) => (u64::from(u16::from_be_bytes([a, b])), 4),
                _ => return Ok(None),
            },
            127 => match bytes.get(2..10).and_then(|field| field.first_chunk::<8>()) {
                Some(&field) => (u64::from_be_bytes(field), 10),
                None => return Ok(None),
            },
            short => (u64::from(short), 2),
        };
        let Some(&mask) = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()) else {
            return Ok(None);
        };
        Ok(Some(Self {
            fin: first & 0x80 != 0,
            opcode: first & 0x0f,
            length,
            mask,
            size: at + 4,
        }))
    }
}

fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let wide = u64::from(u32::from_ne_bytes(mask));
    let wide = wide << 32 | wide;
    let (words, rest) = payload.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
}

/// The head of an unmasked frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lead {
    bytes: [u8; 10],
    length: u8,
}

impl Lead {
    /// For a whole message of `length` bytes.
    pub(super) fn new(opcode: u8, length: usize) -> Self {
        let mut bytes = [0; 10];
        bytes[0] = 0x80 | opcode;
        let length = match length {
            0..=125 => {
                bytes[1] = length as u8;
                2
            }
            126..=0xffff => {
                bytes[1] = 126;
                bytes[2..4].copy_from_slice(&(length as u16).to_be_bytes());
                4
            }
            _ => {
                bytes[1] = 127;
                bytes[2..].copy_from_slice(&(length as u64).to_be_bytes());
                10
            }
        };
        Self { bytes, length }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client's frame.
    fn frame(fin: bool, opcode: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Lead::new(opcode, payload.len()).bytes().to_vec();
        if !fin {
            bytes[0] &= 0x7f;
        }
        bytes[1] |= 0x80;
        let mask = [1, 2, 3, 254];
        bytes.extend(mask);
        bytes.extend(
            payload
                .iter()
                .zip(mask.iter().cycle())
                .map(|(byte, mask)| byte ^ mask),
        );
        bytes
    }

    fn all(bytes: &[u8], max: usize) -> Result<Vec<Event>, Error> {
        let mut decoder = Decoder::new(max);
        let (mut buffer, mut events) = (BytesMut::new(), Vec::new());
        // One byte at a time: no cut may matter.
        for &byte in bytes {
            buffer.extend_from_slice(&[byte]);
            while let Some(event) = decoder.next(&mut buffer)? {
                events.push(event);
            }
        }
        assert!(!decoder.is_partial());
        Ok(events)
    }

    #[test]
    fn messages_of_every_length_come_out_as_they_went_in() {
        for length in [0, 1, 7, 8, 9, 125, 126, 65_535, 65_536] {
            let payload: Vec<u8> = (0..length).map(|n| n as u8).collect();
            let events = all(&frame(true, BINARY, &payload), 1 << 20).unwrap();
            assert_eq!(events, [Event::Binary(BytesMut::from(&payload[..]))]);
        }
    }

    #[test]
    fn pieces_are_joined_and_control_frames_may_stand_between() {
        let mut bytes = frame(false, TEXT, b"ab");
        bytes.extend(frame(true, PING, b"!"));
        bytes.extend(frame(false, CONTINUATION, b""));
        bytes.extend(frame(true, CONTINUATION, b"cd"));
        bytes.extend(frame(true, CLOSE, &[3, 0xe8, b'x']));
        let expected = [
            Event::Ping(BytesMut::from("!")),
            Event::Text(BytesMut::from("abcd")),
            Event::Close(Some(1000)),
        ];
        assert_eq!(all(&bytes, 100).unwrap(), expected);
    }

    #[test]
    fn what_breaks_the_rules_is_refused() {
        let error = |bytes: &[u8]| all(bytes, 100).unwrap_err();
        assert_eq!(error(&frame(true, BINARY, &[0; 101])), Error::TooLarge);
        assert_eq!(
            error(
                &[
                    frame(false, BINARY, &[0; 60]),
                    frame(true, CONTINUATION, &[0; 60])
                ]
                .concat()
            ),
            Error::TooLarge
        );
        assert_eq!(
            error(&[
                0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0
            ]),
            Error::TooLarge
        );
        for bad in [
            vec![0x82, 0x01, 0x00],
            vec![0xc2, 0x80, 0, 0, 0, 0],
            frame(true, CONTINUATION, b"x"),
            [frame(false, TEXT, b"x"), frame(true, TEXT, b"x")].concat(),
            frame(true, PING, &[0; 126]),
            frame(false, PING, b""),
            frame(true, 3, b""),
            frame(true, 11, b""),
            frame(true, CLOSE, b"x"),
            [
                frame(false, TEXT, b""),
                frame(false, CONTINUATION, b"").repeat(1024),
            ]
            .concat(),
        ] {
            assert!(matches!(error(&bad), Error::Protocol(_)), "{bad:?}");
        }
    }
}
