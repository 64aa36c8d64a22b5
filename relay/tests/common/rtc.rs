//! The simplest WebRTC peer: what a browser does, by str0m, over a real UDP socket.

#![allow(dead_code)]

use std::{net::SocketAddr, sync::Arc, time::Instant};

use str0m::{
    Candidate, Event, Input, Output, Rtc,
    channel::{ChannelConfig, ChannelId},
    format::Codec,
    media::{Direction, Frequency, MediaKind, MediaTime, Mid, Rid, Simulcast, SimulcastLayer},
    net::{Protocol, Receive},
};
use tokio::{net::UdpSocket, time::timeout};
use visita_protocol::{
    control::{ClientPacket, RelayPacket},
    webrtc::{Answer, CONTROL, FRAMES, Offer, Sent},
};

use crate::common::{Guest, PATIENCE, Server};

pub struct Peer {
    pub rtc: Box<Rtc>,
    pub sound: Mid,
    pub picture: Mid,
    /// The sound and picture of each slot.
    pub slots: Vec<(Mid, Mid)>,
    /// Where the relay is.
    pub relay: SocketAddr,
    socket: UdpSocket,
    address: SocketAddr,
    channel: Option<ChannelId>,
    control: Option<ChannelId>,
}

/// An offer that isn't sent yet.
pub struct Offered {
    pub sdp: String,
    peer: Peer,
    pending: str0m::change::SdpPendingOffer,
}

impl Offered {
    pub async fn new(slots: usize) -> Self {
        Self::with(slots, None).await
    }

    /// One whose picture is sent in layers of these names.
    pub async fn with(slots: usize, layers: Option<&[&str]>) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let config = Rtc::builder()
            .clear_codecs()
            .enable_opus(true, false)
            .enable_vp8(true)
            .enable_h264(true);
        let mut rtc = Box::new(config.build(Instant::now()));
        rtc.add_local_candidate(Candidate::host(address, "udp").unwrap());
        let mut api = rtc.sdp_api();
        let mut media = |kind, direction| api.add_media(kind, direction, None, None, None);
        let sound = media(MediaKind::Audio, Direction::SendOnly);
        let simulcast = layers.map(|names| Simulcast {
            send: names.iter().copied().map(SimulcastLayer::new).collect(),
            recv: vec![],
        });
        let picture = api.add_media(MediaKind::Video, Direction::SendOnly, None, None, simulcast);
        let mut media = |kind, direction| api.add_media(kind, direction, None, None, None);
        let slots = (0..slots)
            .map(|_| {
                let sound = media(MediaKind::Audio, Direction::RecvOnly);
                (sound, media(MediaKind::Video, Direction::RecvOnly))
            })
            .collect();
        api.add_channel_with_config(ChannelConfig {
            label: FRAMES.to_owned(),
            ordered: false,
            ..ChannelConfig::default()
        });
        api.add_channel_with_config(ChannelConfig {
            label: CONTROL.to_owned(),
            ..ChannelConfig::default()
        });
        let (offer, pending) = api.apply().unwrap();
        Self {
            sdp: offer.to_sdp_string(),
            peer: Peer {
                rtc,
                sound,
                picture,
                slots,
                relay: address,
                socket,
                address,
                channel: None,
                control: None,
            },
            pending,
        }
    }

    /// Takes the answer and waits until the way is up.
    pub async fn answered(mut self, answer: &Answer) -> Peer {
        let answer = str0m::change::SdpAnswer::from_sdp_string(&answer.sdp).unwrap();
        self.peer
            .rtc
            .sdp_api()
            .accept_answer(self.pending, answer)
            .unwrap();
        let mut connected = false;
        while !(self.peer.channel.is_some() && self.peer.control.is_some() && connected) {
            match self.peer.next().await {
                Event::Connected => connected = true,
                Event::ChannelOpen(id, label) if label == FRAMES => self.peer.channel = Some(id),
                Event::ChannelOpen(id, _) => self.peer.control = Some(id),
                _ => {}
            }
        }
        self.peer
    }
}

/// What is posted.
pub fn offer(guest: &Guest, sdp: &str, tracks: Vec<Sent>) -> String {
    let offer = Offer {
        session: guest.welcome.session,
        secret: guest.welcome.secret,
        sdp: sdp.to_owned(),
        tracks,
    };
    serde_json::to_string(&offer).unwrap()
}

impl Peer {
    /// Brings the guest's media to UDP.
    pub async fn of(server: &Server, guest: &Guest, slots: usize, tracks: Vec<Sent>) -> Self {
        Self::by(server, guest, Offered::new(slots).await, tracks).await
    }

    /// Brings the guest's media to UDP by this offer.
    pub async fn by(server: &Server, guest: &Guest, offered: Offered, tracks: Vec<Sent>) -> Self {
        let body = offer(guest, &offered.sdp, tracks);
        let answer = server.posted("/api/v1/webrtc", &body, &[]).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let answer: Answer = serde_json::from_slice(&answer.body).unwrap();
        offered.answered(&answer).await
    }

    /// The next thing that happens.
    pub async fn next(&mut self) -> Event {
        timeout(PATIENCE, self.until_event())
            .await
            .expect("nothing happens")
    }

    async fn until_event(&mut self) -> Event {
        let mut bytes = [0; 2048];
        loop {
            let due = match self.rtc.poll_output().unwrap() {
                Output::Event(event) => return event,
                Output::Transmit(packet) => {
                    self.relay = packet.destination;
                    let sent = self
                        .socket
                        .send_to(&packet.contents, packet.destination)
                        .await;
                    sent.unwrap();
                    continue;
                }
                Output::Timeout(due) => due,
            };
            let now = Instant::now();
            if due <= now {
                self.rtc.handle_input(Input::Timeout(now)).unwrap();
                continue;
            }
            let wait = due.saturating_duration_since(now);
            let input = match timeout(wait, self.socket.recv_from(&mut bytes)).await {
                Ok(received) => {
                    let (length, source) = received.unwrap();
                    let receive = Receive {
                        proto: Protocol::Udp,
                        source,
                        destination: self.address,
                        contents: bytes[..length].try_into().unwrap(),
                    };
                    Input::Receive(Instant::now(), receive)
                }
                Err(_) => Input::Timeout(Instant::now()),
            };
            self.rtc.handle_input(input).unwrap();
        }
    }

    /// Sends a frame that RTP doesn't carry over the data channel.
    pub fn frame(&mut self, chunk: &[u8]) {
        let mut channel = self.rtc.channel(self.channel.unwrap()).unwrap();
        assert!(channel.write(true, chunk).unwrap());
    }

    /// Says a packet of the session's over the lane's own channel.
    pub fn say(&mut self, packet: &ClientPacket) {
        let mut channel = self.rtc.channel(self.control.unwrap()).unwrap();
        let text = serde_json::to_string(packet).unwrap();
        assert!(channel.write(false, text.as_bytes()).unwrap());
    }

    /// The next packet that comes there.
    pub async fn said(&mut self) -> RelayPacket {
        let control = self.control.unwrap();
        let text = self
            .until(|event| match event {
                Event::ChannelData(data) if data.id == control => Some(data.data),
                _ => None,
            })
            .await;
        serde_json::from_slice(&text).unwrap()
    }

    /// Sends bytes as they are.
    pub async fn raw(&self, bytes: &[u8]) {
        self.socket.send_to(bytes, self.relay).await.unwrap();
    }

    /// Waits for something of what happens.
    pub async fn until<T>(&mut self, wanted: impl Fn(Event) -> Option<T>) -> T {
        loop {
            if let Some(found) = wanted(self.next().await) {
                return found;
            }
        }
    }

    /// Sends a frame of this device's, captured at a time in milliseconds.
    pub fn write(&mut self, codec: Codec, captured_ms: u64, payload: impl Into<Arc<[u8]>>) {
        self.write_layer(None, codec, captured_ms, payload);
    }

    /// Sends a frame of this layer.
    pub fn write_layer(
        &mut self,
        layer: Option<&str>,
        codec: Codec,
        captured_ms: u64,
        payload: impl Into<Arc<[u8]>>,
    ) {
        let (mid, rate) = if codec == Codec::Opus {
            (self.sound, Frequency::FORTY_EIGHT_KHZ)
        } else {
            (self.picture, Frequency::NINETY_KHZ)
        };
        let writer = self.rtc.writer(mid).unwrap();
        let mut params = writer.payload_params();
        let pt = params
            .find(|params| params.spec().codec == codec)
            .unwrap()
            .pt();
        drop(params);
        let time = MediaTime::from_millis(captured_ms).rebase(rate);
        let writer = if codec == Codec::Opus {
            writer.audio_level(-30, true)
        } else {
            writer
        };
        let writer = match layer {
            Some(layer) => writer.rid(Rid::from(layer)),
            None => writer,
        };
        writer.write(pt, Instant::now(), time, payload).unwrap();
    }
}
