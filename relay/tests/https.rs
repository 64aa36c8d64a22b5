//! The `https` carrier's own: its streams and posts, and what nobody can do to others over them.
//! What holds for every carrier is in `sessions.rs` and `hardening.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Answers, Asking, Guest, Https, Over, PATIENCE, Server, Wire, join};
use proptest::{prelude::*, test_runner::TestRunner};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};
use visita_protocol::{
    control::{ClientMessage, ClientPacket, Connection, RelayMessage, Role},
    error::Code,
    name::ChatText,
};

const PACKETS: &str = "/api/v1/https/packets";
const EVENTS: &str = "/api/v1/https/events";

fn https(guest: &mut Guest) -> &mut Https {
    match &mut guest.wire {
        Wire::Https(https) => https,
        Wire::Ws(_) => panic!("not over https"),
    }
}

fn token(guest: &mut Guest) -> String {
    https(guest).token.clone().unwrap()
}

fn chat(message: &RelayMessage) -> Option<String> {
    match message {
        RelayMessage::Chat(line) => Some(line.text.reveal().to_owned()),
        _ => None,
    }
}

fn changed(message: &RelayMessage) -> Option<Connection> {
    match message {
        RelayMessage::MemberChanged { member } => Some(member.connection),
        _ => None,
    }
}

fn line(n: u64, ack: u64, text: &str) -> String {
    let text = ChatText::new(text).unwrap();
    let body = ClientMessage::Chat { text };
    serde_json::to_string(&ClientPacket::Message { n, ack, body }).unwrap()
}

#[tokio::test]
async fn a_stream_that_is_cut_goes_on_where_it_was() {
    let server = Server::over(Over::Https, |_| {}).await;
    let mut ana = server.member("r", "Ana").await;
    let mut ben = server.member("r", "Ben").await;
    for round in 0..5 {
        // Said before the cut and after it, and while there is no stream.
        ben.chat(&format!("{round} a")).await;
        https(&mut ana).cut();
        ben.chat(&format!("{round} b")).await;
        https(&mut ana).listen().await.unwrap();
        ben.chat(&format!("{round} c")).await;
        for part in ["a", "b", "c"] {
            // `Guest::next` asserts that numbers go on without a gap.
            assert_eq!(ana.until(chat).await, format!("{round} {part}"));
        }
        ana.ping().await;
    }
    server.end().await;
}

#[tokio::test]
async fn the_newest_stream_counts_and_what_is_not_acknowledged_comes_again() {
    let server = Server::over(Over::Https, |_| {}).await;
    let mut ana = server.member("r", "Ana").await;
    let asking = Asking::new(server.address, server.tls());
    let token = token(&mut ana);
    // She acknowledged nothing: without an id all comes again, with one what is after it.
    let mut first = asking.stream(EVENTS, &token, None).await.ok().unwrap();
    assert_eq!(id(&mut first).await, 1);
    let mut second = asking.stream(EVENTS, &token, Some("1")).await.ok().unwrap();
    while let Some(line) = first.line().await {
        assert!(!line.starts_with("id: 3"), "the first goes on");
    }
    ana.chat("on").await;
    let next = id(&mut second).await;
    assert_eq!(next, 2);
    for wrong in ["-1", "x", "", "99999999999999999999999"] {
        let refused = asking.stream(EVENTS, &token, Some(wrong)).await;
        assert_eq!(
            refused.err().map(|answer| answer.status),
            Some(400),
            "{wrong}"
        );
    }
    ana.chat("as before").await;
    assert_eq!(id(&mut second).await, 3, "nobody else's");
    // What was never sent can't have been received.
    let refused = asking
        .stream(EVENTS, &token, Some("99"))
        .await
        .err()
        .unwrap();
    assert_eq!(refused.code(), "out_of_turn");
    server.end().await;
}

/// The next id that a stream says.
async fn id(answers: &mut Answers) -> u64 {
    let found = async {
        loop {
            let line = answers.line().await.expect("the stream ended");
            if let Some(id) = line.strip_prefix("id: ") {
                return id.parse().unwrap();
            }
        }
    };
    timeout(PATIENCE, found).await.expect("no id came")
}

#[tokio::test]
async fn a_post_that_comes_again_does_nothing_and_several_packets_keep_their_order() {
    let server = Server::over(Over::Https, |_| {}).await;
    let mut ana = server.member("r", "Ana").await;
    let mut ben = server.member("r", "Ben").await;
    let token = token(&mut ana);
    let mut asking = Asking::new(server.address, server.tls());
    let body = (0..3)
        .map(|number| line(ana.sent + 1 + number, 0, &number.to_string()) + "\n")
        .collect::<String>();
    for _ in 0..3 {
        let answer = asking.ask("POST", PACKETS, Some(&token), &body).await;
        assert_eq!(answer.status, 204);
    }
    ana.sent += 3;
    ana.chat("last").await;
    for expected in ["0", "1", "2", "last"] {
        assert_eq!(ben.until(chat).await, expected);
    }
    // A gap ends it, as on every carrier.
    let gap = line(ana.sent + 2, 0, "gap");
    let answer = asking.ask("POST", PACKETS, Some(&token), &gap).await;
    assert_eq!(
        (answer.status, answer.code()),
        (400, "out_of_turn".to_owned())
    );
    assert_eq!(ana.refused().await, (Code::OutOfTurn, Some(4000)));
    server.end().await;
}

#[tokio::test]
async fn a_post_for_anothers_session_is_refused_in_one_way_and_harms_nobody() {
    let server = Server::over(Over::Https, |_| {}).await;
    let mut ana = server.member("r", "Ana").await;
    let mut ben = server.member("r", "Ben").await;
    let gone = server.member("r", "Eva").await;
    let over = match &gone.wire {
        Wire::Https(https) => https.token.clone().unwrap(),
        Wire::Ws(_) => unreachable!(),
    };
    gone.close().await;
    let own = token(&mut ana);
    let mut near = own.clone().into_bytes();
    near[31] = if near[31] == b'0' { b'1' } else { b'0' };
    let wrong = [
        None,
        Some(String::new()),
        Some("0".repeat(32)),
        Some(String::from_utf8(near).unwrap()),
        Some(own.to_uppercase() + "x"),
        // What is public, and what only the other one knows, is no token.
        Some(ana.welcome.session.hex()),
        Some(ana.welcome.secret.hex()),
        Some(over),
    ];
    let mut asking = Asking::new(server.address, server.tls());
    let leave = r#"{"type":"message","n":2,"ack":0,"body":{"type":"leave"}}"#;
    let mut answers = Vec::new();
    for wrong in &wrong {
        for (method, path) in [
            ("POST", PACKETS),
            ("GET", EVENTS),
            ("DELETE", "/api/v1/https"),
        ] {
            let answer = asking.ask(method, path, wrong.as_deref(), leave).await;
            assert_eq!(answer.status, 401);
            answers.push(answer.body);
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "they can be told apart");
    ana.chat("here").await;
    assert_eq!(ben.until(chat).await, "here");
    assert_eq!(server.handle.people().len(), 2);
    server.end().await;
}

#[tokio::test]
async fn bodies_are_bounded_and_a_slow_one_holds_up_nobody() {
    let server = Server::over(Over::Https, |config| config.limits.answer_s = 1).await;
    let mut ana = server.member("r", "Ana").await;
    let mut eva = server.member("r", "Eva").await;
    let token = token(&mut ana);
    let head = |length: usize| {
        format!(
            "POST {PACKETS} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\ncontent-length: {length}\r\n\r\n",
            server.address
        )
    };
    // One that never says all that it announced is let go, and the session goes on.
    let mut slow = server.connect().await;
    slow.write_all((head(99) + "{").as_bytes()).await.unwrap();
    let mut rest = Vec::new();
    let _ = timeout(PATIENCE, slow.read_to_end(&mut rest))
        .await
        .expect("it is waited for");
    // So does one whose sender vanishes in its middle.
    let mut half = server.connect().await;
    half.write_all((head(99) + &line(ana.sent + 1, 0, "half")).as_bytes())
        .await
        .unwrap();
    drop(half);
    ana.chat("whole").await;
    assert_eq!(eva.until(chat).await, "whole");

    let mut asking = Asking::new(server.address, server.tls());
    let most = ana.welcome.max_packet as usize;
    let answer = asking
        .ask("POST", PACKETS, Some(&token), &" ".repeat(most + 1))
        .await;
    assert_eq!(
        (answer.status, answer.code()),
        (413, "too_large".to_owned())
    );
    assert_eq!(ana.refused().await, (Code::TooLarge, Some(4000)));
    let mut asking = Asking::new(server.address, server.tls());
    let answer = asking
        .ask("POST", "/api/v1/https", None, &" ".repeat(most + 1))
        .await;
    assert_eq!(answer.status, 413);
    eva.ping().await;
    server.end().await;
}

#[tokio::test]
async fn posts_wait_for_their_turn_and_only_so_many_do() {
    let server = Server::over(Over::Https, |_| {}).await;
    let mut ana = server.member("r", "Ana").await;
    let mut ben = server.member("r", "Ben").await;
    let token = token(&mut ana);
    // More than may be said at once: the first of these waits for a second, the others for it.
    let body: String = (0..12)
        .map(|number| line(ana.sent + 1 + number, 0, "x") + "\n")
        .collect();
    let posts = (0..12).map(|_| {
        let mut asking = Asking::new(server.address, server.tls());
        let (token, body) = (token.clone(), body.clone());
        tokio::spawn(async move {
            asking
                .ask("POST", PACKETS, Some(&token), &body)
                .await
                .status
        })
    });
    let mut statuses = Vec::new();
    for post in posts.collect::<Vec<_>>() {
        statuses.push(post.await.unwrap());
    }
    assert!(
        statuses.contains(&204) && statuses.contains(&429),
        "{statuses:?}"
    );
    assert_eq!(
        statuses.len(),
        statuses.iter().filter(|s| [204, 429].contains(s)).count()
    );
    ana.sent += 12;
    ana.chat("last").await;
    let mut lines = 0;
    while ben.until(chat).await != "last" {
        lines += 1;
    }
    assert_eq!(lines, 12, "each once");
    server.end().await;
}

#[tokio::test]
async fn one_who_does_not_read_its_stream_is_given_up_and_others_go_on() {
    let server = Server::over(Over::Https, |config| {
        config.limits.answer_s = 1;
        config.limits.chats_per_s = 100_000;
        config.limits.messages_per_s = 100_000;
        config.limits.bytes_per_s = 1 << 30;
    })
    .await;
    let ana = server.member("r", "Ana").await;
    let mut ben = server.member("r", "Ben").await;
    // More than the kernel's buffers and what is kept for her; she reads nothing of it.
    let text = "👋".repeat(1_990);
    let mut reconnecting = false;
    for number in 0..4_000 {
        ben.chat(&text).await;
        if number % 16 == 0 {
            ben.ping().await;
            reconnecting |= ben
                .seen
                .iter()
                .any(|message| changed(message) == Some(Connection::Reconnecting));
            ben.seen.clear();
        }
        if reconnecting {
            break;
        }
    }
    assert!(reconnecting, "nothing ends it");
    let mut back = ana.reconnect(&server).await;
    ben.chat("are you back?").await;
    while back.until(chat).await != "are you back?" {}
    server.end().await;
}

#[tokio::test]
async fn a_hello_without_a_stream_is_not_kept() {
    let server = Server::over(Over::Https, |config| config.limits.heartbeat_ms = 100).await;
    let mut asking = Asking::new(server.address, server.tls());
    let hello = r#"{"type":"hello","versions":[1]}"#;
    let answer = asking.ask("POST", "/api/v1/https", None, hello).await;
    let token = answer.json()["token"].as_str().unwrap().to_owned();
    let over = async {
        let mut status = 204;
        while status == 204 {
            // Whatever it says: it can't hear.
            let ping = r#"{"type":"ping","id":1}"#;
            status = asking.ask("POST", PACKETS, Some(&token), ping).await.status;
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        status
    };
    assert_eq!(timeout(PATIENCE, over).await.expect("it is kept"), 401);
    server.end().await;
}

#[tokio::test]
async fn pages_of_others_are_refused_and_those_on_the_list_are_not() {
    let server = Server::over(Over::Https, |config| {
        config.allowed_origins = vec!["https://page.example".parse().unwrap()];
    })
    .await;
    for (origin, status) in [("https://evil.example", 403), ("https://page.example", 400)] {
        for (method, path) in [
            ("POST", "/api/v1/https"),
            ("POST", PACKETS),
            ("GET", EVENTS),
        ] {
            let headers = [("origin", origin), ("content-length", "0")];
            let answer = server.request(method, path, &headers).await;
            let status = if status == 400 && path != "/api/v1/https" {
                401
            } else {
                status
            };
            assert_eq!(answer.status, status, "{method} {path} {origin}");
        }
    }
    let preflight = server
        .request(
            "OPTIONS",
            PACKETS,
            &[
                ("origin", "https://page.example"),
                ("access-control-request-method", "POST"),
                ("access-control-request-headers", "authorization"),
            ],
        )
        .await;
    assert_eq!(preflight.status, 204);
    assert!(
        preflight
            .header("access-control-allow-headers")
            .contains("authorization")
    );
    assert!(
        preflight
            .header("access-control-allow-methods")
            .contains("DELETE")
    );
    let refused = server.socket("/api/v1/ws", &[]).await.err().unwrap();
    assert_eq!(
        (refused.status, refused.code()),
        (403, "forbidden".to_owned())
    );
    server.end().await;
}

#[tokio::test]
async fn one_who_is_silent_is_shown_as_reconnecting_and_is_back_with_the_next_word() {
    for over in [Over::Ws, Over::Https] {
        let server = Server::over(over, |config| config.limits.heartbeat_ms = 3_000).await;
        let mut ana = server.member("r", "Ana").await;
        let mut ben = server.member("r", "Ben").await;
        assert_eq!(
            ana.alive_until(changed).await,
            Connection::Reconnecting,
            "{over:?}"
        );
        // The same connection, and nothing is lost, in whichever order it is told.
        ben.chat("here").await;
        let (mut back, mut said) = (false, false);
        while !(back && said) {
            let here = |message: &RelayMessage| {
                let back = changed(message).map(|connection| connection == Connection::Connected);
                let said = chat(message).map(|text| text == "here");
                (back.is_some() || said.is_some())
                    .then_some((back == Some(true), said == Some(true)))
            };
            let (one, other) = ana.alive_until(here).await;
            (back, said) = (back || one, said || other);
        }
        ben.ping().await;
        server.end().await;
    }
}

#[tokio::test]
async fn a_session_moves_from_one_carrier_to_another() {
    let server = Server::over(Over::Https, |config| config.carriers.ws = true).await;
    let mut ana = server.member("r", "Ana").await;
    let mut ben = server.member("r", "Ben").await;
    let (hello, sent, received) = (ana.resuming(), ana.sent, ana.received);
    let socket = server.socket("/api/v1/ws", &[]).await.ok().unwrap();
    let mut moved = Guest::hello(Wire::Ws(Box::new(socket)), hello)
        .await
        .unwrap();
    (moved.sent, moved.received) = (sent, received);
    assert_eq!(ana.refused().await, (Code::Replaced, Some(4000)));
    moved.chat("over").await;
    assert_eq!(ben.until(chat).await, "over");
    let (hello, sent, received) = (moved.resuming(), moved.sent, moved.received);
    let mut back = Guest::hello(server.wire().await, hello).await.unwrap();
    (back.sent, back.received) = (sent, received);
    assert_eq!(moved.refused().await, (Code::Replaced, Some(4000)));
    ben.chat("and back").await;
    while back.until(chat).await != "and back" {}
    let n = back.send(join("r", "Ana", Role::Guest)).await;
    assert_eq!(back.error().await, (Code::OutOfTurn, Some(n)));
    server.end().await;
}

/// What looks like the body of a post: lines that are packets, or nearly.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let packet = prop_oneof![
        Just(r#"{"type":"ping","id":1}"#.to_owned()),
        Just(r#"{"type":"hello","versions":[1]}"#.to_owned()),
        (any::<u64>(), any::<u64>()).prop_map(|(n, ack)| {
            format!(r#"{{"type":"message","n":{n},"ack":{ack},"body":{{"type":"leave"}}}}"#)
        }),
        (0u64..4).prop_map(|ack| format!(r#"{{"type":"ack","ack":{ack}}}"#)),
        "\\PC{0,40}",
    ];
    let line = (packet, any::<prop::sample::Index>(), any::<Option<u8>>());
    let line = line.prop_map(|(packet, at, byte)| {
        let mut bytes = packet.into_bytes();
        if let (Some(byte), false) = (byte, bytes.is_empty()) {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes
    });
    prop::collection::vec(line, 0..6).prop_map(|lines| lines.join(&b'\n'))
}

#[test]
fn any_body_is_taken_or_refused_and_harms_nobody() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (server, mut ana, mut ben) = runtime.block_on(async {
        let server = Server::over(Over::Https, |config| {
            config.limits.changes_per_s = 100_000;
            config.limits.messages_per_s = 100_000;
        })
        .await;
        let ana = server.member("r", "Ana").await;
        let ben = server.member("r", "Ben").await;
        (server, ana, ben)
    });
    let mut runner = TestRunner::new(ProptestConfig::with_cases(200));
    let asking = std::cell::RefCell::new(Asking::new(server.address, server.tls()));
    let checked = runner.run(&body(), |body| {
        let mut asking = asking.borrow_mut();
        runtime.block_on(async {
            // As a hello, and as the packets of one who just said it.
            let answer = asking.ask("POST", "/api/v1/https", None, &body).await;
            prop_assert!([200, 400].contains(&answer.status), "{}", answer.status);
            let mut mallory = server.guest().await;
            let token = token(&mut mallory);
            let answer = asking.ask("POST", PACKETS, Some(&token), &body).await;
            prop_assert!([204, 400].contains(&answer.status), "{}", answer.status);
            if answer.status == 204 {
                mallory.close().await;
            }
            Ok(())
        })
    });
    checked.unwrap();
    runtime.block_on(async {
        ana.chat("still here").await;
        assert_eq!(ben.until(chat).await, "still here");
        server.end().await;
    });
}
