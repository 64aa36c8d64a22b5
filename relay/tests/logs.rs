//! No log holds what people wrote, not even the most talkative one. In a program of its own, since
//! it listens to all logs of the process.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::{
    io,
    sync::{Arc, Mutex},
};

use common::{Guest, Server, Wire, hello};
use tracing_subscriber::fmt::MakeWriter;
use visita_protocol::control::RelayMessage;

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Kept {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn logs_hold_no_names_and_no_words() {
    let kept = Kept::default();
    tracing_subscriber::fmt()
        // The client of this test is in the same process, and is not what is tested.
        .with_env_filter("trace,tungstenite=off,tokio_tungstenite=off")
        .with_ansi(false)
        .with_writer(kept.clone())
        .init();
    let server = Server::start(|_| {}).await;
    let mut ana = server.member("Zimmer-Xylophon", "Name-Quetzalcoatl").await;
    let mut ben = server
        .member("Zimmer-Xylophon", "<b>\u{1b}[31mMarkup-Mnemosyne")
        .await;
    ana.chat("Wort-Archaeopteryx").await;
    ben.until(|message| matches!(message, RelayMessage::Chat(_)).then_some(()))
        .await;
    ana.text(r#"{"type":"message","n":"Wort-Gibberish"}"#).await;
    ana.refused().await;
    ben.close().await;
    // The same without a WebSocket, whose requests have more to tell.
    let wire = Wire::https(server.address, server.tls());
    let mut eva = Guest::hello(wire, hello()).await.unwrap();
    eva.join("Zimmer-Xylophon", "Name-Quetzalcoatl").await;
    eva.chat("Wort-Archaeopteryx").await;
    let token = match &eva.wire {
        Wire::Https(https) => https.token.clone().unwrap(),
        Wire::Ws(_) => unreachable!(),
    };
    eva.text(r#"{"type":"message","n":"Wort-Gibberish"}"#).await;
    eva.refused().await;
    server
        .get("/Name-in-a-path/?secret=Name-in-a-query", &[])
        .await;
    let mut statuses = Vec::new();
    for report in [
        r#"{"kind":"type_error","seen":"caught","file":"views/call.js","line":7,"column":3}"#,
        r#"{"kind":"type_error","seen":"caught","file":"views/call.js","line":7,"column":3,"message":"Name-in-a-message"}"#,
        r#"{"kind":"Name-in-a-kind","seen":"caught","file":"views/call.js","line":7,"column":3}"#,
        r#"{"kind":"error","seen":"caught","file":"name-in-a-file.js","line":7,"column":3}"#,
    ] {
        statuses.push(server.post("/api/v1/trouble", report).await);
    }
    assert_eq!(statuses, [204, 400, 400, 400]);
    let secret = ana.welcome.secret.hex();
    server.end().await;

    let logs = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    assert!(logs.contains("joined member=m1"), "{logs}");
    let told: Vec<_> = logs
        .lines()
        .filter(|line| line.contains("an error in a page"))
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("TypeError") && told[0].contains("views/call.js"),
        "{told:?}"
    );
    let written = [
        "Xylophon",
        "Quetzalcoatl",
        "Mnemosyne",
        "Archaeopteryx",
        "Gibberish",
        "Name-in-a",
        "name-in-a",
        "<b>",
        &secret,
        &token,
    ];
    for word in written {
        if let Some(line) = logs.lines().find(|line| line.contains(word)) {
            panic!("{word} is in the log: {line}");
        }
    }
    assert!(
        !logs.bytes().any(|byte| byte < 32 && byte != b'\n'),
        "control characters"
    );
}
