//! Frames from one participant to the others.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::Duration;

use common::{Guest, PATIENCE, SIZE, Server, camera, chunk, frame, header};
use tokio::{
    sync::oneshot,
    time::{sleep, timeout},
};
use visita_protocol::{
    chunk::{Assembler, FINE, Frame},
    control::{Carries, ClientMessage, RelayMessage, View, Watch},
    error::Code,
    frame::Header,
    id::{MemberId, TrackId},
    media::{Codec, Source, Track},
};

/// As often as a camera gives a picture.
const PICTURE: Duration = Duration::from_millis(33);

/// Two in a room; the first one's camera is wanted, and was asked for a key frame.
async fn pair(server: &Server) -> (Guest, Guest) {
    let mut ana = server.member("r", "Ana").await;
    let ben = server.member("r", "Ben").await;
    ana.camera().await;
    key_frame(&mut ana).await;
    (ana, ben)
}

async fn key_frame(guest: &mut Guest) -> TrackId {
    guest
        .until(|message| match message {
            RelayMessage::KeyFrame { track } => Some(*track),
            _ => None,
        })
        .await
}

#[tokio::test]
async fn frames_arrive_whole_in_order_and_with_their_true_sender() {
    let server = Server::start(|_| {}).await;
    let (mut ana, mut ben) = pair(&server).await;
    for sequence in 0..50_u32 {
        let payload = vec![sequence as u8; 100 + 300 * sequence as usize];
        // Whatever the sender claims to be.
        let claimed = Header {
            sender: MemberId(4711),
            ..header(0, sequence, sequence == 0)
        };
        ana.binary(chunk(&claimed, &payload)).await;
    }
    for sequence in 0..50_u32 {
        let (header, payload) = ben.chunk().await;
        assert_eq!(
            (header.sender, header.track, header.sequence),
            (ana.member, TrackId(0), sequence)
        );
        assert_eq!(
            &payload[..],
            vec![sequence as u8; 100 + 300 * sequence as usize]
        );
    }
    server.end().await;
}

#[tokio::test]
async fn a_frame_in_chunks_arrives_in_the_same_chunks() {
    let server = Server::start(|_| {}).await;
    let (mut ana, mut ben) = pair(&server).await;
    let payload: Vec<u8> = (0..100_000_u32).map(|n| (n * 7) as u8).collect();
    let chunks =
        || visita_protocol::chunk::split(header(0, 0, true), payload.len(), 16 * 1024).unwrap();
    for (header, range) in chunks() {
        ana.binary(chunk(&header, &payload[range])).await;
    }
    for (sent, range) in chunks() {
        let (header, bytes) = ben.chunk().await;
        assert_eq!(
            header,
            Header {
                sender: ana.member,
                ..sent
            }
        );
        assert_eq!(&bytes[..], &payload[range]);
    }
    server.end().await;
}

#[tokio::test]
async fn a_frame_for_a_track_that_is_not_ones_own_harms_nobody() {
    let server = Server::start(|_| {}).await;
    let (mut ana, mut ben) = pair(&server).await;
    ana.frame(0, b"first").await;
    ben.binary(frame(0, 7, true, b"spoof")).await;
    assert_eq!(ben.error().await, (Code::TrackMissing, None));
    ana.binary(frame(3, 0, true, b"not announced")).await;
    assert_eq!(ana.error().await, (Code::TrackMissing, None));
    ana.frame(1, b"second").await;
    assert_eq!(&ben.chunk().await.1[..], b"first");
    assert_eq!(&ben.chunk().await.1[..], b"second");
    server.end().await;
}

#[tokio::test]
async fn replayed_and_broken_chunks_are_refused_and_the_rest_goes_on() {
    let server = Server::start(|_| {}).await;
    let (mut ana, mut ben) = pair(&server).await;
    ana.frame(0, b"zero").await;
    ana.frame(1, b"one").await;
    ana.frame(1, b"again").await;
    assert_eq!(ana.error().await.0, Code::OutOfTurn);
    for garbage in [
        &[0x10][..],
        &[0x10; 30],
        &[0xff; 40],
        &[0x10, 25, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9],
        &[],
    ] {
        ana.binary(garbage.to_vec().into()).await;
    }
    ana.frame(2, b"two").await;
    for expected in ["zero", "one", "two"] {
        assert_eq!(&ben.chunk().await.1[..], expected.as_bytes());
    }
    server.end().await;
}

#[tokio::test]
async fn what_nobody_shows_is_not_sent_and_starts_again_at_a_key_frame() {
    let server = Server::start(|_| {}).await;
    let (mut ana, mut ben) = pair(&server).await;
    ana.frame(0, b"shown").await;
    assert_eq!(&ben.chunk().await.1[..], b"shown");
    let stopped = |message: &RelayMessage| {
        matches!(message, RelayMessage::Send { tracks } if tracks.is_empty()).then_some(())
    };
    ben.send(ClientMessage::Watch(Watch::default())).await;
    ana.until(stopped).await;
    ana.frame(1, b"hidden").await;
    let views = vec![View {
        member: ana.member,
        size: Some(SIZE),
    }];
    ana.ping().await;
    ben.send(ClientMessage::Watch(Watch {
        others: None,
        views,
    }))
    .await;
    assert_eq!(key_frame(&mut ana).await, TrackId(0));
    ana.frame(2, b"not decodable").await;
    ana.binary(frame(0, 3, true, b"key")).await;
    assert_eq!(&ben.chunk().await.1[..], b"key");
    // The camera is switched off.
    ana.send(ClientMessage::Tracks { tracks: vec![] }).await;
    ana.until(stopped).await;
    ana.frame(4, b"late").await;
    assert_eq!(ana.error().await.0, Code::TrackMissing);
    server.end().await;
}

#[tokio::test]
async fn jpeg_is_sent_only_while_somebody_needs_it() {
    let server = Server::start(|_| {}).await;
    let mut ana = server.member("r", "Ana").await;
    let mut ben = server.member("r", "Ben").await;
    let jpeg = Track {
        id: TrackId(1),
        source: Source::Camera,
        codec: Codec::Jpeg,
        layers: vec![SIZE],
        sealed: false,
    };
    ana.send(ClientMessage::Tracks {
        tracks: vec![camera(), jpeg],
    })
    .await;
    let wanted = |message: &RelayMessage| match message {
        RelayMessage::Send { tracks } => {
            Some(tracks.iter().map(|send| send.track.0).collect::<Vec<_>>())
        }
        _ => None,
    };
    assert_eq!(ana.until(wanted).await, [0]);
    ben.send(ClientMessage::Decodes {
        decodes: vec![Codec::Jpeg],
    })
    .await;
    assert_eq!(ana.until(wanted).await, [1]);
    ana.binary(frame(1, 0, true, b"jpeg")).await;
    assert_eq!(ben.chunk().await.0.track, TrackId(1));
    server.end().await;
}

#[tokio::test]
async fn one_who_resumes_gets_a_key_frame_first() {
    let server = Server::start(|_| {}).await;
    let (mut ana, mut ben) = pair(&server).await;
    ana.frame(0, b"key").await;
    ben.chunk().await;
    let mut ben = ben.reconnect(&server).await;
    assert_eq!(key_frame(&mut ana).await, TrackId(0));
    ana.frame(1, b"refers to what was lost").await;
    ana.binary(frame(0, 2, true, b"key again")).await;
    assert_eq!(ben.chunk().await.0.sequence, 2);
    // The publisher resumes too, and goes on counting.
    let mut ana = ana.reconnect(&server).await;
    ana.binary(frame(0, 3, true, b"goes on")).await;
    assert_eq!(ben.chunk().await.0.sequence, 3);
    server.end().await;
}

#[tokio::test]
async fn a_receiver_that_reads_nothing_disturbs_nobody() {
    let server = Server::start(|_| {}).await;
    let (mut ana, mut ben) = pair(&server).await;
    let slow = server.member("r", "Slow").await;
    let payload = vec![7; 20_000];
    for sequence in 0..600_u32 {
        // Each is answered before the next: the relay has handed it out by then.
        ana.binary(frame(0, sequence, sequence % 30 == 0, &payload))
            .await;
        assert_eq!(ben.chunk().await.0.sequence, sequence);
    }
    ana.chat("done").await;
    ben.until(|message| matches!(message, RelayMessage::Chat(_)).then_some(()))
        .await;
    // 12 MB were sent; what the slow one can still read is what its socket and queue hold.
    let metrics = server.get("/metrics", &[]).await;
    let dropped = metrics
        .text()
        .lines()
        .find_map(|line| line.strip_prefix("visita_frames_dropped_total "))
        .unwrap();
    assert!(dropped.parse::<u64>().unwrap() > 100, "{dropped} dropped");
    drop(slow);
    server.end().await;
}

#[tokio::test]
async fn a_receiver_that_was_slow_decodes_all_that_it_gets() {
    let server = Server::start(|config| config.limits.messages_per_s = 10_000).await;
    let (mut ana, mut ben) = pair(&server).await;
    let payload = vec![7; 20_000];
    let mut key = true;
    for sequence in 0..400_u32 {
        ana.binary(frame(0, sequence, key, &payload)).await;
        ana.ping().await;
        key = ana
            .seen
            .drain(..)
            .any(|message| matches!(message, RelayMessage::KeyFrame { .. }));
    }
    ana.chat("done").await;
    let mut last: Option<u32> = None;
    let mut got = 0;
    let mut assembler = Assembler::new();
    loop {
        match ben.next().await {
            common::Came::Media(header, bytes) => {
                let whole = assembler.push(header, (), bytes.len()).unwrap();
                let Some(Frame { header, bytes, .. }) = whole else {
                    continue;
                };
                assert_eq!(bytes, payload.len());
                let decodable = header.references.is_key()
                    || last.map(|last| last + 1) == Some(header.sequence);
                assert!(decodable, "{} after {last:?}", header.sequence);
                last = Some(header.sequence);
                got += 1;
            }
            common::Came::Packet(visita_protocol::control::RelayPacket::Message {
                body: RelayMessage::Chat(_),
                ..
            }) => break,
            common::Came::Packet(_) => {}
            common::Came::End(end) => panic!("{end:?}"),
        }
    }
    assert!((1..400).contains(&got), "{got}");
    server.end().await;
}

#[tokio::test]
async fn who_is_slow_gets_pictures_in_small_chunks() {
    let server = Server::start(|config| config.limits.messages_per_s = 10_000).await;
    let (mut ana, mut ben) = pair(&server).await;
    let payload: Vec<u8> = (0..20_000_u32).map(|at| (at * 7) as u8).collect();
    // Until some are left out, nothing is read.
    for sequence in 0..400_u32 {
        ana.binary(frame(0, sequence, true, &payload)).await;
        ana.ping().await;
    }
    let mut fine: Vec<u8> = Vec::new();
    let got_fine = async {
        for sequence in 400_u32.. {
            ana.binary(frame(0, sequence, true, &payload)).await;
            ana.ping().await;
            // What is there, until the next one is due.
            while let Ok(came) = timeout(Duration::from_millis(33), ben.next()).await {
                let common::Came::Media(header, bytes) = came else {
                    continue;
                };
                if header.chunks == 1 {
                    continue;
                }
                assert!(bytes.len() <= FINE);
                assert_eq!(fine.len(), usize::from(header.chunk) * FINE);
                fine.extend_from_slice(&bytes);
                if header.chunk + 1 == header.chunks {
                    return;
                }
            }
        }
    };
    timeout(PATIENCE, got_fine).await.expect("none was cut");
    assert_eq!(fine, payload);
    server.end().await;
}

#[tokio::test]
async fn who_gets_no_pictures_is_told_so_and_that_they_are_back() {
    let server = Server::start(|config| config.limits.messages_per_s = 10_000).await;
    let (mut ana, mut ben) = pair(&server).await;
    let slow = ben.member;
    let left_out = || {
        let people = server.handle.people();
        let mut people = people.iter();
        people.find(|one| one.member == slow).unwrap().line.dropped
    };
    let payload = vec![7; 20_000];
    // Ben reads nothing, until for six seconds all was left out: longer than it takes to be told.
    let (mut sequence, mut last) = (0, 0);
    while sequence - last < 180 {
        let before = left_out();
        ana.binary(frame(0, sequence, true, &payload)).await;
        ana.ping().await;
        if left_out() == before {
            last = sequence;
        }
        sequence += 1;
        sleep(PICTURE).await;
    }
    let (stop, mut stopped) = oneshot::channel::<()>();
    let sends = tokio::spawn(async move {
        while stopped.try_recv().is_err() {
            ana.binary(frame(0, sequence, true, &payload)).await;
            ana.ping().await;
            sequence += 1;
            sleep(PICTURE).await;
        }
    });
    let line = |message: &RelayMessage| match message {
        RelayMessage::Line { carries } => Some(*carries),
        _ => None,
    };
    assert_eq!(ben.until(line).await, Carries::Sound);
    assert_eq!(ben.until(line).await, Carries::Pictures);
    stop.send(()).unwrap();
    sends.await.unwrap();
    server.end().await;
}

#[tokio::test]
async fn one_who_sends_too_much_is_slowed_down_and_told() {
    let server = Server::start(|config| {
        config.limits.chunks_per_s = 50;
        config.limits.messages_per_s = 50;
    })
    .await;
    let (mut ana, mut ben) = pair(&server).await;
    for sequence in 0..120 {
        ana.frame(sequence, b"x").await;
    }
    assert_eq!(ana.error().await, (Code::RateLimited, None));
    for sequence in 0..120 {
        assert_eq!(
            ben.chunk().await.0.sequence,
            sequence,
            "slowed down, not lost"
        );
    }
    server.end().await;
}

#[tokio::test]
async fn what_is_larger_than_the_limit_ends_its_sender_only() {
    let server = Server::start(|config| config.limits.max_packet = 16 * 1024).await;
    let (mut ana, mut ben) = pair(&server).await;
    assert_eq!(ana.welcome.max_packet, 16 * 1024);
    ben.binary(vec![0x10; 16 * 1024 + 1].into()).await;
    assert_eq!(ben.refused().await, (Code::TooLarge, Some(4000)));
    ana.until(|message| matches!(message, RelayMessage::MemberLeft { .. }).then_some(()))
        .await;
    ana.ping().await;
    server.end().await;
}
