//! Packets as they go over the wire.

use std::sync::Arc;

use visita_protocol::{
    compress,
    control::{RelayMessage, RelayPacket},
};

use crate::ws::Outgoing;

/// A packet as it goes over the wire.
pub(crate) fn pack(packet: &RelayPacket, compressed: bool) -> Option<Outgoing> {
    let text = match serde_json::to_string(packet) {
        Ok(text) => text,
        Err(error) => {
            tracing::error!(%error, "a packet couldn't be written");
            return None;
        }
    };
    Some(wire(text, compressed))
}

/// A numbered message as text, shared by all who get the same one.
#[derive(Clone, Debug)]
pub(crate) struct Body(Arc<str>);

impl From<&RelayMessage> for Body {
    fn from(message: &RelayMessage) -> Self {
        let text = serde_json::to_string(message).unwrap_or_else(|error| {
            tracing::error!(%error, "a message couldn't be written");
            // Unknown messages are tolerated, a missing number isn't.
            r#"{"type":"unknown"}"#.to_owned()
        });
        Self(text.into())
    }
}

impl Body {
    /// How many bytes it has.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The packet that carries it: the same as [`RelayPacket::Message`] gives.
    pub(super) fn pack(&self, n: u64, ack: u64, compressed: bool) -> Outgoing {
        let body = &self.0;
        let text = format!(r#"{{"type":"message","n":{n},"ack":{ack},"body":{body}}}"#);
        wire(text, compressed)
    }
}

fn wire(text: String, compressed: bool) -> Outgoing {
    if compressed && let Some(message) = compress::compress(&text) {
        return Outgoing::Binary(message.into());
    }
    Outgoing::Text(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use visita_protocol::error::Code;

    #[test]
    fn a_shared_body_is_packed_as_the_protocol_packs_it() {
        let body = RelayMessage::Error {
            code: Code::RateLimited,
            reply_to: Some(7),
        };
        let packed = Body::from(&body).pack(3, 9, false);
        let whole = pack(&RelayPacket::Message { n: 3, ack: 9, body }, false);
        assert_eq!(Some(packed), whole);
    }
}
