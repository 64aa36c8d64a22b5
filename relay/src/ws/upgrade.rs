//! The handshake by which an HTTP request becomes a WebSocket.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use rustls::ServerConnection;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::link::take_plaintext;
use crate::{
    answer::{Body, full},
    patient::Patient,
};

/// Why a request isn't a WebSocket's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It doesn't ask for one, or its key is missing.
    NotAWebSocket,
    /// It asks for another version than 13.
    Version,
}

/// The connection to come, once the answer is out.
pub(crate) struct Upgrading(OnUpgrade);

/// Judges the request. Gives the answer to send, and what to await meanwhile.
pub(crate) fn upgrade<B>(request: &mut Request<B>) -> Result<(Response<Body>, Upgrading), Refused> {
    let accept = judge(request.method(), request.headers())?;
    let pending = hyper::upgrade::on(request);
    let mut response = Response::new(full(Bytes::new()));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(
        header::SEC_WEBSOCKET_ACCEPT,
        HeaderValue::try_from(accept).map_err(|_| Refused::NotAWebSocket)?,
    );
    Ok((response, Upgrading(pending)))
}

/// A connection after its handshake, in parts.
pub(crate) struct Raw {
    pub(crate) socket: TcpStream,
    pub(crate) connection: ServerConnection,
    /// What the client sent right after its request.
    pub(crate) received: BytesMut,
}

impl Upgrading {
    /// Waits for the answer to be out.
    pub(crate) async fn finish(self) -> Option<Raw> {
        let upgraded = self.0.await.ok()?;
        let parts = upgraded
            .downcast::<TokioIo<Patient<TlsStream<TcpStream>>>>()
            .ok()?;
        let (socket, mut connection) = parts.io.into_inner().into_inner().into_inner();
        let mut received = BytesMut::from(&parts.read_buf[..]);
        // What is decrypted already and wasn't asked for.
        take_plaintext(&mut connection, &mut received).ok()?;
        Some(Raw {
            socket,
            connection,
            received,
        })
    }
}

fn judge(method: &Method, headers: &HeaderMap) -> Result<String, Refused> {
    let names = |name, token: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|item| item.trim().eq_ignore_ascii_case(token))
    };
    if method != Method::GET
        || !names(header::CONNECTION, "upgrade")
        || !names(header::UPGRADE, "websocket")
    {
        return Err(Refused::NotAWebSocket);
    }
    if headers
        .get(header::SEC_WEBSOCKET_VERSION)
        .is_none_or(|version| version != "13")
    {
        return Err(Refused::Version);
    }
    let key = headers
        .get(header::SEC_WEBSOCKET_KEY)
        .ok_or(Refused::NotAWebSocket)?;
    if key.len() != 24 {
        return Err(Refused::NotAWebSocket);
    }
    Ok(accept(key.as_bytes()))
}

/// The proof that this is a WebSocket server (RFC 6455, 4.2.2).
fn accept(key: &[u8]) -> String {
    let mut context = ring::digest::Context::new(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY);
    context.update(key);
    context.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    base64(context.finish().as_ref())
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let at = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..4 {
            if digit <= group.len() {
                text.push(char::from(DIGITS[(bits >> (18 - 6 * digit) & 63) as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn the_rfcs_own_example_is_accepted() {
        let request = [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        assert_eq!(
            judge(&Method::GET, &headers(&request)).unwrap(),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
        assert_eq!(
            judge(&Method::POST, &headers(&request)),
            Err(Refused::NotAWebSocket)
        );
        assert_eq!(
            judge(&Method::GET, &headers(&request[..3])),
            Err(Refused::NotAWebSocket)
        );
        assert_eq!(
            judge(&Method::GET, &headers(&request[1..])),
            Err(Refused::NotAWebSocket)
        );
        let mut old = request;
        old[2].1 = "8";
        assert_eq!(judge(&Method::GET, &headers(&old)), Err(Refused::Version));
    }

    #[test]
    fn base64_pads_as_it_must() {
        assert_eq!(
            [base64(b""), base64(b"f"), base64(b"fo"), base64(b"foo")],
            ["", "Zg==", "Zm8=", "Zm9v"]
        );
    }
}
