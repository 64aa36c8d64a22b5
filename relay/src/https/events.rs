//! What goes out: packets as server-sent events.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _, stream};
use tokio::{
    sync::watch,
    time::{Instant, Interval, MissedTickBehavior, interval_at},
};

use super::connection::{Connection, Taken};
use crate::ws::Outgoing;

/// Bytes after which no further event joins those that are written together.
const TOGETHER: usize = 16 * 1024;

/// Appends a packet as an event. One that is numbered has its number as id.
pub(super) fn write(message: &Outgoing, to: &mut BytesMut) {
    // Bytes aren't offered to this carrier, and WebSocket's own pings mean nothing here.
    let Outgoing::Text(text) = message else {
        return;
    };
    if let Some(number) = number(text) {
        to.extend_from_slice(b"id: ");
        to.extend_from_slice(number);
        to.extend_from_slice(b"\n");
    }
    // JSON as we write it has no line's end in it.
    to.extend_from_slice(b"data: ");
    to.extend_from_slice(text);
    to.extend_from_slice(b"\n\n");
}

/// Appends the end of the connection, with the code that a WebSocket would be closed with.
pub(super) fn write_end(code: u16, to: &mut BytesMut) {
    to.extend_from_slice(format!("event: end\ndata: {code}\n\n").as_bytes());
}

/// The number of a numbered message, as digits. We wrote it ourselves: its type and its number come first.
fn number(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(br#"{"type":"message","n":"#)?;
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    Some(&rest[..length])
}

/// Reads a `Last-Event-ID`.
pub(super) fn last_id(text: &str) -> Option<u64> {
    // Digits alone: a plus sign is read as a number, too.
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

/// One stream of a connection's events. When it is dropped, the connection has none.
pub(super) struct Events {
    connection: Arc<Connection>,
    /// Which of the connection's streams this is.
    epoch: u64,
    changes: watch::Receiver<()>,
    /// A comment now and then keeps proxies from taking the stream for dead, and tells the other side that
    /// it isn't.
    beat: Interval,
    ended: bool,
}

impl Events {
    pub(super) fn new(
        connection: Arc<Connection>,
        epoch: u64,
        changes: watch::Receiver<()>,
        every: Duration,
    ) -> Self {
        let mut beat = interval_at(Instant::now() + every, every);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            connection,
            epoch,
            changes,
            beat,
            ended: false,
        }
    }

    /// The stream as a body has it.
    pub(super) fn into_stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        let begin = Bytes::from_static(b":\n\n");
        let rest = stream::unfold(self, |mut events| async {
            let bytes = events.next().await?;
            Some((Ok(bytes), events))
        });
        // At once, so that a browser knows that it has an answer.
        stream::once(async { Ok(begin) }).chain(rest)
    }

    async fn next(&mut self) -> Option<Bytes> {
        if self.ended {
            return None;
        }
        loop {
            self.changes.mark_unchanged();
            let mut bytes = BytesMut::new();
            let mut taken = Taken::Nothing;
            while bytes.len() < TOGETHER {
                taken = self.connection.take(self.epoch);
                match &taken {
                    Taken::Packet(message) => write(message, &mut bytes),
                    Taken::End(code) => {
                        write_end(*code, &mut bytes);
                        self.ended = true;
                        break;
                    }
                    Taken::Nothing | Taken::Replaced => break,
                }
            }
            if !bytes.is_empty() {
                return Some(bytes.freeze());
            }
            if matches!(taken, Taken::Replaced) {
                return None;
            }
            tokio::select! {
                changed = self.changes.changed() => changed.ok()?,
                _ = self.beat.tick() => return Some(Bytes::from_static(b":\n\n")),
            }
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.connection.stream_gone(self.epoch);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use visita_protocol::{
        control::{RelayMessage, RelayPacket},
        error::Code,
    };

    use super::*;
    use crate::outlet::pack;

    fn event(packet: &RelayPacket) -> String {
        let mut bytes = BytesMut::new();
        write(&pack(packet, false).unwrap(), &mut bytes);
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[test]
    fn a_numbered_packet_has_its_number_as_id_and_no_other_has_one() {
        let body = RelayMessage::Error {
            code: Code::RateLimited,
            reply_to: Some(7),
        };
        let message = RelayPacket::Message {
            n: 31,
            ack: 9,
            body,
        };
        let text = serde_json::to_string(&message).unwrap();
        assert_eq!(event(&message), format!("id: 31\ndata: {text}\n\n"));
        assert_eq!(
            event(&RelayPacket::Pong { id: 3 }),
            "data: {\"type\":\"pong\",\"id\":3}\n\n"
        );
    }

    proptest! {
        #[test]
        fn any_last_event_id_is_a_number_or_nothing(text in "\\PC{0,30}") {
            if let Some(number) = last_id(&text) {
                prop_assert!(text.ends_with(&number.to_string()));
                prop_assert!(text.bytes().all(|byte| byte.is_ascii_digit()));
            }
        }

        #[test]
        fn each_number_is_read_as_it_was_written(n in any::<u64>(), ack in any::<u64>()) {
            let packet = RelayPacket::Message { n, ack, body: RelayMessage::Left };
            let text = event(&packet);
            let id = text.lines().next().and_then(|line| line.strip_prefix("id: "));
            prop_assert_eq!(id.and_then(last_id), Some(n));
        }
    }
}
