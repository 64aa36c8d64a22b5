//! A call goes on while others attack the relay: every frame of the call arrives, as before.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../relay/tests/common/mod.rs"]
mod common;
#[path = "hostile/door.rs"]
mod door;
#[path = "hostile/inside.rs"]
mod inside;

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use common::{Came, Guest, SIZE, Server, chunk, frame, header, hello, join, piece};
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

use door::*;
use inside::*;

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

/// Somebody who has nothing to do with any of it comes into another room, writes, and goes. Gives
/// how long it took until the relay let her in.
async fn visit(server: &Server) -> Duration {
    let start = std::time::Instant::now();
    let mut guest = server.member("the next bed", "Lucía").await;
    let took = start.elapsed();
    guest.chat("Hola").await;
    guest
        .until(|message| matches!(message, RelayMessage::Chat(_)).then_some(()))
        .await;
    guest.close().await;
    took
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
            // Nothing here is about how long things take: this machine may be as slow as it likes.
            config.limits.handshake_s = 60;
            config.limits.hello_s = 60;
            config.limits.header_s = 60;
            config.limits.heartbeat_ms = 60_000;
            config.limits.grace_s = 1;
        })
        .await,
    );
    let mut call = Box::pin(Call::start(&server)).await;
    let before = call.frames(300).await;
    visit(&server).await;

    let attacks = attacks![
        noise,
        half_a_handshake,
        noise_in_tls,
        endless_head,
        strange_requests,
        invented_troubles,
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
    let mut longest = Duration::ZERO;
    while during < before || rounds.iter().any(|rounds| rounds.load(SeqCst) < 2) {
        during += call.frames(20).await;
        longest = longest.max(visit(&server).await);
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
    println!("the longest that a visitor waited at the door: {longest:?}");
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
