//! What the page may ask for. Each command is a line or two: what it does is elsewhere. A command
//! that isn't in `build.rs` and in the capability can't be called.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use serde::Serialize;
use tauri::{
    State,
    async_runtime::{JoinHandle, spawn},
    ipc::Channel,
};
use tokio::sync::watch;
use visita_media::source::{self, Choice};
use visita_protocol::error::Code;

use crate::{
    app::App,
    calls::{CallEvent, CameraState, EndCode, Wish},
    frames::Endpoint,
    hosting::Status,
    hosts::Host,
    relay::{Answer, Problem, Shown},
};

/// What the page listens to, one listener each: a page that is loaded again takes its own place.
#[derive(Default)]
pub struct Listeners(Mutex<HashMap<&'static str, JoinHandle<()>>>);

impl Listeners {
    fn set(&self, what: &'static str, listener: JoinHandle<()>) {
        let mut listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = listeners.insert(what, listener) {
            before.abort();
        }
    }
}

/// Where the page gets its pictures.
#[tauri::command]
pub fn start(app: State<'_, App>) -> Endpoint {
    // A page that begins is in no call: it was loaded again, and can't go on with the one before.
    app.calls.leave_all();
    app.endpoint.clone()
}

/// Tells the hosts around.
#[tauri::command]
pub fn watch_hosts(app: State<'_, App>, listeners: State<'_, Listeners>, on: Channel<Vec<Host>>) {
    let directory = app.directory.clone();
    let listener = async move {
        directory.watch(|hosts| drop(on.send(hosts))).await;
    };
    listeners.set("hosts", spawn(listener));
}

/// Uses a host from now on.
#[tauri::command]
pub async fn use_host(
    app: State<'_, App>,
    url: String,
    fingerprint: Option<String>,
) -> Result<Answer, ()> {
    Ok(app.relay.choose(&url, fingerprint.as_deref()).await)
}

/// Tells which relay is in use.
#[tauri::command]
pub fn watch_relay(
    app: State<'_, App>,
    listeners: State<'_, Listeners>,
    on: Channel<Option<Shown>>,
) {
    let changes = app.relay.changes();
    listeners.set(
        "relay",
        spawn(follow(changes, on, |relay| relay.as_ref().map(Shown::from))),
    );
}

/// Why the relay in use can't be reached; `null` if it can.
#[tauri::command]
pub async fn relay_problem(app: State<'_, App>) -> Result<Option<Problem>, ()> {
    Ok(app.relay.problem().await)
}

/// Switches hosting on. What comes of it is told by the status.
#[tauri::command]
pub async fn host_start(app: State<'_, App>) -> Result<(), ()> {
    app.hosting.start().await;
    Ok(())
}

/// Switches hosting off.
#[tauri::command]
pub async fn host_stop(app: State<'_, App>) -> Result<(), ()> {
    app.stop_hosting().await;
    Ok(())
}

/// Tells how this device fares as host.
#[tauri::command]
pub fn watch_host(app: State<'_, App>, listeners: State<'_, Listeners>, on: Channel<Status>) {
    listeners.set(
        "host",
        spawn(follow(app.hosting.status(), on, Status::clone)),
    );
}

/// What the camera can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Capability {
    camera: CameraState,
}

/// Whether there is a camera, without opening it.
#[tauri::command]
pub async fn capability(app: State<'_, App>) -> Result<Capability, ()> {
    let camera = match &app.settings.camera {
        Choice::Camera(_) => tauri::async_runtime::spawn_blocking(|| match source::cameras() {
            Ok(cameras) if cameras.is_empty() => CameraState::Missing,
            Ok(_) => CameraState::Off,
            Err(error) => (&error).into(),
        })
        .await
        .unwrap_or(CameraState::Failed),
        _ => CameraState::Off,
    };
    Ok(Capability { camera })
}

/// Begins a call; answers its number. What happens in it is told in order.
#[tauri::command]
pub async fn join(
    app: State<'_, App>,
    options: Wish,
    on: Channel<CallEvent>,
) -> Result<u32, EndCode> {
    app.calls.join(app.relay.current(), options, move |event| {
        drop(on.send(event));
    })
}

/// Leaves a call.
#[tauri::command]
pub fn leave(app: State<'_, App>, call: u32) {
    app.calls.leave(call);
}

/// Writes to everybody in the room.
#[tauri::command]
pub fn chat(app: State<'_, App>, call: u32, text: &str) -> Result<(), Code> {
    app.calls.chat(call, text)
}

/// Switches the camera on or off.
#[tauri::command]
pub fn set_camera(app: State<'_, App>, call: u32, on: bool) -> Result<(), Code> {
    app.calls.camera(call, on)
}

/// Sends a value as it is and as it becomes.
async fn follow<T, S: Serialize + Clone + 'static>(
    mut values: watch::Receiver<T>,
    on: Channel<S>,
    show: impl Fn(&T) -> S,
) {
    loop {
        let shown = show(&values.borrow_and_update());
        if on.send(shown).is_err() || values.changed().await.is_err() {
            return;
        }
    }
}
