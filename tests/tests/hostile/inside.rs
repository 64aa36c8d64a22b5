//! Attacks by members: frames, messages and names.

use super::*;

/// A member of a room, as soon as it has a place: the places of those who come and go without a
/// word stay taken for a while.
async fn enter(server: &Server, room: &str) -> Guest {
    let mut changes = server.handle.changes();
    let mut guest = server.guest().await;
    while let Err(code) = guest.try_join(room, "Mallory").await {
        assert_eq!(code, Code::RoomFull);
        timeout(common::PATIENCE, changes.changed())
            .await
            .expect("nobody's place is given back")
            .unwrap();
    }
    guest
}

/// Speaks as another: claims a sender, and uses a track that it never announced.
pub(super) async fn frames_of_others(server: &Server, rng: &mut StdRng) {
    let mut guest = enter(server, ROOM).await;
    for member in 0..20 {
        let claimed = Header {
            sender: MemberId(member),
            ..header(0, rng.random_range(0..9_000), true)
        };
        guest.binary(chunk(&claimed, b"spoofed")).await;
    }
    // Before it comes, perhaps, that it asked for its place too often.
    guest
        .until(|message| {
            let missing = RelayMessage::Error {
                code: Code::TrackMissing,
                reply_to: None,
            };
            (*message == missing).then_some(())
        })
        .await;
    guest.close().await;
}

pub(super) async fn replayed_and_broken_chunks(server: &Server, rng: &mut StdRng) {
    let mut guest = enter(server, "elsewhere").await;
    guest.announce().await;
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
pub(super) async fn frames_without_end(server: &Server, _: &mut StdRng) {
    let mut guest = enter(server, "elsewhere").await;
    guest.announce().await;
    for sequence in 0..40 {
        for index in 0..10 {
            guest
                .binary(piece(sequence, index, 1_000, &[0; 1_000]))
                .await;
        }
    }
    guest.ping().await;
    guest.close().await;
}

pub(super) async fn key_frame_flood(server: &Server, _: &mut StdRng) {
    let mut guest = enter(server, ROOM).await;
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

pub(super) async fn chat_flood(server: &Server, _: &mut StdRng) {
    let mut guest = enter(server, ROOM).await;
    // Beyond the burst one waits: a few are enough to be slowed down each time.
    for number in 0..14 {
        guest
            .chat(&format!("{number} {}", "spam ".repeat(100)))
            .await;
        guest.ping().await;
    }
    guest.close().await;
}

pub(super) async fn watch_flood(server: &Server, _: &mut StdRng) {
    let mut guest = enter(server, ROOM).await;
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
pub(super) async fn size_flood(server: &Server, _: &mut StdRng) {
    let mut guest = enter(server, ROOM).await;
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

/// Sound as fast as it goes, which says to be the loudest there is; some of it can't be read.
pub(super) async fn sound_flood(server: &Server, rng: &mut StdRng) {
    let mut guest = enter(server, ROOM).await;
    let tracks = vec![microphone()];
    guest.send(ClientMessage::Tracks { tracks }).await;
    for sequence in 0..600 {
        let level = if rng.random_range(0..4) == 0 {
            Level::from_byte(rng.random())
        } else {
            Level::new(0.0, true)
        };
        let size = match rng.random_range(0..50) {
            0 => MAX_SOUND_FRAME + 1,
            _ => rng.random_range(0..1_500),
        };
        let mut bytes = sound(sequence, level, &vec![0xff; size]).to_vec();
        if rng.random_range(0..50) == 0 {
            // An extension that runs over the header's end.
            bytes[MIN_HEADER] |= 0x0f;
        }
        guest.binary(bytes.into()).await;
    }
    guest.ping().await;
    guest.close().await;
}

/// WebSocket's own pongs, which nobody asked for, as fast as they go, on all three kinds of socket.
pub(super) async fn pong_flood(server: &Server, _: &mut StdRng) {
    let pongs = [0x8a, 0xfd].into_iter().chain([0; 4 + 125]);
    let pongs: Vec<u8> = pongs.collect::<Vec<_>>().repeat(400);
    let mut hello = open(server).await;
    while let Ok(Ok(())) = timeout(BRIEFLY, hello.write_all(&pongs)).await {}
    let mut lobby = server.socket("/api/v1/lobby", &[]).await.ok().unwrap();
    while let Ok(Ok(())) = timeout(BRIEFLY, lobby.send(Message::Pong(vec![0; 125].into()))).await {}
    let mut guest = enter(server, "elsewhere").await;
    for _ in 0..400 {
        let sent = timeout(
            BRIEFLY,
            guest.wire.socket().send(Message::Pong(vec![0; 125].into())),
        );
        if !matches!(sent.await, Ok(Ok(()))) {
            break;
        }
    }
}

/// Frames in as many chunks as there may be, with hardly anything in them.
pub(super) async fn tiny_chunks(server: &Server, _: &mut StdRng) {
    let mut guest = enter(server, "elsewhere").await;
    guest.announce().await;
    for index in 0..1_000 {
        guest.binary(piece(0, index, 1_024, b"z")).await;
    }
    guest.ping().await;
    guest.close().await;
}

/// As many sessions as one address gets.
pub(super) async fn many_sessions(server: &Server, _: &mut StdRng) {
    let mut guests = Vec::new();
    for _ in 0..20 {
        match Guest::hello(server.wire().await, hello()).await {
            Ok(guest) => guests.push(guest),
            Err(code) => assert_eq!(code, Code::RateLimited),
        }
    }
    for guest in guests {
        guest.close().await;
    }
}

/// Little that becomes much when it is unpacked.
pub(super) async fn bombs(server: &Server, _: &mut StdRng) {
    let mut guest = enter(server, "elsewhere").await;
    let bomb = visita_protocol::compress::compress(&" ".repeat(50_000_000)).unwrap();
    guest.binary(bomb.into()).await;
    assert_eq!(guest.refused().await.0, Code::Malformed);
}

pub(super) async fn strange_names(server: &Server, _: &mut StdRng) {
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

pub(super) async fn comes_and_goes(server: &Server, _: &mut StdRng) {
    for _ in 0..5 {
        let mut guest = enter(server, ROOM).await;
        guest.announce().await;
        // Without a word: the relay waits for it in vain.
        drop(guest);
    }
}

/// Watches everybody and takes nothing out of its socket.
pub(super) async fn never_reads(server: &Server, _: &mut StdRng) {
    let mut guest = enter(server, ROOM).await;
    tokio::time::sleep(BRIEFLY * 5).await;
    let _ = guest
        .wire
        .socket()
        .send(Message::text(r#"{"type":"ping","id":1}"#))
        .await;
}

pub(super) async fn numbers_out_of_order(server: &Server, rng: &mut StdRng) {
    for (n, ack) in [(5, 0), (rng.random::<u32>().into(), 0), (2, 9_999), (0, 0)] {
        let mut guest = enter(server, "elsewhere").await;
        let body = ClientMessage::Decodes { decodes: vec![] };
        guest.packet(&ClientPacket::Message { n, ack, body }).await;
        assert_eq!(guest.refused().await.0, Code::OutOfTurn);
    }
}
