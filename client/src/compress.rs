//! Control packets to and from what a carrier carries.

use visita_protocol::control::{ClientPacket, Compression, RelayPacket};

use crate::{carrier::Message, error::Error};

/// What is offered in a hello.
pub(crate) fn offer() -> Vec<Compression> {
    Vec::new()
}

/// A packet as it travels.
pub(crate) fn pack(packet: &ClientPacket, _with: Option<Compression>) -> Result<Message, Error> {
    let json = serde_json::to_string(packet).map_err(|error| Error::Protocol(error.to_string()))?;
    Ok(Message::Control(json))
}

/// A packet from the host; `None` for a kind of a newer version.
pub(crate) fn unpack(message: Message) -> Result<Option<RelayPacket>, Error> {
    let json = match message {
        Message::Control(json) => json.into_bytes(),
        Message::Compressed(_) | Message::Media(_) => return Ok(None),
    };
    match serde_json::from_slice(&json) {
        Ok(packet) => Ok(Some(packet)),
        // The text of the error would repeat what people wrote.
        Err(error) => Err(Error::Protocol(format!(
            "unreadable packet, column {}",
            error.column()
        ))),
    }
}
