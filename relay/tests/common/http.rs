//! HTTP/1.1 over raw sockets: requests one after the other, and an answer that goes on.

use std::{net::SocketAddr, sync::Arc};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{Answer, PATIENCE};

/// Asks over one connection, and over another one when the relay ended that.
pub struct Asking {
    address: SocketAddr,
    tls: Arc<ClientConfig>,
    kept: Option<Answers>,
}

impl Asking {
    pub fn new(address: SocketAddr, tls: Arc<ClientConfig>) -> Self {
        Self {
            address,
            tls,
            kept: None,
        }
    }

    async fn connect(&self) -> Answers {
        let socket = TcpStream::connect(self.address).await.unwrap();
        socket.set_nodelay(true).unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let stream = TlsConnector::from(self.tls.clone()).connect(name, socket);
        Answers::new(stream.await.unwrap())
    }

    fn head(&self, method: &str, path: &str, token: Option<&str>, more: &str) -> String {
        let host = self.address;
        let token = token.map(|token| format!("authorization: Bearer {token}\r\n"));
        let token = token.unwrap_or_default();
        format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n{token}{more}\r\n")
    }

    /// Asks, and waits for the whole answer.
    pub async fn ask(
        &mut self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: impl AsRef<[u8]>,
    ) -> Answer {
        let body = body.as_ref();
        let length = format!("content-length: {}\r\n", body.len());
        let mut request = self.head(method, path, token, &length).into_bytes();
        request.extend_from_slice(body);
        let asked = async {
            loop {
                let fresh = self.kept.is_none();
                let mut kept = match self.kept.take() {
                    Some(kept) => kept,
                    None => self.connect().await,
                };
                // One that was kept may have been ended meanwhile.
                let written = kept.stream.write_all(&request).await.is_ok();
                if let (true, Some(answer)) = (written, kept.answer().await) {
                    self.kept = Some(kept);
                    return answer;
                }
                assert!(!fresh, "no answer");
            }
        };
        timeout(PATIENCE, asked).await.expect("no answer")
    }

    /// Asks for an answer that goes on, over a connection of its own.
    pub async fn stream(
        &self,
        path: &str,
        token: &str,
        last: Option<&str>,
    ) -> Result<Answers, Answer> {
        let last = last.map(|last| format!("last-event-id: {last}\r\n"));
        let request = self.head("GET", path, Some(token), &last.unwrap_or_default());
        let mut answers = self.connect().await;
        answers.stream.write_all(request.as_bytes()).await.unwrap();
        let head = timeout(PATIENCE, answers.head()).await.expect("no answer");
        let head = head.expect("no answer");
        if head.status != 200 {
            return Err(answers.rest(head).await.unwrap());
        }
        assert_eq!(head.header("content-type"), "text/event-stream");
        assert_eq!(head.header("transfer-encoding"), "chunked");
        assert_eq!(head.header("x-accel-buffering"), "no");
        assert_eq!(head.header("cache-control"), "no-store, no-transform");
        Ok(answers)
    }
}

/// What comes over one connection.
pub struct Answers {
    pub stream: TlsStream<TcpStream>,
    /// What came and wasn't looked at.
    raw: Vec<u8>,
    /// What was in the chunks.
    plain: Vec<u8>,
    /// The last chunk came.
    over: bool,
}

impl Answers {
    pub fn new(stream: TlsStream<TcpStream>) -> Self {
        Self {
            stream,
            raw: Vec::new(),
            plain: Vec::new(),
            over: false,
        }
    }

    /// Reads more. Nothing is lost when this is dropped.
    async fn more(&mut self) -> Option<()> {
        let length = self.stream.read_buf(&mut self.raw).await.unwrap_or(0);
        (length > 0).then_some(())
    }

    async fn head(&mut self) -> Option<Answer> {
        loop {
            if let Some(at) = find(&self.raw, b"\r\n\r\n") {
                let head: Vec<u8> = self.raw.drain(..at + 4).collect();
                return Some(Answer::parse(&head));
            }
            self.more().await?;
        }
    }

    async fn rest(&mut self, mut head: Answer) -> Option<Answer> {
        let length = head.header("content-length").parse().unwrap_or(0);
        while self.raw.len() < length {
            self.more().await?;
        }
        head.body = self.raw.drain(..length).collect();
        Some(head)
    }

    async fn answer(&mut self) -> Option<Answer> {
        let head = self.head().await?;
        self.rest(head).await
    }

    /// The next line of an answer in chunks; `None` when it is over.
    pub async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(at) = find(&self.plain, b"\n") {
                let line: Vec<u8> = self.plain.drain(..=at).collect();
                return Some(String::from_utf8(line[..at].to_vec()).unwrap());
            }
            // The end may come together with what is before it.
            while let Some(length) = self.chunk() {
                self.over |= length == 0;
            }
            if find(&self.plain, b"\n").is_none() {
                if self.over {
                    return None;
                }
                self.more().await?;
            }
        }
    }

    /// Takes a chunk that is there whole; gives its length.
    fn chunk(&mut self) -> Option<usize> {
        let at = find(&self.raw, b"\r\n")?;
        let digits = std::str::from_utf8(&self.raw[..at]).unwrap();
        let length = usize::from_str_radix(digits, 16).unwrap();
        let end = at + 2 + length + 2;
        if self.raw.len() < end {
            return None;
        }
        let chunk: Vec<u8> = self.raw.drain(..end).collect();
        self.plain
            .extend_from_slice(&chunk[at + 2..at + 2 + length]);
        Some(length)
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
