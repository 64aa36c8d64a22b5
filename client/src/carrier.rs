//! What carries a session: an established connection that delivers control packets in order and
//! media chunks. `ws` is the only one here: `webrtc` carries media beside it (`lane`), and `https` is
//! for browsers.

use bytes::Bytes;

pub(crate) mod socket;
pub mod ws;

/// What a carrier carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A control packet's JSON.
    Control(String),
    /// A control packet compressed (`frame::CONTROL_ZSTD_V1` and zstd).
    Compressed(Bytes),
    /// A media chunk, header and all.
    Media(Bytes),
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The other side said goodbye.
    Closed,
    /// It broke.
    Broken,
}

/// The sending side of a carrier.
pub enum Sender {
    /// Over a WebSocket.
    Ws(ws::Sender),
}

/// The receiving side of a carrier.
pub enum Receiver {
    /// Over a WebSocket.
    Ws(ws::Receiver),
}

impl Sender {
    /// The largest payload of a chunk: whole frames where the carrier cuts them up itself.
    pub fn max_chunk(&self) -> usize {
        match self {
            Sender::Ws(_) => visita_protocol::chunk::CHUNK,
        }
    }

    /// Sends, and waits until the network took it: a slow line makes this slow. Must not be
    /// cancelled unless the carrier is given up.
    pub async fn send(&mut self, message: Message) -> Result<(), End> {
        match self {
            Sender::Ws(sender) => sender.send(message).await,
        }
    }

    /// Says goodbye.
    pub async fn close(&mut self) {
        match self {
            Sender::Ws(sender) => sender.close().await,
        }
    }
}

impl Receiver {
    /// The next message. Can be cancelled without losing one.
    pub async fn next(&mut self) -> Result<Message, End> {
        match self {
            Receiver::Ws(receiver) => receiver.next().await,
        }
    }
}
