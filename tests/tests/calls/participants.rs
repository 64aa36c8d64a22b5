//! A participant whose line breaks, and one who comes too late.

use std::time::Duration;

use visita_client::{
    Error,
    address::HostUrl,
    call::{self, Event},
    session,
};
use visita_media::source::Choice;
use visita_protocol::{
    control::{Connection, RelayMessage, RoomChoice},
    error::Code,
    media::Size,
    name::RoomName,
};
use visita_tests::{host::Host, line::Line};

use super::support::{Participant, large, options, synthetic, text};

/// A host, a line to it that can be cut, and how to begin a session over the line.
fn over_a_line(host: Host) -> (Host, Line, session::Options) {
    let line = Line::to(host.address());
    let through = host.session_at(HostUrl::from_socket(line.address()));
    (host, line, through)
}

impl Participant {
    async fn reconnecting(&mut self) {
        self.until(|event| matches!(event, Event::Reconnecting).then_some(()))
            .await;
    }

    async fn sees_somebody_leave(&mut self) {
        let left = |event: &Event| {
            matches!(event, Event::Relay(RelayMessage::MemberLeft { .. })).then_some(())
        };
        self.until(left).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_line_loses_no_word_doubles_none_and_nobody_leaves() {
    let (host, line, through) = over_a_line(Host::start());
    let mut ana = Participant::join(through, options("Ana", synthetic())).await;
    let mut luis = Participant::join(host.session(), options("Luis", synthetic())).await;
    ana.pictures(luis.id(), 10).await;
    luis.pictures(ana.id(), 10).await;

    let mut said = 0;
    for _ in 0..3 {
        // Some before the cut, which may be on their way, some during it.
        for _ in 0..5 {
            said += 1;
            ana.call.chat(text(&format!("a{said}"))).unwrap();
            luis.call.chat(text(&format!("l{said}"))).unwrap();
        }
        line.cut();
        ana.reconnecting().await;
        for _ in 0..5 {
            said += 1;
            ana.call.chat(text(&format!("a{said}"))).unwrap();
            luis.call.chat(text(&format!("l{said}"))).unwrap();
        }
        line.join();
        ana.until(|event| matches!(event, Event::Reconnected).then_some(()))
            .await;
    }
    ana.pictures(luis.id(), 20).await;
    luis.pictures(ana.id(), 20).await;
    for participant in [&ana, &luis] {
        participant.call.chat(text("end")).unwrap();
    }

    // Luis heard all, in order, and saw Ana go and come back without leaving.
    let (ana_id, luis_id) = (ana.id(), luis.id());
    let mut heard = (Vec::new(), Vec::new());
    let mut connections = Vec::new();
    let mut sequence = Vec::new();
    let mut ends = 0;
    while ends < 2 {
        match luis.event().await {
            Event::Relay(RelayMessage::Chat(line)) => {
                sequence.push(line.seq);
                match line.text.reveal() {
                    "end" => ends += 1,
                    word if line.from == ana_id => heard.0.push(word.to_owned()),
                    word => heard.1.push(word.to_owned()),
                }
            }
            Event::Relay(RelayMessage::MemberChanged { member }) if member.id == ana_id => {
                connections.push(member.connection);
            }
            Event::Relay(
                message @ (RelayMessage::MemberLeft { .. } | RelayMessage::MemberJoined { .. }),
            ) => {
                panic!("{message:?}");
            }
            Event::Reconnecting => panic!("only Ana's line was cut"),
            _ => {}
        }
    }
    let expected = |who: &str| (1..=said).map(|n| format!("{who}{n}")).collect::<Vec<_>>();
    assert_eq!(heard, (expected("a"), expected("l")));
    assert_eq!(sequence, (1..=2 * said + 2).collect::<Vec<_>>());
    connections.dedup();
    let changes = connections
        .iter()
        .filter(|&&c| c == Connection::Reconnecting)
        .count();
    assert!(
        changes >= 1 && connections.last() == Some(&Connection::Connected),
        "{connections:?}"
    );

    let (_, report) = luis.leave().await;
    assert_eq!(report.received.len(), 1, "{report:?}");
    assert_eq!(report.received[0].from, ana_id);
    let (events, report) = ana.leave().await;
    assert_eq!(report.received.len(), 1, "{report:?}");
    assert_eq!(report.received[0].from, luis_id);
    // Ana's events since the last reconnection: nothing of the others' was doubled.
    assert!(
        !events
            .iter()
            .any(|event| matches!(event, Event::Relay(RelayMessage::MemberJoined { .. })))
    );
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_falls_silent_is_noticed_and_left() {
    let (host, line, through) =
        over_a_line(Host::start_with(|config| config.limits.heartbeat_ms = 200));
    let mut ana = Participant::join(through, options("Ana", Choice::None)).await;
    let mut luis = Participant::join(host.session(), options("Luis", synthetic())).await;
    ana.pictures(luis.id(), 5).await;
    line.stall();
    ana.reconnecting().await;
    luis.call.chat(text("still there?")).unwrap();
    line.join();
    assert_eq!(ana.chat().await, (luis.id(), "still there?".to_owned()));
    ana.pictures(luis.id(), 5).await;
    assert_eq!(luis.chat().await.1, "still there?");
    ana.leave().await;
    luis.leave().await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_cut_off_hears_all_that_was_said_meanwhile_once() {
    let (host, line, through) = over_a_line(Host::start());
    let mut ana = Participant::join(through, options("Ana", Choice::None)).await;
    let mut luis = Participant::join(host.session(), options("Luis", Choice::None)).await;
    line.cut();
    ana.reconnecting().await;
    for n in 1..=20 {
        luis.call.chat(text(&format!("{n}"))).unwrap();
    }
    // All of it is at the host before the line is back.
    for _ in 1..=20 {
        luis.chat().await;
    }
    line.join();
    for n in 1..=20 {
        assert_eq!(ana.chat().await, (luis.id(), format!("{n}")));
    }
    ana.call.chat(text("yes")).unwrap();
    assert_eq!(ana.chat().await, (ana.id(), "yes".to_owned()));
    ana.leave().await;
    luis.leave().await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_stays_cut_ends_the_call_with_what_was_measured() {
    let (host, line, mut through) =
        over_a_line(Host::start_with(|config| config.limits.grace_s = 1));
    through.resume_within = Duration::from_millis(500);
    let ana = Participant::join(through, options("Ana", synthetic())).await;
    let mut luis = Participant::join(host.session(), options("Luis", synthetic())).await;
    ana.pictures(luis.id(), 5).await;
    line.cut();
    let (_, report, error) = ana.end().await;
    assert!(matches!(error, Some(Error::NotResumed { .. })), "{error:?}");
    assert!(report.received[0].frames_decoded >= 5 && report.first_picture_ms.is_some());
    luis.sees_somebody_leave().await;
    luis.leave().await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_the_host_forgot_is_over() {
    let (host, line, through) = over_a_line(Host::start_with(|config| config.limits.grace_s = 1));
    let mut ana = Participant::join(through, options("Ana", Choice::None)).await;
    let mut luis = Participant::join(host.session(), options("Luis", Choice::None)).await;
    line.cut();
    ana.reconnecting().await;
    luis.sees_somebody_leave().await;
    line.join();
    let (_, _, error) = ana.end().await;
    assert!(
        matches!(error, Some(Error::Refused(Code::SessionGone))),
        "{error:?}"
    );
    luis.leave().await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_that_does_not_exist_is_refused_and_said() {
    let host = Host::start();
    let mut missing = options("Ana", Choice::None);
    missing.room = RoomChoice::Name {
        name: RoomName::new("Nowhere").unwrap(),
        create: None,
    };
    let refused = call::join(host.session(), missing).await.map(drop);
    assert!(
        matches!(refused, Err(Error::Refused(Code::RoomMissing))),
        "{refused:?}"
    );
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_ends_says_so_and_is_not_waited_for() {
    let host = Host::start();
    let mut session = host.session();
    session.resume_within = Duration::from_hours(1);
    let ana = Participant::join(session, options("Ana", Choice::None)).await;
    host.stop().await;
    let (events, _, error) = ana.end().await;
    let closing = |event: &Event| matches!(event, Event::Relay(RelayMessage::Closing));
    assert!(events.iter().any(closing), "{events:?}");
    assert!(
        matches!(error, Some(Error::Refused(Code::ShuttingDown))),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_slow_line_the_picture_shrinks_and_words_get_through() {
    let host = Host::start();
    // A third of what the picture takes on a good line.
    let line = Line::slow(host.address(), 25_000);
    let through = host.session_at(HostUrl::from_socket(line.address()));
    let mut video = options("Ana", Choice::Synthetic(large()));
    video.limits.h264 = Size::new(640, 360);
    let ana = Participant::join(through, video).await;
    let mut luis = Participant::join(host.session(), options("Luis", Choice::None)).await;
    let full = Size::new(640, 360);
    luis.picture_of(ana.id(), |size| size == full).await;
    luis.picture_of(ana.id(), |size| size.width < full.width)
        .await;
    for n in 1..=10 {
        ana.call.chat(text(&format!("{n}"))).unwrap();
        assert_eq!(luis.chat().await, (ana.id(), format!("{n}")));
    }
    let ana_id = ana.id();
    luis.pictures(ana_id, 30).await;
    let (_, report) = luis.leave().await;
    // What was left out was left out by its sender: all that came could be decoded.
    assert_eq!(report.received[0].frames_dropped, 0, "{report:?}");
    ana.leave().await;
    host.stop().await;
}
