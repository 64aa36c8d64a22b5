//! Participants whose media goes over UDP, with each other and with one whose doesn't.

use visita_client::{call::Event, report::Report, session};
use visita_media::{sound::source::Choice as Audio, source::Choice};
use visita_protocol::{
    id::MemberId,
    media::{Codec, Kind},
    way::{Policy, Way},
};

use super::{
    sound::{hears, session},
    support::{Participant, large, options},
};
use crate::common::Server;

async fn join(server: &Server, name: &str, carrier: Policy) -> Participant {
    join_decoding(server, name, carrier, None).await
}

async fn join_decoding(
    server: &Server,
    name: &str,
    carrier: Policy,
    decodes: Option<&[Codec]>,
) -> Participant {
    let mut options = options(name, Choice::Synthetic(large()));
    options.audio = Audio::Tone(440.0);
    options.process = false;
    if let Some(decodes) = decodes {
        options.decodes = decodes.to_vec();
    }
    let session = session::Options {
        carrier,
        ..session(server)
    };
    Participant::join(session, options).await
}

async fn goes(of: &mut Participant, wanted: Way) {
    of.until(|event| match event {
        Event::Way(way) => (*way == wanted).then_some(()),
        _ => None,
    })
    .await;
}

fn rows(report: &Report, from: MemberId, kind: Kind) -> usize {
    let rows = report.received.iter();
    rows.filter(|row| row.from == from && row.kind() == kind)
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_udp_and_over_the_websocket_everybody_sees_and_hears_everybody() {
    let server = Server::start(|_| {}).await;
    let mut ana = join(&server, "Ana", Policy::Webrtc).await;
    let mut luis = join(&server, "Luis", Policy::Webrtc).await;
    let eva = join(&server, "Eva", Policy::Ws).await;
    goes(&mut ana, Way::Webrtc).await;
    goes(&mut luis, Way::Webrtc).await;
    let all = [&ana, &luis, &eva];
    for of in all {
        for from in all.iter().filter(|from| from.id() != of.id()) {
            of.pictures(from.id(), 60).await;
            let enough = hears(of, from.id(), |row| row.frames_decoded >= 100).await;
            assert_eq!(enough.codec, Codec::Opus);
        }
    }
    for of in all {
        let report = of.call.report().await.unwrap();
        let way = if of.id() == eva.id() {
            Way::Ws
        } else {
            Way::Webrtc
        };
        assert_eq!(report.ways.carrier, way);
        for from in all.iter().filter(|from| from.id() != of.id()) {
            // A track is the same on both ways, and on its sender's clock.
            for kind in [Kind::Audio, Kind::Video] {
                assert_eq!(rows(&report, from.id(), kind), 1, "{report:?}");
            }
        }
        for row in &report.received {
            let delay = row.delay_ms.unwrap();
            println!(
                "{way:?} {:?} from {}: {delay:?}, {} dropped",
                row.kind(),
                row.from,
                row.frames_dropped
            );
            assert!(delay.p50 < 250.0, "{row:?}");
            assert!(row.frames_dropped * 20 <= row.frames_received, "{row:?}");
        }
    }
    for of in [ana, luis, eva] {
        of.leave().await;
    }
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_rtp_does_not_carry_comes_beside_it() {
    let server = Server::start(|_| {}).await;
    let mut ana = join(&server, "Ana", Policy::Webrtc).await;
    // Decodes JPEG alone: her picture of Ana, who sends it over the WebSocket, comes over UDP.
    let simple = [Codec::Jpeg, Codec::Opus];
    let mut luis = join_decoding(&server, "Luis", Policy::Webrtc, Some(&simple)).await;
    goes(&mut ana, Way::Webrtc).await;
    goes(&mut luis, Way::Webrtc).await;
    luis.pictures(ana.id(), 20).await;
    ana.pictures(luis.id(), 30).await;
    let report = luis.call.report().await.unwrap();
    let row = report.received.iter().find(|row| row.kind() == Kind::Video);
    assert_eq!(row.unwrap().codec, Codec::Jpeg);
    ana.leave().await;
    luis.leave().await;
    server.end().await;
}
