//! What carries a test's participant: the same tests hold for each carrier.

use std::{collections::VecDeque, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use rustls::ClientConfig;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Message, protocol::CloseFrame};
use visita_protocol::{
    control::RelayPacket,
    error::Code,
    frame::{Header, MEDIA_V1},
};

use super::{
    Came, PATIENCE, Socket,
    http::{Answers, Asking},
};

/// The carriers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    Ws,
    Https,
}

/// Runs each of these over every carrier.
macro_rules! over_every_carrier {
    ($($name:ident,)*) => {
        mod ws {
            $(#[tokio::test] async fn $name() { super::$name(super::common::Over::Ws).await; })*
        }
        mod https {
            $(#[tokio::test] async fn $name() { super::$name(super::common::Over::Https).await; })*
        }
    };
}
pub(crate) use over_every_carrier;

pub enum Wire {
    Ws(Box<Socket>),
    Https(Box<Https>),
}

impl Wire {
    pub fn https(address: SocketAddr, tls: Arc<ClientConfig>) -> Self {
        Self::Https(Box::new(Https::new(address, tls)))
    }

    /// The WebSocket, for what only it has.
    pub fn socket(&mut self) -> &mut Socket {
        match self {
            Wire::Ws(socket) => socket,
            Wire::Https(_) => panic!("not a WebSocket"),
        }
    }

    pub async fn text(&mut self, text: &str) {
        match self {
            Wire::Ws(socket) => socket.send(Message::text(text)).await.unwrap(),
            Wire::Https(https) => https.say(text).await,
        }
    }

    pub async fn binary(&mut self, bytes: Bytes) {
        self.socket().send(Message::Binary(bytes)).await.unwrap();
    }

    pub async fn came(&mut self) -> Came {
        let came = async {
            match self {
                Wire::Ws(socket) => came(socket).await,
                Wire::Https(https) => https.came().await,
            }
        };
        timeout(PATIENCE, came).await.expect("nothing came")
    }

    /// Closes in order.
    pub async fn close(mut self) {
        match &mut self {
            Wire::Ws(socket) => {
                let frame = CloseFrame {
                    code: 1000.into(),
                    reason: "".into(),
                };
                socket.as_mut().close(Some(frame)).await.unwrap();
            }
            Wire::Https(https) => https.close().await,
        }
        while !matches!(self.came().await, Came::End(_)) {}
    }
}

pub async fn came(socket: &mut Socket) -> Came {
    loop {
        return match socket.next().await {
            Some(Ok(Message::Text(text))) => {
                Came::Packet(serde_json::from_str(&text).expect(&text))
            }
            Some(Ok(Message::Binary(bytes))) if bytes[0] == MEDIA_V1 => {
                let (header, start) = Header::parse(&bytes).unwrap();
                Came::Media(header, bytes.slice(start..))
            }
            Some(Ok(Message::Binary(bytes))) => {
                let text = visita_protocol::compress::decompress(&bytes, 1 << 20).unwrap();
                Came::Packet(serde_json::from_str(&text).unwrap())
            }
            Some(Ok(Message::Close(frame))) => Came::End(frame.map(|frame| frame.code.into())),
            Some(Ok(_)) => continue,
            Some(Err(_)) | None => Came::End(None),
        };
    }
}

/// A participant's side of the `https` carrier, by hand.
pub struct Https {
    pub asking: Asking,
    pub token: Option<String>,
    /// The stream, if it is open.
    events: Option<Answers>,
    /// The last number that came.
    last: Option<u64>,
    waiting: VecDeque<Came>,
    /// What came of the next event.
    event: Event,
}

impl Https {
    fn new(address: SocketAddr, tls: Arc<ClientConfig>) -> Self {
        Self {
            asking: Asking::new(address, tls),
            token: None,
            events: None,
            last: None,
            waiting: VecDeque::new(),
            event: Event::default(),
        }
    }

    async fn say(&mut self, text: &str) {
        let Some(token) = self.token.clone() else {
            return self.hello(text).await;
        };
        // What a refusal's answer says, the stream says as well.
        self.asking
            .ask("POST", "/api/v1/https/packets", Some(&token), text)
            .await;
    }

    async fn hello(&mut self, text: &str) {
        let answer = self.asking.ask("POST", "/api/v1/https", None, text).await;
        if answer.status != 200 {
            let code = serde_json::from_value(answer.json()["error"]["code"].clone()).unwrap();
            let refused = RelayPacket::Refused { code };
            self.waiting
                .extend([Came::Packet(refused), Came::End(Some(4000))]);
            return;
        }
        let answer = answer.json();
        self.token = Some(answer["token"].as_str().unwrap().to_owned());
        let welcome = serde_json::from_value(answer["welcome"].clone()).unwrap();
        self.waiting.push_back(Came::Packet(welcome));
        assert_eq!(self.listen().await, Ok(()));
    }

    /// Opens the stream where the one before it ended.
    pub async fn listen(&mut self) -> Result<(), Code> {
        let token = self.token.clone().unwrap();
        let last = self.last.map(|last| last.to_string());
        let events = self
            .asking
            .stream("/api/v1/https/events", &token, last.as_deref());
        match events.await {
            Ok(events) => {
                self.events = Some(events);
                Ok(())
            }
            Err(answer) => {
                Err(serde_json::from_value(answer.json()["error"]["code"].clone()).unwrap())
            }
        }
    }

    /// The stream is cut, and the connection goes on.
    pub fn cut(&mut self) {
        self.events = None;
    }

    async fn close(&mut self) {
        let token = self.token.clone().unwrap();
        let answer = self.asking.ask("DELETE", "/api/v1/https", Some(&token), "");
        assert_eq!(answer.await.status, 204);
    }

    async fn came(&mut self) -> Came {
        if let Some(came) = self.waiting.pop_front() {
            return came;
        }
        loop {
            let line = match &mut self.events {
                Some(events) => events.line().await,
                None => None,
            };
            let Some(line) = line else {
                self.events = None;
                self.event = Event::default();
                if self.listen().await.is_err() {
                    return Came::End(None);
                }
                continue;
            };
            let event = &mut self.event;
            match line.split_once(": ") {
                Some(("id", id)) => event.id = Some(id.parse().unwrap()),
                Some(("event", name)) => name.clone_into(&mut event.name),
                Some(("data", data)) => data.clone_into(&mut event.data),
                _ if line.starts_with(':') => {}
                _ if line.is_empty() && event.data.is_empty() => {}
                _ if line.is_empty() && event.name == "end" => {
                    return Came::End(Some(event.data.parse().unwrap()));
                }
                _ if line.is_empty() => {
                    let event = std::mem::take(event);
                    let packet: RelayPacket = serde_json::from_str(&event.data).unwrap();
                    let number = match &packet {
                        RelayPacket::Message { n, .. } => Some(*n),
                        _ => None,
                    };
                    assert_eq!(event.id, number);
                    self.last = number.or(self.last);
                    return Came::Packet(packet);
                }
                _ => panic!("{line:?}"),
            }
        }
    }
}

#[derive(Default)]
struct Event {
    id: Option<u64>,
    name: String,
    data: String,
}
