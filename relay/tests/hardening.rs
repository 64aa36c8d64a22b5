//! What one participant or address can't do to the others. Each of these was possible once.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Came, Guest, Over, Server, camera, hello, over_every_carrier};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};
use tokio_tungstenite::tungstenite::Message;
use visita_protocol::{
    control::{ClientMessage, RelayMessage, Watch},
    error::Code,
    media::Size,
};
use visita_relay::{Config, Relay, bind};

over_every_carrier! {
    what_the_relay_multiplies_has_rates_of_its_own,
    one_who_changes_sizes_does_not_restart_an_encoder_each_time,
    an_address_gets_so_many_sessions_and_established_ones_stay,
    an_address_makes_so_many_rooms,
}

fn pong() -> Message {
    Message::Pong(vec![0; 125].into())
}

#[tokio::test]
async fn pongs_that_nobody_asked_for_count() {
    let server = Server::start(|_| {}).await;
    let mut guest = server.member("r", "Mallory").await;
    for _ in 0..250 {
        guest.wire.socket().send(pong()).await.unwrap();
    }
    assert_eq!(guest.error().await, (Code::RateLimited, None));

    let mut early = server.wire().await;
    for _ in 0..17 {
        early.socket().send(pong()).await.unwrap();
    }
    assert!(matches!(
        early.came().await,
        Came::Packet(visita_protocol::control::RelayPacket::Refused {
            code: Code::OutOfTurn
        })
    ));

    let mut lobby = server.socket("/api/v1/lobby", &[]).await.ok().unwrap();
    for _ in 0..300 {
        // The other side may have ended it already.
        if lobby.send(pong()).await.is_err() {
            break;
        }
    }
    let mut code = None;
    while let Some(Ok(message)) = lobby.next().await {
        if let Message::Close(Some(frame)) = message {
            code = Some(u16::from(frame.code));
        }
    }
    assert_eq!(code, Some(1008));
    server.end().await;
}

async fn what_the_relay_multiplies_has_rates_of_its_own(over: Over) {
    let server = Server::over(over, |_| {}).await;
    let mut chatter = server.member("r", "Mallory").await;
    for number in 0..12 {
        chatter.chat(&number.to_string()).await;
    }
    assert_eq!(chatter.error().await, (Code::RateLimited, None));
    let mut changer = server.member("r", "Mallory").await;
    for number in 0..25 {
        let tracks = (number % 2 == 0).then(camera).into_iter().collect();
        changer.send(ClientMessage::Tracks { tracks }).await;
    }
    assert_eq!(changer.error().await, (Code::RateLimited, None));
    server.end().await;
}

async fn one_who_changes_sizes_does_not_restart_an_encoder_each_time(over: Over) {
    let server = Server::over(over, |config| config.limits.changes_per_s = 1_000).await;
    let mut ana = server.member("r", "Ana").await;
    let mut ben = server.member("r", "Ben").await;
    ana.camera().await;
    ana.seen.clear();
    for number in 0..200 {
        let others = Some(Size::new(160 + 320 * (number % 2), 90 + 180 * (number % 2)));
        ben.send(ClientMessage::Watch(Watch {
            others,
            views: vec![],
        }))
        .await;
        if number % 20 == 0 {
            ben.ping().await;
        }
    }
    ben.ping().await;
    ana.ping().await;
    let told = ana
        .seen
        .iter()
        .filter(|message| matches!(message, RelayMessage::Send { .. }))
        .count();
    // Each two seconds at most, however slow this machine is.
    assert!(told <= 20, "{told} changes for 200 of Ben's");
    server.end().await;
}

async fn an_address_gets_so_many_sessions_and_established_ones_stay(over: Over) {
    let server = Server::over(over, |config| config.limits.sessions_per_address = 16).await;
    let mut guests = Vec::new();
    for _ in 0..16 {
        guests.push(server.guest().await);
    }
    let refused = Guest::hello(server.wire().await, hello()).await;
    assert_eq!(refused.err(), Some(Code::RateLimited));
    guests[0].join("r", "Ana").await;
    let mut back = guests.remove(0).reconnect(&server).await;
    back.ping().await;
    guests.remove(0).close().await;
    let mut next = server.guest().await;
    next.join("r", "Ben").await;
    server.end().await;
}

async fn an_address_makes_so_many_rooms(over: Over) {
    let server = Server::over(over, |config| config.limits.new_rooms_per_minute = 2).await;
    let mut first = server.member("one", "Ana").await;
    let _second = server.member("two", "Ben").await;
    let mut third = server.guest().await;
    third
        .send(common::join(
            "three",
            "Eva",
            visita_protocol::control::Role::Guest,
        ))
        .await;
    assert_eq!(third.error().await.0, Code::RateLimited);
    third.join("TWO", "Eva").await;
    first.ping().await;
    server.end().await;
}

/// The process's resident memory, in bytes.
#[cfg(target_os = "linux")]
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.unwrap().split_whitespace().nth(1).unwrap();
    kib.parse::<u64>().unwrap() * 1024
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn small_chunks_do_not_hold_what_came_with_them() {
    let server = Server::start(|config| {
        config.limits.bytes_per_s = 1 << 30;
        config.limits.messages_per_s = 1_000_000;
        config.limits.chunks_per_s = 1_000_000;
    })
    .await;
    let mut guest = server.member("r", "Mallory").await;
    guest.announce().await;
    guest.ping().await;
    let before = resident();
    for index in 0..1_000 {
        guest.binary(common::piece(0, index, 1_024, b"z")).await;
        for _ in 0..256 {
            guest.wire.socket().feed(pong()).await.unwrap();
        }
        guest.wire.socket().flush().await.unwrap();
    }
    guest.ping().await;
    let grown = resident().saturating_sub(before);
    // 1,000 read buffers would be 32 MiB.
    assert!(grown < 16 << 20, "{grown} bytes for 1,000");
    server.end().await;
}

#[tokio::test]
async fn one_who_does_not_take_its_answer_keeps_no_place() {
    let ui = tempfile::tempdir().unwrap();
    std::fs::write(ui.path().join("index.html"), "x").unwrap();
    // More than the kernel's buffers on both sides hold.
    std::fs::write(ui.path().join("large.bin"), vec![7; 24 << 20]).unwrap();
    let server = Server::start(|config| {
        config.ui = Some(ui.path().to_owned());
        config.limits.connections = 4;
        config.limits.answer_s = 1;
    })
    .await;
    let ask = format!(
        "GET /large.bin HTTP/1.1\r\nhost: {}\r\n\r\n",
        server.address
    );
    let mut idle = Vec::new();
    for _ in 0..2 {
        let mut stream = server.connect().await;
        stream.write_all(ask.as_bytes()).await.unwrap();
        idle.push(stream);
    }
    // Another reads, but too little; and one never says all that it announced.
    let mut slow = server.connect().await;
    slow.write_all(ask.as_bytes()).await.unwrap();
    let reading = tokio::spawn(async move {
        let mut piece = [0; 1024];
        let mut pause = tokio::time::interval(Duration::from_millis(20));
        while let Ok(1..) = slow.read(&mut piece).await {
            pause.tick().await;
        }
    });
    let mut posting = server.connect().await;
    let head = format!(
        "POST /api/v1/trouble HTTP/1.1\r\nhost: {}\r\ncontent-length: 9\r\n\r\n{{",
        server.address
    );
    posting.write_all(head.as_bytes()).await.unwrap();
    let let_in = async {
        let mut places = Vec::new();
        while places.len() < 4 {
            let mut stream = server.connect().await;
            let ask = format!(
                "GET /api/v1/health HTTP/1.1\r\nhost: {}\r\n\r\n",
                server.address
            );
            stream.write_all(ask.as_bytes()).await.unwrap();
            let mut answer = [0; 12];
            match stream.read_exact(&mut answer).await {
                Ok(_) if &answer == b"HTTP/1.1 200" => places.push(stream),
                _ => places.clear(),
            }
        }
    };
    timeout(common::PATIENCE, let_in)
        .await
        .expect("the four keep their places");
    drop((idle, posting));
    reading.abort();
    server.end().await;
}

#[tokio::test]
async fn earlier_addresses_stay_in_the_certificate() {
    let data = tempfile::tempdir().unwrap();
    let start = |name: &str| {
        let config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            data: data.path().to_owned(),
            host_names: vec![name.to_owned()],
            ..Config::default()
        };
        Relay::new(config.clone(), bind(config.listen).unwrap()).unwrap();
    };
    let file = data.path().join("host.json");
    let kept = || -> serde_json::Value {
        serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap()
    };
    start("one.example");
    let mut moved = kept();
    // As if the machine had been in another network.
    let ips = moved["names"]["ips"].as_array_mut().unwrap();
    ips.push("192.0.2.77".into());
    std::fs::write(&file, moved.to_string()).unwrap();
    start("two.example");
    let names = kept()["names"].clone();
    let has = |list: &str, wanted: &dyn Fn(&str) -> bool| {
        let list = names[list].as_array().unwrap();
        list.iter().any(|name| wanted(name.as_str().unwrap()))
    };
    assert!(has("ips", &|ip| ip == "192.0.2.77"), "{names}");
    assert!(has("dns", &|name| name == "two.example"), "{names}");
    assert!(has("dns", &|name| name.starts_with("visita-")), "{names}");
}
