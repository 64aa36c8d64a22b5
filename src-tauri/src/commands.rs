//! What the page may ask for. Each command is a line or two: what it does is elsewhere. A command
//! that isn't in `build.rs` and in the capability can't be called.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use serde::Serialize;
use tauri::{
    AppHandle, Runtime, State,
    async_runtime::{JoinHandle, spawn},
    ipc::Channel,
};
use tokio::sync::watch;
use visita_media::source::{self, Choice};
use visita_protocol::{error::Code, id::MemberId, trouble::Trouble};

#[cfg(desktop)]
use crate::desktop::{self, Asked, Desktop, Words};
use crate::{
    app::App,
    calls::{CallEvent, CameraState, EndCode, MicState, Wish},
    cameras::{List, PreviewEvent},
    frames::Endpoint,
    hosting::Status,
    hosts::Around,
    relay::{Answer, Problem, Shown},
    sounds::{self, CheckEvent, Signal},
};

/// What the page listens to, one listener each: a page that is loaded again takes its own place.
#[derive(Default)]
pub struct Listeners(Mutex<HashMap<&'static str, JoinHandle<()>>>);

impl Listeners {
    /// Puts a listener in the place of the one before.
    pub(crate) fn set(&self, what: &'static str, listener: JoinHandle<()>) {
        let mut listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = listeners.insert(what, listener) {
            before.abort();
        }
    }

    /// Nobody listens any more.
    pub(crate) fn end(&self, what: &str) {
        let mut listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(listener) = listeners.remove(what) {
            listener.abort();
        }
    }
}

/// Where the page gets its pictures.
#[tauri::command]
pub fn start(app: State<'_, App>) -> Endpoint {
    // A page that begins is in no call: it was loaded again, and can't go on with the one before.
    app.calls.leave_all();
    let sounds = app.sounds.clone();
    spawn(async move { sounds.end_check().await });
    app.endpoint.clone()
}

/// Tells the hosts around.
#[tauri::command]
pub fn watch_hosts(app: State<'_, App>, listeners: State<'_, Listeners>, on: Channel<Around>) {
    let directory = app.directory.clone();
    let listener = async move {
        directory.watch(|around| drop(on.send(around))).await;
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

/// Forgets a ward that was trusted: its next use is a first one again.
#[tauri::command]
pub fn forget_host(app: State<'_, App>, fingerprint: &str) -> Result<(), Problem> {
    app.relay.forget(fingerprint)
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

/// Switches hosting on, on another port than the usual one if that is wanted. What comes of it is
/// told by the status.
#[tauri::command]
pub async fn host_start(app: State<'_, App>, port: Option<u16>) -> Result<(), ()> {
    app.hosting.start(port).await;
    Ok(())
}

/// Switches hosting off.
#[tauri::command]
pub async fn host_stop(app: State<'_, App>) -> Result<(), ()> {
    app.stop_hosting().await;
    Ok(())
}

/// Calls this device's ward something else.
#[tauri::command]
pub fn host_rename(app: State<'_, App>, name: &str) -> Result<(), Code> {
    app.rename_ward(name)
}

/// Has the app start with the system, or not any more.
#[cfg(desktop)]
#[tauri::command]
pub fn host_at_boot<R: Runtime>(tauri: AppHandle<R>, on: bool) {
    desktop::set_at_boot(&tauri, on);
}

/// Tells when the window is being closed and something is to be said or asked first.
#[cfg(desktop)]
#[tauri::command]
pub fn watch_window(desktop: State<'_, Desktop>, on: Channel<Asked>) {
    desktop.ask_by(on);
}

/// Hides the window; hosting goes on, which was said.
#[cfg(desktop)]
#[tauri::command]
pub fn hide_window<R: Runtime>(tauri: AppHandle<R>) {
    desktop::hide_knowingly(&tauri);
}

/// Ends hosting and the app.
#[cfg(desktop)]
#[tauri::command]
pub fn quit<R: Runtime>(tauri: AppHandle<R>) {
    desktop::quit(&tauri);
}

/// The tray speaks the page's language.
#[cfg(desktop)]
#[tauri::command]
pub fn tray_words<R: Runtime>(tauri: AppHandle<R>, words: Words) {
    desktop::speak(&tauri, words);
}

/// Tells how this device fares as host.
#[tauri::command]
pub fn watch_host(app: State<'_, App>, listeners: State<'_, Listeners>, on: Channel<Status>) {
    listeners.set(
        "host",
        spawn(follow(app.hosting.status(), on, Status::clone)),
    );
}

/// What the camera and the microphone can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Capability {
    camera: CameraState,
    microphone: MicState,
}

/// Whether there are a camera and a microphone, without opening them.
#[tauri::command]
pub async fn capability(app: State<'_, App>) -> Result<Capability, ()> {
    let microphone = app.sounds.capability().await;
    let camera = match &app.settings.camera {
        Choice::Camera(_) => tauri::async_runtime::spawn_blocking(|| match source::cameras() {
            Ok(cameras) if cameras.is_empty() => CameraState::Missing,
            Ok(_) => CameraState::Off,
            Err(error) => (&error).into(),
        })
        .await
        .unwrap_or(CameraState::Failed),
        Choice::None => CameraState::Missing,
        _ => CameraState::Off,
    };
    Ok(Capability { camera, microphone })
}

/// Begins a call; answers its number. What happens in it is told in order.
#[tauri::command]
pub async fn join(
    app: State<'_, App>,
    options: Wish,
    on: Channel<CallEvent>,
) -> Result<u32, EndCode> {
    app.cameras.end_preview().await;
    app.sounds.end_check().await;
    app.calls.source(app.cameras.choice().await);
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

/// Asks for six digits that lead into the room; they are told as what the relay says.
#[tauri::command]
pub fn make_code(app: State<'_, App>, call: u32) -> Result<(), Code> {
    app.calls.make_code(call)
}

/// Switches the camera on or off.
#[tauri::command]
pub fn set_camera(app: State<'_, App>, call: u32, on: bool) -> Result<(), Code> {
    app.calls.camera(call, on)
}

/// Tells the cameras there are.
#[tauri::command]
pub fn watch_cameras(app: State<'_, App>, listeners: State<'_, Listeners>, on: Channel<List>) {
    let cameras = app.cameras.clone();
    let listener = async move {
        cameras.watch(|list| on.send(list).is_ok()).await;
    };
    listeners.set("cameras", spawn(listener));
}

/// Takes pictures from this camera from now on, in a call that goes on too.
#[tauri::command]
pub async fn choose_camera(app: State<'_, App>, id: String) -> Result<(), ()> {
    app.calls.source(app.cameras.choose(id).await);
    Ok(())
}

/// Shows the own picture before a call.
#[tauri::command]
pub async fn preview_start(app: State<'_, App>, on: Channel<PreviewEvent>) -> Result<(), ()> {
    app.cameras.preview(move |event| drop(on.send(event))).await;
    Ok(())
}

/// Gives the camera back.
#[tauri::command]
pub async fn preview_stop(app: State<'_, App>) -> Result<(), ()> {
    app.cameras.end_preview().await;
    Ok(())
}

/// Mutes the microphone, or opens it.
#[tauri::command]
pub fn set_microphone(app: State<'_, App>, call: u32, on: bool) -> Result<(), Code> {
    app.calls.microphone(call, on)
}

/// How loud a member is heard here: 0 not at all, 1 as sent.
#[tauri::command]
pub fn set_volume(
    app: State<'_, App>,
    call: u32,
    member: MemberId,
    volume: f32,
) -> Result<(), Code> {
    app.calls.volume(call, member, volume)
}

/// Tries a loudspeaker that failed again.
#[tauri::command]
pub fn hear(app: State<'_, App>, call: u32) -> Result<(), Code> {
    app.calls.hear(call)
}

/// Tells the microphones and loudspeakers there are.
#[tauri::command]
pub fn watch_sounds(
    app: State<'_, App>,
    listeners: State<'_, Listeners>,
    on: Channel<sounds::List>,
) {
    let sounds = app.sounds.clone();
    let listener = async move {
        sounds.watch(|list| on.send(list).is_ok()).await;
    };
    listeners.set("sounds", spawn(listener));
}

/// Takes sound from this microphone from now on, in a call that goes on too.
#[tauri::command]
pub fn choose_microphone(app: State<'_, App>, id: String) {
    app.sounds.choose_microphone(id);
}

/// Plays on this loudspeaker from now on, in a call that goes on too.
#[tauri::command]
pub fn choose_speaker(app: State<'_, App>, id: String) {
    app.sounds.choose_speaker(id);
}

/// Whether echo is cancelled, noise suppressed and gain controlled from now on.
#[tauri::command]
pub fn set_processing(app: State<'_, App>, on: bool) {
    app.sounds.process(on);
}

/// Opens the microphone before a call, and tells how loud it is.
#[tauri::command]
pub async fn sound_check_start(app: State<'_, App>, on: Channel<CheckEvent>) -> Result<(), ()> {
    app.sounds.check(move |event| drop(on.send(event))).await;
    Ok(())
}

/// Takes up a few seconds, and plays them once.
#[tauri::command]
pub async fn sound_check_sample(app: State<'_, App>) -> Result<(), ()> {
    app.sounds.sample().await;
    Ok(())
}

/// Gives the microphone back.
#[tauri::command]
pub async fn sound_check_stop(app: State<'_, App>) -> Result<(), ()> {
    app.sounds.end_check().await;
    Ok(())
}

/// Plays a short tone.
#[tauri::command]
pub async fn sound_tone(app: State<'_, App>) -> Result<(), ()> {
    app.sounds.tone().await;
    Ok(())
}

/// Plays a soft sound: where the call is heard, if there is one.
#[tauri::command]
pub async fn sound_signal(app: State<'_, App>, which: Signal) -> Result<(), ()> {
    if !app.calls.signal(which) {
        app.sounds.signal(which).await;
    }
    Ok(())
}

/// Writes an error of the page into the log. The page tells each but once, and few.
#[tauri::command]
pub fn page_trouble<R: Runtime>(tauri: AppHandle<R>, trouble: Trouble) {
    let file = trouble.file.as_str();
    // What isn't the name of one of the page's files could be anything.
    let files = tauri.asset_resolver();
    if !files
        .iter()
        .any(|(path, _)| path.trim_start_matches('/') == file)
    {
        return;
    }
    let Trouble {
        kind,
        seen,
        line,
        column,
        ..
    } = trouble;
    tracing::warn!(?kind, ?seen, file, line, column, "an error in the page");
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
