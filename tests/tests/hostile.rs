//! A call goes on while others attack the relay: every frame of the call arrives, as before.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../relay/tests/common/mod.rs"]
mod common;

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use common::{Came, Guest, SIZE, Server, camera, chunk, frame, header, hello, join};
use futures_util::{SinkExt as _, StreamExt as _};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::tungstenite::Message;
use visita_protocol::{
    control::{ClientMessage, ClientPacket, Hello, RelayMessage, RelayPacket, Resume, Role, Watch},
    error::Code,
    frame::Header,
    id::{MemberId, Secret, SessionId, TrackId},
    media::Size,
};

const ROOM: &str = "the call";
/// How long an attacker waits for an answer that needn't come.
const BRIEFLY: Duration = Duration::from_millis(200);

/// A call of three: one sends, all chat, and everything is counted.
struct Call {
    ana: Guest,
    ben: Guest,
    eva: Guest,
    sequence: u32,
}

impl Call {
    async fn start(server: &Server) -> Self {
        let mut ana = server.member(ROOM, "Ana").await;
        let ben = server.member(ROOM, "Ben").await;
        let eva = server.member(ROOM, "Eva").await;
        ana.camera().await;
        ana.ping().await;
        Self {
            ana,
            ben,
            eva,
            sequence: 0,
        }
    }

    /// Sends frames one by one, each received by both before the next. A frame that doesn't arrive
    /// fails the test, so what is counted is what arrived.
    async fn frames(&mut self, count: u32) -> u32 {
        for number in 0..count {
            let key = self.sequence.is_multiple_of(30);
            let payload: Vec<u8> = (0..4_000).map(|n| (n ^ self.sequence) as u8).collect();
            self.ana
                .binary(frame(0, self.sequence, key, &payload))
                .await;
            for receiver in [&mut self.ben, &mut self.eva] {
                let (header, bytes) = receiver.chunk().await;
                assert_eq!(
                    (header.sender, header.track),
                    (self.ana.member, TrackId(0)),
                    "somebody else's frame"
                );
                assert_eq!(header.sequence, self.sequence, "a frame was lost");
                assert_eq!(bytes, payload, "a frame was changed");
            }
            self.sequence += 1;
            if number % 50 == 0 {
                // Signs of life, and acknowledgements of all that the attackers' coming and going brings.
                for guest in [&mut self.ana, &mut self.ben, &mut self.eva] {
                    guest.ping().await;
                    let ack = guest.received;
                    guest.packet(&ClientPacket::Ack { ack }).await;
                }
            }
        }
        count
    }
}

type Attack =
    for<'a> fn(&'a Server, &'a mut StdRng) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

macro_rules! attacks {
    ($($name:ident),* $(,)?) => {
        [$((stringify!($name), (|server, rng| Box::pin($name(server, rng))) as Attack)),*]
    };
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_call_goes_on_while_the_relay_is_attacked() {
    let server = Arc::new(
        Server::start(|config| {
            config.limits.handshake_s = 2;
            config.limits.header_s = 2;
            config.limits.hello_s = 2;
            config.limits.grace_s = 1;
        })
        .await,
    );
    let mut call = Box::pin(Call::start(&server)).await;
    let before = call.frames(300).await;

    let attacks = attacks![
        noise,
        half_a_handshake,
        noise_in_tls,
        endless_head,
        strange_requests,
        broken_frames,
        endless_pieces,
        wrong_hellos,
        guessed_sessions,
        many_connections,
        frames_of_others,
        replayed_and_broken_chunks,
        frames_without_end,
        key_frame_flood,
        chat_flood,
        watch_flood,
        size_flood,
        pong_flood,
        tiny_chunks,
        many_sessions,
        bombs,
        strange_names,
        comes_and_goes,
        never_reads,
        numbers_out_of_order,
    ];
    let stop = Arc::new(AtomicBool::new(false));
    let rounds: Vec<_> = attacks
        .iter()
        .map(|_| Arc::new(AtomicU32::new(0)))
        .collect();
    let mut attackers = Vec::new();
    for (seed, ((_, attack), rounds)) in attacks.into_iter().zip(&rounds).enumerate() {
        let (server, stop, rounds) = (server.clone(), stop.clone(), rounds.clone());
        attackers.push(tokio::spawn(async move {
            let mut rng = StdRng::seed_from_u64(seed as u64);
            while !stop.load(SeqCst) {
                attack(&server, &mut rng).await;
                rounds.fetch_add(1, SeqCst);
            }
        }));
    }
    let mut during = 0;
    while during < before || rounds.iter().any(|rounds| rounds.load(SeqCst) < 2) {
        during += call.frames(20).await;
        assert!(
            !attackers.iter().any(tokio::task::JoinHandle::is_finished),
            "an attacker failed"
        );
        assert!(during < 100_000, "an attack doesn't end: {rounds:?}");
    }
    stop.store(true, SeqCst);
    for attacker in attackers {
        attacker.await.unwrap();
    }
    assert!(during >= before);
    // Chat arrives too, the relay is well, and the attackers are gone.
    call.ana.chat("are you there?").await;
    for guest in [&mut call.ben, &mut call.eva] {
        guest
            .until(|message| match message {
                RelayMessage::Chat(line) if line.text.reveal() == "are you there?" => Some(()),
                _ => None,
            })
            .await;
    }
    assert_eq!(server.get("/api/v1/health", &[]).await.status, 200);
    let mut changes = server.handle.changes();
    while server.handle.people().len() > 3 {
        timeout(common::PATIENCE, changes.changed())
            .await
            .expect("attackers stay in their rooms")
            .unwrap();
    }
    drop(call);
    Arc::into_inner(server).unwrap().end().await;
}

/// Reads and throws away until the other side ends, or is silent for a while.
async fn drain(stream: &mut (impl tokio::io::AsyncRead + Unpin)) {
    let mut buffer = [0; 4096];
    while let Ok(Ok(1..)) = timeout(BRIEFLY, stream.read(&mut buffer)).await {}
}

/// Bytes without any sense.
async fn noise(server: &Server, rng: &mut StdRng) {
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    let bytes: Vec<u8> = (0..rng.random_range(1..5_000))
        .map(|_| rng.random())
        .collect();
    let _ = socket.write_all(&bytes).await;
    drain(&mut socket).await;
}

/// Begins TLS and says no more.
async fn half_a_handshake(server: &Server, rng: &mut StdRng) {
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
async fn noise_in_tls(server: &Server, rng: &mut StdRng) {
    let mut stream = server.connect().await;
    let bytes: Vec<u8> = (0..2_000).map(|_| rng.random()).collect();
    let _ = stream.write_all(&bytes).await;
    drain(&mut stream).await;
}

/// Headers for ever.
async fn endless_head(server: &Server, _: &mut StdRng) {
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

async fn strange_requests(server: &Server, _: &mut StdRng) {
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
async fn open(server: &Server) -> tokio_rustls::client::TlsStream<TcpStream> {
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

async fn broken_frames(server: &Server, _: &mut StdRng) {
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
async fn endless_pieces(server: &Server, _: &mut StdRng) {
    let mut stream = open(server).await;
    let _ = stream.write_all(&[0x02, 0x80, 0, 0, 0, 0]).await;
    for _ in 0..2_000 {
        if stream.write_all(&[0x00, 0x80, 0, 0, 0, 0]).await.is_err() {
            return;
        }
    }
    drain(&mut stream).await;
}

async fn wrong_hellos(server: &Server, _: &mut StdRng) {
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

async fn guessed_sessions(server: &Server, rng: &mut StdRng) {
    for _ in 0..10 {
        let resume = Resume {
            session: SessionId(rng.random()),
            secret: Secret(rng.random()),
            received: rng.random(),
        };
        let socket = server.socket("/api/v1/ws", &[]).await.ok().unwrap();
        let refused = Guest::hello(
            socket,
            Hello {
                resume: Some(resume),
                ..hello()
            },
        )
        .await;
        assert_eq!(refused.err(), Some(Code::SessionGone));
    }
}

async fn many_connections(server: &Server, _: &mut StdRng) {
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

/// Speaks as another: claims a sender, and uses a track that it never announced.
async fn frames_of_others(server: &Server, rng: &mut StdRng) {
    let mut guest = server.member(ROOM, "Mallory").await;
    for member in 0..20 {
        let claimed = Header {
            sender: MemberId(member),
            ..header(0, rng.random_range(0..9_000), true)
        };
        guest.binary(chunk(&claimed, b"spoofed")).await;
    }
    assert_eq!(guest.error().await.0, Code::TrackMissing);
    guest.close().await;
}

async fn replayed_and_broken_chunks(server: &Server, rng: &mut StdRng) {
    let mut guest = server.member("elsewhere", "Mallory").await;
    guest
        .send(ClientMessage::Tracks {
            tracks: vec![camera()],
        })
        .await;
    for _ in 0..100 {
        let mut bytes = frame(0, rng.random_range(0..5), rng.random(), b"payload").to_vec();
        for _ in 0..rng.random_range(0..4) {
            let at = rng.random_range(1..bytes.len());
            bytes[at] = rng.random();
        }
        bytes.truncate(rng.random_range(1..=bytes.len()));
        guest.binary(bytes.into()).await;
    }
    guest.ping().await;
    guest.close().await;
}

/// Frames of which the last chunk never comes.
async fn frames_without_end(server: &Server, _: &mut StdRng) {
    let mut guest = server.member("elsewhere", "Mallory").await;
    guest
        .send(ClientMessage::Tracks {
            tracks: vec![camera()],
        })
        .await;
    for sequence in 0..40 {
        for index in 0..10 {
            let part = Header {
                chunk: index,
                chunks: 1_000,
                ..header(0, sequence, true)
            };
            guest.binary(chunk(&part, &[0; 1_000])).await;
        }
    }
    guest.ping().await;
    guest.close().await;
}

async fn key_frame_flood(server: &Server, _: &mut StdRng) {
    let mut guest = server.member(ROOM, "Mallory").await;
    for member in 1..40 {
        guest
            .send(ClientMessage::NeedKeyFrame {
                member: MemberId(member),
                track: TrackId(0),
            })
            .await;
    }
    guest.ping().await;
    guest.close().await;
}

async fn chat_flood(server: &Server, _: &mut StdRng) {
    let mut guest = server.member(ROOM, "Mallory").await;
    // Beyond the burst one waits: a few are enough to be slowed down each time.
    for number in 0..14 {
        guest
            .chat(&format!("{number} {}", "spam ".repeat(100)))
            .await;
        guest.ping().await;
    }
    guest.close().await;
}

async fn watch_flood(server: &Server, _: &mut StdRng) {
    let mut guest = server.member(ROOM, "Mallory").await;
    for number in 0..30 {
        let others = (number % 2 == 0).then_some(SIZE);
        guest
            .send(ClientMessage::Watch(Watch {
                others,
                views: vec![],
            }))
            .await;
        guest.ping().await;
    }
    guest.close().await;
}

/// Wants each other size in turn, for which the publisher would make a new encoder each time.
async fn size_flood(server: &Server, _: &mut StdRng) {
    let mut guest = server.member(ROOM, "Mallory").await;
    for number in 0..30 {
        let size = Size::new(160 + 320 * (number % 2), 90 + 180 * (number % 2));
        guest
            .send(ClientMessage::Watch(Watch {
                others: Some(size),
                views: vec![],
            }))
            .await;
        guest.ping().await;
    }
    guest.close().await;
}

/// WebSocket's own pongs, which nobody asked for, as fast as they go, on all three kinds of socket.
async fn pong_flood(server: &Server, _: &mut StdRng) {
    let pongs = [0x8a, 0xfd].into_iter().chain([0; 4 + 125]);
    let pongs: Vec<u8> = pongs.collect::<Vec<_>>().repeat(400);
    let mut hello = open(server).await;
    while let Ok(Ok(())) = timeout(BRIEFLY, hello.write_all(&pongs)).await {}
    let mut lobby = server.socket("/api/v1/lobby", &[]).await.ok().unwrap();
    while let Ok(Ok(())) = timeout(BRIEFLY, lobby.send(Message::Pong(vec![0; 125].into()))).await {}
    let mut guest = server.member("elsewhere", "Mallory").await;
    for _ in 0..400 {
        let sent = timeout(
            BRIEFLY,
            guest.socket.send(Message::Pong(vec![0; 125].into())),
        );
        if !matches!(sent.await, Ok(Ok(()))) {
            break;
        }
    }
}

/// Frames in as many chunks as there may be, with hardly anything in them.
async fn tiny_chunks(server: &Server, _: &mut StdRng) {
    let mut guest = server.member("elsewhere", "Mallory").await;
    guest
        .send(ClientMessage::Tracks {
            tracks: vec![camera()],
        })
        .await;
    for index in 0..1_000 {
        let part = Header {
            chunk: index,
            chunks: 1_024,
            ..header(0, 0, true)
        };
        guest.binary(chunk(&part, b"z")).await;
    }
    guest.ping().await;
    guest.close().await;
}

/// As many sessions as one address gets.
async fn many_sessions(server: &Server, _: &mut StdRng) {
    let mut guests = Vec::new();
    for _ in 0..20 {
        let socket = server.socket("/api/v1/ws", &[]).await.ok().unwrap();
        match Guest::hello(socket, hello()).await {
            Ok(guest) => guests.push(guest),
            Err(code) => assert_eq!(code, Code::RateLimited),
        }
    }
    for guest in guests {
        guest.close().await;
    }
}

/// Little that becomes much when it is unpacked.
async fn bombs(server: &Server, _: &mut StdRng) {
    let mut guest = server.member("elsewhere", "Mallory").await;
    let bomb = visita_protocol::compress::compress(&" ".repeat(50_000_000)).unwrap();
    guest.binary(bomb.into()).await;
    assert_eq!(guest.refused().await.0, Code::Malformed);
}

async fn strange_names(server: &Server, _: &mut StdRng) {
    for name in [
        "<script>alert(1)</script>",
        "'; DROP TABLE rooms; --",
        "\u{1b}[31mred",
        "مريم \u{202e}abc",
        "👩‍👩‍👧‍👦",
        "a\r\nb",
    ] {
        let mut guest = server.guest().await;
        guest.send(join(name, name, Role::Family)).await;
        guest
            .until(|message| matches!(message, RelayMessage::Joined { .. }).then_some(()))
            .await;
        guest.close().await;
    }
}

async fn comes_and_goes(server: &Server, _: &mut StdRng) {
    for _ in 0..5 {
        let mut guest = server.member(ROOM, "Mallory").await;
        guest
            .send(ClientMessage::Tracks {
                tracks: vec![camera()],
            })
            .await;
        // Without a word: the relay waits for it in vain.
        drop(guest);
    }
}

/// Watches everybody and takes nothing out of its socket.
async fn never_reads(server: &Server, _: &mut StdRng) {
    let mut guest = server.member(ROOM, "Mallory").await;
    tokio::time::sleep(BRIEFLY * 5).await;
    let _ = guest
        .socket
        .send(Message::text(r#"{"type":"ping","id":1}"#))
        .await;
}

async fn numbers_out_of_order(server: &Server, rng: &mut StdRng) {
    for (n, ack) in [(5, 0), (rng.random::<u32>().into(), 0), (2, 9_999), (0, 0)] {
        let mut guest = server.member("elsewhere", "Mallory").await;
        let body = ClientMessage::Decodes { decodes: vec![] };
        guest.packet(&ClientPacket::Message { n, ack, body }).await;
        assert_eq!(guest.refused().await.0, Code::OutOfTurn);
    }
}
