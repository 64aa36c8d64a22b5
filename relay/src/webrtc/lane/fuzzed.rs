//! What fuzzing does to the edge of RTP: a participant whose packets, once they are decrypted, hold
//! anything, and frames of anything that go back to it. Both ends are machines without a network.

use std::{
    net::SocketAddr,
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use str0m::{
    Candidate, IceCreds, Input, Output, Rtc,
    change::SdpAnswer,
    config::{CryptoProvider, DtlsCert},
    media::{Direction, MediaKind, Mid, Pt},
    net::{Protocol, Receive},
    rtp::{ExtensionValues, RtpWrite},
};
use visita_protocol::{
    chunk::Assembler,
    frame::Header,
    id::{MemberId, TrackId},
    media::{Codec, Kind},
};

use super::{
    super::{
        front::{machine, name},
        offer::negotiate,
        slots::Pair,
        timeline::{Incoming, Report},
    },
    Happened, Inner,
};
use crate::{
    clock,
    fine::Coding,
    seat::{Numbers, packed},
};

/// Made once, as by a relay.
pub(in crate::webrtc) static IDENTITY: LazyLock<(Arc<CryptoProvider>, Option<DtlsCert>)> =
    LazyLock::new(|| {
        let crypto = str0m::crypto::from_feature_flags();
        let certificate = crypto.dtls_provider.generate_certificate();
        (Arc::new(crypto), certificate)
    });

/// The relay's end, or nothing where the machine makes no certificates.
pub(in crate::webrtc) fn relay_end(now: Instant) -> Option<Rtc> {
    let (crypto, certificate) = &*IDENTITY;
    let credentials = IceCreds {
        ufrag: "0011223344556677".to_owned(),
        pass: "00112233445566778899aabbccddeeff".to_owned(),
    };
    let mut rtc = machine(crypto, certificate.as_ref()?, &credentials, now);
    rtc.add_local_candidate(Candidate::host(RELAY, "udp").ok()?);
    Some(rtc)
}

const RELAY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);
const GUEST: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 2);
/// Who sends, and whose the frames are that go back.
const MEMBER: MemberId = MemberId(7);
/// The most packets of a script.
const STEPS: usize = 64;

/// Two ends that are connected.
struct Wire {
    inner: Inner,
    guest: Box<Rtc>,
    sound: Mid,
    picture: Mid,
    pair: Pair,
    now: Instant,
    over: bool,
    came: Vec<Happened>,
}

impl Wire {
    /// Connects them. `None` is a machine that can't.
    fn new() -> Option<Self> {
        let now = Instant::now();
        let mut guest = Box::new(
            Rtc::builder()
                .clear_codecs()
                .enable_opus(true, false)
                .enable_vp8(true)
                .enable_h264(true)
                .set_rtp_mode(true)
                .build(now),
        );
        guest.add_local_candidate(Candidate::host(GUEST, "udp").ok()?);
        let mut api = guest.sdp_api();
        let mut media = |kind, direction| api.add_media(kind, direction, None, None, None);
        let sound = media(MediaKind::Audio, Direction::SendOnly);
        let picture = media(MediaKind::Video, Direction::SendOnly);
        media(MediaKind::Audio, Direction::RecvOnly);
        media(MediaKind::Video, Direction::RecvOnly);
        let (offer, pending) = api.apply()?;
        let mut rtc = relay_end(now)?;
        let (answer, pairs) = negotiate(&mut rtc, &offer.to_sdp_string())?;
        let answer = SdpAnswer::from_sdp_string(&answer).ok()?;
        guest.sdp_api().accept_answer(pending, answer).ok()?;
        let mut wire = Self {
            inner: Inner::new(rtc, false, u32::MAX),
            guest,
            sound,
            picture,
            pair: *pairs.first()?,
            now,
            over: false,
            came: Vec::new(),
        };
        for _ in 0..500 {
            wire.turn(Duration::from_millis(5));
            if wire.inner.up && wire.guest.is_connected() {
                wire.came.clear();
                return Some(wire);
            }
        }
        None
    }

    /// Lets time pass and packets go until neither end has any.
    fn turn(&mut self, pass: Duration) {
        self.now += pass;
        let now = self.now;
        let _ = self.guest.handle_input(Input::Timeout(now));
        self.input(Input::Timeout(now));
        // More turns than any script has packets.
        for _ in 0..2000 {
            let to_relay = sent(&mut self.guest);
            let to_guest = self.heard();
            if to_relay.is_empty() && to_guest.is_empty() {
                return;
            }
            for packet in to_relay {
                self.receive(&packet);
            }
            for packet in to_guest {
                if let Ok(contents) = packet.as_slice().try_into() {
                    let receive = Receive {
                        proto: Protocol::Udp,
                        source: RELAY,
                        destination: GUEST,
                        contents,
                    };
                    let _ = self.guest.handle_input(Input::Receive(now, receive));
                }
            }
        }
    }

    /// A datagram comes to the relay's end.
    fn receive(&mut self, packet: &[u8]) {
        let _ = name(packet);
        let Ok(contents) = packet.try_into() else {
            return;
        };
        let receive = Receive {
            proto: Protocol::Udp,
            source: GUEST,
            destination: RELAY,
            contents,
        };
        let input = Input::Receive(self.now, receive);
        if self.inner.rtc.accepts(&input) {
            self.input(input);
        }
    }

    fn input(&mut self, input: Input<'_>) {
        if let Err(error) = self.inner.rtc.handle_input(input) {
            self.over |= !super::passes(&error);
        }
    }

    /// What the relay's end sends; what happens there is kept.
    fn heard(&mut self) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        for _ in 0..super::TURNS {
            match self.inner.rtc.poll_output() {
                Ok(Output::Timeout(_)) => break,
                Ok(Output::Transmit(transmit)) => packets.push(transmit.contents.to_vec()),
                Ok(Output::Event(event)) => self.inner.event(event, &mut self.came),
                Err(error) => {
                    self.over |= !super::passes(&error);
                    if self.over {
                        break;
                    }
                }
            }
        }
        packets
    }
}

/// What an end sends; what happens there is nobody's concern.
fn sent(rtc: &mut Rtc) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    for _ in 0..super::TURNS {
        match rtc.poll_output() {
            Ok(Output::Transmit(transmit)) => packets.push(transmit.contents.to_vec()),
            Ok(Output::Event(_)) => {}
            Ok(Output::Timeout(_)) | Err(_) => break,
        }
    }
    packets
}

/// A script of packets: a byte that says which and how, one with how many bytes follow, and those.
fn steps(mut script: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (&[how, length], rest) = script.split_first_chunk::<2>()?;
        let (payload, rest) = rest.split_at(usize::from(length).min(rest.len()));
        script = rest;
        Some((how, payload))
    })
    .take(STEPS)
}

/// Plays a script to a relay's end, and back to who sent it. Panics where a rule is broken: frames
/// hold what came, in chunks that can be read and put together, and their numbers and times rise.
pub(crate) fn rtp(script: &[u8]) {
    timeline(script);
    let Some(mut wire) = Wire::new() else {
        return;
    };
    let (mut sequence, mut time) = (100_u64, 1_000_u32);
    let mut numbers = Numbers::default();
    let mut last: [Option<(u32, u64)>; 3] = [None; 3];
    for (how, payload) in steps(script) {
        match how & 3 {
            3 => wire.receive(payload),
            codec => {
                let (mid, format) = [
                    (wire.sound, str0m::format::Codec::Opus),
                    (wire.picture, str0m::format::Codec::H264),
                    (wire.picture, str0m::format::Codec::Vp8),
                ][usize::from(codec)];
                let Some(pt) = payload_type(&wire.guest, mid, format) else {
                    return;
                };
                sequence += [1, 2, 40, 0][usize::from(how >> 2 & 3)];
                time = time.wrapping_add([0, 960, 3_000, 1 << 31][usize::from(how >> 4 & 3)]);
                let exts = ExtensionValues {
                    audio_level: (codec == 0).then_some(-30),
                    voice_activity: (codec == 0).then_some(how & 64 != 0),
                    ..ExtensionValues::default()
                };
                let packet = RtpWrite::new(pt, sequence.into(), time, wire.now, payload)
                    .marker(how & 128 != 0)
                    .ext_vals(exts);
                let mut api = wire.guest.direct_api();
                if let Some(stream) = api.stream_tx_by_mid(mid, None) {
                    stream.write_rtp(packet);
                }
            }
        }
        wire.turn(Duration::from_millis(20));
        for happened in std::mem::take(&mut wire.came) {
            let Happened::Frame(came) = happened else {
                continue;
            };
            let kind = came.codec.kind().unwrap_or(Kind::Video);
            let coding = Coding {
                codec: came.codec,
                sealed: false,
            };
            let whole = came.whole(TrackId(came.codec as u8));
            let Some(frame) = packed(&mut numbers, MEMBER, (kind, coding), &whole) else {
                continue;
            };
            let header = frame.header;
            let at = match came.codec {
                Codec::Opus => 0,
                Codec::H264 => 1,
                _ => 2,
            };
            if let Some((sequence, timestamp)) = last[at] {
                assert!(header.sequence > sequence, "the numbers of a track rise");
                assert!(header.timestamp.0 > timestamp, "so do its times");
            }
            last[at] = Some((header.sequence, header.timestamp.0));
            let mut assembler = Assembler::new();
            let mut put_together = None;
            for chunk in frame.chunks.as_slice() {
                let Ok((read, start)) = Header::parse(chunk) else {
                    panic!("what is written can be read");
                };
                assert_eq!((read.sequence, read.sender), (header.sequence, MEMBER));
                let bytes = chunk.slice(start..);
                let length = bytes.len();
                let Ok(pushed) = assembler.push(read, bytes, length) else {
                    panic!("chunks come in their order");
                };
                put_together = pushed;
            }
            let again = put_together.map(|frame| frame.chunks.as_slice().concat());
            assert_eq!(
                again.as_deref(),
                Some(&*came.payload),
                "a frame holds what came"
            );
            wire.inner
                .by_rtp(clock::now(), &header, coding, wire.pair, &frame.chunks);
        }
        wire.turn(Duration::from_millis(1));
        if wire.over {
            return;
        }
    }
}

/// What the other side takes a codec's packets as.
fn payload_type(rtc: &Rtc, mid: Mid, format: str0m::format::Codec) -> Option<Pt> {
    let media = rtc.media(mid)?;
    let mut known = media.remote_pts().iter().copied();
    let config = rtc.codec_config();
    known.find(|pt| {
        let mut params = config.params().iter();
        params.any(|params| params.pt() == *pt && params.spec().codec == format)
    })
}

/// Times and reports of anything, as they stand in packets: media times rise whatever they say.
fn timeline(script: &[u8]) {
    let mut incoming = Incoming::default();
    let (mut last, mut rtp, mut arrived) = ([0; 2], 0_u64, Duration::ZERO);
    for (how, payload) in steps(script) {
        let mut bytes = [0; 16];
        let length = payload.len().min(bytes.len());
        bytes[..length].copy_from_slice(&payload[..length]);
        let [a, b, c, d] = [0, 4, 8, 12].map(|at| {
            let four = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
            u32::from_be_bytes(four)
        });
        // As str0m makes 64 bits of 32: on from the one before, by less than half of all.
        rtp = rtp.wrapping_add(u64::from(a >> 1));
        arrived += Duration::from_millis(u64::from(b >> 16));
        let report = (how & 4 != 0).then(|| Report {
            wall: Duration::new(c.into(), d % 1_000_000_000),
            rtp: rtp.saturating_sub(u64::from(b)),
        });
        let medium = usize::from(how & 1);
        let rate = [48_000, 90_000][medium];
        let time = incoming.frame(medium, rate, rtp, arrived, report);
        assert!(time > last[medium], "media times rise");
        last[medium] = time;
    }
}
