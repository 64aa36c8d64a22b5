//! Attacks by who has no session: on sockets, TLS, HTTP and the hello.

use super::*;

/// Reads and throws away until the other side ends, or is silent for a while.
pub(super) async fn drain(stream: &mut (impl tokio::io::AsyncRead + Unpin)) {
    let mut buffer = [0; 4096];
    while let Ok(Ok(1..)) = timeout(BRIEFLY, stream.read(&mut buffer)).await {}
}

/// Bytes without any sense.
pub(super) async fn noise(server: &Server, rng: &mut StdRng) {
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    let bytes: Vec<u8> = (0..rng.random_range(1..5_000))
        .map(|_| rng.random())
        .collect();
    let _ = socket.write_all(&bytes).await;
    drain(&mut socket).await;
}

/// Begins TLS and says no more.
pub(super) async fn half_a_handshake(server: &Server, rng: &mut StdRng) {
    let mut sockets = Vec::new();
    for _ in 0..20 {
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        let _ = socket
            .write_all(&[0x16, 3, 1, rng.random(), rng.random(), 1])
            .await;
        sockets.push(socket);
    }
    drain(&mut sockets[0]).await;
}

/// No HTTP after the handshake.
pub(super) async fn noise_in_tls(server: &Server, rng: &mut StdRng) {
    let mut stream = server.connect().await;
    let bytes: Vec<u8> = (0..2_000).map(|_| rng.random()).collect();
    let _ = stream.write_all(&bytes).await;
    drain(&mut stream).await;
}

/// Headers for ever.
pub(super) async fn endless_head(server: &Server, _: &mut StdRng) {
    let mut stream = server.connect().await;
    let _ = stream.write_all(b"GET / HTTP/1.1\r\n").await;
    for number in 0..2_000 {
        let line = format!("x-{number}: {}\r\n", "y".repeat(100));
        if stream.write_all(line.as_bytes()).await.is_err() {
            return;
        }
    }
    drain(&mut stream).await;
}

pub(super) async fn strange_requests(server: &Server, _: &mut StdRng) {
    let long = format!("/{}", "a".repeat(8_000));
    for (method, path) in [
        ("GET", "/../../etc/passwd"),
        ("GET", "/%00"),
        ("GET", "//evil.example/"),
        ("OPTIONS", "*"),
        ("BREW", "/"),
        ("GET", &long),
        ("DELETE", "/api/v1/rooms"),
        ("GET", "/api/v1/ca?format=../../x"),
    ] {
        let answer = server.request(method, path, &[]).await;
        assert!(
            answer.status == 200 || (400..500).contains(&answer.status),
            "{method} {path}: {}",
            answer.status
        );
    }
    for host in ["evil.example", "[::1", "a:b:c", "", "\u{1}"] {
        let answer = server.get("/", &[("host", host)]).await;
        assert!(
            (400..500).contains(&answer.status),
            "{host:?}: {}",
            answer.status
        );
    }
}

/// A connection after WebSocket's handshake, to write anything into.
pub(super) async fn open(server: &Server) -> tokio_rustls::client::TlsStream<TcpStream> {
    let mut stream = server.connect().await;
    let request = format!(
        "GET /api/v1/ws HTTP/1.1\r\nhost: {}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        server.address
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"));
    stream
}

pub(super) async fn broken_frames(server: &Server, _: &mut StdRng) {
    for bytes in [
        &[0x82, 0x05, 1, 2, 3, 4, 5][..],
        &[0xf2, 0x80, 0, 0, 0, 0],
        &[0x83, 0x80, 0, 0, 0, 0],
        &[0x88, 0x81, 0, 0, 0, 0, 1],
        &[
            0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0,
        ],
        &[0x80, 0x80, 0, 0, 0, 0],
        &[0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28],
    ] {
        let mut stream = open(server).await;
        let _ = stream.write_all(bytes).await;
        drain(&mut stream).await;
    }
}

/// One message in pieces that never ends.
pub(super) async fn endless_pieces(server: &Server, _: &mut StdRng) {
    let mut stream = open(server).await;
    let _ = stream.write_all(&[0x02, 0x80, 0, 0, 0, 0]).await;
    for _ in 0..2_000 {
        if stream.write_all(&[0x00, 0x80, 0, 0, 0, 0]).await.is_err() {
            return;
        }
    }
    drain(&mut stream).await;
}

/// Errors of pages that never happened, and some that aren't any.
pub(super) async fn invented_troubles(server: &Server, _: &mut StdRng) {
    let invented = r#"{"kind":"error","seen":"caught","file":"main.js","line":1,"column":1}"#;
    for (body, statuses) in [(invented, &[204, 429][..]), ("{", &[400, 429])] {
        for _ in 0..10 {
            let status = server.post("/api/v1/trouble", body).await;
            assert!(statuses.contains(&status), "{status}");
        }
    }
}

pub(super) async fn wrong_hellos(server: &Server, _: &mut StdRng) {
    let nested = "[".repeat(50_000);
    for text in [
        r#"{"type":"hello","versions":[0]}"#,
        r#"{"type":"hello"}"#,
        "{",
        "null",
        &nested,
        r#"{"type":"ack","ack":1}"#,
    ] {
        let mut socket = server.socket("/api/v1/ws", &[]).await.ok().unwrap();
        let _ = socket.send(Message::text(text)).await;
        let came = common::came(&mut socket).await;
        assert!(
            matches!(came, Came::Packet(RelayPacket::Refused { .. })),
            "{came:?}"
        );
    }
    let mut socket = server.socket("/api/v1/ws", &[]).await.ok().unwrap();
    let _ = socket.send(Message::text("x".repeat(4 << 20))).await;
    while let Some(Ok(_)) = socket.next().await {}
}

pub(super) async fn guessed_sessions(server: &Server, rng: &mut StdRng) {
    for _ in 0..10 {
        let resume = Resume {
            session: SessionId(rng.random()),
            secret: Secret(rng.random()),
            received: rng.random(),
        };
        let refused = Guest::hello(
            server.wire().await,
            Hello {
                resume: Some(resume),
                ..hello()
            },
        )
        .await;
        assert_eq!(refused.err(), Some(Code::SessionGone));
    }
}

pub(super) async fn many_connections(server: &Server, _: &mut StdRng) {
    let mut open = Vec::new();
    for _ in 0..60 {
        open.push(TcpStream::connect(server.address).await.unwrap());
    }
    for _ in 0..10 {
        open.push(
            server
                .socket("/api/v1/lobby", &[])
                .await
                .ok()
                .unwrap()
                .into_inner()
                .into_inner()
                .0,
        );
    }
}
