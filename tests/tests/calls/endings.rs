//! How `visita-client` ends when it isn't admitted, when it is told to end before it is, and when
//! its host ends.

use serde_json::json;
use tokio::time::timeout;
use visita_media::source::Choice;
use visita_tests::{host::Host, program::start_client, stranger::Stranger};

use super::{
    programs::{join, newest_other, report},
    support::{HUNG, Participant, options},
};

fn to<'a>(url: &'a str, fingerprint: &'a str) -> Vec<&'a str> {
    join(url, fingerprint, &["--create", "--video", "none"])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_of_another_version_is_4_and_said() {
    let host = Stranger::listen().await;
    let (url, fingerprint) = (host.url().to_string(), host.fingerprint.hex());
    for refuses in [true, false] {
        let child = start_client(&to(&url, &fingerprint));
        let mut guest = host.guest().await;
        if refuses {
            // What a host does that speaks later versions only.
            let hello = guest.hears().await.unwrap();
            assert_eq!(hello["versions"], json!([1]));
            guest
                .says(json!({"type": "refused", "code": "version"}))
                .await;
        } else {
            // One that goes on all the same breaks the rules.
            guest.welcomes(2).await;
        }
        let output = child.end().await;
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(4), "{words}");
        assert!(output.stdout.is_empty());
        assert!(words.contains("update the older side"), "{words}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_before_the_admission_leaves_in_order() {
    let host = Stranger::listen().await;
    let (url, fingerprint) = (host.url().to_string(), host.fingerprint.hex());
    for signal in ["TERM", "INT"] {
        let child = start_client(&to(&url, &fingerprint));
        let mut guest = host.guest().await;
        guest.welcomes(1).await;
        let said = guest.hears().await.unwrap();
        assert_eq!(said["body"]["type"], "join");
        // The answer lets wait for itself, as one that staff have to give.
        child.signal(signal);
        let said = loop {
            let said = guest.hears().await.expect("a goodbye in words");
            if said["type"] == "message" {
                break said;
            }
        };
        assert_eq!(
            (&said["n"], &said["body"]),
            (&json!(2), &json!({"type": "leave"}))
        );
        guest
            .says(json!({"type": "message", "n": 1, "ack": 2, "body": {"type": "left"}}))
            .await;
        while guest.hears().await.is_some() {}
        let output = child.end().await;
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{words}");
        assert!(output.stdout.is_empty(), "the room was never joined");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_ends_is_said_and_not_waited_for() {
    let host = Host::start();
    let (url, fingerprint) = (host.url().to_string(), host.handle.fingerprint().hex());
    let ana = Participant::join(host.session(), options("Ana", Choice::None)).await;
    let hour = ["--video", "synthetic", "--resume-within", "3600"];
    let child = start_client(&join(&url, &fingerprint, &hour));
    let newcomer = newest_other(&host, &ana).await;
    ana.pictures(newcomer, 5).await;
    ana.leave().await;
    host.stop().await;
    let output = timeout(HUNG, child.end())
        .await
        .expect("it waits for a host that ended");
    let words = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(5), "{words}");
    assert!(words.contains("the host was switched off"), "{words}");
    assert!(report(&output).sent[0].frames >= 5);
}
