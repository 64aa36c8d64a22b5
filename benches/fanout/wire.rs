//! What the load generator speaks with each server: connecting, sending a picture, and telling
//! what came. All of it is the same work on the client's side but for the wire format itself.

use std::{
    error::Error,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bytes::{BufMut as _, Bytes, BytesMut};
use futures_util::{SinkExt as _, StreamExt as _};
use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    net::TcpStream,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest as _},
};
use visita_protocol::{
    control::{
        ClientMessage, ClientPacket, Hello, RelayMessage, RelayPacket, Role, RoomChoice, RoomKind,
        Watch,
    },
    frame::{Header, References},
    id::{MemberId, TrackId},
    media::{Codec, Layer, Size, Source, Track},
    name::{PersonName, RoomName},
    time::MediaTime,
};

pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Which language a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// The floor's: a length and bytes over TLS.
    Bare,
    /// Socket.IO, the picture as a data URL in JSON, as the seed's page sends it.
    SocketIoText,
    /// Socket.IO, the picture as a binary attachment.
    SocketIoBinary,
    /// Visita's, over `wss`.
    Visita,
}

/// What came from the server.
pub(crate) enum Came {
    /// A picture, or as much of its beginning as holds the stamp.
    Picture(Bytes),
    /// The server asks for pictures (Visita's `send`).
    Wanted(bool),
    /// The next picture must be a key frame.
    KeyFrame,
    /// To be sent back at once.
    Answer(Out),
    /// Nothing that matters here.
    Nothing,
}

/// What goes to the server: one or two messages, or bytes.
pub(crate) enum Out {
    Message(Message),
    Messages(Message, Message),
    Bytes(Bytes),
}

/// TCP, with TLS or without.
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

macro_rules! delegate {
    ($self:ident, $method:ident $(, $argument:ident)*) => {
        match $self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).$method($($argument),*),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).$method($($argument),*),
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        delegate!(self, poll_read, cx, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        delegate!(self, poll_write, cx, bytes)
    }
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, poll_flush, cx)
    }
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, poll_shutdown, cx)
    }
}

/// A connection that is ready to send and receive pictures, in two halves.
pub(crate) struct Connection {
    pub(crate) sender: Sender,
    pub(crate) receiver: Receiver,
}

pub(crate) enum Sender {
    Socket(futures_util::stream::SplitSink<WebSocketStream<Stream>, Message>),
    Bare(tokio::io::WriteHalf<Stream>),
}

enum Incoming {
    Socket(futures_util::stream::SplitStream<WebSocketStream<Stream>>),
    Bare(tokio::io::ReadHalf<Stream>),
}

pub(crate) struct Receiver {
    incoming: Incoming,
    language: Language,
    waits_for_attachment: bool,
    unacknowledged: Option<u64>,
}

/// Connects, and goes as far as a person would who has just entered the room.
pub(crate) async fn connect(
    language: Language,
    port: u16,
    room: &str,
    publishes: bool,
) -> Result<Connection, Failure> {
    let tcp = TcpStream::connect(("127.0.0.1", port)).await?;
    tcp.set_nodelay(true)?;
    let stream = match language {
        Language::Bare | Language::Visita => {
            let name = ServerName::try_from("127.0.0.1")?;
            let tls = tokio_rustls::TlsConnector::from(tls_config()?)
                .connect(name, tcp)
                .await?;
            Stream::Tls(Box::new(tls))
        }
        Language::SocketIoText | Language::SocketIoBinary => Stream::Plain(tcp),
    };
    let path = match language {
        Language::Bare => {
            let (read, write) = tokio::io::split(stream);
            return Ok(Connection {
                sender: Sender::Bare(write),
                receiver: Receiver::new(Incoming::Bare(read), language),
            });
        }
        Language::SocketIoText | Language::SocketIoBinary => {
            format!("ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket")
        }
        Language::Visita => format!("wss://127.0.0.1:{port}/api/v1/ws"),
    };
    let (mut socket, _) =
        tokio_tungstenite::client_async(path.into_client_request()?, stream).await?;
    if language == Language::Visita {
        enter_visita(&mut socket, room, publishes).await?;
    } else {
        // Engine.IO opens, Socket.IO connects to the default namespace and is answered.
        expect_text(&mut socket, "0").await?;
        socket.send(Message::text("40")).await?;
        expect_text(&mut socket, "40").await?;
    }
    let (sink, stream) = socket.split();
    Ok(Connection {
        sender: Sender::Socket(sink),
        receiver: Receiver::new(Incoming::Socket(stream), language),
    })
}

async fn expect_text(socket: &mut WebSocketStream<Stream>, start: &str) -> Result<String, Failure> {
    loop {
        match socket.next().await.ok_or("closed before it began")?? {
            Message::Text(text) if text.starts_with(start) => return Ok(text.to_string()),
            Message::Text(_) | Message::Ping(_) | Message::Pong(_) => {}
            other => return Err(format!("unexpected {other:?}").into()),
        }
    }
}

/// Visita's page shows its pictures at this size.
const SHOWN: Size = Size::new(640, 360);

async fn enter_visita(
    socket: &mut WebSocketStream<Stream>,
    room: &str,
    publishes: bool,
) -> Result<(), Failure> {
    let hello = Hello {
        versions: vec![1],
        resume: None,
        compression: Vec::new(),
    };
    socket.send(text(&ClientPacket::Hello(hello))?).await?;
    expect_text(socket, "{\"type\":\"welcome\"").await?;
    let join = ClientMessage::Join {
        room: RoomChoice::Name {
            name: RoomName::new(room)?,
            create: Some(RoomKind::Meeting),
        },
        name: PersonName::new("bench")?,
        role: Role::Guest,
        decodes: vec![Codec::H264],
        watch: Watch {
            others: Some(SHOWN),
            views: Vec::new(),
        },
        clock: None,
    };
    socket
        .send(text(&ClientPacket::Message {
            n: 1,
            ack: 0,
            body: join,
        })?)
        .await?;
    if publishes {
        let track = Track {
            id: TrackId(0),
            source: Source::Camera,
            codec: Codec::H264,
            layers: vec![SHOWN],
            sealed: false,
        };
        let tracks = ClientMessage::Tracks {
            tracks: vec![track],
        };
        socket
            .send(text(&ClientPacket::Message {
                n: 2,
                ack: 0,
                body: tracks,
            })?)
            .await?;
    }
    Ok(())
}

fn text(packet: &ClientPacket) -> Result<Message, Failure> {
    Ok(Message::text(serde_json::to_string(packet)?))
}

impl Language {
    /// The message that carries a picture: the `sequence`th of this sender.
    pub(crate) fn picture(self, picture: &[u8], sequence: u32, key: bool, micros: u64) -> Out {
        match self {
            Language::Bare => {
                let mut bytes = BytesMut::with_capacity(4 + picture.len());
                bytes.put_u32(picture.len() as u32);
                bytes.put_slice(picture);
                Out::Bytes(bytes.freeze())
            }
            Language::SocketIoText => {
                let start = r#"42["send_video",{"frame":"data:image/jpeg;base64,"#;
                let mut text = String::with_capacity(start.len() + picture.len() * 4 / 3 + 8);
                text.push_str(start);
                BASE64.encode_string(picture, &mut text);
                text.push_str(r#""}]"#);
                Out::Message(Message::text(text))
            }
            Language::SocketIoBinary => {
                let event = r#"451-["send_video",{"frame":{"_placeholder":true,"num":0}}]"#;
                let picture = Message::binary(Bytes::copy_from_slice(picture));
                Out::Messages(Message::text(event), picture)
            }
            Language::Visita => {
                let references = if key { None } else { References::new(&[1]) };
                let header = Header {
                    sender: MemberId(0),
                    track: TrackId(0),
                    layer: Layer::default(),
                    sequence,
                    timestamp: MediaTime(micros),
                    chunk: 0,
                    chunks: 1,
                    references: references.unwrap_or(References::NONE),
                    level: None,
                };
                let mut bytes = BytesMut::with_capacity(header.len() + picture.len());
                header.write(&mut bytes);
                bytes.put_slice(picture);
                Out::Message(Message::binary(bytes.freeze()))
            }
        }
    }
}

impl Sender {
    pub(crate) async fn send(&mut self, out: Out) -> Result<(), Failure> {
        match (self, out) {
            (Sender::Socket(sink), Out::Message(message)) => sink.send(message).await?,
            (Sender::Socket(sink), Out::Messages(first, second)) => {
                sink.feed(first).await?;
                sink.send(second).await?;
            }
            (Sender::Bare(write), Out::Bytes(bytes)) => {
                write.write_all(&bytes).await?;
                write.flush().await?;
            }
            _ => return Err("a message of another language".into()),
        }
        Ok(())
    }

    pub(crate) async fn close(&mut self) {
        let _ = match self {
            Sender::Socket(sink) => sink.close().await.is_ok(),
            Sender::Bare(write) => write.shutdown().await.is_ok(),
        };
    }
}

impl Receiver {
    fn new(incoming: Incoming, language: Language) -> Self {
        Self {
            incoming,
            language,
            waits_for_attachment: false,
            unacknowledged: None,
        }
    }

    /// What comes next; `None` when the connection is over.
    pub(crate) async fn next(&mut self) -> Option<Result<Came, Failure>> {
        let socket = match &mut self.incoming {
            Incoming::Bare(read) => {
                let length = read.read_u32().await.ok()? as usize;
                let mut picture = vec![0; length];
                read.read_exact(&mut picture).await.ok()?;
                return Some(Ok(Came::Picture(picture.into())));
            }
            Incoming::Socket(socket) => socket,
        };
        let message = match socket.next().await? {
            Ok(message) => message,
            Err(error) => return Some(Err(error.into())),
        };
        Some(match (self.language, message) {
            (_, Message::Close(_)) => return None,
            (Language::Visita, Message::Binary(bytes)) => visita_picture(&bytes),
            (Language::Visita, Message::Text(text)) => self.visita_control(&text),
            (_, Message::Binary(bytes)) if self.waits_for_attachment => {
                self.waits_for_attachment = false;
                Ok(Came::Picture(bytes))
            }
            (_, Message::Text(text)) => {
                self.waits_for_attachment = text.starts_with("451-");
                Ok(socket_io(&text))
            }
            _ => Ok(Came::Nothing),
        })
    }
}

impl Receiver {
    fn visita_control(&mut self, text: &str) -> Result<Came, Failure> {
        let (n, body) = match serde_json::from_str(text)? {
            RelayPacket::Refused { code } => return Err(code.into()),
            RelayPacket::Message { n, body, .. } => (n, body),
            _ => return Ok(Came::Nothing),
        };
        self.unacknowledged = Some(n);
        Ok(match body {
            RelayMessage::Error { code, .. } => return Err(code.into()),
            RelayMessage::Send { tracks } => Came::Wanted(!tracks.is_empty()),
            RelayMessage::KeyFrame { .. } => Came::KeyFrame,
            _ => Came::Nothing,
        })
    }

    /// The acknowledgement of what came last, if there is one to send.
    pub(crate) fn acknowledgement(&mut self) -> Option<Out> {
        let ack = self.unacknowledged.take()?;
        text(&ClientPacket::Ack { ack }).ok().map(Out::Message)
    }
}

fn socket_io(text: &str) -> Came {
    if text == "2" {
        return Came::Answer(Out::Message(Message::text("3")));
    }
    if !text.starts_with("42[\"receive_video\"") {
        return Came::Nothing;
    }
    // The stamp alone is decoded: what a page does with the rest isn't the server's matter.
    let picture = text.split_once("base64,").and_then(|(_, encoded)| {
        let start = encoded.get(..crate::STAMP.div_ceil(3) * 4)?;
        BASE64.decode(start).ok()
    });
    picture.map_or(Came::Nothing, |picture| Came::Picture(picture.into()))
}

fn visita_picture(bytes: &Bytes) -> Result<Came, Failure> {
    let (_, payload) = Header::parse(bytes)?;
    Ok(Came::Picture(bytes.slice(payload..)))
}

/// What keeps a connection alive.
pub(crate) fn ping(language: Language) -> Option<Out> {
    // Socket.IO's servers ping by themselves, and the floor never asks.
    (language == Language::Visita).then_some(())?;
    text(&ClientPacket::Ping { id: 0 }).ok().map(Out::Message)
}

fn tls_config() -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Trusts whoever answers: the bench starts the servers itself, on this machine.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
