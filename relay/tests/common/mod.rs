//! A relay in this process, and the simplest client that speaks to it over real sockets.

#![allow(
    dead_code,
    unused_imports,
    unused_macros,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::unused_async,
    clippy::format_push_string
)]

mod http;
mod media;
mod wire;

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Error as WsError, client::IntoClientRequest as _},
};
use visita_protocol::{
    control::{
        ClientMessage, ClientPacket, Hello, RelayMessage, RelayPacket, Resume, Role, RoomChoice,
        RoomKind, Watch, Welcome,
    },
    error::Code,
    frame::Header,
    id::MemberId,
    media::{Codec, Size},
    name::{ChatText, PersonName, RoomName},
};
use visita_relay::{Config, Handle, Relay, bind};

pub use http::{Answers, Asking};
pub use media::*;
pub use wire::*;

/// Nothing here takes this long unless it is broken, however busy the machine is.
pub const PATIENCE: Duration = Duration::from_mins(1);
pub const SIZE: Size = Size::new(640, 360);

pub struct Server {
    pub handle: Handle,
    pub address: SocketAddr,
    pub data: TempDir,
    /// What its participants come over.
    pub over: Over,
    stop: oneshot::Sender<()>,
    done: JoinHandle<()>,
}

impl Server {
    /// A relay whose participants come over `ws`.
    pub async fn start(change: impl FnOnce(&mut Config)) -> Self {
        Self::over(Over::Ws, change).await
    }

    pub async fn over(over: Over, change: impl FnOnce(&mut Config)) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            data: data.path().to_owned(),
            ward: Some("Ward 3".to_owned()),
            ..Config::default()
        };
        // Participants here give no signs of life by themselves.
        config.limits.heartbeat_ms = 60_000;
        config.carriers.ws = over == Over::Ws;
        change(&mut config);
        let relay = Relay::new(config.clone(), bind(config.listen).unwrap()).unwrap();
        let handle = relay.handle();
        let address = handle.local_addr();
        let (stop, stopped) = oneshot::channel::<()>();
        let done = tokio::spawn(relay.serve(async move {
            let _ = stopped.await;
        }));
        Self {
            handle,
            address,
            data,
            over,
            stop,
            done,
        }
    }

    /// Ends the relay and waits for its end.
    pub async fn end(self) {
        let _ = self.stop.send(());
        timeout(PATIENCE, self.done)
            .await
            .expect("the relay doesn't end")
            .unwrap();
    }

    /// Trusts the ward's CA and nothing else.
    pub fn tls(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(self.handle.ca_pem().as_bytes()).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Arc::new(config)
    }

    pub async fn connect(&self) -> TlsStream<TcpStream> {
        let socket = TcpStream::connect(self.address).await.unwrap();
        socket.set_nodelay(true).unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        TlsConnector::from(self.tls())
            .connect(name, socket)
            .await
            .unwrap()
    }

    /// One request on a connection of its own.
    pub async fn request(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut stream = self.connect().await;
        let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "host") {
            head += &format!("host: {}\r\n", self.address);
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        stream
            .write_all(format!("{head}\r\n").as_bytes())
            .await
            .unwrap();
        let mut bytes = Vec::new();
        // A connection that asked for an upgrade and got none may end without TLS's own end.
        let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes))
            .await
            .expect("no answer");
        Answer::parse(&bytes)
    }

    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.request("GET", path, headers).await
    }

    /// Posts a body; answers the status.
    pub async fn post(&self, path: &str, body: &str) -> u16 {
        self.posted(path, body, &[]).await.status
    }

    /// Posts a body.
    pub async fn posted(&self, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        self.sent("POST", path, body, headers).await
    }

    /// Sends a body.
    pub async fn sent(
        &self,
        method: &str,
        path: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let length = body.len().to_string();
        let mut stream = self.connect().await;
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nconnection: close\r\nhost: {}\r\ncontent-length: {length}\r\n",
            self.address
        );
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        let head = format!("{head}\r\n{body}");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes))
            .await
            .expect("no answer");
        Answer::parse(&bytes)
    }

    /// Opens a WebSocket with these headers, or gives the status with which it was refused.
    pub async fn socket(
        &self,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Socket, Answer> {
        let mut request = format!("wss://{}{path}", self.address)
            .into_client_request()
            .unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match tokio_tungstenite::client_async(request, self.connect().await).await {
            Ok((socket, _)) => Ok(socket),
            Err(WsError::Http(response)) => {
                let headers = response.headers().iter();
                let headers = headers
                    .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
                Err(Answer {
                    status: response.status().as_u16(),
                    headers: headers.collect(),
                    body: response.body().clone().unwrap_or_default(),
                })
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// A way to the relay, before the hello.
    pub async fn wire(&self) -> Wire {
        match self.over {
            Over::Ws => Wire::Ws(Box::new(self.socket("/api/v1/ws", &[]).await.ok().unwrap())),
            Over::Https => Wire::https(self.address, self.tls()),
        }
    }

    /// A participant after its welcome.
    pub async fn guest(&self) -> Guest {
        Guest::hello(self.wire().await, hello()).await.unwrap()
    }

    /// A participant in a room, which is made if it isn't there. It shows everybody.
    pub async fn member(&self, room: &str, name: &str) -> Guest {
        let mut guest = self.guest().await;
        guest.join(room, name).await;
        guest
    }
}

pub struct Answer {
    pub status: u16,
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn parse(bytes: &[u8]) -> Self {
        let end = bytes
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .expect("no head");
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        let headers: HashMap<_, _> = lines
            .map(|line| line.split_once(':').unwrap())
            .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
            .collect();
        Self {
            status,
            headers,
            body: bytes[end + 4..].to_vec(),
        }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap().to_owned()
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

pub type Socket = WebSocketStream<TlsStream<TcpStream>>;

pub fn hello() -> Hello {
    Hello {
        versions: vec![1],
        resume: None,
        compression: vec![],
    }
}

/// What came.
#[derive(Debug, Clone, PartialEq)]
pub enum Came {
    Packet(RelayPacket),
    Media(Header, Bytes),
    /// The end, with its code if there was a close frame.
    End(Option<u16>),
}

/// One participant, done by hand: nothing is answered by itself but acknowledgements.
pub struct Guest {
    pub wire: Wire,
    pub welcome: Welcome,
    /// The last number sent and received.
    pub sent: u64,
    pub received: u64,
    pub member: MemberId,
    /// Messages that came while something else was waited for.
    pub seen: Vec<RelayMessage>,
    /// Chunks that came while something else was waited for.
    pub media: Vec<(Header, Bytes)>,
}

impl Guest {
    pub async fn hello(mut wire: Wire, hello: Hello) -> Result<Self, Code> {
        let hello = ClientPacket::Hello(hello);
        wire.text(&serde_json::to_string(&hello).unwrap()).await;
        match wire.came().await {
            Came::Packet(RelayPacket::Welcome(welcome)) => {
                let (seen, media) = (vec![], vec![]);
                Ok(Self {
                    wire,
                    welcome,
                    sent: 0,
                    received: 0,
                    member: MemberId(0),
                    seen,
                    media,
                })
            }
            Came::Packet(RelayPacket::Refused { code }) => Err(code),
            other => panic!("{other:?}"),
        }
    }

    /// The hello that goes on with this one's session.
    pub fn resuming(&self) -> Hello {
        let Welcome {
            session, secret, ..
        } = self.welcome;
        Hello {
            resume: Some(Resume {
                session,
                secret,
                received: self.received,
            }),
            ..hello()
        }
    }

    /// Breaks the connection without a word, and goes on with the session over another.
    pub async fn reconnect(self, server: &Server) -> Self {
        let hello = self.resuming();
        let (sent, received, member) = (self.sent, self.received, self.member);
        drop(self.wire);
        let guest = Self::hello(server.wire().await, hello).await.unwrap();
        Self {
            sent,
            received,
            member,
            ..guest
        }
    }

    pub async fn packet(&mut self, packet: &ClientPacket) {
        self.text(&serde_json::to_string(packet).unwrap()).await;
    }

    pub async fn send(&mut self, body: ClientMessage) -> u64 {
        self.sent += 1;
        let packet = ClientPacket::Message {
            n: self.sent,
            ack: self.received,
            body,
        };
        self.packet(&packet).await;
        self.sent
    }

    pub async fn chat(&mut self, text: &str) -> u64 {
        self.send(ClientMessage::Chat {
            text: ChatText::new(text).unwrap(),
        })
        .await
    }

    pub async fn join(&mut self, room: &str, name: &str) {
        self.try_join(room, name).await.expect("not admitted");
    }

    pub async fn try_join(&mut self, room: &str, name: &str) -> Result<(), Code> {
        self.try_join_as(room, name, Role::Guest).await
    }

    pub async fn try_join_as(&mut self, room: &str, name: &str, role: Role) -> Result<(), Code> {
        let n = self.send(join(room, name, role)).await;
        let answer = self
            .until(|message| match message {
                RelayMessage::Joined { you, .. } => Some(Ok(*you)),
                RelayMessage::Error { code, reply_to } if *reply_to == Some(n) => Some(Err(*code)),
                _ => None,
            })
            .await;
        self.member = answer?;
        Ok(())
    }

    /// Announces a camera.
    pub async fn announce(&mut self) {
        let tracks = vec![camera()];
        self.send(ClientMessage::Tracks { tracks }).await;
    }

    /// Announces a camera and waits until somebody wants it.
    pub async fn camera(&mut self) {
        self.announce().await;
        self.until(|message| {
            matches!(message, RelayMessage::Send { tracks } if !tracks.is_empty()).then_some(())
        })
        .await;
    }

    /// One frame of track 0 in one chunk.
    pub async fn frame(&mut self, sequence: u32, payload: &[u8]) {
        self.binary(frame(0, sequence, sequence == 0, payload))
            .await;
    }

    pub async fn binary(&mut self, bytes: Bytes) {
        self.wire.binary(bytes).await;
    }

    pub async fn text(&mut self, text: &str) {
        self.wire.text(text).await;
    }

    /// What comes next. Numbered messages are checked for their order and counted.
    pub async fn next(&mut self) -> Came {
        let came = self.wire.came().await;
        if let Came::Packet(RelayPacket::Message { n, .. }) = &came {
            assert_eq!(*n, self.received + 1, "lost or doubled");
            self.received = *n;
        }
        came
    }

    /// Waits for a message. Others are kept in `seen`, chunks in `media`.
    pub async fn until<T>(&mut self, wanted: impl Fn(&RelayMessage) -> Option<T>) -> T {
        loop {
            match self.next().await {
                Came::Packet(RelayPacket::Message { body, .. }) => {
                    if let Some(found) = wanted(&body) {
                        return found;
                    }
                    self.seen.push(body);
                }
                Came::Packet(RelayPacket::Ack { .. } | RelayPacket::Pong { .. }) => {}
                Came::Media(header, payload) => self.media.push((header, payload)),
                other => panic!("{other:?}"),
            }
        }
    }

    /// The same, giving signs of life meanwhile.
    pub async fn alive_until<T>(&mut self, wanted: impl Fn(&RelayMessage) -> Option<T>) -> T {
        let mut pings = 0;
        loop {
            pings += 1;
            self.packet(&ClientPacket::Ping { id: pings }).await;
            let found = timeout(Duration::from_millis(200), self.until(&wanted)).await;
            if let Ok(found) = found {
                return found;
            }
        }
    }

    /// Waits for an error, and gives it.
    pub async fn error(&mut self) -> (Code, Option<u64>) {
        self.until(|message| match message {
            RelayMessage::Error { code, reply_to } => Some((*code, *reply_to)),
            _ => None,
        })
        .await
    }

    /// Waits for the next chunk.
    pub async fn chunk(&mut self) -> (Header, Bytes) {
        if !self.media.is_empty() {
            return self.media.remove(0);
        }
        loop {
            match self.next().await {
                Came::Media(header, payload) => return (header, payload),
                Came::Packet(RelayPacket::Message { body, .. }) => self.seen.push(body),
                Came::Packet(RelayPacket::Ack { .. } | RelayPacket::Pong { .. }) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Waits until the connection is refused, and gives the reason and the close code.
    pub async fn refused(&mut self) -> (Code, Option<u16>) {
        loop {
            match self.next().await {
                Came::Packet(RelayPacket::Refused { code }) => {
                    let Came::End(end) = self.next().await else {
                        panic!("something after the end")
                    };
                    return (code, end);
                }
                Came::End(end) => panic!("ended with {end:?} and no reason"),
                _ => {}
            }
        }
    }

    /// Asks, and waits for the answer: all that was sent before is handled by then.
    pub async fn ping(&mut self) {
        self.packet(&ClientPacket::Ping { id: 77 }).await;
        loop {
            match self.next().await {
                Came::Packet(RelayPacket::Pong { id: 77 }) => return,
                Came::Packet(RelayPacket::Message { body, .. }) => self.seen.push(body),
                Came::Media(header, payload) => self.media.push((header, payload)),
                Came::Packet(_) => {}
                Came::End(end) => panic!("ended with {end:?}"),
            }
        }
    }

    /// Closes in order.
    pub async fn close(self) {
        self.wire.close().await;
    }
}

pub fn join(room: &str, name: &str, role: Role) -> ClientMessage {
    ClientMessage::Join {
        room: RoomChoice::Name {
            name: RoomName::new(room).unwrap(),
            create: Some(RoomKind::Meeting),
        },
        name: PersonName::new(name).unwrap(),
        role,
        decodes: vec![Codec::H264, Codec::Jpeg, Codec::Opus],
        watch: Watch {
            others: Some(SIZE),
            views: vec![],
        },
        clock: None,
    }
}
