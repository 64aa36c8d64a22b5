//! Sessions over each carrier: what is said arrives once and in order, whatever happens to the
//! connection.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{
    Came, Guest, Over, Server, camera, hello, join, microphone, over_every_carrier, sound,
};
use visita_protocol::{
    control::{
        ClientMessage, ClientPacket, Compression, Connection, Hello, LeaveReason, RelayMessage,
        RelayPacket, Resume, Role, RoomChoice, Watch,
    },
    error::Code,
    id::{Secret, SessionId},
    name::{PersonName, RoomName},
    sound::Level,
    travel::{Step, Travel, Why},
};

over_every_carrier! {
    people_come_write_and_go,
    a_session_is_resumed_and_nothing_is_lost_or_doubled,
    many_breaks_in_a_row_lose_nothing,
    another_connection_takes_the_session_over,
    one_who_does_not_come_back_is_lost,
    one_who_was_away_for_more_than_is_kept_is_told_how_things_are,
    one_who_acknowledges_nothing_is_ended_and_may_come_back,
    silence_is_taken_for_a_break,
    a_session_in_no_room_ends_after_a_while,
    a_hello_must_be_right,
    what_is_wrong_is_answered_and_the_session_goes_on,
    the_end_of_the_relay_is_told,
    how_media_travels_is_counted_by_carrier_and_reason,
}

fn chat(message: &RelayMessage) -> Option<(u64, String)> {
    match message {
        RelayMessage::Chat(line) => Some((line.seq, line.text.reveal().to_owned())),
        _ => None,
    }
}

fn left(message: &RelayMessage) -> Option<LeaveReason> {
    match message {
        RelayMessage::MemberLeft { reason, .. } => Some(*reason),
        _ => None,
    }
}

fn changed(message: &RelayMessage) -> Option<Connection> {
    match message {
        RelayMessage::MemberChanged { member } => Some(member.connection),
        _ => None,
    }
}

async fn people_come_write_and_go(over: Over) {
    let server = Server::over(over, |_| {}).await;
    let mut ana = server.member("Bed 7", "Ana").await;
    let mut ben = server.member("bed 7", "Ben").await;
    ana.until(|message| match message {
        RelayMessage::MemberJoined { member } if member.name.reveal() == "Ben" => Some(()),
        _ => None,
    })
    .await;
    assert_eq!(server.handle.people().len(), 2);
    ben.chat("Hola 👋").await;
    for guest in [&mut ana, &mut ben] {
        assert_eq!(guest.until(chat).await, (1, "Hola 👋".to_owned()));
    }
    ben.send(ClientMessage::Leave).await;
    ben.until(|message| matches!(message, RelayMessage::Left).then_some(()))
        .await;
    assert_eq!(ana.until(left).await, LeaveReason::Left);
    // The same session may come into another room.
    ben.join("elsewhere", "Ben").await;
    ana.chat("still here").await;
    ana.until(chat).await;
    ben.close().await;
    ana.close().await;
    assert!(server.handle.people().is_empty());
    server.end().await;
}

async fn a_session_is_resumed_and_nothing_is_lost_or_doubled(over: Over) {
    let server = Server::over(over, |_| {}).await;
    let mut ana = server.member("r", "Ana").await;
    let mut ben = server.member("r", "Ben").await;
    ana.ping().await;
    // Ana writes and is gone before she hears of it: one line arrived, the relay's answers didn't.
    ana.chat("one").await;
    ana.ping().await;
    let mut received = ana.received;
    assert!(ana.seen.iter().any(|message| chat(message).is_some()));
    received -= 1;
    let hello = Hello {
        resume: Some(Resume {
            received,
            ..ana.resuming().resume.unwrap()
        }),
        ..hello()
    };
    drop(ana.wire);
    assert_eq!(ben.until(changed).await, Connection::Reconnecting);
    ben.chat("two").await;
    assert_eq!(ben.until(chat).await.1, "two");

    let wire = server.wire().await;
    let mut back = Guest::hello(wire, hello).await.unwrap();
    assert!(back.welcome.resumed);
    assert_eq!(back.welcome.received, ana.sent, "what she said was heard");
    back.received = received;
    back.sent = ana.sent;
    // `Guest::next` asserts that numbers go on without a gap.
    assert_eq!(back.until(chat).await, (1, "one".to_owned()));
    assert_eq!(back.until(chat).await, (2, "two".to_owned()));
    assert_eq!(ben.until(changed).await, Connection::Connected);
    // Said again under its old number, it isn't said twice.
    let text = visita_protocol::name::ChatText::new("one").unwrap();
    let (n, ack) = (back.sent, back.received);
    back.packet(&ClientPacket::Message {
        n,
        ack,
        body: ClientMessage::Chat { text },
    })
    .await;
    back.chat("three").await;
    assert_eq!(back.until(chat).await, (3, "three".to_owned()));
    assert_eq!(ben.until(chat).await.1, "three");
    server.end().await;
}

async fn many_breaks_in_a_row_lose_nothing(over: Over) {
    let server = Server::over(over, |_| {}).await;
    let mut ana = server.member("r", "Ana").await;
    let mut ben = server.member("r", "Ben").await;
    for number in 1..=30 {
        ana.chat(&format!("line {number}")).await;
        if number % 3 == 0 {
            let sent = ana.sent;
            ana = ana.reconnect(&server).await;
            // What didn't arrive is said again.
            for n in ana.welcome.received + 1..=sent {
                let text =
                    visita_protocol::name::ChatText::new(&format!("line {}", n - 1)).unwrap();
                ana.packet(&ClientPacket::Message {
                    n,
                    ack: ana.received,
                    body: ClientMessage::Chat { text },
                })
                .await;
            }
        }
    }
    for number in 1..=30 {
        assert_eq!(ben.until(chat).await, (number, format!("line {number}")));
    }
    server.end().await;
}

async fn another_connection_takes_the_session_over(over: Over) {
    let server = Server::over(over, |_| {}).await;
    let mut ana = server.member("r", "Ana").await;
    let wire = server.wire().await;
    let mut other = Guest::hello(wire, ana.resuming()).await.unwrap();
    assert_eq!(ana.refused().await, (Code::Replaced, Some(4000)));
    other.sent = ana.sent;
    other.received = ana.received;
    other.chat("here now").await;
    assert_eq!(other.until(chat).await.1, "here now");
    assert_eq!(server.handle.people().len(), 1);
    server.end().await;
}

async fn one_who_does_not_come_back_is_lost(over: Over) {
    let server = Server::over(over, |config| {
        config.limits.grace_s = 1;
        config.limits.heartbeat_ms = 1_000;
    })
    .await;
    let mut ana = server.member("r", "Ana").await;
    let ben = server.member("r", "Ben").await;
    let resume = ben.resuming();
    drop(ben.wire);
    assert_eq!(ana.alive_until(changed).await, Connection::Reconnecting);
    assert_eq!(
        server.handle.people()[1].connection,
        Connection::Reconnecting
    );
    assert_eq!(ana.alive_until(left).await, LeaveReason::Lost);
    let wire = server.wire().await;
    assert_eq!(
        Guest::hello(wire, resume).await.err(),
        Some(Code::SessionGone)
    );
    server.end().await;
}

/// A relay in which one may write as much as one likes.
async fn chatty(over: Over) -> Server {
    Server::over(over, |config| {
        config.limits.messages_per_s = 100_000;
        config.limits.chats_per_s = 100_000;
        config.limits.bytes_per_s = 1 << 30;
    })
    .await
}

/// How a member is told how things are: who is there, and the last line.
fn told(message: &RelayMessage) -> Option<(Vec<String>, String)> {
    let RelayMessage::Joined { members, chat, .. } = message else {
        return None;
    };
    let names = members.iter().map(|member| member.name.reveal().to_owned());
    Some((names.collect(), chat.last()?.text.reveal().to_owned()))
}

fn loss(message: &RelayMessage) -> Option<u8> {
    match message {
        RelayMessage::Loss { percent, .. } => Some(*percent),
        _ => None,
    }
}

async fn one_who_was_away_for_more_than_is_kept_is_told_how_things_are(over: Over) {
    let server = chatty(over).await;
    let mut ana = server.member("r", "Ana").await;
    let mut ben = server.member("r", "Ben").await;
    let mut eva = server.member("r", "Eva").await;
    let tracks = vec![camera(), microphone()];
    eva.send(ClientMessage::Tracks { tracks }).await;
    eva.ping().await;
    let mut percent = None;
    if over == Over::Ws {
        // Every second packet of hers gets lost.
        for sequence in (0..200).step_by(2) {
            eva.binary(sound(sequence, Level::SILENT, b"opus")).await;
        }
        percent = Some(eva.until(loss).await);
    }
    eva.ping().await;
    let received = eva.received;
    let away = eva.resuming();
    drop(eva.wire);
    while ana.until(changed).await != Connection::Reconnecting {}
    // Twice what is kept for her, in the largest lines that there are.
    let line = "👋".repeat(1_990);
    for number in 0..130 {
        for guest in [&mut ana, &mut ben] {
            guest.chat(&format!("{line} {number}")).await;
            guest.ping().await;
        }
    }
    let _zoe = server.member("r", "Zoe").await;
    ben.close().await;
    ana.chat("last").await;
    ana.ping().await;

    let wire = server.wire().await;
    let mut back = Guest::hello(wire, away).await.unwrap();
    assert!(back.welcome.resumed);
    (back.sent, back.received) = (eva.sent, received);
    let (names, last) = back.until(told).await;
    assert_eq!(names, ["Ana", "Eva", "Zoe"]);
    assert_eq!(last, "last");
    // Who can't be known to be gone before it is silent for long may have got some of it.
    if over == Over::Ws {
        assert!(!back.seen.iter().any(|message| chat(message).is_some()));
    }
    // What she is to send is said again, as it is in force, and what of it gets lost.
    let sent = |message: &RelayMessage| match message {
        RelayMessage::Send { tracks } => Some(tracks.len()),
        _ => None,
    };
    assert_eq!(back.until(sent).await, 2);
    if let Some(percent) = percent {
        assert_eq!(back.until(loss).await, percent);
    }
    ana.chat("are you back?").await;
    assert_eq!(back.until(chat).await.1, "are you back?");
    back.chat("I am").await;
    while ana.until(chat).await.1 != "I am" {}
    server.end().await;
}

async fn one_who_acknowledges_nothing_is_ended_and_may_come_back(over: Over) {
    let server = chatty(over).await;
    let mut ana = server.member("r", "Ana").await;
    let mut eva = server.member("r", "Eva").await;
    for number in 0..1_100 {
        ana.chat(&number.to_string()).await;
        if number % 100 == 0 {
            ana.ping().await;
        }
    }
    ana.ping().await;
    // She hears what is said, and says nothing.
    while eva.next().await != Came::End(None) {}
    assert!(eva.received <= 1_024);
    let mut back = eva.reconnect(&server).await;
    assert_eq!(
        back.until(told).await,
        (vec!["Ana".to_owned(), "Eva".to_owned()], "1099".to_owned())
    );
    ana.chat("on").await;
    assert_eq!(back.until(chat).await.1, "on");
    server.end().await;
}

async fn silence_is_taken_for_a_break(over: Over) {
    // Longer than the relay's own ping takes: its answer is no sign of life.
    let server = Server::over(over, |config| config.limits.heartbeat_ms = 700).await;
    let mut ana = server.member("r", "Ana").await;
    assert_eq!(ana.welcome.heartbeat_ms, 700);
    assert_eq!(ana.refused().await, (Code::Timeout, Some(4000)));
    let back = ana.reconnect(&server).await;
    assert!(back.welcome.resumed);
    server.end().await;
}

#[tokio::test]
async fn the_host_sees_each_line_and_renames_the_ward_under_way() {
    let server = Server::start(|_| {}).await;
    let mut ana = server.member("r", "Ana").await;
    let line = || server.handle.people()[0].line;
    assert_eq!(line().round_trip, None, "nothing was measured yet");
    let measured = async {
        while line().round_trip.is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        () = measured => {}
        refused = ana.refused() => panic!("{refused:?}"),
    }
    assert_eq!(server.handle.rename("\u{202e}"), Err(Code::NameEmpty));
    server.handle.rename(" Norte ").unwrap();
    assert_eq!(server.handle.ward(), "Norte");
    ana.ping().await;
    assert_eq!(server.handle.traffic().from_outside, 0);
    server.end().await;
}

async fn a_session_in_no_room_ends_after_a_while(over: Over) {
    let server = Server::over(over, |config| config.limits.idle_s = 1).await;
    let mut guest = server.guest().await;
    loop {
        match guest.next().await {
            Came::Packet(RelayPacket::Refused { code }) => {
                assert_eq!(code, Code::Timeout);
                break;
            }
            Came::End(_) => panic!("no reason"),
            _ => {}
        }
    }
    server.end().await;
}

async fn a_hello_must_be_right(over: Over) {
    let server = Server::over(over, |config| config.limits.sessions = 1).await;
    let try_hello = async |hello: Hello| {
        let wire = server.wire().await;
        Guest::hello(wire, hello).await.err()
    };
    assert_eq!(
        try_hello(Hello {
            versions: vec![2, 9],
            ..hello()
        })
        .await,
        Some(Code::Version)
    );
    let guest = server.guest().await;
    assert_eq!(try_hello(hello()).await, Some(Code::Busy));
    let resume = |session, secret, received| Hello {
        resume: Some(Resume {
            session,
            secret,
            received,
        }),
        ..hello()
    };
    let (session, secret) = (guest.welcome.session, guest.welcome.secret);
    assert_eq!(
        try_hello(resume(session, Secret([0; 16]), 0)).await,
        Some(Code::SessionGone)
    );
    assert_eq!(
        try_hello(resume(SessionId([0; 16]), secret, 0)).await,
        Some(Code::SessionGone)
    );
    assert_eq!(
        try_hello(resume(session, secret, 99)).await,
        Some(Code::OutOfTurn)
    );
    let mut early = server.wire().await;
    early.text(r#"{"type":"ping","id":1}"#).await;
    let refused = RelayPacket::Refused {
        code: Code::OutOfTurn,
    };
    assert_eq!(early.came().await, Came::Packet(refused));
    assert_eq!(early.came().await, Came::End(Some(4000)));
    server.end().await;
}

#[tokio::test]
async fn control_is_compressed_when_it_is_offered() {
    let server = Server::start(|_| {}).await;
    let wire = server.wire().await;
    let offer = Hello {
        compression: vec![Compression::Unknown, Compression::Zstd1],
        ..hello()
    };
    let mut ana = Guest::hello(wire, offer).await.unwrap();
    assert_eq!(ana.welcome.compression, Some(Compression::Zstd1));
    ana.sent += 1;
    let packet = ClientPacket::Message {
        n: 1,
        ack: 0,
        body: join("a room of some length", "Ana", Role::Guest),
    };
    let text = serde_json::to_string(&packet).unwrap();
    ana.binary(visita_protocol::compress::compress(&text).unwrap().into())
        .await;
    ana.until(|message| matches!(message, RelayMessage::Joined { .. }).then_some(()))
        .await;
    server.end().await;
}

async fn what_is_wrong_is_answered_and_the_session_goes_on(over: Over) {
    let server = Server::over(over, |config| {
        config.limits.rooms = 1;
        config.limits.members = 1;
    })
    .await;
    let mut ana = server.guest().await;
    let n = ana.chat("too early").await;
    assert_eq!(ana.error().await, (Code::NotJoined, Some(n)));
    let missing = RoomChoice::Name {
        name: RoomName::new("nowhere").unwrap(),
        create: None,
    };
    let name = PersonName::new("Ana").unwrap();
    let n = ana
        .send(ClientMessage::Join {
            room: missing,
            name,
            role: Role::Guest,
            decodes: vec![],
            watch: Watch::default(),
            clock: None,
        })
        .await;
    assert_eq!(ana.error().await, (Code::RoomMissing, Some(n)));
    for (name, code) in [
        ("x".repeat(10_000), Code::NameTooLong),
        (String::new(), Code::NameEmpty),
        ("\u{202e}".to_owned(), Code::NameEmpty),
    ] {
        ana.sent += 1;
        let name = serde_json::Value::from(name);
        let body = format!(
            r#"{{"type":"join","room":{{"by":"name","name":"r","create":"meeting"}},"name":{name},"role":"guest","decodes":[]}}"#
        );
        ana.text(&format!(
            r#"{{"type":"message","n":{},"ack":0,"body":{body}}}"#,
            ana.sent
        ))
        .await;
        assert_eq!(ana.error().await, (code, Some(ana.sent)));
    }
    ana.sent += 1;
    ana.text(&format!(
        r#"{{"type":"message","n":{},"ack":0,"body":{{"type":"dance","x":1}},"new":2}}"#,
        ana.sent
    ))
    .await;
    assert_eq!(ana.error().await, (Code::UnknownMessage, Some(ana.sent)));
    ana.join("r", "<b>Ana</b> 👩‍👩‍👧 مريم").await;
    let n = ana.send(join("r", "Ana", Role::Guest)).await;
    assert_eq!(ana.error().await, (Code::OutOfTurn, Some(n)));
    let mut ben = server.guest().await;
    let n = ben.send(join("r", "Ben", Role::Guest)).await;
    assert_eq!(ben.error().await, (Code::RoomFull, Some(n)));
    let n = ben.send(join("another", "Ben", Role::Guest)).await;
    assert_eq!(ben.error().await, (Code::TooManyRooms, Some(n)));
    server.end().await;
}

async fn the_end_of_the_relay_is_told(over: Over) {
    let server = Server::over(over, |config| config.carriers.ws = true).await;
    let mut ana = server.member("r", "Ana").await;
    let mut lobby = server.socket("/api/v1/lobby", &[]).await.ok().unwrap();
    let _half = server.connect().await;
    let address = server.address;
    let told = tokio::spawn(async move {
        ana.until(|message| matches!(message, RelayMessage::Closing).then_some(()))
            .await;
        assert_eq!(ana.next().await, Came::End(Some(1001)));
        while let Some(Ok(_)) = futures_util::StreamExt::next(&mut lobby).await {}
    });
    server.end().await;
    told.await.unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

async fn how_media_travels_is_counted_by_carrier_and_reason(over: Over) {
    let server = Server::over(over, |_| {}).await;
    let control = match over {
        Over::Ws => "ws",
        Over::Https => "https",
    };
    let ways = async || {
        let answer = server.get("/metrics", &[]).await;
        let ways = answer
            .text()
            .lines()
            .filter(|line| line.starts_with("visita_ways{"));
        ways.map(str::to_owned).collect::<Vec<_>>()
    };
    let said = |step, why| ClientMessage::Way(Travel { step, why });
    let mut ana = server.guest().await;
    assert!(ways().await.is_empty(), "it says nothing of it");
    ana.send(said(Step::Frames, Why::Trying)).await;
    ana.join("Bed 7", "Ana").await;
    let mut luis = server.guest().await;
    luis.send(said(Step::Frames, Why::Trying)).await;
    luis.join("Bed 7", "Luis").await;
    let line = |media: &str, why: &str, count: u8| {
        format!(r#"visita_ways{{control="{control}",media="{media}",why="{why}"}} {count}"#)
    };
    assert_eq!(ways().await, [line("frames", "trying", 2)]);

    luis.send(said(Step::Webrtc, Why::None)).await;
    luis.chat("x").await;
    luis.until(chat).await;
    assert_eq!(
        ways().await,
        [line("webrtc", "none", 1), line("frames", "trying", 1)]
    );
    ana.close().await;
    luis.until(left).await;
    assert_eq!(ways().await, [line("webrtc", "none", 1)]);
    server.end().await;
}
