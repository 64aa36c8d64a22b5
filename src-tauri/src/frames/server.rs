//! The socket that the page gets its pictures from.

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
    sync::Arc,
    thread,
    time::Duration,
};

use bytes::{BufMut as _, Bytes, BytesMut};
use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderMap, StatusCode, header::ORIGIN};
use rand::Rng as _;
use serde::{Deserialize, Serialize};
use tokio::{net::TcpStream, sync::watch, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async_with_config,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request, Response},
        protocol::WebSocketConfig,
    },
};
use visita_media::{convert::Converter, picture::Picture};
use visita_protocol::media::Size;

use super::{
    Board, Captured, Shown,
    captured::{MAX_PICTURE, Order, Said},
    tiles::{Tiles, Wish},
};
use crate::way;

/// Where Tauri's pages come from: Linux and macOS, then Windows and Android.
const ORIGINS: [&str; 3] = [
    "tauri://localhost",
    "http://tauri.localhost",
    "https://tauri.localhost",
];

/// The longest message of a page without a camera, in bytes; the longest it has reason to send has
/// 100.
const MAX_WISH: usize = 1024;

/// How long the handshake and the token may take. On one machine it is a matter of milliseconds;
/// this is for one that swaps.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// Bytes of a picture's header.
const HEADER: usize = 24;

/// What the page needs to connect. Not printable: the token is the key to the pictures.
#[derive(Clone, Serialize)]
pub struct Endpoint {
    /// The port on 127.0.0.1.
    pub port: u16,
    /// The first message to send: 256 random bits, hexadecimal, new with each start of the app.
    pub token: String,
}

/// Starts the socket on a thread of its own, because converting pictures takes milliseconds that
/// commands shouldn't wait for. What the page shows is told in `shown`; where the page has the
/// camera, its pictures go into `captured`.
pub fn serve(
    board: Arc<Board>,
    shown: watch::Sender<Shown>,
    captured: Option<Captured>,
) -> io::Result<Endpoint> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    let mut secret = [0; 32];
    rand::rng().fill_bytes(&mut secret);
    let token = secret
        .iter()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let pages = Pages {
        token: token.clone().into(),
        board,
        shown,
        captured,
    };
    thread::Builder::new()
        .name("frames".to_owned())
        .spawn(move || runtime.block_on(pages.accept(listener)))?;
    Ok(Endpoint { port, token })
}

#[derive(Clone)]
struct Pages {
    token: Arc<str>,
    board: Arc<Board>,
    shown: watch::Sender<Shown>,
    captured: Option<Captured>,
}

/// What the page says.
#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    Tile(Wish),
    Camera(Said),
}

impl Pages {
    async fn accept(self, listener: TcpListener) {
        let listener = match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => listener,
            Err(error) => {
                tracing::error!(%error, "the page can't be given pictures");
                return;
            }
        };
        // The page, which is one. Loaded again it connects again, and the connection before ends.
        let mut page: Option<tokio::task::JoinHandle<()>> = None;
        let mut admitted = tokio::task::JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    let Ok((stream, _)) = accepted else {
                        // Out of file descriptors, most likely.
                        tokio::time::sleep(Duration::from_millis(100)).await;
                        continue;
                    };
                    admitted.spawn(admit(stream, self.token.clone(), self.captured.is_some()));
                }
                Some(socket) = admitted.join_next() => {
                    let Ok(Some(socket)) = socket else { continue };
                    if let Some(before) = page.take() {
                        before.abort();
                        let _ = before.await;
                    }
                    page = Some(tokio::spawn(self.clone().show(socket)));
                }
            }
        }
    }

    async fn show(self, mut socket: WebSocketStream<TcpStream>) {
        let mut tiles = Tiles::default();
        let mut changes = self.board.changes();
        let mut buffer = BytesMut::new();
        let mut converter = Converter::new();
        let mut wanted = self.captured.as_ref().map(Captured::wanted);
        if let Some(wanted) = &mut wanted {
            wanted.mark_changed();
        }
        let _nothing_shown = Reset(&self);
        loop {
            while let Some((member, tile, picture)) = tiles.next(&self.board) {
                let message = encode(member, tile, &picture, &mut buffer);
                way::station("handed", picture.time());
                if socket.send(Message::Binary(message)).await.is_err() {
                    return;
                }
            }
            tokio::select! {
                message = socket.next() => match message {
                    Some(Ok(Message::Text(text))) => match (serde_json::from_str(&text), &self.captured) {
                        (Ok(Words::Tile(wish)), _) => self.grant(&mut tiles, wish),
                        (Ok(Words::Camera(said)), Some(captured)) => captured.said(said),
                        (Ok(Words::Camera(_)), None) => {}
                        (Err(error), _) => tracing::warn!(%error, "the page said something unknown"),
                    },
                    Some(Ok(Message::Binary(picture))) => if let Some(captured) = &self.captured {
                        captured.picture(&mut converter, &picture);
                    },
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                    Some(Ok(_)) => {}
                },
                // The board lives as long as this does, so there is always a next change.
                _ = changes.changed() => {}
                on = told(&mut wanted) => {
                    let Ok(order) = serde_json::to_string(&Order::Capture { on }) else { continue };
                    if socket.send(Message::text(order)).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    fn grant(&self, tiles: &mut Tiles, wish: Wish) {
        if tiles.wish(wish) {
            self.shown.send_replace(tiles.shown());
        }
    }
}

/// The next word on whether the page's camera is to be on. Where it has none, or the app is ending,
/// there is none.
async fn told(wanted: &mut Option<watch::Receiver<bool>>) -> bool {
    let Some(wanted) = wanted else {
        return std::future::pending().await;
    };
    if wanted.changed().await.is_err() {
        return std::future::pending().await;
    }
    *wanted.borrow_and_update()
}

/// Says that nothing is shown, and nothing captured, when the page is gone, however it went.
struct Reset<'a>(&'a Pages);

impl Drop for Reset<'_> {
    fn drop(&mut self) {
        self.0.shown.send_replace(Shown::new());
        if let Some(captured) = &self.0.captured {
            captured.gone();
        }
    }
}

/// A page that proved to be ours: its origin, which no other page can fake, and the token, which
/// no other program has.
async fn admit(
    stream: TcpStream,
    token: Arc<str>,
    captures: bool,
) -> Option<WebSocketStream<TcpStream>> {
    let most = if captures { MAX_PICTURE } else { MAX_WISH };
    let _ = stream.set_nodelay(true);
    let admitted = async {
        let config = WebSocketConfig::default()
            .max_message_size(Some(most))
            .max_frame_size(Some(most));
        let mut socket = accept_hdr_async_with_config(stream, check_origin, Some(config))
            .await
            .ok()?;
        match socket.next().await?.ok()? {
            Message::Text(text) if equal(text.as_bytes(), token.as_bytes()) => Some(socket),
            _ => None,
        }
    };
    timeout(HANDSHAKE, admitted).await.ok().flatten()
}

#[expect(clippy::result_large_err, reason = "the shape is tungstenite's")]
fn check_origin(request: &Request, response: Response) -> Result<Response, ErrorResponse> {
    if is_ours(request.headers()) {
        return Ok(response);
    }
    let mut refusal = ErrorResponse::new(None);
    *refusal.status_mut() = StatusCode::FORBIDDEN;
    Err(refusal)
}

fn is_ours(headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(ORIGIN).iter();
    let first = origins.next();
    origins.next().is_none()
        && first.is_some_and(|origin| ORIGINS.iter().any(|ours| origin == ours))
}

/// Compares in a time that doesn't depend on where the two differ.
fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len()
        && std::hint::black_box(a.iter().zip(b).fold(0, |acc, (a, b)| acc | (a ^ b))) == 0
}

/// A picture as the page takes it. `buffer`'s memory is used again once the last message is sent.
fn encode(member: u32, tile: Size, picture: &Picture, buffer: &mut BytesMut) -> Bytes {
    let scaled;
    let picture = match fit(picture.size(), tile) {
        size if size == picture.size() => picture,
        size => match visita_media::convert::scaled(picture, size) {
            Ok(smaller) => {
                scaled = smaller;
                &scaled
            }
            Err(_) => picture,
        },
    };
    buffer.clear();
    buffer.reserve(HEADER + picture.rgba_len());
    buffer.put_u32(1 << 24);
    buffer.put_u32(member);
    buffer.put_u16(picture.size().width);
    buffer.put_u16(picture.size().height);
    buffer.put_u32(0);
    buffer.put_u64(picture.time().0);
    buffer.resize(HEADER + picture.rgba_len(), 0);
    if !picture.rgba(&mut buffer[HEADER..]) {
        tracing::error!("a picture of {:?} doesn't fit its own size", picture.size());
    }
    buffer.split().freeze()
}

/// The size in which a picture goes to a tile: large enough to fill it, never larger than the
/// picture, and even. A picture is left alone when scaling would save less than half its pixels:
/// the web view scales it for nothing, and a picture scaled twice is blurred.
fn fit(picture: Size, tile: Size) -> Size {
    let (width, height) = (u32::from(picture.width), u32::from(picture.height));
    let (tile_width, tile_height) = (u32::from(tile.width), u32::from(tile.height));
    // Which side of the tile decides, if the picture is to cover it.
    let (width, height) = if tile_width * height >= tile_height * width {
        (tile_width, (tile_width * height).div_ceil(width.max(1)))
    } else {
        ((tile_height * width).div_ceil(height.max(1)), tile_height)
    };
    let even = |side: u32| (side.max(2) + 1) & !1;
    let (width, height) = (even(width), even(height));
    if 2 * width * height > picture.area() {
        return picture;
    }
    Size::new(width as u16, height as u16)
}

#[cfg(test)]
mod tests;
