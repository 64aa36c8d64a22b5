//! `visita-client` as its contract says.

use std::process::Output;

use serde_json::Value;
use tokio::net::TcpListener;
use visita_client::report::Report;
use visita_media::source::Choice;
use visita_protocol::media::{Codec, Kind, Size};
use visita_tests::{
    host::Host,
    line::Line,
    program::{Running, run_client, start_client},
};

use super::support::{Participant, options, synthetic};

pub(super) fn report(output: &Output) -> Report {
    let out = String::from_utf8(output.stdout.clone()).unwrap();
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(
        lines.len(),
        1,
        "{out}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_str(lines[0]).unwrap()
}

pub(super) fn join<'a>(url: &'a str, fingerprint: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec![
        "join", "--host", url, "--room", "Room", "--name", "Ana", "--report", "json",
    ];
    if !fingerprint.is_empty() {
        arguments.extend(["--fingerprint", fingerprint]);
    }
    arguments.extend(more);
    arguments
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_clients_see_each_other_for_twenty_seconds() {
    let host = Host::start();
    let (url, fingerprint) = (
        host.url().to_string(),
        format!("sha256:{}", host.handle.fingerprint()),
    );
    let arguments = join(
        &url,
        &fingerprint,
        &[
            "--create",
            "--video",
            "synthetic:640x360@30",
            "--duration",
            "20",
        ],
    );
    let (a, b, c) = tokio::join!(
        run_client(&arguments),
        run_client(&arguments),
        run_client(&arguments)
    );
    let reports: Vec<Report> = [a, b, c]
        .iter()
        .map(|output| {
            assert_eq!(
                output.status.code(),
                Some(0),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            report(output)
        })
        .collect();
    // A sender's frames and who received how many of them, over all reports.
    let most_sent = reports
        .iter()
        .map(|report| report.sent[0].frames)
        .max()
        .unwrap();
    for report in &reports {
        assert!(report.first_picture_ms.is_some());
        assert_eq!(report.sent.len(), 1, "{report:?}");
        let sent = &report.sent[0];
        assert_eq!(
            (sent.kind, sent.codec, sent.size),
            (Kind::Video, Codec::H264, Some(Size::new(640, 360)))
        );
        assert!(
            sent.bytes > 0 && sent.encode_us.p50 > 0 && sent.encode_us.p50 <= sent.encode_us.p95
        );
        assert_eq!(report.received.len(), 2, "{report:?}");
        for row in &report.received {
            assert_eq!(row.codec, Codec::H264);
            let picture = row.picture().unwrap();
            assert_eq!((picture.width, picture.height), (Some(640), Some(360)));
            assert_eq!(row.frames_dropped, 0, "{report:?}");
            assert_eq!(row.frames_decoded, row.frames_received);
            // The three come and go within a moment of each other.
            assert!(row.frames_received * 10 >= most_sent * 8, "{report:?}");
            assert!(
                row.frames_received <= most_sent && row.bytes > 0,
                "{report:?}"
            );
            let delay = row.delay_ms.unwrap();
            assert!(delay.p50 > 0.0 && delay.p50 <= delay.p95 && delay.p95 <= delay.p99);
            assert_eq!(row.name, "Ana");
        }
    }
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signals_end_a_call_early_with_report_and_success() {
    let host = Host::start();
    let (url, fingerprint) = (host.url().to_string(), host.handle.fingerprint().hex());
    let ana = Participant::join(host.session(), options("Ana", synthetic())).await;
    for signal in ["TERM", "INT"] {
        let arguments = join(&url, &fingerprint, &["--video", "synthetic:320x180@15"]);
        let child = start_client(&arguments);
        let newcomer = newest_other(&host, &ana).await;
        ana.pictures(newcomer, 5).await;
        child.signal(signal);
        let output = child.end().await;
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let report = report(&output);
        assert_eq!(report.sent[0].size, Some(Size::new(320, 180)));
        assert_eq!(report.received[0].frames_dropped, 0);
    }
    ana.leave().await;
    host.stop().await;
}

/// Waits for somebody else's coming.
pub(super) async fn newest_other(host: &Host, than: &Participant) -> visita_protocol::id::MemberId {
    let mut changes = host.handle.changes();
    loop {
        let people = host.handle.people();
        if let Some(other) = people.iter().find(|person| person.member != than.id()) {
            return other.member;
        }
        changes.changed().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alone_in_the_room_is_no_error() {
    let host = Host::start();
    let (url, fingerprint) = (host.url().to_string(), host.handle.fingerprint().hex());
    let output = run_client(&join(
        &url,
        &fingerprint,
        &["--create", "--video", "none", "--duration", "0.3"],
    ))
    .await;
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(report(&output), Report::default());
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_pin_and_a_missing_room_are_4() {
    let host = Host::start();
    let (url, fingerprint) = (host.url().to_string(), host.handle.fingerprint().hex());
    let wrong = "ab".repeat(32);
    let output = run_client(&join(&url, &wrong, &["--create", "--video", "none"])).await;
    assert_eq!(output.status.code(), Some(4));
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.stdout.is_empty() && words.contains(&fingerprint) && words.contains(&wrong),
        "{words}"
    );
    assert!(host.handle.people().is_empty());

    let output = run_client(&join(&url, &fingerprint, &["--video", "none"])).await;
    assert_eq!(output.status.code(), Some(4));
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.stdout.is_empty() && words.contains("no such room"),
        "{words}"
    );
    host.stop().await;
}

/// Arguments of one who comes, shows nothing and goes, and keeps what it trusts in this folder.
fn briefly(state: &str) -> [&str; 7] {
    [
        "--create",
        "--video",
        "none",
        "--duration",
        "0",
        "--state",
        state,
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_is_trusted_on_first_use_and_held_to_it() {
    let state = tempfile::tempdir().unwrap();
    let directory = state.path().to_str().unwrap();
    let more = briefly(directory);
    let host = Host::start();
    let (address, url) = (host.address(), host.url().to_string());
    let fingerprint = host.handle.fingerprint().hex();
    for first in [true, false] {
        let output = run_client(&join(&url, "", &more)).await;
        assert_eq!(output.status.code(), Some(0));
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!(words.contains(&fingerprint), first, "{words}");
    }
    // Another ward at the same address.
    host.stop().await;
    let other = Host::start_with(|config| config.listen = address);
    for arguments in [
        join(&url, "", &more),
        vec!["rooms", "--host", &url, "--state", directory],
    ] {
        let output = run_client(&arguments).await;
        assert_eq!(output.status.code(), Some(4));
        let words = String::from_utf8(output.stderr).unwrap();
        assert!(words.contains(&other.handle.fingerprint().hex()), "{words}");
    }
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_cannot_be_reached_is_3() {
    // One port where nothing listens, and one where somebody listens and never answers.
    let closed = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent_address = silent.local_addr().unwrap().to_string();
    let pin = "ab".repeat(32);
    let (closed, silent_line) = (
        join(&closed, &pin, &["--video", "none"]),
        join(&silent_address, &pin, &["--video", "none"]),
    );
    let (closed, silent) = tokio::join!(run_client(&closed), run_client(&silent_line));
    for output in [closed, silent] {
        assert_eq!(
            output.status.code(),
            Some(3),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(output.stdout.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_not_resumed_in_time_is_5_with_report() {
    let host = Host::start();
    let line = Line::to(host.address());
    let ana = Participant::join(host.session(), options("Ana", Choice::None)).await;
    let (url, fingerprint) = (line.address().to_string(), host.handle.fingerprint().hex());
    let child = start_client(&join(
        &url,
        &fingerprint,
        &["--video", "synthetic", "--resume-within", "0.5"],
    ));
    let newcomer = newest_other(&host, &ana).await;
    ana.pictures(newcomer, 5).await;
    line.cut();
    let output = child.end().await;
    assert_eq!(
        output.status.code(),
        Some(5),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(report(&output).sent[0].frames >= 5);
    ana.leave().await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rooms_are_listed_one_line_each() {
    let host = Host::start();
    let ana = Participant::join(host.session(), options("Ana", Choice::None)).await;
    let (url, fingerprint) = (host.url().to_string(), host.handle.fingerprint().hex());
    let output = run_client(&["rooms", "--host", &url, "--fingerprint", &fingerprint]).await;
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let out = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        lines,
        [serde_json::json!({"name": "Room", "kind": "meeting", "members": 1})]
    );
    ana.leave().await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_people_are_called_or_write_reaches_stderr() {
    let host = Host::start();
    let (url, fingerprint) = (host.url().to_string(), host.handle.fingerprint().hex());
    let arguments = [
        "join",
        "--host",
        &url,
        "--fingerprint",
        &fingerprint,
        "--create",
        "--room",
        "Habitación-Xyzzy",
        "--name",
        "Ana-Plugh",
        "--video",
        "synthetic",
    ];
    let mut command = std::process::Command::new(visita_tests::program::client());
    let child = Running::start(command.args(arguments).env("VISITA_LOG", "trace"));
    let mut other = options("Luis-Frobozz", Choice::None);
    other.room = visita_protocol::control::RoomChoice::Name {
        name: visita_protocol::name::RoomName::new("Habitación-Xyzzy").unwrap(),
        create: Some(visita_protocol::control::RoomKind::Meeting),
    };
    let luis = Participant::join(host.session(), other).await;
    let newcomer = newest_other(&host, &luis).await;
    luis.pictures(newcomer, 5).await;
    luis.call
        .chat(super::support::text("Secreto-Grue"))
        .unwrap();
    luis.pictures(newcomer, 5).await;
    luis.leave().await;
    child.signal("TERM");
    let log = String::from_utf8(child.end().await.stderr).unwrap();
    assert!(log.contains("in the room"), "{log}");
    for word in ["Xyzzy", "Plugh", "Frobozz", "Grue"] {
        assert!(!log.contains(word), "{word} in {log}");
    }
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_usage_is_2_and_a_name_that_does_not_fit_is_not_repeated() {
    let long = "Xyzzy".repeat(2_000);
    let no_name = [
        "join",
        "--host",
        "192.0.2.5",
        "--room",
        "Room",
        "--video",
        "none",
    ];
    let long_name = [&no_name[..], &["--name", long.as_str()]].concat();
    for arguments in [&[][..], &["dance"], &["rooms"], &no_name, &long_name] {
        let output = run_client(arguments).await;
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{words}");
        assert!(
            output.stdout.is_empty() && !words.contains("Xyzzy"),
            "{words}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_can_remember_nobody_trusts_nobody() {
    let host = Host::start();
    let url = host.url().to_string();
    let more = briefly("/dev/null/visita");
    let output = run_client(&join(&url, "", &more)).await;
    let words = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert!(
        words.contains("/dev/null/visita") && words.contains("name another one"),
        "{words}"
    );
    assert!(host.handle.people().is_empty());
    host.stop().await;
}
