//! Packets from and to text.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{ClientPacket, RelayPacket};
use crate::{
    error::Code,
    name::{ChatText, PersonName, RoomName},
};

/// A packet that can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}")]
pub struct Unreadable {
    /// What to answer.
    pub code: Code,
    /// The number and acknowledgement of the message whose body can't be read. It counts as
    /// received ([`crate::session::Session::accept`] takes both), is answered with an error that
    /// names it, and the session goes on. Without them the connection can't go on.
    pub numbered: Option<(u64, u64)>,
}

/// Reads a participant's packet. The caller bounds the text's length before.
pub fn parse_client(text: &str) -> Result<ClientPacket, Unreadable> {
    parse(text, &["hello", "message", "ack", "ping"])
}

/// Reads a relay's packet. The caller bounds the text's length before.
pub fn parse_relay(text: &str) -> Result<RelayPacket, Unreadable> {
    parse(text, &["welcome", "refused", "message", "ack", "pong"])
}

/// A packet as text.
pub fn write(packet: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string(packet)
}

fn parse<P: DeserializeOwned>(text: &str, kinds: &[&str]) -> Result<P, Unreadable> {
    serde_json::from_str(text).map_err(|_| explain(text, kinds))
}

/// Finds out what is wrong with a packet that can't be read.
fn explain(text: &str, kinds: &[&str]) -> Unreadable {
    let malformed = Unreadable {
        code: Code::Malformed,
        numbered: None,
    };
    let Ok(packet) = serde_json::from_str::<Value>(text) else {
        return malformed;
    };
    let Some(kind) = packet.get("type").and_then(Value::as_str) else {
        return malformed;
    };
    if !kinds.contains(&kind) {
        return Unreadable {
            code: Code::UnknownMessage,
            numbered: None,
        };
    }
    let number = |name| packet.get(name).and_then(Value::as_u64);
    match (kind, number("n"), number("ack")) {
        ("message", Some(n), Some(ack)) => Unreadable {
            code: body_code(packet.get("body")),
            numbered: Some((n, ack)),
        },
        _ => malformed,
    }
}

/// The code for a body that can't be read: that of the name or text in it that is wrong, if one
/// is, for these are people's mistakes and have words of their own.
fn body_code(body: Option<&Value>) -> Code {
    let Some(body) = body else {
        return Code::Malformed;
    };
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let wrong = match body.get("type").and_then(Value::as_str) {
        Some("join") => {
            let person = text(body.get("name")).and_then(|name| PersonName::new(&name).err());
            let room = body.get("room").and_then(|room| text(room.get("name")));
            person.or_else(|| room.and_then(|name| RoomName::new(&name).err()))
        }
        Some("chat") => text(body.get("text")).and_then(|text| ChatText::new(&text).err()),
        _ => None,
    };
    wrong.unwrap_or(Code::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::ClientMessage;

    fn message(body: &str) -> String {
        format!(r#"{{"type":"message","n":7,"ack":3,"body":{body},"later":true}}"#)
    }

    fn code(text: &str) -> (Code, Option<(u64, u64)>) {
        let unreadable = parse_client(text).unwrap_err();
        (unreadable.code, unreadable.numbered)
    }

    #[test]
    fn unknown_fields_and_kinds_of_messages_are_tolerated() {
        let packet = parse_client(&message(r#"{"type":"leave","why":[1]}"#)).unwrap();
        assert_eq!(
            packet,
            ClientPacket::Message {
                n: 7,
                ack: 3,
                body: ClientMessage::Leave
            }
        );
        let packet = parse_client(&message(r#"{"type":"wave","at":{"x":1}}"#)).unwrap();
        assert_eq!(
            packet,
            ClientPacket::Message {
                n: 7,
                ack: 3,
                body: ClientMessage::Unknown
            }
        );
        assert_eq!(code(r#"{"type":"wave"}"#), (Code::UnknownMessage, None));
    }

    #[test]
    fn a_message_that_cant_be_read_is_answered_by_its_number() {
        let numbered = Some((7, 3));
        assert_eq!(code(&message("{}")), (Code::Malformed, numbered));
        assert_eq!(code(&message("5")), (Code::Malformed, numbered));
        assert_eq!(
            code(&message(r#"{"type":"chat","text":7}"#)),
            (Code::Malformed, numbered)
        );
        assert_eq!(
            code(&message(r#"{"type":"chat","text":" "}"#)),
            (Code::ChatEmpty, numbered)
        );
        let long = "x".repeat(10_000);
        let join = |room: &str, name: &str| {
            let room = format!(r#"{{"by":"name","name":"{room}"}}"#);
            message(&format!(
                r#"{{"type":"join","room":{room},"name":"{name}","role":"guest","decodes":[]}}"#
            ))
        };
        assert!(parse_client(&join("a", "b")).is_ok());
        assert_eq!(code(&join("a", &long)), (Code::NameTooLong, numbered));
        assert_eq!(code(&join("", "b")), (Code::NameEmpty, numbered));
    }

    #[test]
    fn what_is_no_packet_ends_the_connection() {
        for text in [
            "",
            "{",
            "[]",
            "{}",
            "null",
            r#"{"type":7}"#,
            r#"{"type":"message","n":-1,"ack":0,"body":{}}"#,
        ] {
            assert_eq!(code(text), (Code::Malformed, None));
        }
        assert_eq!(code(&"[".repeat(100_000)), (Code::Malformed, None));
    }
}
