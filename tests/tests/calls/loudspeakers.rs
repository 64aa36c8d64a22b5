//! `visita-client` from a microphone to a loudspeaker: real devices of a real PulseAudio, null sinks
//! in place of the air.

use std::{process::Command, sync::Arc};

use tokio::task::spawn_blocking;
use visita_client::call::Event;
use visita_media::source::Choice;
use visita_protocol::{
    control::{Member, RelayMessage},
    media::Source,
};
use visita_tests::{
    host::Host,
    program::{Running, client},
    pulse::{Pulse, RATE, chirp, find_in_pieces, sentence},
};

use super::{
    programs::{join, report},
    support::{Participant, options},
};

fn speaks(member: &Member) -> bool {
    let mut tracks = member.tracks.iter();
    tracks.any(|track| track.source == Source::Microphone)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chirp_and_a_sentence_arrive_as_they_were_said() {
    let host = Host::start();
    let (url, fingerprint) = (host.url().to_string(), host.handle.fingerprint().hex());
    let pulses = spawn_blocking(|| (Arc::new(Pulse::start()), Arc::new(Pulse::start())));
    let (near, far) = pulses.await.unwrap();
    let mut eva = Participant::join(host.session(), options("Eva", Choice::None)).await;
    let start = |pulse: &Pulse, more: &[&str]| {
        let mut command = Command::new(client());
        command.args(join(&url, &fingerprint, &["--video", "none"]));
        Running::start(pulse.serve(command.args(more)))
    };
    let luis = start(&far, &["--play-audio", "device"]);
    eva.until(|event| {
        matches!(event, Event::Relay(RelayMessage::MemberJoined { .. })).then_some(())
    })
    .await;
    let ana = start(&near, &["--audio", "mic", "--process=off"]);
    eva.until(|event| match event {
        Event::Relay(RelayMessage::MemberChanged { member }) if speaks(member) => Some(()),
        _ => None,
    })
    .await;

    let (heard, chirp, words) = spawn_blocking(move || {
        let words = sentence(
            "en",
            "The visitor sits by the window and reads the letter aloud.",
        );
        let chirp = chirp(150.0, 3_000.0, 2.0, 0.3);
        let pause = vec![0.0; RATE / 5];
        let recording = far.record();
        // What is said first makes the line and the jitter buffer known to each other.
        let said = [&words[..], &pause, &chirp, &pause, &words, &pause].concat();
        let begin = recording.wait(1).len();
        near.say(&said);
        (recording.wait(begin + said.len() + RATE), chirp, words)
    })
    .await
    .unwrap();
    for program in [&luis, &ana] {
        program.signal("TERM");
    }
    let (luis, ana) = (report(&luis.end().await), report(&ana.end().await));
    println!("{luis:?}\n{ana:?}");

    let (at, alike) = find_in_pieces(&chirp, &heard);
    println!("the chirp: {alike:.4} alike, {at} samples after the beginning");
    assert!(alike >= 0.95, "the chirp is {alike} like what was said");
    // The second time, behind the chirp.
    let (after, alike) = find_in_pieces(&words, &heard[at + chirp.len()..]);
    println!("the sentence: {alike:.4} alike, {after} samples after the chirp");
    assert!(alike >= 0.95, "the sentence is {alike} like what was said");

    let row = &luis.received[0];
    assert!(row.sound().is_some() && row.frames_decoded > 100, "{row:?}");
    assert_eq!(row.frames_dropped, 0, "{row:?}");
    eva.leave().await;
    host.stop().await;
}
