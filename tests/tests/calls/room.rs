//! Two and three in a room: chat, cameras, codecs.

use visita_client::call::{Camera, Event};
use visita_media::source::{self, Choice};
use visita_protocol::{
    control::{LeaveReason, RelayMessage},
    media::Codec,
};
use visita_tests::host::Host;

use super::support::{Participant, options, synthetic, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chat_goes_both_ways_and_comings_and_goings_are_told() {
    let host = Host::start();
    let mut ana = Participant::join(host.session(), options("Ana", Choice::None)).await;
    let mut luis = Participant::join(host.session(), options("Luis", Choice::None)).await;
    assert_eq!(luis.joined.members.len(), 2);
    let came = ana
        .until(|event| match event {
            Event::Relay(RelayMessage::MemberJoined { member }) => Some(member.clone()),
            _ => None,
        })
        .await;
    assert_eq!((came.id, came.name.reveal()), (luis.id(), "Luis"));

    ana.call.chat(text("¿Cómo estás?")).unwrap();
    luis.call.chat(text("Bien <b>gracias</b> 👋")).unwrap();
    let mut heard = [ana.chat().await, ana.chat().await];
    heard.sort();
    let mut expected = [
        (ana.id(), "¿Cómo estás?".to_owned()),
        (luis.id(), "Bien <b>gracias</b> 👋".to_owned()),
    ];
    expected.sort();
    assert_eq!(heard, expected);
    let mut heard = [luis.chat().await, luis.chat().await];
    heard.sort();
    assert_eq!(heard, expected);

    let luis_id = luis.id();
    luis.leave().await;
    let (gone, reason) = ana
        .until(|event| match event {
            Event::Relay(RelayMessage::MemberLeft { member, reason }) => Some((*member, *reason)),
            _ => None,
        })
        .await;
    assert_eq!((gone, reason), (luis_id, LeaveReason::Left));
    // Who comes later reads what was written.
    let eva = Participant::join(host.session(), options("Eva", Choice::None)).await;
    assert_eq!(eva.joined.chat.len(), 2);
    eva.leave().await;
    ana.leave().await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_is_switched_off_and_on_in_a_call() {
    let host = Host::start();
    let mut ana = Participant::join(host.session(), options("Ana", synthetic())).await;
    let mut luis = Participant::join(host.session(), options("Luis", Choice::None)).await;
    luis.pictures(ana.id(), 10).await;

    let tracks = |event: &Event| match event {
        Event::Relay(RelayMessage::MemberChanged { member }) => Some(member.tracks.len()),
        _ => None,
    };
    ana.call.camera(false).await.unwrap();
    while luis.until(tracks).await != 0 {}
    assert!(
        ana.call
            .pictures()
            .newest(visita_client::pictures::Whose::Own)
            .is_none()
    );
    // What was on its way may still come; then nothing does, and the sender encodes nothing.
    let encoded = |participant: &Participant| {
        let call = participant.call.clone();
        async move {
            call.report()
                .await
                .unwrap()
                .sent
                .iter()
                .map(|row| row.frames)
                .sum::<u64>()
        }
    };
    let stopped = encoded(&ana).await;

    ana.call.camera(true).await.unwrap();
    while luis.until(tracks).await == 0 {}
    luis.pictures(ana.id(), 10).await;
    assert!(encoded(&ana).await > stopped);
    assert!(matches!(
        ana.until(|event| match event {
            Event::Camera(camera @ Camera::On { .. }) => Some(camera.clone()),
            _ => None,
        })
        .await,
        Camera::On { .. }
    ));
    let (_, report) = luis.leave().await;
    assert_eq!(
        report.received.len(),
        1,
        "the track goes on where it stopped: {report:?}"
    );
    assert_eq!(report.received[0].frames_dropped, 0, "{report:?}");
    ana.leave().await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_camera_is_an_event_and_the_call_goes_on() {
    let host = Host::start();
    let missing = Choice::Camera(Some("no such camera".into()));
    let mut ana = Participant::join(host.session(), options("Ana", missing)).await;
    let luis = Participant::join(host.session(), options("Luis", synthetic())).await;
    let error = ana
        .until(|event| match event {
            Event::Camera(Camera::Failed(error)) => Some(error.clone()),
            _ => None,
        })
        .await;
    assert!(
        matches!(error, source::Error::Missing | source::Error::Failed(_)),
        "{error:?}"
    );
    ana.pictures(luis.id(), 10).await;
    // Another source takes its place.
    ana.call.source(synthetic()).await.unwrap();
    luis.pictures(ana.id(), 10).await;
    ana.leave().await;
    luis.leave().await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jpeg_is_sent_only_while_somebody_decodes_nothing_else() {
    let host = Host::start();
    let ana = Participant::join(host.session(), options("Ana", synthetic())).await;
    let luis = Participant::join(host.session(), options("Luis", Choice::None)).await;
    luis.pictures(ana.id(), 10).await;
    assert_eq!(sent(&ana, Codec::Jpeg).await, 0);
    assert_eq!(sent(&ana, Codec::Vp8).await, 0);

    let mut old = options("Old browser", Choice::None);
    old.decodes = vec![Codec::Jpeg];
    let old = Participant::join(host.session(), old).await;
    old.pictures(ana.id(), 10).await;
    luis.pictures(ana.id(), 10).await;
    let (_, report) = old.leave().await;
    let codecs: Vec<_> = report.received.iter().map(|row| row.codec).collect();
    assert_eq!(codecs, [Codec::Jpeg]);
    assert_eq!(report.received[0].frames_dropped, 0, "{report:?}");

    // The relay's word to stop may overtake a frame or two.
    luis.pictures(ana.id(), 10).await;
    let (jpeg, h264) = (sent(&ana, Codec::Jpeg).await, sent(&ana, Codec::H264).await);
    luis.pictures(ana.id(), 30).await;
    assert_eq!(sent(&ana, Codec::Jpeg).await, jpeg);
    assert!(sent(&ana, Codec::H264).await > h264);

    let (_, report) = luis.leave().await;
    let codecs: Vec<_> = report.received.iter().map(|row| row.codec).collect();
    assert_eq!(codecs, [Codec::H264]);
    ana.leave().await;
    host.stop().await;
}

/// Frames of a codec that a participant sent so far.
async fn sent(of: &Participant, codec: Codec) -> u64 {
    let report = of.call.report().await.unwrap();
    let rows = report.sent.iter().filter(|row| row.codec == codec);
    rows.map(|row| row.frames).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_without_h264_makes_everybody_get_vp8_until_it_leaves() {
    let host = Host::start();
    let ana = Participant::join(host.session(), options("Ana", synthetic())).await;
    let luis = Participant::join(host.session(), options("Luis", synthetic())).await;
    luis.pictures(ana.id(), 10).await;
    ana.pictures(luis.id(), 10).await;
    assert_eq!(
        sent(&ana, Codec::Vp8).await + sent(&luis, Codec::Vp8).await,
        0
    );

    let mut fox = options("Firefox", synthetic());
    fox.decodes = vec![Codec::Vp8, Codec::Jpeg];
    let fox = Participant::join(host.session(), fox).await;
    fox.pictures(ana.id(), 20).await;
    fox.pictures(luis.id(), 20).await;
    // Those with H.264 still have it of the one that decodes none.
    luis.pictures(fox.id(), 10).await;
    // One picture for all: nobody encodes H.264 for Luis alone.
    let h264 = sent(&ana, Codec::H264).await;
    luis.pictures(ana.id(), 30).await;
    assert_eq!(sent(&ana, Codec::H264).await, h264);
    let (fox_id, (_, report)) = (fox.id(), fox.leave().await);
    for row in &report.received {
        assert_eq!(
            (row.codec, row.frames_dropped),
            (Codec::Vp8, 0),
            "{report:?}"
        );
    }
    assert_eq!(report.received.len(), 2);

    luis.pictures(ana.id(), 10).await;
    let vp8 = sent(&ana, Codec::Vp8).await;
    luis.pictures(ana.id(), 30).await;
    assert_eq!(sent(&ana, Codec::Vp8).await, vp8, "it goes back");
    assert!(sent(&ana, Codec::H264).await > h264);
    let (_, report) = luis.leave().await;
    let codecs = |of| {
        let rows = report.received.iter().filter(move |row| row.from == of);
        rows.map(|row| row.codec).collect::<Vec<_>>()
    };
    assert_eq!(codecs(ana.id()), [Codec::H264, Codec::Vp8]);
    assert_eq!(codecs(fox_id), [Codec::H264]);
    ana.leave().await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_watches_is_not_encoded() {
    let host = Host::start();
    let ana = Participant::join(host.session(), options("Ana", synthetic())).await;
    let luis = Participant::join(host.session(), options("Luis", synthetic())).await;
    luis.pictures(ana.id(), 10).await;
    luis.call
        .watch(visita_protocol::control::Watch::default())
        .await
        .unwrap();
    // Luis's own pictures are still wanted by Ana, so they tell the time.
    ana.pictures(luis.id(), 15).await;
    let frames = |report: visita_client::report::Report| {
        report.sent.iter().map(|row| row.frames).sum::<u64>()
    };
    let before = frames(ana.call.report().await.unwrap());
    ana.pictures(luis.id(), 30).await;
    assert_eq!(frames(ana.call.report().await.unwrap()), before);
    ana.leave().await;
    luis.leave().await;
    host.stop().await;
}
