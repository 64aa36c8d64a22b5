//! Sound that gets lost: what is repeated is heard, and it is repeated where it helps.

use std::time::Duration;

use serde_json::json;
use tokio::time::{interval, timeout};
use visita_client::{
    address::HostUrl,
    session,
    trust::{Expect, Tls},
};
use visita_media::{
    sound::{opus, source::Choice as Audio},
    source::Choice,
};
use visita_protocol::{
    control::{ClientMessage, RelayMessage},
    frame::Header,
    id::TrackId,
    media::{Codec, Kind, Source, Track},
    red::{self, Packets, Repeater},
    sound::Level,
    time::MediaTime,
};
use visita_tests::{line::Line, stranger};

use super::support::{HUNG, Participant, large, options};
use crate::common::{Guest, Server, chunk, header};

/// The track on which a stranger speaks.
const MICROPHONE: u8 = 3;
/// The track on which a participant does.
const VOICE: TrackId = TrackId(8);

fn tone(name: &str) -> visita_client::call::Options {
    let mut options = options(name, Choice::None);
    options.audio = Audio::Tone(440.0);
    options.process = false;
    options
}

/// How many packets a payload repeats.
fn repeats(payload: &bytes::Bytes) -> usize {
    if red::is_redundant(payload) {
        Packets::read(payload).unwrap().older.len()
    } else {
        0
    }
}

async fn speaker(server: &Server) -> Guest {
    let mut guest = server.member("Room", "Mallory").await;
    let tracks = vec![Track {
        id: TrackId(MICROPHONE),
        source: Source::Microphone,
        codec: Codec::Opus,
        layers: Vec::new(),
        sealed: false,
    }];
    guest.send(ClientMessage::Tracks { tracks }).await;
    let asked = |message: &RelayMessage| match message {
        RelayMessage::Send { tracks } => (!tracks.is_empty()).then_some(()),
        _ => None,
    };
    guest.until(asked).await;
    guest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_of_ten_frames_that_are_missing_are_heard_out_of_those_behind_them() {
    const FRAMES: u32 = 400;
    let server = Server::start(|_| {}).await;
    let tls = Tls::new(Expect::Pin(server.handle.fingerprint())).unwrap();
    let session = session::Options::new(vec![HostUrl::from_socket(server.address)], tls);
    let luis = Participant::join(session, options("Luis", Choice::None)).await;
    let mut mallory = speaker(&server).await;
    let mut encoder = opus::Encoder::new(12_000).unwrap();
    let mut repeater = Repeater::new();
    let mut pace = interval(Duration::from_millis(20));
    let (mut sent, mut missing) = (0, 0);
    for sequence in 0..FRAMES {
        pace.tick().await;
        let sound = std::array::from_fn(|at| {
            let turns = (at as f32 + 960.0 * sequence as f32) * 440.0 / 48_000.0;
            0.25 * (turns.fract() * std::f32::consts::TAU).sin()
        });
        let packet = encoder.encode(&sound).unwrap().to_vec().into();
        let timestamp = MediaTime(3_600_000_000 + u64::from(sequence) * 20_000);
        let payload = repeater.payload(timestamp, packet, 2);
        // The last ones come, so that nothing is missing at the end.
        if sequence % 10 >= 8 && sequence + 10 < FRAMES {
            missing += 1;
            continue;
        }
        let header = Header {
            timestamp,
            level: Some(Level::new(-15.0, true)),
            ..header(MICROPHONE, sequence, true)
        };
        mallory.binary(chunk(&header, &payload)).await;
        sent += 1;
    }
    mallory.ping().await;
    let heard = async {
        loop {
            let report = luis.call.report().await.unwrap();
            let mut of = report.received.into_iter();
            let row = of.find(|row| row.from == mallory.member);
            // The last one may still wait when nothing follows.
            if let Some(row) = row.filter(|row| row.frames_received == sent) {
                return row;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let row = timeout(HUNG, heard).await.expect("not all is received");
    let concealed = row.sound().unwrap().concealed_ms;
    println!("{missing} of {FRAMES} missing, {concealed} ms concealed: {row:?}");
    assert_eq!(row.frames_dropped, 0, "{row:?}");
    // A machine that stands still for a moment makes a hole of its own.
    assert!(concealed * 20 <= u64::from(FRAMES) * 20, "{row:?}");
    assert!(row.frames_decoded + 20 >= sent + missing, "{row:?}");
    // And what gets lost is told.
    let told = |message: &RelayMessage| match message {
        RelayMessage::Loss { track, percent } => Some((*track, *percent)),
        _ => None,
    };
    let seen = mallory.seen.iter().find_map(told).expect("nothing is told");
    assert!(seen.0 == TrackId(MICROPHONE) && seen.1 >= 2, "{seen:?}");
    luis.leave().await;
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_told_of_loss_repeats_as_much_as_helps() {
    let host = stranger::Stranger::listen().await;
    let tls = Tls::new(Expect::Pin(host.fingerprint)).unwrap();
    let session = session::Options::new(vec![host.url()], tls);
    let joining = tokio::spawn(Participant::join(session, tone("Ana")));
    let mut ana = host.guest().await;
    ana.welcomes(1).await;
    assert_eq!(ana.hears().await.unwrap()["body"]["type"], "join");
    let mut said = 0;
    let mut says = |body: serde_json::Value| {
        said += 1;
        json!({"type": "message", "n": said, "ack": 1, "body": body})
    };
    let member =
        json!({"id": 5, "name": "Ana", "role": "guest", "tracks": [], "connection": "connected"});
    let room = json!({"id": "00ff10abcdef0123", "name": "Room", "kind": "meeting", "members": 1,
        "waiting": false, "since_ms": 0});
    ana.says(says(
        json!({"type": "joined", "room": room, "you": 5, "members": [member], "chat": []}),
    ))
    .await;
    let call = joining.await.unwrap();
    loop {
        let packet = ana.hears().await.unwrap();
        if packet["body"]["type"] == "tracks" && packet["body"]["tracks"][0]["id"] == VOICE.0 {
            break;
        }
    }
    let size = json!({"width": 0, "height": 0});
    ana.says(says(
        json!({"type": "send", "tracks": [{"track": VOICE.0, "size": size}]}),
    ))
    .await;
    let mut bytes = 0;
    for (track, percent, copies) in [
        (8, 0, 0),
        (8, 5, 1),
        (8, 20, 2),
        (0, 0, 2),
        (8, 3, 1),
        (8, 0, 0),
    ] {
        ana.says(says(
            json!({"type": "loss", "track": track, "percent": percent}),
        ))
        .await;
        let steady = async {
            let mut alike = 0;
            while alike < 25 {
                let message = ana.frame().await;
                let (_, at) = Header::parse(&message).unwrap();
                let payload = message.slice(at..);
                bytes += payload.len();
                alike = if repeats(&payload) == copies {
                    alike + 1
                } else {
                    0
                };
            }
        };
        timeout(HUNG, steady)
            .await
            .expect("it isn't repeated so often");
    }
    let (_, report) = tokio::join!(ana.hears(), call.leave());
    let row = report
        .1
        .sent
        .iter()
        .find(|row| row.kind == Kind::Audio)
        .unwrap();
    // 20 ms of at most 40 kbit/s, on average.
    assert!(bytes as u64 <= row.frames * 110, "{bytes}: {row:?}");
}

/// On `ws` nothing gets lost: what is missing was thrown away here, and repeating would only make
/// it worse.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_line_that_is_too_slow_nothing_is_repeated() {
    for (bits, with_picture, gaps) in [(150_000, true, 0), (20_000, false, 20)] {
        let server = Server::start(|_| {}).await;
        let line = Line::slow(server.address, bits / 8);
        let tls = Tls::new(Expect::Pin(server.handle.fingerprint())).unwrap();
        let session = session::Options::new(vec![HostUrl::from_socket(line.address())], tls);
        let mut ben = server.member("Room", "Ben").await;
        let mut options = tone("Ana");
        if with_picture {
            options.video = Choice::Synthetic(large());
        }
        let ana = Participant::join(session, options).await;
        let (mut frames, mut missing, mut last) = (0, 0, None);
        while frames < 400 {
            let (header, payload) = ben.chunk().await;
            if header.track != VOICE {
                continue;
            }
            frames += 1;
            if frames % 50 == 0 {
                // Who says nothing for long is gone.
                ben.ping().await;
            }
            missing += last.map_or(0, |last| header.sequence - last - 1);
            last = Some(header.sequence);
            assert_eq!(repeats(&payload), 0, "at {bits} bit/s, {missing} missing");
        }
        println!("{bits} bit/s: {frames} came, {missing} were thrown away");
        assert!(missing >= gaps, "{missing}");
        ben.close().await;
        ana.leave().await;
        server.end().await;
    }
}
