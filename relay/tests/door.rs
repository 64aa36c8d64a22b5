//! Six digits over real sockets: who gets them, where they lead, and what guessing costs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub
)]

mod common;

use common::*;
use visita_protocol::{
    control::{ClientMessage, RelayMessage},
    error::Code,
    id::RoomId,
};

/// Asks for a code; answers its digits and how many seconds it is valid.
async fn code_of(member: &mut Guest) -> (String, u32) {
    member.send(ClientMessage::MakeCode).await;
    member
        .until(|message| match message {
            RelayMessage::Code { code, valid_s } => Some((code.digits(), *valid_s)),
            _ => None,
        })
        .await
}

async fn typed(server: &Server, code: &str, headers: &[(&str, &str)]) -> Answer {
    let body = serde_json::json!({ "code": code }).to_string();
    server.posted("/api/v1/code", &body, headers).await
}

/// Six digits that aren't this code, another each time.
fn wrong(code: &str, number: u32) -> String {
    let code: u32 = code.parse().unwrap();
    format!("{:06}", (code + 1 + number) % 1_000_000)
}

#[tokio::test]
async fn a_code_leads_who_types_it_into_the_room() {
    let server = Server::start(|_| {}).await;
    let mut nurse = server.member("Bed 7", "Nurse").await;
    let (code, valid) = code_of(&mut nurse).await;
    assert!((598..=600).contains(&valid), "{valid}");
    let answer = typed(&server, &code, &[]).await;
    assert_eq!(
        (answer.status, answer.header("cache-control")),
        (200, "no-store")
    );
    assert_eq!(answer.json()["kind"], "meeting");
    let room: RoomId = answer.json()["room"].as_str().unwrap().parse().unwrap();
    assert_eq!(server.handle.people()[0].room, room);
    assert!(
        !answer.text().contains("Bed 7"),
        "no name of a room or person"
    );
    // The same one is told again, to any member, and nobody else is told of it.
    let mut ana = server.member("Bed 7", "Ana").await;
    assert_eq!(code_of(&mut ana).await.0, code);
    nurse.ping().await;
    let told = |message: &RelayMessage| matches!(message, RelayMessage::Code { .. });
    assert!(!nurse.seen.iter().any(told));
    // Two rooms have two codes.
    let mut other = server.member("Bed 8", "Ben").await;
    assert_ne!(code_of(&mut other).await.0, code);
    server.end().await;
}

#[tokio::test]
async fn who_is_in_no_room_gets_no_code() {
    let server = Server::start(|_| {}).await;
    let mut guest = server.guest().await;
    let n = guest.send(ClientMessage::MakeCode).await;
    assert_eq!(guest.error().await, (Code::NotJoined, Some(n)));
    server.end().await;
}

#[tokio::test]
async fn wrong_codes_and_those_of_rooms_that_are_gone_get_one_answer() {
    let server = Server::start(|config| config.limits.empty_room_s = 0).await;
    let mut nurse = server.member("Bed 7", "Nurse").await;
    let (code, _) = code_of(&mut nurse).await;
    assert_eq!(typed(&server, &code, &[]).await.status, 200);
    nurse.send(ClientMessage::Leave).await;
    nurse
        .until(|message| matches!(message, RelayMessage::Left).then_some(()))
        .await;
    let mut rooms = server.socket("/api/v1/lobby", &[]).await.ok().unwrap();
    // The room closes with the hub's next look, and the list says so.
    loop {
        let Some(Ok(message)) = futures_util::StreamExt::next(&mut rooms).await else {
            panic!("the list ended")
        };
        if message.to_text().unwrap().contains("\"rooms\":[]") {
            break;
        }
    }
    let gone = typed(&server, &code, &[]).await;
    let never = typed(&server, &wrong(&code, 0), &[]).await;
    assert_eq!((gone.status, gone.code().as_str()), (404, "code_unknown"));
    assert_eq!((gone.status, gone.body), (never.status, never.body));
    server.end().await;
}

#[tokio::test]
async fn who_guesses_waits_and_others_dont() {
    let server = Server::start(|config| {
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let mut nurse = server.member("Bed 7", "Nurse").await;
    let (code, _) = code_of(&mut nurse).await;
    let from = |address: &'static str| [("x-forwarded-for", address)];
    for number in 0..5 {
        let answer = typed(&server, &wrong(&code, number), &from("192.0.2.66")).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (404, "code_unknown")
        );
    }
    // The right one isn't looked at either, and the answer doesn't tell.
    for tried in [wrong(&code, 9), code.clone()] {
        let answer = typed(&server, &tried, &from("192.0.2.66")).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (429, "rate_limited")
        );
        let wait: u32 = answer.header("retry-after").parse().unwrap();
        assert!((1..=30).contains(&wait), "{wait}");
    }
    assert_eq!(typed(&server, &code, &from("192.0.2.67")).await.status, 200);
    let metrics = server.get("/metrics", &[]).await;
    assert!(metrics.text().contains("visita_codes_wrong_total 5\n"));
    assert!(metrics.text().contains("visita_codes_refused_total 2\n"));
    assert!(!metrics.text().contains(&code));
    server.end().await;
}

#[tokio::test]
async fn guessing_from_many_addresses_has_a_bound_in_all() {
    let server = Server::start(|config| {
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        config.limits.wrong_codes_per_minute = 1;
    })
    .await;
    let mut nurse = server.member("Bed 7", "Nurse").await;
    let (code, _) = code_of(&mut nurse).await;
    let mut looked_at = 0;
    for number in 0..20 {
        let address = format!("192.0.2.{number}");
        let headers = [("x-forwarded-for", address.as_str())];
        let answer = typed(&server, &wrong(&code, number), &headers).await;
        looked_at += u32::from(answer.status == 404);
    }
    // Six minutes' worth, and one more if this took a minute.
    assert!((6..=7).contains(&looked_at), "{looked_at}");
    server.end().await;
}

#[tokio::test]
async fn what_is_no_code_is_refused_and_is_no_try() {
    let server = Server::start(|_| {}).await;
    let mut nurse = server.member("Bed 7", "Nurse").await;
    let (code, _) = code_of(&mut nurse).await;
    let long = format!("{{\"code\":\"{}\"}}", "1".repeat(300));
    for (body, status) in [
        ("", 400),
        ("{}", 400),
        ("{\"code\":123456}", 400),
        ("{\"code\":\"12345\"}", 400),
        ("{\"code\":\"1234567\"}", 400),
        ("{\"code\":\"+12345\"}", 400),
        ("{\"code\":\"12345x\"}", 400),
        (long.as_str(), 413),
    ] {
        assert_eq!(server.post("/api/v1/code", body).await, status, "{body}");
    }
    assert_eq!(typed(&server, &code, &[]).await.status, 200);
    let got = server.get("/api/v1/code", &[]).await;
    assert_eq!((got.status, got.header("allow")), (405, "POST"));
    let foreign = typed(&server, &code, &[("origin", "https://evil.example")]).await;
    assert_eq!((foreign.status, foreign.code().as_str()), (403, "origin"));
    server.end().await;
}
