//! Sealed frames between every two carriers that media goes over, in every codec: what was sealed on
//! one side opens on the other, whatever the relay had to put around it and take off.

#![allow(
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout
)]

mod common;
#[path = "common/rtc.rs"]
mod rtc;

use bytes::Bytes;
use common::{Guest, SIZE, Server, camera, chunk, header, microphone};
use rtc::Peer;
use str0m::{Event, format::Codec as Format, media::Mid};
use visita_protocol::{
    control::{ClientMessage, RelayMessage},
    frame::Header,
    id::TrackId,
    media::{Codec, Track},
    sealed::{Clear, Epoch, Hint, Kid, Opened, Opener, Sealer, dress},
    sframe::BaseKey,
    webrtc::Sent,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carrier {
    Ws,
    WebRtc,
}

const CARRIERS: [Carrier; 2] = [Carrier::Ws, Carrier::WebRtc];
const CODECS: [Codec; 4] = [Codec::Opus, Codec::H264, Codec::Vp8, Codec::Jpeg];
const KEY: [u8; 16] = [7; 16];

fn track(codec: Codec) -> Track {
    let (id, like) = match codec {
        Codec::Opus => (6, microphone()),
        Codec::Jpeg => (1, camera()),
        Codec::Vp8 => (5, camera()),
        _ => (4, camera()),
    };
    Track {
        id: TrackId(id),
        codec,
        sealed: true,
        layers: if codec == Codec::Opus {
            vec![]
        } else {
            vec![SIZE]
        },
        ..like
    }
}

fn format(codec: Codec) -> Format {
    match codec {
        Codec::Opus => Format::Opus,
        Codec::Vp8 => Format::Vp8,
        _ => Format::H264,
    }
}

/// One who sends a track, sealed.
struct Sender {
    guest: Guest,
    peer: Option<Peer>,
    sealer: Sealer,
    codec: Codec,
    track: TrackId,
}

impl Sender {
    async fn send(&mut self, sequence: u32, payload: &[u8]) {
        let key = sequence == 0 || matches!(self.codec, Codec::Opus | Codec::Jpeg);
        // Nothing refers to a frame before the first.
        let header = header(self.track.0, sequence + 1, key);
        let clear = match (&self.peer, self.codec) {
            (None, _) | (_, Codec::Jpeg) => Clear::Header,
            _ => Clear::Nothing,
        };
        let sealed = self.sealer.seal(&header, clear, payload).unwrap();
        match &mut self.peer {
            None => self.guest.binary(chunk(&header, &sealed)).await,
            Some(peer) if self.codec == Codec::Jpeg => {
                peer.frame(&chunk(&header, &sealed));
            }
            Some(peer) => {
                let dressed = dress::dress(self.codec, key, &sealed).unwrap();
                let captured_ms = u64::from(sequence) * 33;
                peer.write(format(self.codec), captured_ms, dressed.into_owned());
            }
        }
    }
}

/// One who gets it.
struct Receiver {
    guest: Guest,
    peer: Option<Peer>,
    /// The slot of the sender, over UDP.
    slot: Option<(Mid, Mid)>,
    opener: Opener,
}

impl Receiver {
    async fn got(&mut self, from: &mut Sender) -> Opened {
        let (codec, track, sender) = (from.codec, from.track, from.guest.member);
        let (header, sealed) = match &mut self.peer {
            None => {
                let (header, bytes) = whole(from.peer.as_mut(), &mut self.guest).await;
                (Some(header), bytes.to_vec())
            }
            Some(peer) => {
                let (sound, picture) = self.slot.unwrap();
                let mid = if codec == Codec::Opus { sound } else { picture };
                loop {
                    let event = tokio::select! {
                        event = peer.next() => event,
                        () = turn(from.peer.as_mut()) => continue,
                    };
                    match event {
                        Event::MediaData(data) if data.mid == mid => {
                            break (None, data.data.to_vec());
                        }
                        Event::ChannelData(data) => {
                            let (header, start) = Header::parse(&data.data).unwrap();
                            assert_eq!(header.chunks, 1);
                            break (Some(header), data.data[start..].to_vec());
                        }
                        _ => {}
                    }
                }
            }
        };
        // What came as RTP says nothing of itself but what its packets say.
        if let Some(header) = header {
            let hint = Hint::Header(&header);
            return self.opener.open(hint, codec, &sealed).unwrap();
        }
        assert_ne!(codec, Codec::Jpeg);
        let undressed = dress::undress(codec, &sealed).unwrap();
        let hint = Hint::Slot {
            sender,
            track,
            key: undressed.key,
        };
        self.opener.open(hint, codec, &undressed.sealed).unwrap()
    }
}

/// Lets the peer's machine go on, if there is one.
async fn turn(peer: Option<&mut Peer>) {
    match peer {
        Some(peer) => {
            peer.next().await;
        }
        None => std::future::pending().await,
    }
}

async fn whole(mut peer: Option<&mut Peer>, guest: &mut Guest) -> (Header, Bytes) {
    let mut all = Vec::new();
    loop {
        let (header, payload) = tokio::select! {
            chunk = guest.chunk() => chunk,
            () = turn(peer.as_deref_mut()) => continue,
        };
        all.extend_from_slice(&payload);
        if header.chunk + 1 == header.chunks {
            let first = Header {
                chunk: 0,
                chunks: 1,
                ..header
            };
            return (first, all.into());
        }
    }
}

async fn carried(codec: Codec, from: Carrier, to: Carrier) {
    let server = Server::start(|_| {}).await;
    let mut ana = server.guest().await;
    ana.join("r", "Ana").await;
    let mut ben = server.guest().await;
    ben.join("r", "Ben").await;
    ben.send(ClientMessage::Decodes {
        decodes: vec![codec],
    })
    .await;
    let track = track(codec);
    let sent = Sent {
        codec,
        track: track.id,
    };
    let sent = if codec == Codec::Jpeg {
        vec![]
    } else {
        vec![sent]
    };
    let up = match from {
        Carrier::Ws => None,
        Carrier::WebRtc => Some(Peer::of(&server, &ana, 0, sent).await),
    };
    let down = match to {
        Carrier::Ws => None,
        Carrier::WebRtc => Some(Peer::of(&server, &ben, 1, vec![]).await),
    };
    ana.send(ClientMessage::Tracks {
        tracks: vec![track.clone()],
    })
    .await;
    ana.until(|message| {
        matches!(message, RelayMessage::Send { tracks } if tracks.len() == 1).then_some(())
    })
    .await;
    let slot = down.as_ref().map(|peer| peer.slots[0]);
    if slot.is_some() {
        let member = ana.member;
        ben.until(|message| match message {
            RelayMessage::Slots { slots } => {
                slots.iter().any(|slot| slot.member == member).then_some(())
            }
            _ => None,
        })
        .await;
    }
    let kid = Kid {
        member: ana.member,
        epoch: Epoch(1),
        track: track.id,
    };
    let mut opener = Opener::new();
    opener.add(kid, &BaseKey::new(&KEY)).unwrap();
    let mut sender = Sender {
        sealer: Sealer::new(kid, codec, BaseKey::new(&KEY)),
        guest: ana,
        peer: up,
        codec,
        track: track.id,
    };
    let mut receiver = Receiver {
        guest: ben,
        peer: down,
        slot,
        opener,
    };
    for number in 0..5 {
        // Bytes that a packetiser would take for something, and more than one packet of pictures.
        let bytes = if codec == Codec::Opus { 90 } else { 4_000 };
        let mut payload: Vec<u8> = vec![0, 0, 0, 1, 0x67, number as u8];
        payload.resize(bytes, 0);
        sender.send(number, &payload).await;
        let opened = receiver.got(&mut sender).await;
        assert_eq!(
            opened.payload, payload,
            "{codec:?} {from:?} {to:?} {number}"
        );
        assert_eq!(
            (opened.header.sender, opened.header.sequence),
            (sender.guest.member, number + 1)
        );
    }
    server.end().await;
}

#[tokio::test]
async fn every_pair_of_carriers_and_every_codec_carries_sealed_frames() {
    for codec in CODECS {
        for from in CARRIERS {
            for to in CARRIERS {
                println!("{codec:?}: {from:?} to {to:?}");
                carried(codec, from, to).await;
            }
        }
    }
}

#[tokio::test]
async fn what_is_announced_as_sealed_and_comes_in_clear_over_udp_goes_nowhere() {
    let server = Server::start(|_| {}).await;
    let mut ana = server.member("r", "Ana").await;
    let mut ben = server.member("r", "Ben").await;
    let track = track(Codec::H264);
    let sent = vec![Sent {
        codec: Codec::H264,
        track: track.id,
    }];
    let mut peer = Peer::of(&server, &ana, 0, sent).await;
    let tracks = vec![track, microphone()];
    ana.send(ClientMessage::Tracks { tracks }).await;
    ana.until(|message| {
        matches!(message, RelayMessage::Send { tracks } if tracks.len() == 2).then_some(())
    })
    .await;
    let mut clear = vec![
        0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1f, 0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80,
    ];
    clear.extend([0, 0, 0, 1, 0x65, 1, 2, 3]);
    peer.write(Format::H264, 0, clear);
    // Its sound, after it, is the first that anybody gets.
    let refused = async |server: &Server| {
        let metrics = server.get("/metrics", &[]).await;
        !metrics.text().contains("visita_chunks_refused_total 0\n")
    };
    while !refused(&server).await {
        tokio::select! {
            _ = peer.next() => {}
            () = tokio::time::sleep(std::time::Duration::from_millis(10)) => {}
        }
    }
    ana.binary(chunk(&header(common::MICROPHONE, 1, true), b"sound"))
        .await;
    let (header, payload) = ben.chunk().await;
    assert_eq!(
        (header.track.0, &payload[..]),
        (common::MICROPHONE, &b"sound"[..])
    );
    server.end().await;
}
