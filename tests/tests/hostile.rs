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
    time::{Duration, Instant},
};

use bytes::Bytes;
use common::{
    Came, Guest, MICROPHONE, SIZE, Server, camera, chunk, frame, header, hello, join, microphone,
    piece, sound,
};
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
    frame::{Header, MIN_HEADER},
    id::{MemberId, Secret, SessionId, TrackId},
    media::Size,
    receiver::MAX_SOUND_FRAME,
    sound::Level,
};

use door::*;
use inside::*;

const ROOM: &str = "the call";
/// How long an attacker waits for an answer that needn't come.
const BRIEFLY: Duration = Duration::from_millis(200);

/// A call of three: the bedside sends, all chat, and everything is counted.
struct Call {
    ana: Guest,
    ben: Guest,
    eva: Guest,
    sequence: u32,
    sounds: u32,
    /// When a sound was sent last: no faster than a microphone.
    sounded: Instant,
}

impl Call {
    async fn start(server: &Server) -> Self {
        let mut ana = server.guest().await;
        ana.try_join_as(ROOM, "Ana", Role::Bedside).await.unwrap();
        let ben = server.member(ROOM, "Ben").await;
        let eva = server.member(ROOM, "Eva").await;
        let tracks = vec![camera(), microphone()];
        ana.send(ClientMessage::Tracks { tracks }).await;
        ana.until(|message| {
            matches!(message, RelayMessage::Send { tracks } if tracks.len() == 2).then_some(())
        })
        .await;
        ana.ping().await;
        Self {
            ana,
            ben,
            eva,
            sequence: 0,
            sounds: 0,
            sounded: Instant::now(),
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
                let (header, bytes) = chunk_of(receiver, self.ana.member, 0).await;
                assert_eq!(header.sequence, self.sequence, "a frame was lost");
                assert_eq!(bytes, payload, "a frame was changed");
            }
            self.sequence += 1;
            if self.sounded.elapsed() >= Duration::from_millis(20) {
                self.sound().await;
            }
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

impl Call {
    /// A whisper of the bedside's, which no louder level keeps from anybody.
    async fn sound(&mut self) {
        let whisper = Level::new(-72.0, false);
        self.ana.binary(sound(self.sounds, whisper, b"opus")).await;
        for receiver in [&mut self.ben, &mut self.eva] {
            let (header, _) = chunk_of(receiver, self.ana.member, MICROPHONE).await;
            assert_eq!(header.sequence, self.sounds, "a whisper was lost");
        }
        self.sounds += 1;
        self.sounded = Instant::now();
    }
}

/// The next chunk, but for the sound of those who come to attack: they are in the room.
async fn chunk_of(receiver: &mut Guest, member: MemberId, track: u8) -> (Header, Bytes) {
    loop {
        let (header, bytes) = receiver.chunk().await;
        if header.sender != member && header.track == TrackId(MICROPHONE) {
            continue;
        }
        let is = (header.sender, header.track);
        assert_eq!(is, (member, TrackId(track)), "somebody else's frame");
        return (header, bytes);
    }
}

/// Somebody who has nothing to do with any of it comes into another room, writes, and goes. Gives
/// how long it took until the relay let her in.
async fn visit(server: &Server) -> Duration {
    let start = Instant::now();
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
        sound_flood,
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
