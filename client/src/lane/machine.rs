//! One task drives str0m over one UDP socket: frames of one's own out, everybody's in.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use socket2::SockRef;
use str0m::{
    Candidate, Event as Happened, IceConnectionState, Input, Output, Rtc, RtcError,
    bwe::{Bitrate, BweKind},
    change::SdpAnswer,
    channel::{ChannelConfig, ChannelId},
    format::{Codec as Format, CodecSpec, PayloadParams},
    media::{Direction, Frequency, KeyframeRequestKind, MediaData, MediaKind, MediaTime, Mid},
    net::{Protocol, Receive},
    stats::PeerStats,
};
use tokio::{
    net::UdpSocket,
    sync::{mpsc, oneshot, watch},
    time::sleep_until,
};
use visita_protocol::{
    budget::{self, Budget},
    control::ClientMessage,
    frame::Header,
    id::{MemberId, TrackId},
    media::Codec,
    time::Now,
    webrtc::{FRAMES, HEADER, Offer, Sent},
};

use super::{
    Begin, Event, Failed, Health, Order,
    header::{self, Stated},
    offer::Door,
};
use crate::{clock::now, uplink::Uplink};

/// People whose sound and picture come by RTP; those of others come as frames. As many as browsers
/// offer to receive (`ui/platform/browser/rtc/lane.js`).
const SLOTS: usize = 12;
/// What the system keeps until it is read, in bytes: a key frame of each of many.
const BUFFER: usize = 1 << 20;
/// A largest UDP packet.
const PACKET: usize = 64 * 1024;
/// Packets that are read in one go, so that what is to be sent gets between.
const READS: usize = 32;
/// Turns of the machine in one go: more than any frame has packets.
const TURNS: usize = 4_096;
/// Packets of a largest key frame that may wait for one that was lost between them, as at the host.
const REORDERED: usize = 1_000;
/// Sounds that wait for one that is missing before them: it isn't sent again.
const SOUNDS_REORDERED: usize = 2;
/// What is looked for of the line, in bits a second: a large picture and sound.
const DESIRED: u64 = 3_000_000;
/// After so long without a word the host is asked for one, and again after so long: a message on
/// the data channel is acknowledged (RFC 9260), whoever sends media now.
const QUIET: Duration = Duration::from_millis(400);
const ASK_EVERY: Duration = Duration::from_millis(250);
/// How often it is counted what gets lost.
const COUNT: Duration = Duration::from_secs(1);

/// Pictures go under times that are so far apart at least.
const APART_US: u64 = 1_000;

pub(super) struct Machine {
    rtc: Box<Rtc>,
    socket: UdpSocket,
    own: SocketAddr,
    uplink: Arc<Uplink>,
    tracks: Vec<Sent>,
    sound: Mid,
    picture: Mid,
    frames: Option<ChannelId>,
    up: bool,
    budget: Budget,
    /// The picture track that was sent last.
    sends: Option<TrackId>,
    /// The time under which its last frame went, in microseconds.
    sent_us: u64,
    /// In which medium a picture came last.
    comes: Vec<(MemberId, TrackId, Mid)>,
    health: Health,
    counted: u64,
    asked: Now,
    /// When something is to be done again.
    due: Instant,
}

impl Machine {
    /// Offers UDP to the host. It isn't up yet when this returns.
    pub(super) async fn bring_up(begin: Begin) -> Result<Self, Failed> {
        let door = Door::open(&begin.urls, &begin.tls).await?;
        let socket = UdpSocket::bind((door.own, 0))
            .await
            .map_err(Failed::System)?;
        // Less is no reason not to work.
        let _ = SockRef::from(&socket).set_recv_buffer_size(BUFFER);
        let own = socket.local_addr().map_err(Failed::System)?;
        let mut rtc = Box::new(
            Rtc::builder()
                .clear_codecs()
                .enable_opus(true, false)
                .enable_vp8(true)
                .enable_h264(true)
                .enable_bwe(Some(Bitrate::bps(budget::FIRST)))
                .set_reordering_size_video(REORDERED)
                .set_reordering_size_audio(SOUNDS_REORDERED)
                .set_extension(header::NUMBER, header::extension())
                .set_stats_interval(Some(COUNT))
                .build(Instant::now()),
        );
        rtc.bwe().set_bitrate(Bitrate::ZERO, Bitrate::bps(DESIRED));
        let candidate = Candidate::host(own, "udp").map_err(|_| Failed::Ended)?;
        rtc.add_local_candidate(candidate);
        let mut api = rtc.sdp_api();
        let mut media = |kind, direction| api.add_media(kind, direction, None, None, None);
        let sound = media(MediaKind::Audio, Direction::SendOnly);
        let picture = media(MediaKind::Video, Direction::SendOnly);
        for _ in 0..SLOTS {
            media(MediaKind::Audio, Direction::RecvOnly);
            media(MediaKind::Video, Direction::RecvOnly);
        }
        api.add_channel_with_config(ChannelConfig {
            label: FRAMES.to_owned(),
            ordered: false,
            ..ChannelConfig::default()
        });
        let (offer, pending) = api.apply().ok_or(Failed::Ended)?;
        let offer = Offer {
            session: begin.welcome.session,
            secret: begin.welcome.secret,
            sdp: offer.to_sdp_string(),
            tracks: begin.tracks.clone(),
        };
        let answer = door.offer(&offer).await?.sdp;
        if !answer.contains(HEADER) {
            return Err(Failed::Headers);
        }
        let answer = SdpAnswer::from_sdp_string(&answer).map_err(|_| Failed::Unanswered)?;
        rtc.sdp_api()
            .accept_answer(pending, answer)
            .map_err(|_| Failed::Unanswered)?;
        Ok(Self {
            rtc,
            socket,
            own,
            uplink: begin.uplink,
            tracks: begin.tracks,
            sound,
            picture,
            frames: None,
            up: false,
            budget: Budget::new(now()),
            sends: None,
            sent_us: 0,
            comes: Vec::new(),
            health: Health::default(),
            counted: 0,
            asked: Now(0),
            due: Instant::now(),
        })
    }

    /// Drives it to its end, which `stop` is too.
    pub(super) async fn run(
        mut self,
        told: &mpsc::Sender<Event>,
        mut orders: mpsc::Receiver<Order>,
        feels: &watch::Sender<Health>,
        stop: &mut oneshot::Receiver<()>,
    ) -> Failed {
        let mut buffer = vec![0; PACKET];
        let mut events = Vec::new();
        loop {
            if let Err(failed) = self.work(&mut events) {
                return failed;
            }
            feels.send_replace(self.health);
            for event in events.drain(..) {
                if told.send(event).await.is_err() {
                    self.close();
                    return Failed::Ended;
                }
            }
            let uplink = self.uplink.clone();
            let read = tokio::select! {
                readable = self.socket.readable() => match readable {
                    Ok(()) => self.read(&mut buffer, &mut events),
                    Err(error) => Err(Failed::System(error)),
                },
                () = sleep_until(self.due.into()) => Ok(()),
                () = uplink.side_ready() => Ok(()),
                Some(order) = orders.recv() => {
                    self.order(order);
                    Ok(())
                }
                _ = &mut *stop => {
                    self.close();
                    return Failed::Ended;
                }
            };
            if let Err(failed) = read {
                return failed;
            }
        }
    }

    /// Tells the other side that it is over.
    fn close(&mut self) {
        let _ = self.rtc.close();
        let mut nothing = Vec::new();
        let _ = self.turn(&mut nothing);
    }

    fn order(&mut self, order: Order) {
        let Order::Lost(member, track) = order;
        let mut comes = self.comes.iter();
        let known = comes.find(|(from, of, _)| (*from, *of) == (member, track));
        if let Some((_, _, mid)) = known
            && let Some(mut writer) = self.rtc.writer(*mid)
        {
            let _ = writer.request_keyframe(None, KeyframeRequestKind::Pli);
        } else {
            // Nothing of it came this way. Said again while none comes.
            let _ = self
                .uplink
                .say(ClientMessage::NeedKeyFrame { member, track });
        }
    }

    /// Takes what came.
    fn read(&mut self, buffer: &mut [u8], events: &mut Vec<Event>) -> Result<(), Failed> {
        for _ in 0..READS {
            // Nothing more, or what some systems say of a packet that didn't arrive.
            let Ok((length, source)) = self.socket.try_recv_from(buffer) else {
                return Ok(());
            };
            let Ok(contents) = buffer[..length].try_into() else {
                continue;
            };
            let receive = Receive {
                proto: Protocol::Udp,
                source,
                destination: self.own,
                contents,
            };
            let input = Input::Receive(Instant::now(), receive);
            if !self.rtc.accepts(&input) {
                continue;
            }
            self.health.heard = now();
            let taken = self.rtc.handle_input(input);
            judge(taken)?;
            self.turn(events)?;
        }
        Ok(())
    }

    /// Turns the machine until nothing is left to do, and says when there will be.
    fn work(&mut self, events: &mut Vec<Event>) -> Result<(), Failed> {
        self.turn(events)?;
        if !self.up {
            return Ok(());
        }
        self.ask();
        loop {
            let wait = self.budget.wait(now());
            let Some(message) = self.uplink.leave(wait.is_none()) else {
                break;
            };
            self.write(&message);
            self.turn(events)?;
        }
        if let Some(wait) = self.budget.wait(now())
            && self.uplink.pictures_wait()
        {
            self.due = self.due.min(Instant::now() + wait);
        }
        Ok(())
    }

    /// Until the machine waits for time or packets.
    fn turn(&mut self, events: &mut Vec<Event>) -> Result<(), Failed> {
        self.due = Instant::now() + Duration::from_millis(1);
        for _ in 0..TURNS {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    let now = Instant::now();
                    if at > now {
                        self.due = at.min(now + ASK_EVERY);
                        break;
                    }
                    let done = self.rtc.handle_input(Input::Timeout(now));
                    judge(done)?;
                }
                Ok(Output::Transmit(packet)) => {
                    // What the system doesn't take now is lost, as on any line.
                    let to = packet.destination;
                    let _ = self.socket.try_send_to(&packet.contents, to);
                }
                Ok(Output::Event(event)) => self.happened(event, events)?,
                Err(error) => judge(Err(error))?,
            }
        }
        if self.rtc.is_alive() {
            Ok(())
        } else {
            Err(Failed::Ended)
        }
    }

    fn happened(&mut self, event: Happened, events: &mut Vec<Event>) -> Result<(), Failed> {
        match event {
            Happened::Connected => {
                self.up = true;
                self.health.heard = now();
                events.push(Event::Up);
            }
            Happened::IceConnectionStateChange(IceConnectionState::Disconnected)
            | Happened::Closed => return Err(Failed::Ended),
            Happened::MediaData(data) => events.extend(self.came(&data)),
            Happened::ChannelData(data) => events.push(Event::Chunk(data.data.into())),
            Happened::ChannelOpen(id, label) if label == FRAMES => self.frames = Some(id),
            Happened::KeyframeRequest(request) if request.mid == self.picture => {
                events.extend(self.sends.map(Event::KeyFrame));
            }
            Happened::EgressBitrateEstimate(BweKind::Twcc { estimate, .. }) => {
                self.budget.rate(now(), estimate.as_u64());
            }
            Happened::PeerStats(stats) => self.count(&stats),
            _ => {}
        }
        Ok(())
    }

    fn count(&mut self, stats: &PeerStats) {
        let [up, down] = [stats.egress_loss_fraction, stats.ingress_loss_fraction];
        let lost = up.unwrap_or_default().max(down.unwrap_or_default());
        self.counted += 1;
        self.health.lost = Some((self.counted, (lost * 1000.0) as u32));
    }

    fn came(&mut self, data: &MediaData) -> Option<Event> {
        let Stated(stated) = data.ext_vals.user_values.get()?;
        if data.params.spec().codec != Format::Opus {
            let (member, track) = (stated.sender, stated.track);
            self.comes
                .retain(|(from, of, mid)| (*from, *of) != (member, track) && *mid != data.mid);
            self.comes.push((member, track, data.mid));
        }
        let header = Header {
            chunk: 0,
            chunks: 1,
            ..*stated
        };
        Some(Event::Frame(header, Bytes::from_owner(data.data.clone())))
    }

    /// Hands a frame to the machine.
    fn write(&mut self, message: &Bytes) {
        let Ok((header, at)) = Header::parse(message) else {
            return;
        };
        let mut tracks = self.tracks.iter();
        let codec = tracks.find(|sent| sent.track == header.track);
        let (mid, format, rate) = match codec.map(|sent| sent.codec) {
            Some(Codec::Opus) => (self.sound, Format::Opus, Frequency::FORTY_EIGHT_KHZ),
            Some(Codec::H264) => (self.picture, Format::H264, Frequency::NINETY_KHZ),
            Some(Codec::Vp8) => (self.picture, Format::Vp8, Frequency::NINETY_KHZ),
            Some(Codec::Jpeg | Codec::Unknown) | None => return,
        };
        let Some(writer) = self.rtc.writer(mid) else {
            return;
        };
        let fits =
            |spec: CodecSpec| spec.codec == format && spec.format.packetization_mode != Some(0);
        let params = writer.payload_params().find(|params| fits(params.spec()));
        let Some(pt) = params.map(PayloadParams::pt) else {
            return;
        };
        let payload: Arc<[u8]> = Arc::from(&message[at..]);
        let bytes = payload.len();
        let age = now().since(Now(header.timestamp.0));
        let current = Instant::now();
        let captured = current.checked_sub(age).unwrap_or(current);
        let mut time_us = header.timestamp.0;
        if format != Format::Opus {
            // The layers of a picture are of one moment, and two frames with one timestamp are one to
            // RTP. The header says the true time.
            if time_us.abs_diff(self.sent_us) < APART_US {
                time_us = self.sent_us + APART_US;
            }
            self.sent_us = time_us;
        }
        let time = MediaTime::from_micros(time_us).rebase(rate);
        let written = writer
            .user_extension_value(Stated(header))
            .write(pt, captured, time, payload);
        if let Err(error) = written {
            tracing::debug!(%error, "a frame can't be sent over UDP");
            return;
        }
        if format != Format::Opus {
            self.sends = Some(header.track);
            self.budget.spend(bytes);
        }
    }

    /// Asks for a word when none came for a while.
    fn ask(&mut self) {
        let now = now();
        if now.since(self.health.heard) < QUIET || now.since(self.asked) < ASK_EVERY {
            return;
        }
        self.asked = now;
        if let Some(mut channel) = self.frames.and_then(|id| self.rtc.channel(id)) {
            let _ = channel.write(true, &[0]);
        }
    }
}

/// A packet that can't be taken apart is no end: the next may be.
fn judge(done: Result<(), RtcError>) -> Result<(), Failed> {
    match done {
        Ok(()) | Err(RtcError::Packet(..) | RtcError::Rtp(_) | RtcError::Net(_)) => Ok(()),
        Err(error) => {
            tracing::debug!(%error, "UDP failed");
            Err(Failed::Ended)
        }
    }
}
