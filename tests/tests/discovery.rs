//! A host is found on a network by mDNS, and gone when it ends. Each test makes its own network,
//! so nothing is said on the machine's.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::time::{Duration, Instant};

use serde_json::Value;
use visita_tests::{
    lan::{ADDRESSES, Lan},
    program::{self, Running},
};

/// The machine that hosts, and the one that looks.
const HOST: usize = 0;
const GUEST: usize = 1;

fn serve(lan: &Lan, data: &tempfile::TempDir, listen: &str) -> (Running, Value) {
    serve_at(lan, HOST, data, listen)
}

fn serve_at(lan: &Lan, machine: usize, data: &tempfile::TempDir, listen: &str) -> (Running, Value) {
    let data = data.path().to_str().unwrap();
    let relay = lan.start(
        machine,
        &program::relay(),
        &["serve", "--listen", listen, "--data", data],
    );
    let ready = serde_json::from_str(&relay.line().unwrap()).unwrap();
    (relay, ready)
}

fn hosts(lan: &Lan, seconds: &str) -> Vec<Value> {
    hosts_seen_by(lan, GUEST, seconds)
}

fn hosts_seen_by(lan: &Lan, machine: usize, seconds: &str) -> Vec<Value> {
    let output = lan
        .start(
            machine,
            &program::client(),
            &["hosts", "--seconds", seconds],
        )
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
    let Some(lan) = Lan::new() else { return };
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
    let Some(lan) = Lan::new() else { return };
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
    let Some(lan) = Lan::new() else { return };
    let data = tempfile::tempdir().unwrap();
    let (relay, ready) = serve(&lan, &data, "127.0.0.1:0");
    assert!(
        ready["url"]
            .as_str()
            .unwrap()
            .starts_with("https://127.0.0.1:")
    );
    assert_eq!(hosts(&lan, "1.5"), Vec::<Value>::new());
    assert_eq!(lan.datagrams(HOST), 0, "a loopback listener says nothing");
    relay.signal("TERM");
    assert_eq!(relay.wait().status.code(), Some(0));
}

#[test]
fn two_wards_on_one_network_are_two_hosts() {
    let Some(lan) = Lan::new() else { return };
    let data = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let relays: Vec<_> = data
        .iter()
        .map(|data| serve(&lan, data, "0.0.0.0:0"))
        .collect();
    let list = hosts(&lan, "3");
    let mut found: Vec<_> = list
        .iter()
        .map(|host| host["fingerprint"].clone())
        .collect();
    let mut ready: Vec<_> = relays
        .iter()
        .map(|(_, ready)| ready["fingerprint"].clone())
        .collect();
    found.sort_by_key(Value::to_string);
    ready.sort_by_key(Value::to_string);
    assert_eq!(found, ready);
    assert_eq!(
        list[0]["name"], list[1]["name"],
        "both are called as the machine is"
    );
}

#[test]
fn nothing_is_asked_on_the_loopback() {
    let Some(lan) = Lan::new() else { return };
    lan.unplug(GUEST, 0);
    let before = lan.datagrams(GUEST);
    assert_eq!(hosts(&lan, "1.5"), Vec::<Value>::new());
    assert_eq!(lan.datagrams(GUEST), before);
}

/// Somebody who looks the whole time, and is told each change.
struct Looking(Running);

impl Looking {
    fn start(lan: &Lan) -> Self {
        let arguments = ["hosts", "--changes", "--seconds", "3600"];
        Self(lan.start(0, &program::client(), &arguments))
    }

    /// Waits until the list is exactly these hosts; how long it took. Whatever it was on the way,
    /// no host was in it twice.
    fn until(&self, wanted: &[(&Value, &str)]) -> Duration {
        let mut wanted: Vec<(String, String)> = wanted
            .iter()
            .map(|(fingerprint, url)| (fingerprint.to_string(), (*url).to_owned()))
            .collect();
        wanted.sort();
        let begun = Instant::now();
        let mut seen = Vec::new();
        loop {
            let line = self.0.line_within(TOO_LONG);
            let line = line.unwrap_or_else(|| panic!("wanted {wanted:?}, saw {seen:?}"));
            let list: Vec<Value> = serde_json::from_str(&line).unwrap();
            let mut now: Vec<(String, String)> = list
                .iter()
                .map(|host| {
                    let url = host["url"].as_str().unwrap();
                    let address = url
                        .trim_start_matches("https://")
                        .rsplit_once(':')
                        .unwrap()
                        .0;
                    (host["fingerprint"].to_string(), address.to_owned())
                })
                .collect();
            now.sort();
            let mut once = now.clone();
            once.dedup_by(|a, b| a.0 == b.0);
            assert_eq!(once, now, "one host twice");
            if now == wanted {
                return begun.elapsed();
            }
            seen.push(now);
        }
    }
}

/// Ten times what a host that died may be listed for.
const TOO_LONG: Duration = Duration::from_secs(100);
/// Ten times what a host may take to be listed, and what one that said goodbye may stay.
const FAR_TOO_SLOW: Duration = Duration::from_secs(10);

/// [issue 5, shown 3]
#[test]
fn the_list_is_right_at_every_step() {
    // The guest and the second host are on both cables, the first host on one of them.
    let Some(lan) = Lan::of(&[&[0, 1], &[0], &[0, 1]]) else {
        return;
    };
    let data = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let looking = Looking::start(&lan);

    let (one, ready) = serve_at(&lan, 1, &data[0], "0.0.0.0:0");
    let first = &ready["fingerprint"];
    let (at_one, at_two) = (Lan::address(1, 0), Lan::address(2, 0));
    let took = looking.until(&[(first, at_one.as_str())]);
    println!("found {} ms after it was ready", took.as_millis());
    assert!(took < FAR_TOO_SLOW);

    let (two, ready) = serve_at(&lan, 2, &data[1], "0.0.0.0:0");
    let second = &ready["fingerprint"];
    let both = [(first, at_one.as_str()), (second, at_two.as_str())];
    let took = looking.until(&both);
    println!(
        "a second one found {} ms after it was ready",
        took.as_millis()
    );
    assert!(took < FAR_TOO_SLOW);
    // Who looks only now finds both, the one on two cables once.
    let found = hosts_seen_by(&lan, 0, "3");
    assert_eq!(found.len(), 2, "{found:?}");

    // One of the second host's cables is pulled: it stays, at its other address.
    lan.unplug(2, 0);
    let elsewhere = Lan::address(2, 1);
    let took = looking.until(&[(first, at_one.as_str()), (second, elsewhere.as_str())]);
    println!(
        "on another cable {} ms after the first was pulled",
        took.as_millis()
    );

    one.signal("TERM");
    let took = looking.until(&[(second, elsewhere.as_str())]);
    println!("gone {} ms after it was told to end", took.as_millis());
    assert!(took < FAR_TOO_SLOW);
    assert_eq!(one.wait().status.code(), Some(0));

    // The second dies without a word, and comes back.
    two.signal("KILL");
    let took = looking.until(&[]);
    println!(
        "gone {} ms after it died without a goodbye",
        took.as_millis()
    );
    assert!(took < TOO_LONG);
    two.wait();
    let (_two, ready) = serve_at(&lan, 2, &data[1], "0.0.0.0:0");
    assert_eq!(&ready["fingerprint"], second);
    let took = looking.until(&[(second, elsewhere.as_str())]);
    println!("back {} ms after it was ready again", took.as_millis());
    assert!(took < FAR_TOO_SLOW);
}
