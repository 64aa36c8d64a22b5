//! The commands as the page calls them, without a window; the relay is real, on 127.0.0.1.

use std::{path::PathBuf, time::Duration};

use serde_json::{Value, json};
use tauri::{
    WebviewWindow,
    ipc::{CallbackFn, InvokeBody},
    test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder, mock_context, noop_assets},
    webview::InvokeRequest,
};
use visita_relay::bind;

use super::*;
use crate::{
    calls::{CallEvent, Calls, ConnectionState, EndCode, OwnCode, Wish},
    hosting::{State, Status},
};

/// How long anything may take before a test gives up; nothing is judged by it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A folder of one test's own, gone with it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("visita-app-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(path.join("relay")).unwrap();
        // Tests neither listen on the network nor speak to it.
        let config = "listen = \"127.0.0.1:0\"\nadvertise = false\nward = \"Ward 3\"\n";
        std::fs::write(path.join("relay/relay.toml"), config).unwrap();
        Self(path)
    }

    pub(crate) fn app(&self) -> App {
        App::new(self.settings(), Some(self.0.clone())).unwrap()
    }

    pub(crate) fn settings(&self) -> Settings {
        let camera = "synthetic:160x90@30".parse().unwrap();
        Settings {
            data: Some(self.0.clone()),
            port: None,
            camera,
            // No test opens a device, or is heard.
            microphone: "none".parse().unwrap(),
            speaker: "none".parse().unwrap(),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) async fn hosting(app: &App) -> Status {
    app.hosting.start(None).await;
    let mut status = app.hosting.status();
    let settled =
        status.wait_for(|status| status.state != State::Off && status.state != State::Starting);
    tokio::time::timeout(PATIENCE, settled)
        .await
        .unwrap()
        .unwrap()
        .clone()
}

fn window(folder: &Folder) -> (tauri::App<MockRuntime>, WebviewWindow<MockRuntime>) {
    let tauri = builder(mock_builder())
        .build(mock_context(noop_assets()))
        .unwrap();
    assemble(tauri.handle(), folder.settings()).unwrap();
    let window = WebviewWindowBuilder::new(&tauri, "main", tauri::WebviewUrl::default())
        .build()
        .unwrap();
    (tauri, window)
}

fn call(window: &WebviewWindow<MockRuntime>, command: &str, body: Value) -> Result<Value, Value> {
    let request = InvokeRequest {
        cmd: command.into(),
        callback: CallbackFn(0),
        error: CallbackFn(1),
        url: "tauri://localhost".parse().unwrap(),
        body: InvokeBody::Json(body),
        headers: http::HeaderMap::default(),
        invoke_key: INVOKE_KEY.to_string(),
    };
    get_ipc_response(window, request).map(|body| body.deserialize().unwrap())
}

#[test]
fn the_page_gets_codes_for_all_that_can_go_wrong() {
    let folder = Folder::new("codes");
    let (_tauri, page) = window(&folder);
    let endpoint = call(&page, "start", json!({})).unwrap();
    assert_eq!(endpoint["token"].as_str().unwrap().len(), 64);
    assert_eq!(
        call(&page, "capability", json!({})),
        Ok(json!({ "camera": "off", "microphone": "missing" }))
    );
    assert_eq!(call(&page, "relay_problem", json!({})), Ok(Value::Null));
    let refused = |problem: &str| Ok(json!({ "ok": false, "problem": problem }));
    assert_eq!(
        call(&page, "use_host", json!({ "url": "http://x" })),
        refused("bad_address")
    );
    assert_eq!(
        call(&page, "use_host", json!({ "url": "127.0.0.1:1" })),
        refused("unreachable")
    );
    let nonsense = json!({ "url": "127.0.0.1:1", "fingerprint": "sha256:12" });
    assert_eq!(call(&page, "use_host", nonsense), refused("bad_address"));
    let join = |name: &str, room: &str| {
        let room = json!({ "by": "name", "name": room, "create": "bed" });
        let options = json!({ "room": room, "name": name, "role": "staff", "camera": true });
        call(
            &page,
            "join",
            json!({ "options": options, "on": "__CHANNEL__:7" }),
        )
    };
    assert_eq!(
        join("Ana", "Bed 1"),
        Err(json!("unreachable")),
        "no relay is in use"
    );
    assert_eq!(join(" \u{202e} ", "Bed 1"), Err(json!("name_empty")));
    assert_eq!(
        join("Ana", &"x".repeat(10_000)),
        Err(json!("name_too_long"))
    );
    assert_eq!(
        call(&page, "chat", json!({ "call": 1, "text": "hello" })),
        Err(json!("not_joined"))
    );
    let trouble = |kind: &str| {
        let trouble =
            json!({ "kind": kind, "seen": "caught", "file": "main.js", "line": 1, "column": 1 });
        call(&page, "page_trouble", json!({ "trouble": trouble }))
    };
    assert_eq!(trouble("type_error"), Ok(Value::Null));
    assert!(
        trouble("Ana Ortega").is_err(),
        "free text has no place in it"
    );
    assert_eq!(
        call(&page, "chat", json!({ "call": 1, "text": " " })),
        Err(json!("chat_empty"))
    );
    assert_eq!(
        call(&page, "set_camera", json!({ "call": 1, "on": true })),
        Err(json!("not_joined"))
    );
    assert_eq!(call(&page, "leave", json!({ "call": 1 })), Ok(Value::Null));
}

#[tokio::test]
async fn a_host_takes_part_over_its_own_relay_and_ends_in_order() {
    let folder = Folder::new("own");
    let app = folder.app();
    let status = hosting(&app).await;
    assert_eq!(
        (status.state, status.ward.as_deref()),
        (State::On, Some("Ward 3")),
        "{status:?}"
    );
    let qr = status.qr.clone().unwrap();
    assert!(qr.size > 20 && qr.d.starts_with('M'));
    let (url, fingerprint) = (status.url.unwrap(), status.fingerprint.unwrap());
    let answer = serde_json::to_value(app.relay.choose(&url, Some(&fingerprint)).await).unwrap();
    assert_eq!(
        answer,
        json!({ "ok": true, "ward": "Ward 3", "fingerprint": fingerprint, "first_use": false })
    );

    let (events, mut told) = tokio::sync::mpsc::unbounded_channel();
    let wish = wish("Ana", "Bed 1");
    let call = app
        .calls
        .join(app.relay.current(), wish, move |event| {
            events.send(event).unwrap();
        })
        .unwrap();
    let next = async |what: &str| {
        tokio::time::timeout(PATIENCE, told.recv())
            .await
            .expect(what)
            .expect(what)
    };
    let mut next = next;
    assert!(matches!(
        next("connected").await,
        CallEvent::Connection {
            state: ConnectionState::Connected,
            code: None
        }
    ));
    let CallEvent::Relay {
        message: visita_protocol::control::RelayMessage::Joined { members, .. },
    } = next("joined").await
    else {
        panic!("the second event isn't the join's answer");
    };
    assert_eq!(members.len(), 1);
    assert!(matches!(next("way").await, CallEvent::Way { .. }));
    let mut connected = app.hosting.status();
    let shown = connected.wait_for(|status| {
        status
            .connected
            .as_ref()
            .is_some_and(|people| people.len() == 1)
    });
    tokio::time::timeout(PATIENCE, shown)
        .await
        .unwrap()
        .unwrap();

    app.calls.chat(call, "hello").unwrap();
    loop {
        if let CallEvent::Relay {
            message: visita_protocol::control::RelayMessage::Chat(line),
        } = next("chat").await
        {
            assert_eq!(line.text.reveal(), "hello");
            break;
        }
    }
    app.stop_hosting().await;
    assert!(app.relay.current().is_none(), "the relay in use is gone");
    assert_eq!(*app.hosting.status().borrow(), Status::default());
    loop {
        if let CallEvent::Connection {
            state: ConnectionState::Ended,
            code,
        } = next("the end").await
        {
            assert_eq!(
                code,
                Some(EndCode::Code(visita_protocol::error::Code::ShuttingDown))
            );
            break;
        }
    }
    assert_eq!(
        app.calls.chat(call, "hello"),
        Err(visita_protocol::error::Code::NotJoined)
    );
}

fn wish(name: &str, room: &str) -> Wish {
    let room = json!({ "by": "name", "name": room, "create": "bed" });
    serde_json::from_value(json!({ "room": room, "name": name, "role": "staff", "camera": true }))
        .unwrap()
}

#[tokio::test]
async fn a_host_is_trusted_on_first_use_and_another_in_its_place_never() {
    let (guest, ward, other) = (
        Folder::new("guest"),
        Folder::new("ward"),
        Folder::new("other"),
    );
    let host = ward.app();
    let status = hosting(&host).await;
    let (url, fingerprint) = (status.url.unwrap(), status.fingerprint.unwrap());
    let app = guest.app();
    let answer =
        async |app: &App| serde_json::to_value(app.relay.choose(&url, None).await).unwrap();
    let trusted = |first_use: bool| json!({ "ok": true, "ward": "Ward 3", "fingerprint": fingerprint, "first_use": first_use });
    assert_eq!(answer(&app).await, trusted(true));
    assert_eq!(answer(&app).await, trusted(false));
    assert_eq!(app.relay.problem().await, None);
    host.stop_hosting().await;
    assert_eq!(app.relay.problem().await, Some(relay::Problem::Unreachable));

    // Another ward on the same port: after a restart of the app, too.
    let port = url.rsplit(':').next().unwrap().parse().unwrap();
    let imposter = App::new(
        Settings {
            port: Some(port),
            ..other.settings()
        },
        Some(other.0.clone()),
    )
    .unwrap();
    assert_eq!(hosting(&imposter).await.state, State::On);
    assert_eq!(app.relay.problem().await, Some(relay::Problem::PinMismatch));
    let refused = json!({ "ok": false, "problem": "pin_mismatch" });
    assert_eq!(answer(&app).await, refused);
    let again = guest.app();
    assert_eq!(answer(&again).await, refused);
    let (events, mut told) = tokio::sync::mpsc::unbounded_channel();
    app.calls
        .join(app.relay.current(), wish("Ana", "Bed 1"), move |event| {
            events.send(event).unwrap();
        })
        .unwrap();
    let CallEvent::Connection {
        state: ConnectionState::Ended,
        code,
    } = told.recv().await.unwrap()
    else {
        panic!("a call over a host that isn't trusted");
    };
    assert_eq!(code, Some(EndCode::Own(OwnCode::PinMismatch)));
    imposter.stop_hosting().await;
}

#[tokio::test]
async fn the_lobby_connects_only_where_a_pin_is_known() {
    let (guest, ward) = (Folder::new("lobby-guest"), Folder::new("lobby-ward"));
    let host = ward.app();
    let url = hosting(&host).await.url.unwrap();
    let app = guest.app();
    let connector = lobby::connector(app.pins.clone()).unwrap();
    let connect = async || {
        let lobby = format!("{}/api/v1/lobby", url.replace("https", "wss"));
        let connector = Some(connector.clone());
        tokio_tungstenite::connect_async_tls_with_config(lobby, None, false, connector).await
    };
    assert!(connect().await.is_err(), "nobody is trusted yet");
    app.relay.choose(&url, None).await;
    let (mut socket, _) = connect().await.unwrap();
    let first = futures_util::StreamExt::next(&mut socket)
        .await
        .unwrap()
        .unwrap()
        .into_text()
        .unwrap();
    let rooms: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(
        (&rooms["type"], &rooms["rooms"]),
        (&json!("rooms"), &json!([]))
    );
    drop(socket);
    host.stop_hosting().await;
}

#[tokio::test]
async fn what_keeps_a_device_from_hosting_is_told() {
    let taken = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let folder = Folder::new("taken");
    let port = taken.local_addr().unwrap().port();
    let app = App::new(
        Settings {
            port: Some(port),
            ..folder.settings()
        },
        Some(folder.0.clone()),
    )
    .unwrap();
    let status = hosting(&app).await;
    assert_eq!(
        (status.state, problem(&status)),
        (State::Failed, Some(hosting::Problem::PortInUse))
    );
    let failure = status.failure.unwrap();
    assert!(failure.detail.contains(&port.to_string()));
    assert_eq!(failure.port, Some(port));
    // It is this very program that has it.
    assert!(failure.holder.unwrap().starts_with("visita"));
    let free = failure.free_port.unwrap();
    app.hosting.start(Some(free)).await;
    let status = app.hosting.status().borrow().clone();
    assert_eq!(status.state, State::On);
    assert!(status.url.unwrap().ends_with(&format!(":{free}")));
    assert_eq!(
        app.hosting.kept().port,
        Some(free),
        "the next start takes the same"
    );
    app.stop_hosting().await;
    // Once it is free, the switch works.
    drop(taken);
    assert_eq!(hosting(&app).await.state, State::On);
    app.stop_hosting().await;

    // A file where the folder should be: nobody can write there, not even root.
    let blocked = Folder::new("blocked");
    let file = blocked.0.join("file");
    std::fs::write(&file, "").unwrap();
    let app = App::new(
        Settings {
            port: Some(0),
            ..blocked.settings()
        },
        Some(file),
    )
    .unwrap();
    assert_eq!(
        problem(&hosting(&app).await),
        Some(hosting::Problem::DataNotWritable)
    );
    let answer = serde_json::to_value(app.relay.choose("127.0.0.1:1", None).await).unwrap();
    assert_eq!(
        answer,
        json!({ "ok": false, "problem": "state" }),
        "what was trusted can't be read"
    );

    // A line that nobody understands.
    let broken = Folder::new("broken");
    std::fs::write(
        broken.0.join("relay/relay.toml"),
        "advertise = false\nlisen = 1\n",
    )
    .unwrap();
    let status = hosting(&broken.app()).await;
    assert_eq!(problem(&status), Some(hosting::Problem::Other));
    assert!(status.failure.unwrap().detail.contains("line 2"));
}

fn problem(status: &Status) -> Option<hosting::Problem> {
    status.failure.as_ref().map(|failure| failure.problem)
}

#[tokio::test]
async fn a_ward_is_renamed_and_stays_the_same_ward() {
    let (guest, ward) = (Folder::new("rename-guest"), Folder::new("rename-ward"));
    let host = ward.app();
    let status = hosting(&host).await;
    let (url, fingerprint) = (status.url.unwrap(), status.fingerprint.unwrap());
    let app = guest.app();
    app.relay.choose(&url, None).await;
    host.relay.choose(&url, Some(&fingerprint)).await;
    let (events, mut told) = tokio::sync::mpsc::unbounded_channel();
    app.calls
        .join(app.relay.current(), wish("Ana", "Bed 1"), move |event| {
            events.send(event).unwrap();
        })
        .unwrap();
    let mut next = async || {
        tokio::time::timeout(PATIENCE, told.recv())
            .await
            .unwrap()
            .unwrap()
    };
    while !matches!(
        next().await,
        CallEvent::Relay {
            message: visita_protocol::control::RelayMessage::Joined { .. }
        }
    ) {}

    assert_eq!(
        host.rename_ward(" \u{202e} "),
        Err(visita_protocol::error::Code::NameEmpty)
    );
    host.rename_ward("Norte 2").unwrap();
    let status = host.hosting.status().borrow().clone();
    assert_eq!(status.ward.as_deref(), Some("Norte 2"));
    assert_eq!(status.fingerprint.as_ref(), Some(&fingerprint));
    assert_eq!(host.relay.current().unwrap().ward, "Norte 2");
    assert_eq!(host.directory.own().unwrap().name, "Norte 2");
    // The call of before goes on: what is said in it comes back.
    app.calls.chat(1, "hello").unwrap();
    while !matches!(
        next().await,
        CallEvent::Relay {
            message: visita_protocol::control::RelayMessage::Chat(_)
        }
    ) {}
    assert_eq!(app.relay.problem().await, None);

    // Switched off and on, and in the app's next life, it is still called so.
    host.stop_hosting().await;
    assert_eq!(hosting(&host).await.ward.as_deref(), Some("Norte 2"));
    host.end().await;
    let again = ward.app();
    assert!(again.hosting.kept().hosts, "the app ended, not the switch");
    let status = hosting(&again).await;
    assert_eq!(status.ward.as_deref(), Some("Norte 2"));
    assert_eq!(status.fingerprint, Some(fingerprint));
    again.stop_hosting().await;
    assert!(!again.hosting.kept().hosts);
}

#[tokio::test]
async fn the_host_is_told_how_it_fares_and_how_well_others_are_connected() {
    let folder = Folder::new("fares");
    let app = folder.app();
    let status = hosting(&app).await;
    app.relay
        .choose(&status.url.unwrap(), status.fingerprint.as_deref())
        .await;
    app.calls
        .join(app.relay.current(), wish("Ana", "Bed 1"), |_| {})
        .unwrap();
    let mut told = app.hosting.status();
    let known = told.wait_for(|status| {
        let connected = status.connected.as_deref().unwrap_or_default();
        connected.iter().any(|one| one.line.is_some()) && status.load.is_some()
    });
    let status = tokio::select! {
        status = tokio::time::timeout(PATIENCE, known) => status.unwrap().unwrap().clone(),
        () = app.look() => unreachable!("it looks until the app ends"),
    };
    let one = &status.connected.unwrap()[0];
    assert_eq!(one.line, Some(hosting::lines::Quality::Good));
    assert!(one.round_trip_ms.is_some());
    assert!(status.load.unwrap().memory > Some(0));
    let conditions = status.conditions.unwrap();
    assert!(!conditions.visited, "nobody came from another device");
    app.end().await;
}

#[tokio::test]
async fn a_call_can_be_left_before_it_began_and_the_next_replaces_it() {
    let folder = Folder::new("replace");
    let app = folder.app();
    let status = hosting(&app).await;
    app.relay
        .choose(&status.url.unwrap(), status.fingerprint.as_deref())
        .await;
    let ends = |calls: &std::sync::Arc<Calls>, room: &str| {
        let (events, mut told) = tokio::sync::mpsc::unbounded_channel();
        let id = calls
            .join(app.relay.current(), wish("Ana", room), move |event| {
                events.send(event).unwrap();
            })
            .unwrap();
        let end = async move {
            let mut last = None;
            while let Some(event) = tokio::time::timeout(PATIENCE, told.recv()).await.unwrap() {
                last = Some(event);
            }
            matches!(
                last,
                Some(CallEvent::Connection {
                    state: ConnectionState::Ended,
                    code: None
                })
            )
        };
        (id, end)
    };
    let (first, first_end) = ends(&app.calls, "One");
    app.calls.leave(first);
    assert!(first_end.await);
    let (_, second_end) = ends(&app.calls, "Two");
    let (third, third_end) = ends(&app.calls, "Three");
    assert!(second_end.await);
    app.calls.leave(third);
    assert!(third_end.await);
    app.end().await;
}

#[tokio::test]
async fn the_host_in_use_is_followed_to_another_address() {
    let (guest, ward) = (Folder::new("follow-guest"), Folder::new("follow-ward"));
    let host = ward.app();
    let url = hosting(&host).await.url.unwrap();
    let app = std::sync::Arc::new(guest.app());
    app.relay.choose(&url, None).await;
    let before = app.relay.current().unwrap();
    assert_eq!(before.urls[0].to_string(), url);
    host.stop_hosting().await;

    // The same ward again, on another port.
    let host = ward.app();
    let elsewhere: visita_client::address::HostUrl =
        hosting(&host).await.url.unwrap().parse().unwrap();
    assert_ne!(elsewhere, before.urls[0]);
    let mut relay = app.relay.changes();
    let following = app.clone();
    let task = tokio::spawn(async move { following.relay.follow().await });
    let found = |fingerprint| visita_client::discover::Found {
        ward: visita_client::trust::ward_id(&fingerprint),
        name: "Ward 3".into(),
        fingerprint,
        version: 1,
        urls: vec![elsewhere.clone()],
        answers: true,
    };
    let hear = |found| {
        app.directory
            .hear(visita_client::discover::Event::Found(found));
    };
    // What is advertised there by somebody else leads nowhere.
    hear(found(visita_protocol::id::Fingerprint([1; 32])));
    hear(found(before.fingerprint));
    let moved = relay.wait_for(|relay| relay.as_ref().unwrap().urls[0] == elsewhere);
    tokio::time::timeout(PATIENCE, moved)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(app.relay.problem().await, None);
    assert_eq!(
        app.pins.of_host("127.0.0.1").first(),
        Some(&before.fingerprint),
        "the lobby is let in there"
    );
    task.abort();
    host.stop_hosting().await;
}
