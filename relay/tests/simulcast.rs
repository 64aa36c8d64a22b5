//! A picture that comes over UDP in spatial layers: each receiver gets the one that it shows.

#![allow(
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used
)]

mod common;
#[path = "common/rtc.rs"]
mod rtc;

use common::{Guest, Server};
use rtc::{Offered, Peer};
use str0m::{Event, format::Codec as Format, media::KeyframeRequestKind};
use visita_protocol::{
    control::{ClientMessage, RelayMessage, Watch},
    frame::Header,
    id::TrackId,
    media::{Codec, Size, Source, Track},
    webrtc::Sent,
};

const TRACK: TrackId = TrackId(4);
const SMALL: Size = Size::new(320, 180);
const LARGE: Size = Size::new(640, 360);
/// Milliseconds between two pictures.
const EVERY: u64 = 33;

/// An H.264 picture as far as RTP looks into it, which ends with its layer and its number.
fn picture(key: bool, layer: u8, number: u8) -> Vec<u8> {
    let mut picture = Vec::new();
    if key {
        picture.extend([0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1f, 0x8c, 0x8d, 0x40]);
        picture.extend([0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80]);
    }
    picture.extend([0, 0, 0, 1, if key { 0x65 } else { 0x41 }]);
    picture.extend([9; 300]);
    picture.extend([layer | 0x80, number | 0x80]);
    picture
}

async fn shows(guest: &mut Guest, size: Size) {
    let watch = Watch {
        others: Some(size),
        views: vec![],
    };
    guest.send(ClientMessage::Watch(watch)).await;
}

/// Sends pictures in these layers until the guest has got one that is wanted: its header and its
/// number. Key frames come when they are asked for, in all layers.
struct Sending {
    peer: Peer,
    time: u64,
    number: u8,
    asked: bool,
}

impl Sending {
    async fn until(
        &mut self,
        layers: &[&str],
        guest: &mut Guest,
        wanted: impl Fn(&Header, u8) -> bool,
    ) -> Vec<(Header, u8)> {
        let mut all = Vec::new();
        let mut tick = tokio::time::interval(std::time::Duration::from_millis(EVERY));
        loop {
            tokio::select! {
                _ = tick.tick() => {
                    let key = std::mem::take(&mut self.asked);
                    for layer in layers {
                        let payload = picture(key, layer.parse().unwrap(), self.number);
                        self.peer.write_layer(Some(layer), Format::H264, self.time, payload);
                    }
                    self.time += EVERY;
                    self.number = (self.number + 1) & 0x7f;
                }
                event = self.peer.next() => if let Event::KeyframeRequest(request) = event {
                    assert_eq!(request.kind, KeyframeRequestKind::Pli);
                    self.asked = true;
                },
                (header, payload) = guest.chunk() => {
                    let [.., layer, number] = *payload else { panic!() };
                    assert_eq!(layer & 0x7f, header.layer.spatial, "each under its number");
                    all.push((header, number & 0x7f));
                    if wanted(&header, number & 0x7f) {
                        return all;
                    }
                }
            }
        }
    }
}

/// What came can be decoded: each refers to the one before it of its own layer, and a layer begins
/// with a key frame.
fn is_whole(all: &[(Header, u8)]) {
    for pair in all.windows(2) {
        let (before, after) = (&pair[0].0, &pair[1].0);
        assert!(after.sequence > before.sequence);
        if after.references.is_key() {
            continue;
        }
        assert_eq!(after.layer, before.layer, "a switch is at a key frame");
        let back = u32::from(after.references.distances()[0]);
        assert_eq!(after.sequence - back, before.sequence);
        assert_eq!(pair[1].1, (pair[0].1 + 1) & 0x7f, "none is left out");
    }
}

#[tokio::test]
async fn each_gets_the_layer_that_it_shows_and_changes_at_key_frames() {
    let server = Server::start(|_| {}).await;
    let mut ana = server.member("r", "Ana").await;
    let mut ben = server.member("r", "Ben").await;
    let mut cai = server.member("r", "Cai").await;
    shows(&mut ben, LARGE).await;
    shows(&mut cai, SMALL).await;
    let sent = Sent {
        codec: Codec::H264,
        track: TRACK,
    };
    let offered = Offered::with(0, Some(&["0", "1"])).await;
    assert!(offered.sdp.contains("a=simulcast:send 0;1"));
    let peer = Peer::by(&server, &ana, offered, vec![sent]).await;
    let tracks = vec![Track {
        id: TRACK,
        source: Source::Camera,
        codec: Codec::H264,
        layers: vec![SMALL, LARGE],
        sealed: false,
    }];
    ana.send(ClientMessage::Tracks { tracks }).await;
    let wants = |size| {
        move |message: &RelayMessage| match message {
            RelayMessage::Send { tracks } => {
                tracks.iter().any(|track| track.size == size).then_some(())
            }
            _ => None,
        }
    };
    ana.until(wants(LARGE)).await;
    let mut sending = Sending {
        peer,
        time: 0,
        number: 0,
        asked: true,
    };
    let both = ["0", "1"];

    let mut seen = sending
        .until(&both, &mut ben, |header, number| {
            header.layer.spatial == 1 && number >= 10
        })
        .await;
    let got = sending
        .until(&both, &mut cai, |_, number| number >= 20)
        .await;
    is_whole(&got);
    assert!(got.iter().all(|(header, _)| header.layer.spatial == 0));

    // Its sender's line carries the small one alone: the large one's receiver goes on with that.
    seen.extend(
        sending
            .until(&["0"], &mut ben, |header, _| header.layer.spatial == 0)
            .await,
    );
    // And back.
    seen.extend(
        sending
            .until(&both, &mut ben, |header, _| header.layer.spatial == 1)
            .await,
    );
    is_whole(&seen);

    // Who shows it small gets it small, without a picture in between that is missing.
    shows(&mut ben, SMALL).await;
    let small = sending
        .until(&both, &mut ben, |header, _| header.layer.spatial == 0)
        .await;
    is_whole(&small);
    ana.until(wants(SMALL)).await;
    server.end().await;
}
