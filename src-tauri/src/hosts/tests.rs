use visita_client::trust::{pins::Pin, ward_id};

use super::*;

fn found(name: &str, first_byte: u8, url: &str) -> Found {
    let fingerprint = Fingerprint([first_byte; 32]);
    Found {
        ward: ward_id(&fingerprint),
        name: name.to_owned(),
        fingerprint,
        version: 1,
        urls: vec![url.parse().unwrap()],
        answers: true,
    }
}

fn pin(name: Option<&str>, first_byte: u8, url: &str, seen: u64) -> Pin {
    let fingerprint = Fingerprint([first_byte; 32]);
    Pin {
        url: url.parse().unwrap(),
        ward: ward_id(&fingerprint),
        name: name.map(str::to_owned),
        fingerprint,
        seen_ms: WallMs(seen),
    }
}

fn known(found: impl IntoIterator<Item = Found>) -> Known {
    let found = found.into_iter().map(|host| (host.fingerprint, host));
    Known {
        found: found.collect(),
        ..Known::default()
    }
}

fn states(hosts: &[Host]) -> Vec<(&str, Presence, bool)> {
    hosts
        .iter()
        .map(|host| (host.name.as_str(), host.state, host.remembered))
        .collect()
}

#[test]
fn the_list_is_own_then_remembered_then_new_each_ward_once() {
    let mut known = known([
        found("ward 9", 9, "10.0.0.9"),
        found("Ward 3", 3, "10.0.0.3"),
        found("Own", 1, "10.0.0.1"),
    ]);
    known.own = Some(Own {
        name: "Own".into(),
        url: "10.0.0.1".parse().unwrap(),
        fingerprint: Fingerprint([1; 32]),
    });
    let reached = [
        (6, Reached::Here("10.0.0.66".parse().unwrap())),
        (7, Reached::Away),
        (8, Reached::Changed),
    ];
    known.reached = reached
        .into_iter()
        .map(|(ward, reached)| (Fingerprint([ward; 32]), reached))
        .collect();
    let pins = [
        pin(Some("Ward 3"), 3, "10.0.0.33", 9),
        pin(None, 7, "10.0.0.7", 8),
        pin(Some("Ward 7"), 7, "10.0.0.77", 7),
        pin(None, 1, "127.0.0.1", 6),
        pin(None, 2, "127.0.0.1:4000", 5),
        pin(Some("ward 6"), 6, "10.0.0.6", 4),
        pin(Some("Ward 8"), 8, "10.0.0.8", 3),
        pin(None, 5, "10.0.0.5", 2),
    ];
    let hosts = list(&known, &pins);
    assert_eq!(
        states(&hosts),
        [
            ("Own", Presence::Here, true),
            ("Ward 3", Presence::Here, true),
            ("ward 6", Presence::Here, true),
            ("Ward 7", Presence::Away, true),
            ("Ward 8", Presence::Changed, true),
            ("10.0.0.5", Presence::Asked, true),
            ("ward 9", Presence::Here, false),
        ]
    );
    assert_eq!(
        hosts[1].url, "https://10.0.0.3:3000",
        "where it is now, not where it was"
    );
    assert_eq!(hosts[1].address, "10.0.0.3");
    assert_eq!(hosts[2].url, "https://10.0.0.66:3000", "where it answered");
    assert_eq!(hosts[3].seen_ms, Some(WallMs(8)), "when it was last met");
    assert!(hosts[1].fingerprint.starts_with("sha256:0303"));
}

#[test]
fn two_wards_of_one_name_are_two_and_one_that_does_not_answer_says_so() {
    let mut silent = found("Ward", 4, "10.0.0.4");
    silent.answers = false;
    let hosts = list(&known([found("Ward", 3, "10.0.0.3"), silent]), &[]);
    assert_eq!(
        states(&hosts),
        [
            ("Ward", Presence::Here, false),
            ("Ward", Presence::Silent, false)
        ]
    );
    assert_ne!(hosts[0].fingerprint, hosts[1].fingerprint);
}

#[tokio::test]
async fn changes_are_told_once_each() {
    let directory = Arc::new(Directory::new(Arc::new(Pins::in_memory())));
    let (sender, mut lists) = tokio::sync::mpsc::unbounded_channel();
    let watching = directory.clone();
    let task = tokio::spawn(async move {
        watching
            .watch(|around| sender.send(around.hosts).unwrap())
            .await;
    });
    assert!(lists.recv().await.unwrap().is_empty());
    let ward = found("Ward", 3, "10.0.0.3");
    directory.hear(Event::Found(ward.clone()));
    let new = [("Ward", Presence::Here, false)];
    assert_eq!(states(&lists.recv().await.unwrap()), new);
    directory
        .pins
        .remember(&ward.urls[0], ward.fingerprint, Some("Ward"), WallMs(1))
        .unwrap();
    directory.remembered();
    let remembered = [("Ward", Presence::Here, true)];
    assert_eq!(states(&lists.recv().await.unwrap()), remembered);
    directory.hear(Event::Gone {
        fingerprint: ward.fingerprint,
    });
    let away = [("Ward", Presence::Away, true)];
    assert_eq!(states(&lists.recv().await.unwrap()), away);
    directory.forget(ward.fingerprint).unwrap();
    assert!(lists.recv().await.unwrap().is_empty());
    task.abort();
}
