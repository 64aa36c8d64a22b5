//! Control packets to and from what a carrier carries.

use visita_protocol::{
    compress,
    control::{ClientPacket, Compression, RelayPacket},
};

use crate::{carrier::Message, error::Error};

/// The longest packet that is unpacked, in bytes: a full room's members and its last lines of
/// chat, several times over.
const MAX_PACKET: usize = 1 << 20;

/// What is offered in a hello.
pub(crate) fn offer() -> Vec<Compression> {
    vec![Compression::Zstd1]
}

/// A packet as it travels.
pub(crate) fn pack(packet: &ClientPacket, with: Option<Compression>) -> Result<Message, Error> {
    let json = serde_json::to_string(packet).map_err(|error| Error::Protocol(error.to_string()))?;
    let compressed = match with {
        Some(Compression::Zstd1) => compress::compress(&json),
        Some(Compression::Unknown) | None => None,
    };
    Ok(compressed.map_or(Message::Control(json), |bytes| {
        Message::Compressed(bytes.into())
    }))
}

/// A packet from the host; `None` for what isn't one.
pub(crate) fn unpack(message: Message) -> Result<Option<RelayPacket>, Error> {
    let json = match message {
        Message::Control(json) => json,
        Message::Compressed(bytes) => compress::decompress(&bytes, MAX_PACKET)
            .map_err(|error| Error::Protocol(error.to_string()))?,
        Message::Media(_) => return Ok(None),
    };
    // The error's own text would repeat what people wrote.
    let unreadable = |error: serde_json::Error| {
        Error::Protocol(format!(
            "a packet that can't be read, at column {}",
            error.column()
        ))
    };
    serde_json::from_str(&json).map(Some).map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use visita_protocol::{
        control::{ClientMessage, RelayMessage},
        name::ChatText,
    };

    use super::*;

    #[test]
    fn packets_travel_compressed_only_where_that_was_agreed() {
        let body = ClientMessage::Chat {
            text: ChatText::new(&"Buenos días. ".repeat(20)).unwrap(),
        };
        let packet = ClientPacket::Message { n: 1, ack: 0, body };
        assert!(matches!(pack(&packet, None), Ok(Message::Control(_))));
        assert!(matches!(
            pack(&packet, Some(Compression::Zstd1)),
            Ok(Message::Compressed(_))
        ));
        let ack = pack(&ClientPacket::Ack { ack: 7 }, Some(Compression::Zstd1)).unwrap();
        assert_eq!(ack, Message::Control(r#"{"type":"ack","ack":7}"#.into()));
    }

    #[test]
    fn what_the_host_compressed_is_read() {
        let packet = RelayPacket::Message {
            n: 3,
            ack: 2,
            body: RelayMessage::Error {
                code: visita_protocol::error::Code::RoomFull,
                reply_to: Some(2),
            },
        };
        let json = serde_json::to_string(&packet).unwrap();
        let compressed = compress::compress(&json).unwrap();
        assert_eq!(
            unpack(Message::Compressed(compressed.into())).unwrap(),
            Some(packet)
        );
        assert!(matches!(
            unpack(Message::Compressed(vec![0x11, 1, 2].into())),
            Err(Error::Protocol(_))
        ));
    }

    #[test]
    fn an_unreadable_packet_is_not_repeated_in_the_error() {
        let secret = r#"{"type":"message","n":1,"ack":0,"body":{"type":"chat","text":"María",}"#;
        let error = unpack(Message::Control(secret.into()))
            .unwrap_err()
            .to_string();
        assert!(!error.contains("María"), "{error}");
    }
}
