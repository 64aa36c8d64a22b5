//! Media over UDP: between the `webrtc` carrier and the others, by whole frames.

#![allow(
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used
)]

mod common;
#[path = "common/rtc.rs"]
mod rtc;

use std::time::{Duration, Instant};

use bytes::Bytes;
use common::{Guest, Server, camera, chunk, frame, header, microphone, sound};
use rtc::{Offered, Peer, offer};
use str0m::{Event, format::Codec as Format, media::Mid};
use tokio::net::UdpSocket;
use visita_protocol::{
    control::{ClientMessage, ClientPacket, RelayMessage, RelayPacket, Slot},
    error::Code,
    frame::Header,
    id::{MemberId, TrackId},
    media::{Codec, Source, Track},
    name::ChatText,
    sound::Level,
    webrtc::Sent,
};

/// An H.264 picture as far as RTP looks into it: parameter sets and one slice, or a slice alone.
fn picture(key: bool, number: u8, bytes: usize) -> Vec<u8> {
    let mut picture = Vec::new();
    if key {
        picture.extend([0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1f, 0x8c, 0x8d, 0x40]);
        picture.extend([0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80]);
    }
    picture.extend([0, 0, 0, 1, if key { 0x65 } else { 0x41 }]);
    picture.resize(bytes.max(picture.len() + 1), number | 1);
    picture
}

fn by_udp() -> Vec<Track> {
    vec![
        Track {
            id: TrackId(4),
            source: Source::Camera,
            codec: Codec::H264,
            layers: vec![common::SIZE],
            sealed: false,
        },
        Track {
            id: TrackId(6),
            source: Source::Microphone,
            codec: Codec::Opus,
            layers: vec![],
            sealed: false,
        },
    ]
}

fn sent() -> Vec<Sent> {
    let sent = |codec, track| Sent {
        codec,
        track: TrackId(track),
    };
    vec![sent(Codec::H264, 4), sent(Codec::Opus, 6)]
}

/// Who is in which slot, once somebody is.
async fn slot(guest: &mut Guest, member: MemberId) -> Slot {
    guest
        .until(|message| match message {
            RelayMessage::Slots { slots } => {
                slots.iter().find(|slot| slot.member == member).cloned()
            }
            _ => None,
        })
        .await
}

async fn data(peer: &mut Peer, mid: &str) -> (Vec<u8>, Format) {
    let mid = Mid::from(mid);
    peer.until(|event| match event {
        Event::MediaData(data) if data.mid == mid => {
            Some((data.data.to_vec(), data.params.spec().codec))
        }
        _ => None,
    })
    .await
}

#[tokio::test]
async fn what_comes_over_a_websocket_goes_out_over_udp_in_its_senders_slot() {
    let server = Server::start(|_| {}).await;
    let mut ana = server.member("r", "Ana").await;
    let mut ben = server.member("r", "Ben").await;
    let tracks = vec![camera(), microphone()];
    ana.send(ClientMessage::Tracks { tracks }).await;
    let mut peer = Peer::of(&server, &ben, 2, vec![]).await;
    let slot = slot(&mut ben, ana.member).await;
    assert_eq!(
        (
            Mid::from(slot.sound.as_str()),
            Mid::from(slot.picture.as_str())
        ),
        peer.slots[0]
    );
    // A picture of many packets, and of one; each as it was.
    for (sequence, bytes) in [(0, 30_000), (1, 900), (2, 2_500)] {
        let payload = picture(sequence == 0, sequence as u8, bytes);
        ana.binary(frame(0, sequence, sequence == 0, &payload))
            .await;
        let (got, format) = data(&mut peer, &slot.picture).await;
        assert_eq!(format, Format::H264);
        assert!(got.ends_with(&payload[payload.len() - 400..]), "{sequence}");
        assert_eq!(got.len(), payload.len(), "{sequence}");
    }
    let level = Level::new(-30.0, true);
    for sequence in 0..5 {
        let payload = [0x78, 1, 2, sequence as u8];
        ana.binary(sound(sequence, level, &payload)).await;
        let (got, format) = data(&mut peer, &slot.sound).await;
        assert_eq!((got.as_slice(), format), (payload.as_slice(), Format::Opus));
    }
    server.end().await;
}

#[tokio::test]
async fn what_comes_over_udp_goes_out_over_a_websocket_with_numbers_times_and_levels() {
    let server = Server::start(|_| {}).await;
    let mut ana = server.member("r", "Ana").await;
    let mut ben = server.member("r", "Ben").await;
    let mut peer = Peer::of(&server, &ana, 0, sent()).await;
    ana.send(ClientMessage::Tracks { tracks: by_udp() }).await;
    ana.until(|message| match message {
        RelayMessage::Send { tracks } if tracks.len() == 2 => Some(()),
        _ => None,
    })
    .await;
    let mut headers = Vec::new();
    for number in 0..4_u64 {
        let payload = picture(number == 0, number as u8, 20_000);
        peer.write(Format::H264, 33 * number, payload.clone());
        let (header, got) = whole(&mut peer, &mut ben).await;
        assert_eq!((header.sender, header.track), (ana.member, TrackId(4)));
        assert_eq!(got.len(), payload.len());
        assert_eq!(header.references.is_key(), number == 0);
        headers.push(header);
    }
    for pair in headers.windows(2) {
        assert_eq!(pair[1].sequence, pair[0].sequence + 1);
        assert_eq!(pair[1].timestamp.0 - pair[0].timestamp.0, 33_000);
    }
    peer.write(Format::Opus, 0, [0x78, 9, 9]);
    let (header, got) = whole(&mut peer, &mut ben).await;
    assert_eq!((header.track, &got[..]), (TrackId(6), &[0x78, 9, 9][..]));
    assert_eq!(header.level, Some(Level::new(-30.0, true)));
    server.end().await;
}

/// The next whole frame, while the peer's own machine goes on.
async fn whole(peer: &mut Peer, guest: &mut Guest) -> (Header, Bytes) {
    let mut first = None;
    let mut all = Vec::new();
    loop {
        let (header, payload) = tokio::select! {
            chunk = guest.chunk() => chunk,
            _ = peer.next() => continue,
        };
        let first: &Header = first.get_or_insert(header);
        all.extend_from_slice(&payload);
        if header.chunk + 1 == header.chunks {
            return (*first, all.into());
        }
    }
}

#[tokio::test]
async fn a_key_frame_is_asked_for_over_the_carrier_that_the_picture_comes_by() {
    let server = Server::start(|_| {}).await;
    let mut ana = server.member("r", "Ana").await;
    let _ben = server.member("r", "Ben").await;
    let mut peer = Peer::of(&server, &ana, 0, sent()).await;
    ana.send(ClientMessage::Tracks { tracks: by_udp() }).await;
    ana.until(|message| {
        matches!(message, RelayMessage::Send { tracks } if tracks.len() == 2).then_some(())
    })
    .await;
    // Without a key frame nobody can decode it.
    peer.write(Format::H264, 0, picture(false, 1, 500));
    peer.until(|event| matches!(event, Event::KeyframeRequest(_)).then_some(()))
        .await;
    server.end().await;
}

#[tokio::test]
async fn who_cant_go_on_over_udp_gets_a_key_frame_from_a_websocket() {
    let server = Server::start(|_| {}).await;
    let mut ana = server.member("r", "Ana").await;
    let mut ben = server.member("r", "Ben").await;
    ana.camera().await;
    let mut peer = Peer::of(&server, &ben, 1, vec![]).await;
    let slot = slot(&mut ben, ana.member).await;
    ana.binary(frame(0, 0, true, &picture(true, 1, 500))).await;
    data(&mut peer, &slot.picture).await;
    ana.until(|message| matches!(message, RelayMessage::KeyFrame { .. }).then_some(()))
        .await;
    let mid = Mid::from(slot.picture.as_str());
    let mut writer = peer.rtc.writer(mid).unwrap();
    writer
        .request_keyframe(None, str0m::media::KeyframeRequestKind::Pli)
        .unwrap();
    // What comes after the request reached the relay can't be decoded, and asks for one.
    let mut sequence = 1;
    loop {
        ana.binary(frame(0, sequence, false, &picture(false, 3, 300)))
            .await;
        sequence += 1;
        tokio::select! {
            _ = peer.next() => {}
            () = ana.until(|message| matches!(message, RelayMessage::KeyFrame { .. }).then_some(())) => break,
        }
    }
    server.end().await;
}

#[tokio::test]
async fn what_rtp_cant_carry_comes_as_frames_over_the_data_channel() {
    let server = Server::start(|_| {}).await;
    let mut ana = server.member("r", "Ana").await;
    let mut ben = server.member("r", "Ben").await;
    let jpeg = Track {
        id: TrackId(1),
        codec: Codec::Jpeg,
        ..camera()
    };
    ana.send(ClientMessage::Tracks { tracks: vec![jpeg] }).await;
    let mut peer = Peer::of(&server, &ben, 1, vec![]).await;
    slot(&mut ben, ana.member).await;
    let payload = vec![7; 10_000];
    let sent = chunk(&header(1, 0, true), &payload);
    ana.binary(sent.clone()).await;
    let got = peer
        .until(|event| match event {
            Event::ChannelData(data) => Some(data.data),
            _ => None,
        })
        .await;
    let (header, start) = Header::parse(&got).unwrap();
    assert_eq!((header.sender, header.track), (ana.member, TrackId(1)));
    assert_eq!(&got[start..], payload);
    server.end().await;
}

#[tokio::test]
async fn what_comes_as_frames_over_the_data_channel_goes_out_as_on_a_websocket() {
    let server = Server::start(|_| {}).await;
    let mut ana = server.member("r", "Ana").await;
    let mut ben = server.member("r", "Ben").await;
    let jpeg = Track {
        id: TrackId(1),
        codec: Codec::Jpeg,
        ..camera()
    };
    ana.send(ClientMessage::Tracks { tracks: vec![jpeg] }).await;
    ana.until(|message| {
        matches!(message, RelayMessage::Send { tracks } if tracks.len() == 1).then_some(())
    })
    .await;
    let mut peer = Peer::of(&server, &ana, 0, vec![]).await;
    for sequence in 0..3 {
        let payload = vec![sequence as u8; 10_000];
        // Whoever it says that it is of.
        let mut header = header(1, sequence, true);
        header.sender = MemberId(77);
        peer.frame(&chunk(&header, &payload));
        let (header, got) = whole(&mut peer, &mut ben).await;
        assert_eq!((header.sender, header.track), (ana.member, TrackId(1)));
        assert_eq!(header.sequence, sequence);
        assert_eq!(&got[..], &payload);
    }
    server.end().await;
}

#[tokio::test]
async fn an_offer_for_anothers_session_or_of_garbage_is_refused_and_costs_nobody_anything() {
    let server = Server::start(|_| {}).await;
    let mut ana = server.member("r", "Ana").await;
    let mut ben = server.member("r", "Ben").await;
    ana.camera().await;
    let offered = Offered::new(1).await;
    let mut stranger = server.guest().await;
    stranger.welcome.session = ben.welcome.session;
    let body = offer(&stranger, &offered.sdp, vec![]);
    assert_eq!(server.post("/api/v1/webrtc", &body).await, 401);
    for sdp in [
        "",
        "v=0\r\n",
        "m=audio",
        &offered.sdp[..offered.sdp.len() / 2],
        &"a=\r\n".repeat(9_000),
    ] {
        let status = server
            .post("/api/v1/webrtc", &offer(&ben, sdp, vec![]))
            .await;
        assert!(matches!(status, 400 | 429), "{status}");
    }
    assert_eq!(server.post("/api/v1/webrtc", "{}").await, 400);
    let large = "x".repeat(200 * 1024);
    assert_eq!(server.post("/api/v1/webrtc", &large).await, 413);
    // All goes on as before.
    ana.frame(0, b"as before").await;
    assert_eq!(&ben.chunk().await.1[..], b"as before");
    server.end().await;
}

#[tokio::test]
async fn offers_are_taken_at_a_pace() {
    let server = Server::start(|_| {}).await;
    let ana = server.member("r", "Ana").await;
    let mut taken = 0;
    let mut refused = 0;
    for _ in 0..8 {
        let offered = Offered::new(0).await;
        match server
            .post("/api/v1/webrtc", &offer(&ana, &offered.sdp, vec![]))
            .await
        {
            201 => taken += 1,
            429 => refused += 1,
            other => panic!("{other}"),
        }
    }
    assert!(taken >= 5 && refused >= 1, "{taken} {refused}");
    server.end().await;
}

#[tokio::test]
async fn packets_of_nobody_and_garbage_of_somebody_harm_nobody() {
    let server = Server::start(|_| {}).await;
    let mut ana = server.member("r", "Ana").await;
    let mut ben = server.member("r", "Ben").await;
    ana.camera().await;
    let mut peer = Peer::of(&server, &ben, 1, vec![]).await;
    let slot = slot(&mut ben, ana.member).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut stun = vec![0, 1, 0, 8, 0x21, 0x12, 0xa4, 0x42];
    stun.extend([1; 12]);
    stun.extend([0, 6, 0, 4]);
    stun.extend(b"a:bc");
    for round in 0..200_u32 {
        let mut rtp = vec![0x80, 96, 0, round as u8];
        rtp.extend([round as u8; 60]);
        for packet in [
            &stun[..],
            &rtp,
            &[22, 254, 253, 0, 0],
            &[0; 3],
            &[255; 1_400],
        ] {
            socket.send_to(packet, peer.relay).await.unwrap();
        }
        // From the one whose session it is, behind its own encryption's back.
        peer.raw(&rtp).await;
        peer.raw(&[22, 254, 253, 0, 0, 0, 0]).await;
    }
    let payload = picture(true, 1, 3_000);
    let began = Instant::now();
    ana.binary(frame(0, 0, true, &payload)).await;
    let (got, _) = data(&mut peer, &slot.picture).await;
    assert_eq!(got.len(), payload.len());
    println!("{:?} after a thousand packets of garbage", began.elapsed());
    server.end().await;
}

#[tokio::test]
async fn a_peer_that_is_gone_gets_its_media_over_its_websocket_again() {
    let server = Server::start(|_| {}).await;
    let mut ana = server.member("r", "Ana").await;
    let mut ben = server.member("r", "Ben").await;
    ana.camera().await;
    let mut peer = Peer::of(&server, &ben, 1, vec![]).await;
    slot(&mut ben, ana.member).await;
    peer.rtc.close().unwrap();
    // Its last words.
    let _ = tokio::time::timeout(Duration::from_millis(300), async {
        loop {
            peer.next().await;
        }
    })
    .await;
    drop(peer);
    let mut sequence = 0;
    loop {
        ana.binary(frame(0, sequence, true, b"back again")).await;
        sequence += 1;
        tokio::select! {
            (_, payload) = ben.chunk() => {
                assert_eq!(&payload[..], b"back again");
                break;
            }
            () = tokio::time::sleep(Duration::from_millis(33)) => {}
        }
    }
    server.end().await;
}

#[tokio::test]
async fn who_sends_more_over_udp_than_may_be_sent_is_told_and_costs_nobody_else_anything() {
    let server = Server::start(|config| config.limits.bytes_per_s = 100_000).await;
    let mut ana = server.member("r", "Ana").await;
    let mut ben = server.member("r", "Ben").await;
    let mut eva = server.member("r", "Eva").await;
    let mut peer = Peer::of(&server, &ana, 0, sent()).await;
    ana.send(ClientMessage::Tracks { tracks: by_udp() }).await;
    ben.camera().await;
    for round in 0..300_u32 {
        let mut rtp = vec![0x80, 96, 0, round as u8];
        rtp.resize(1_400, round as u8);
        peer.raw(&rtp).await;
    }
    ana.until(|message| {
        let too_fast = Code::RateLimited;
        matches!(message, RelayMessage::Error { code, .. } if *code == too_fast).then_some(())
    })
    .await;
    let metrics = server.get("/metrics", &[]).await;
    assert!(!metrics.text().contains("visita_throttled_total 0\n"));
    assert!(metrics.text().contains("visita_throttled_total "));
    // The other's pictures come to her as before.
    ben.frame(0, b"as before").await;
    assert_eq!(&eva.chunk().await.1[..], b"as before");
    // What it sends at a pace that is allowed goes again. Each is another key frame: the first ones
    // may come too early.
    let mut number = 0;
    loop {
        number += 1;
        let payload = picture(true, number as u8, 1_000);
        peer.write(Format::H264, 100 * number, payload);
        let pause = tokio::time::sleep(Duration::from_millis(100));
        tokio::select! {
            (header, _) = whole(&mut peer, &mut ben) => {
                assert_eq!(header.sender, ana.member);
                break;
            }
            () = pause => {}
        }
    }
    server.end().await;
}

fn chat(text: &str) -> ClientMessage {
    ClientMessage::Chat {
        text: ChatText::new(text).unwrap(),
    }
}

/// What comes while the peer's own machine goes on.
async fn turning<T>(peer: &mut Peer, what: impl Future<Output = T>) -> T {
    let mut what = std::pin::pin!(what);
    loop {
        tokio::select! {
            done = &mut what => return done,
            _ = peer.next() => {}
        }
    }
}

fn is_chat(message: &RelayMessage, wanted: &str) -> Option<()> {
    matches!(message, RelayMessage::Chat(chat) if chat.text.reveal() == wanted).then_some(())
}

#[tokio::test]
async fn a_sessions_control_goes_on_over_the_lane_by_its_numbers_and_media_as_it_was() {
    let server = Server::start(|_| {}).await;
    let mut ana = server.member("r", "Ana").await;
    let mut ben = server.member("r", "Ben").await;
    ben.camera().await;
    let mut peer = Peer::of(&server, &ana, 1, vec![]).await;
    let slot = slot(&mut ana, ben.member).await;
    ben.binary(frame(0, 0, true, &picture(true, 1, 500))).await;
    data(&mut peer, &slot.picture).await;
    let n = ana.send(chat("before")).await;
    ben.until(|message| is_chat(message, "before")).await;

    peer.say(&ClientPacket::Hello(ana.resuming()));
    let RelayPacket::Welcome(welcome) = peer.said().await else {
        panic!("no welcome");
    };
    assert!(welcome.resumed);
    assert_eq!(
        (welcome.session, welcome.received),
        (ana.welcome.session, n)
    );
    let (code, _) = ana.refused().await;
    assert_eq!(code, Code::Replaced);
    // No picture begins again for that.
    ben.binary(frame(0, 1, false, &picture(false, 3, 300)))
        .await;
    data(&mut peer, &slot.picture).await;

    let (n, ack) = (n + 1, ana.received);
    let body = chat("over the channel");
    let packet = ClientPacket::Message { n, ack, body };
    peer.say(&packet);
    // A second time it is nothing new.
    peer.say(&packet);
    let heard = ben.until(|message| is_chat(message, "over the channel"));
    turning(&mut peer, heard).await;
    ben.send(chat("and back")).await;
    let mut last = None;
    loop {
        if let RelayPacket::Message { n, body, .. } = peer.said().await {
            assert!(last.is_none_or(|last| n == last + 1), "{last:?} {n}");
            last = Some(n);
            if is_chat(&body, "and back").is_some() {
                break;
            }
        }
    }
    peer.say(&ClientPacket::Ping { id: 7 });
    while !matches!(peer.said().await, RelayPacket::Pong { id: 7 }) {}
    ben.send(chat("once")).await;
    ben.until(|message| is_chat(message, "once")).await;
    let twice = |message: &RelayMessage| is_chat(message, "over the channel").is_some();
    assert!(!ben.seen.iter().any(twice), "it was heard twice");
    server.end().await;
}

#[tokio::test]
async fn a_lanes_channel_goes_on_with_its_own_session_alone() {
    let server = Server::start(|_| {}).await;
    let mut ana = server.member("r", "Ana").await;
    let mut ben = server.member("r", "Ben").await;
    let mut peer = Peer::of(&server, &ana, 0, vec![]).await;
    peer.say(&ClientPacket::Hello(ben.resuming()));
    assert!(matches!(
        peer.said().await,
        RelayPacket::Refused {
            code: Code::SessionGone
        }
    ));
    for (from, to, text) in [(&mut ana, &mut ben, "as before")] {
        from.send(chat(text)).await;
        to.until(|message| is_chat(message, text)).await;
    }
    let mut other = Peer::of(&server, &ben, 0, vec![]).await;
    other.say(&ClientPacket::Ping { id: 1 });
    assert!(matches!(
        other.said().await,
        RelayPacket::Refused {
            code: Code::OutOfTurn
        }
    ));
    server.end().await;
}

#[tokio::test]
async fn a_page_that_goes_away_can_say_so_beside_its_channel() {
    let server = Server::start(|_| {}).await;
    let ana = server.member("r", "Ana").await;
    let mut ben = server.member("r", "Ben").await;
    let leave = |session, secret| format!(r#"{{"session":"{session}","secret":"{secret}"}}"#);
    let (session, secret) = (ana.welcome.session.hex(), ana.welcome.secret.hex());
    let path = "/api/v1/webrtc";
    for (body, status) in [
        (leave(session.clone(), "0".repeat(32)), 401),
        ("{}".to_owned(), 400),
        (" ".repeat(1_000), 413),
        (leave(session, secret), 204),
    ] {
        let answer = server.sent("DELETE", path, &body, &[]).await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }
    let member = ana.member;
    ben.until(|message| {
        matches!(message, RelayMessage::MemberLeft { member: left, .. } if *left == member)
            .then_some(())
    })
    .await;
    server.end().await;
}
