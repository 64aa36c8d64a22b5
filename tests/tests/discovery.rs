//! A host is found on a network by mDNS, and gone when it ends. Each test makes its own network,
//! so nothing is said on the machine's.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use serde_json::Value;
use visita_tests::{
    lan::{ADDRESSES, Lan},
    program::{self, Running},
};

/// The machine that hosts, and the one that looks.
const HOST: usize = 0;
const GUEST: usize = 1;

fn lan() -> Option<Lan> {
    let lan = Lan::new();
    if lan.is_none() {
        println!("NOT RUN: network namespaces can be made by root only");
    }
    lan
}

fn serve(lan: &Lan, data: &tempfile::TempDir, listen: &str) -> (Running, Value) {
    let data = data.path().to_str().unwrap();
    let relay = lan.start(
        HOST,
        &program::relay(),
        &["serve", "--listen", listen, "--data", data],
    );
    let ready = serde_json::from_str(&relay.line().unwrap()).unwrap();
    (relay, ready)
}

fn hosts(lan: &Lan, seconds: &str) -> Vec<Value> {
    let output = lan
        .start(GUEST, &program::client(), &["hosts", "--seconds", seconds])
        .wait();
    let (out, words) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert!(output.status.success(), "{words}");
    out.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_host_is_found_joined_and_gone_after_its_end() {
    let Some(lan) = lan() else { return };
    let data = tempfile::tempdir().unwrap();
    let (relay, ready) = serve(&lan, &data, "0.0.0.0:0");
    assert_eq!(ready["event"], "ready");

    let found = hosts(&lan, "3");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["url"], ready["url"]);
    assert_eq!(found[0]["fingerprint"], ready["fingerprint"]);
    assert_eq!(found[0]["version"], 1);
    assert!(!found[0]["name"].as_str().unwrap().is_empty());
    assert!(
        ready["url"]
            .as_str()
            .unwrap()
            .starts_with(&format!("https://{}:", ADDRESSES[HOST]))
    );
    assert!(lan.datagrams(GUEST) > 0);

    let state = tempfile::tempdir().unwrap();
    let join = [
        "join",
        "--discover",
        "--create",
        "--room",
        "Room",
        "--name",
        "Ana",
        "--video",
        "none",
        "--duration",
        "0.2",
        "--report",
        "json",
        "--state",
        state.path().to_str().unwrap(),
    ];
    let output = lan.start(GUEST, &program::client(), &join).wait();
    let words = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{words}");
    assert!(
        words.contains(ready["fingerprint"].as_str().unwrap()),
        "{words}"
    );

    relay.signal("TERM");
    let output = relay.wait();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(hosts(&lan, "1"), Vec::<Value>::new());
    // Nobody is there any more, although its fingerprint is remembered.
    let output = lan.start(GUEST, &program::client(), &join).wait();
    assert_eq!(
        output.status.code(),
        Some(3),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_host_that_ends_is_told_to_who_is_looking() {
    let Some(lan) = lan() else { return };
    let data = tempfile::tempdir().unwrap();
    let (relay, _) = serve(&lan, &data, "0.0.0.0:0");
    let looking = lan.start(GUEST, &program::client(), &["hosts", "--seconds", "6"]);
    assert_eq!(hosts(&lan, "2").len(), 1);
    relay.signal("TERM");
    assert_eq!(relay.wait().status.code(), Some(0));
    let output = looking.wait();
    assert!(
        output.status.success() && output.stdout.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

#[test]
fn a_host_on_the_loopback_advertises_nothing() {
    let Some(lan) = lan() else { return };
    let data = tempfile::tempdir().unwrap();
    let (relay, ready) = serve(&lan, &data, "127.0.0.1:0");
    assert!(
        ready["url"]
            .as_str()
            .unwrap()
            .starts_with("https://127.0.0.1:")
    );
    assert_eq!(hosts(&lan, "1.5"), Vec::<Value>::new());
    relay.signal("TERM");
    assert_eq!(relay.wait().status.code(), Some(0));
}

#[test]
fn two_wards_on_one_network_are_two_hosts() {
    let Some(lan) = lan() else { return };
    let data = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let relays: Vec<_> = data
        .iter()
        .map(|data| serve(&lan, data, "0.0.0.0:0"))
        .collect();
    let mut found: Vec<_> = hosts(&lan, "3")
        .iter()
        .map(|host| host["fingerprint"].clone())
        .collect();
    let mut ready: Vec<_> = relays
        .iter()
        .map(|(_, ready)| ready["fingerprint"].clone())
        .collect();
    found.sort_by_key(Value::to_string);
    ready.sort_by_key(Value::to_string);
    // Both have the machine's name as their ward's.
    assert_eq!(found, ready);
}

#[test]
fn nothing_is_asked_on_the_loopback() {
    let Some(lan) = lan() else { return };
    lan.unplug(GUEST);
    let before = lan.datagrams(GUEST);
    assert_eq!(hosts(&lan, "1.5"), Vec::<Value>::new());
    assert_eq!(lan.datagrams(GUEST), before);
}
