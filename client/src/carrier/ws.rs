//! The `ws` carrier: a WebSocket over TLS over TCP.

use std::sync::Arc;

use futures_util::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use http::Request;
use rustls::ClientConfig;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        self,
        handshake::client::generate_key,
        protocol::{CloseFrame, WebSocketConfig, frame::coding::CloseCode},
    },
};
use visita_protocol::{
    error::Code,
    frame::{CONTROL_ZSTD_V1, MAX_FRAME, MEDIA_V1},
};

use super::{End, Message, socket::Socket};
use crate::{
    address::HostUrl,
    dial,
    error::Error,
    trace::{Stamp, Step, Trace},
};

/// The largest message taken from a host: a whole frame in one chunk, and its header. Longer
/// lists of chat are bounded far below it by the protocol.
const MAX_MESSAGE: usize = MAX_FRAME + 4096;

type Stream = WebSocketStream<TlsStream<Socket>>;

/// The sending side.
pub struct Sender(SplitSink<Stream, tungstenite::Message>);

/// The receiving side.
pub struct Receiver(SplitStream<Stream>);

/// Connects to the first address that answers, and asks there for the WebSocket at `path`.
pub async fn connect(
    urls: &[HostUrl],
    path: &str,
    tls: Arc<ClientConfig>,
    trace: Option<&Trace>,
) -> Result<(HostUrl, Sender, Receiver), Error> {
    let (url, stream) = dial::tls(urls, tls).await?;
    step(trace, Step::Connected);
    let request = Request::get(format!("wss://{}{path}", url.authority()))
        .header("Host", url.authority())
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", generate_key())
        .body(())
        .map_err(|error| Error::NotAHost {
            url: url.clone(),
            what: error.to_string(),
        })?;
    let config = WebSocketConfig::default()
        .read_buffer_size(64 * 1024)
        .write_buffer_size(0)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE));
    match client_async_with_config(request, stream, Some(config)).await {
        Ok((stream, _)) => {
            step(trace, Step::Upgraded);
            let (sender, receiver) = stream.split();
            Ok((url, Sender(sender), Receiver(receiver)))
        }
        Err(tungstenite::Error::Http(response)) => Err(http_error(url, &response)),
        Err(tungstenite::Error::Io(source)) => Err(Error::Unreachable { url, source }),
        Err(error) => Err(Error::NotAHost {
            url,
            what: error.to_string(),
        }),
    }
}

fn step(trace: Option<&Trace>, step: Step) {
    if let Some(trace) = trace {
        trace.stamp(Stamp::Step(step));
    }
}

/// The relay's errors have a code in their body; anything else isn't a relay.
fn http_error(url: HostUrl, response: &http::Response<Option<Vec<u8>>>) -> Error {
    #[derive(serde::Deserialize)]
    struct Body {
        error: Inner,
    }
    #[derive(serde::Deserialize)]
    struct Inner {
        code: Code,
    }
    let body = response.body().as_deref().unwrap_or_default();
    match serde_json::from_slice::<Body>(body) {
        Ok(body) => Error::Refused(body.error.code),
        // The body may not have come with the head: these mean the same from any relay.
        Err(_) if response.status() == http::StatusCode::SERVICE_UNAVAILABLE => {
            Error::Refused(Code::Busy)
        }
        Err(_) if response.status() == http::StatusCode::TOO_MANY_REQUESTS => {
            Error::Refused(Code::RateLimited)
        }
        Err(_) => Error::NotAHost {
            url,
            what: format!("HTTP status {}", response.status().as_u16()),
        },
    }
}

impl Sender {
    /// Sends a message and waits until the socket took it.
    pub async fn send(&mut self, message: Message) -> Result<(), End> {
        let message = match message {
            Message::Control(json) => tungstenite::Message::text(json),
            Message::Compressed(bytes) | Message::Media(bytes) => {
                tungstenite::Message::Binary(bytes)
            }
        };
        self.0.send(message).await.map_err(|error| end(&error))
    }

    /// Sends a close frame.
    pub async fn close(&mut self) {
        let frame = CloseFrame {
            code: CloseCode::Normal,
            reason: "".into(),
        };
        let _ = self.0.send(tungstenite::Message::Close(Some(frame))).await;
    }
}

impl Receiver {
    /// The next message; WebSocket pings are answered underneath.
    pub async fn next(&mut self) -> Result<Message, End> {
        loop {
            match self.0.next().await {
                Some(Ok(tungstenite::Message::Text(text))) => {
                    return Ok(Message::Control(text.as_str().to_owned()));
                }
                Some(Ok(tungstenite::Message::Binary(bytes))) => match bytes.first() {
                    Some(&CONTROL_ZSTD_V1) => return Ok(Message::Compressed(bytes)),
                    Some(&MEDIA_V1) => return Ok(Message::Media(bytes)),
                    // A type of a newer version, or nothing at all.
                    _ => {}
                },
                Some(Ok(tungstenite::Message::Close(_))) | None => return Err(End::Closed),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(end(&error)),
            }
        }
    }
}

fn end(error: &tungstenite::Error) -> End {
    match error {
        tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed => End::Closed,
        _ => End::Broken,
    }
}
