//! A payload of garbage is dropped and counted, and harms nothing but its own track.

use std::time::Duration;

use tokio::time::{sleep, timeout};
use visita_client::{
    address::HostUrl,
    report::Received,
    session,
    trust::{Expect, Tls},
};
use visita_media::{
    h264, jpeg,
    source::{Choice, Source as _, Synthetic, synthetic},
};
use visita_protocol::{
    control::{ClientMessage, RelayMessage},
    id::{MemberId, TrackId},
    media::{Codec, Track},
};

use super::support::{HUNG, Participant, options};
use crate::common::{SIZE, Server, camera, frame};

/// Waits until what a participant reports of a sender is as wanted.
async fn row(of: &Participant, from: MemberId, wanted: impl Fn(&Received) -> bool) -> Received {
    let found = async {
        loop {
            let report = of.call.report().await.unwrap();
            let rows = report.received.into_iter();
            if let Some(row) = rows.filter(|row| row.from == from).find(|row| wanted(row)) {
                return row;
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(HUNG, found).await.expect("it never is as wanted")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_is_counted_and_the_senders_other_track_goes_on() {
    const ROUNDS: u32 = 10;
    let server = Server::start(|_| {}).await;
    let session = || {
        let tls = Tls::new(Expect::Pin(server.handle.fingerprint())).unwrap();
        session::Options::new(vec![HostUrl::from_socket(server.address)], tls)
    };
    let ana = Participant::join(session(), options("Ana", Choice::None)).await;
    let mut old = options("Ben", Choice::None);
    old.decodes = vec![Codec::Jpeg];
    let ben = Participant::join(session(), old).await;
    let mut mallory = server.member("Room", "Mallory").await;
    let from = mallory.member;
    let second = Track {
        id: TrackId(1),
        codec: Codec::Jpeg,
        ..camera()
    };
    let tracks = vec![camera(), second];
    mallory.send(ClientMessage::Tracks { tracks }).await;
    mallory
        .until(|message| {
            matches!(message, RelayMessage::Send { tracks } if tracks.len() == 2).then_some(())
        })
        .await;
    let config = synthetic::Config::new(SIZE, 30).unwrap();
    let mut film = Synthetic::new(config.paced(synthetic::Pace::Free)).unwrap();
    let mut encoder = jpeg::Encoder::new(60).unwrap();
    for sequence in 0..ROUNDS {
        let so_far = u64::from(sequence) + 1;
        mallory
            .binary(frame(0, sequence, true, b"this is no picture"))
            .await;
        let picture = encoder.encode(&film.next().unwrap()).unwrap();
        mallory.binary(frame(1, sequence, true, &picture)).await;
        row(&ana, from, |row| row.frames_dropped == so_far).await;
        row(&ben, from, |row| row.frames_decoded == so_far).await;
    }
    // And its own track goes on with the next good key frame.
    let mut encoder = h264::encode::Encoder::new(h264::encode::Config::new(SIZE)).unwrap();
    let good = encoder.encode(&film.next().unwrap()).unwrap().unwrap();
    mallory.binary(frame(0, ROUNDS, true, &good.bytes)).await;
    let seen = row(&ana, from, |row| row.frames_decoded == 1).await;
    assert_eq!(
        (seen.codec, seen.frames_dropped),
        (Codec::H264, ROUNDS.into())
    );
    let seen = row(&ben, from, |_| true).await;
    assert_eq!((seen.codec, seen.frames_dropped), (Codec::Jpeg, 0));
    mallory.close().await;
    ana.leave().await;
    ben.leave().await;
    server.end().await;
}
