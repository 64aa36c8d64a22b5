//! What all lanes share: the socket, the certificate, and to whom a packet belongs.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use str0m::{
    Candidate, IceCreds, Rtc,
    bwe::Bitrate,
    config::{CryptoProvider, DtlsCert},
};
use visita_protocol::budget;

use super::{
    header,
    lane::Lane,
    socket::{Received, Udp, is_wildcard},
};
use crate::{
    addresses::Addresses,
    metrics::{self, Counters},
};

/// Packets of a largest key frame that may wait for one that was lost between them.
const REORDERED: usize = 1_000;
/// Sounds that wait for one that is missing before them: it isn't sent again, so only for one that
/// was overtaken.
const SOUNDS_REORDERED: usize = 2;
/// How often it is reported when sounds were captured: as often as of pictures, since lips are with the
/// sound only once a browser knows it of both.
const REPORTS: Duration = Duration::from_secs(1);
/// How often it is counted what gets lost.
const COUNT: Duration = Duration::from_secs(1);

/// The relay's end of every `webrtc` carrier.
pub(crate) struct Front {
    udp: Udp,
    crypto: Arc<CryptoProvider>,
    certificate: DtlsCert,
    lanes: Mutex<Lanes>,
    counters: Arc<Counters>,
}

#[derive(Default)]
struct Lanes {
    /// By the name that a lane's packets of ICE have.
    names: HashMap<String, Arc<Lane>>,
    /// By where from a lane's packets come.
    sources: HashMap<SocketAddr, Arc<Lane>>,
    count: u64,
}

impl Front {
    /// Binds the socket beside the relay's listener.
    pub(crate) fn bind(listener: SocketAddr, counters: Arc<Counters>) -> io::Result<Arc<Self>> {
        let crypto = str0m::crypto::from_feature_flags();
        let certificate = crypto
            .dtls_provider
            .generate_certificate()
            .ok_or_else(|| io::Error::other("no certificate for DTLS can be made"))?;
        Ok(Arc::new(Self {
            udp: Udp::bind(listener)?,
            crypto: Arc::new(crypto),
            certificate,
            lanes: Mutex::default(),
            counters,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn udp(&self) -> &Udp {
        &self.udp
    }

    /// The UDP port.
    pub(crate) fn port(&self) -> u16 {
        self.udp.local().port()
    }

    /// The relay's end of a new carrier, with every usable address as a candidate, and the name of
    /// its packets.
    pub(super) fn rtc(&self, addresses: &Addresses) -> (Rtc, String) {
        let credentials = IceCreds {
            ufrag: format!("{:016x}", rand::random::<u64>()),
            pass: format!("{:032x}", rand::random::<u128>()),
        };
        let mut rtc = machine(
            &self.crypto,
            &self.certificate,
            &credentials,
            Instant::now(),
        );
        let local = self.udp.local();
        let mut ips: Vec<IpAddr> = if is_wildcard(local.ip()) {
            let reachable = addresses.reachable().into_iter().map(|address| address.ip);
            // A browser on the host itself.
            reachable.chain([IpAddr::from([127, 0, 0, 1])]).collect()
        } else {
            vec![local.ip().to_canonical()]
        };
        if local.is_ipv4() {
            ips.retain(IpAddr::is_ipv4);
        }
        for ip in ips {
            if let Ok(candidate) = Candidate::host(SocketAddr::new(ip, local.port()), "udp") {
                rtc.add_local_candidate(candidate);
            }
        }
        (rtc, credentials.ufrag)
    }

    /// A number for a new lane.
    pub(super) fn number(&self) -> u64 {
        let mut lanes = self.lock();
        lanes.count += 1;
        lanes.count
    }

    /// Packets with this name are this lane's.
    pub(super) fn add(&self, lane: &Arc<Lane>) {
        self.lock()
            .names
            .insert(lane.name().to_owned(), lane.clone());
    }

    /// This lane is over.
    pub(super) fn remove(&self, lane: &Lane) {
        let mut lanes = self.lock();
        lanes.names.remove(lane.name());
        lanes
            .sources
            .retain(|_, known| known.number() != lane.number());
    }

    /// Hands every packet to its lane, for as long as the socket works.
    pub(crate) async fn run(&self) {
        if let Err(error) = self.udp.receive(|received| self.take(&received)).await {
            tracing::warn!(%error, "the UDP socket failed: media goes over WebSockets");
        }
    }

    fn take(&self, received: &Received<'_>) {
        let known = self.lock().sources.get(&received.source).cloned();
        let lane = match (&known, name(received.packet)) {
            (_, Some(name)) => self.lock().names.get(name).cloned().or(known.clone()),
            (_, None) => known.clone(),
        };
        let taken = lane.as_ref().is_some_and(|lane| lane.receive(received));
        match lane {
            Some(lane) if taken => {
                if known.is_none_or(|known| known.number() != lane.number()) {
                    self.lock().sources.insert(received.source, lane);
                }
            }
            _ => metrics::add(&self.counters.packets_refused, 1),
        }
    }
}

/// The relay's end of a carrier, without candidates.
pub(super) fn machine(
    crypto: &Arc<CryptoProvider>,
    certificate: &DtlsCert,
    credentials: &IceCreds,
    now: Instant,
) -> Rtc {
    Rtc::builder()
        .set_crypto_provider(crypto.clone())
        .set_dtls_cert(certificate.clone())
        .set_local_ice_credentials(credentials.clone())
        .set_ice_lite(true)
        .clear_codecs()
        .enable_opus(true, false)
        .enable_vp8(true)
        .enable_h264(true)
        .enable_bwe(Some(Bitrate::bps(budget::FIRST)))
        .set_reordering_size_video(REORDERED)
        .set_reordering_size_audio(SOUNDS_REORDERED)
        .set_rtcp_report_interval_audio(REPORTS)
        .set_stats_interval(Some(COUNT))
        .set_extension(header::NUMBER, header::extension())
        .build(now)
}

/// The name that a STUN request has for the side that it is sent to (RFC 8445, 7.2.2).
pub(super) fn name(packet: &[u8]) -> Option<&str> {
    const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
    const USERNAME: u16 = 6;
    if packet.first()? >> 6 != 0 || packet.get(4..8)? != COOKIE {
        return None;
    }
    let mut attributes = packet.get(20..)?;
    while let Some((head, rest)) = attributes.split_first_chunk::<4>() {
        let kind = u16::from_be_bytes([head[0], head[1]]);
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        if kind == USERNAME {
            let name = std::str::from_utf8(rest.get(..length)?).ok()?;
            return name.split(':').next();
        }
        attributes = rest.get(length.next_multiple_of(4)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(username: &str) -> Vec<u8> {
        let mut packet = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        packet.extend([7; 12]);
        // Something of another kind before it, with padding.
        packet.extend([0x80, 0x22, 0, 3, b'a', b'b', b'c', 0]);
        packet.extend([0, 6, 0, username.len() as u8]);
        packet.extend(username.bytes());
        packet
    }

    #[test]
    fn a_request_says_whom_it_is_for() {
        assert_eq!(name(&request("host:guest")), Some("host"));
        assert_eq!(name(&request("host")), Some("host"));
        let mut other = request("host:guest");
        other[4] ^= 1;
        assert_eq!(name(&other), None);
        assert_eq!(name(&[0x80; 40]), None, "RTP");
    }

    proptest! {
        #[test]
        fn whatever_comes_is_no_reason_to_fail(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            stun in any::<bool>(),
        ) {
            let mut packet = if stun { request("a:b")[..20].to_vec() } else { Vec::new() };
            packet.extend(bytes);
            let _ = name(&packet);
        }
    }
}
