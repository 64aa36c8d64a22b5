//! What a desktop has beyond a tablet: one instance, a window that is closed while hosting goes
//! on, a tray to open it again, and a start with the system.

#[cfg(target_os = "macos")]
mod menu;
mod tray;

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tauri::{
    AppHandle, Builder, CloseRequestApi, Manager as _, Runtime, WebviewWindow, async_runtime,
    ipc::Channel,
};
use tauri_plugin_autostart::AutoLaunchManager;

use crate::{
    app::App,
    hosting::{Problem, State},
};

/// The argument with which the system starts the app.
const AT_BOOT: &str = "--at-boot";

/// The app's only window.
const WINDOW: &str = "main";

/// How long to wait before hosting is tried again when there is no network yet: just after a
/// start of the system it comes within seconds.
const RETRY: Duration = Duration::from_secs(3);

/// What the page is told, to put it to the person in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// The window is being closed, and hosting would go on.
    Closing,
    /// The app is being ended, and others would be cut off.
    Quitting,
    /// The window isn't seen any more: the own call is over.
    Hidden,
}

/// The tray's words, in the page's language.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Words {
    open: String,
    quit: String,
}

/// What is kept of the window.
#[derive(Default)]
pub struct Desktop {
    page: Mutex<Option<Channel<Asked>>>,
    words: Mutex<Option<Words>>,
    /// It was said that hosting goes on, in this run of the app.
    asked: AtomicBool,
}

impl Desktop {
    /// The page that questions are put to from now on.
    pub fn ask_by(&self, page: Channel<Asked>) {
        *lock(&self.page) = Some(page);
    }

    /// Puts a question. Answers whether there is anybody to ask.
    fn ask(&self, asked: Asked) -> bool {
        lock(&self.page)
            .as_ref()
            .is_some_and(|page| page.send(asked).is_ok())
    }
}

/// The plugins of the desktop. The single instance is first: a second start ends there, and shows
/// the first one's window.
pub fn plugins<R: Runtime>(builder: Builder<R>) -> Builder<R> {
    #[cfg(target_os = "macos")]
    let builder = menu::put(builder);
    builder
        .plugin(tauri_plugin_single_instance::init(|tauri, _, _| {
            show(tauri);
        }))
        .plugin(tauri_plugin_autostart::Builder::new().arg(AT_BOOT).build())
}

/// Whether this start should have no window: the system began it, and it hosts again.
pub fn hidden<R: Runtime>(tauri: &AppHandle<R>) -> bool {
    at_boot() && tauri.state::<App>().hosting.kept().hosts
}

fn at_boot() -> bool {
    std::env::args().any(|argument| argument == AT_BOOT)
}

/// What begins with the app.
pub fn begin<R: Runtime>(tauri: &AppHandle<R>) {
    let hosting = tauri.state::<App>().hosting.clone();
    hosting.set_at_boot(starts_at_boot(tauri));
    if hidden(tauri) {
        async_runtime::spawn(host_again(tauri.clone()));
    }
    let (tauri, mut status) = (tauri.clone(), hosting.status());
    async_runtime::spawn(async move {
        let mut on = false;
        while status.changed().await.is_ok() {
            let now = hosting.is_on();
            if now != on {
                on = now;
                draw_tray(&tauri);
            }
        }
    });
}

/// Hosts as before the system was switched off. What keeps it from that, but for a network that is
/// still coming, is shown.
async fn host_again<R: Runtime>(tauri: AppHandle<R>) {
    let hosting = tauri.state::<App>().hosting.clone();
    loop {
        hosting.start(None).await;
        let status = hosting.status().borrow().clone();
        let no_network = status
            .failure
            .is_some_and(|failure| failure.problem == Problem::NoNetwork);
        if status.state != State::Failed {
            return;
        }
        if !no_network {
            show(&tauri);
            return;
        }
        tokio::time::sleep(RETRY).await;
        if !hosting.kept().hosts {
            return;
        }
    }
}

/// The window is being closed. While this device hosts it is only hidden, which is said once.
pub fn close_requested<R: Runtime>(tauri: &AppHandle<R>, api: &CloseRequestApi) {
    let hosting = tauri.state::<App>().hosting.clone();
    if !hosting.is_on() {
        return;
    }
    api.prevent_close();
    let desktop = tauri.state::<Desktop>();
    // A page that doesn't answer keeps nobody from closing its window: the second time is enough.
    let said = hosting.kept().told_goes_on || desktop.asked.swap(true, SeqCst);
    if said || !desktop.ask(Asked::Closing) {
        hide(tauri);
    }
}

/// Hides the window. The own call ends: nobody is filmed by a window that isn't there.
pub fn hide<R: Runtime>(tauri: &AppHandle<R>) {
    tauri.state::<App>().calls.leave_all();
    tauri.state::<Desktop>().ask(Asked::Hidden);
    with_window(tauri, tauri::WebviewWindow::hide);
}

/// Hides the window after it was said that hosting goes on.
pub fn hide_knowingly<R: Runtime>(tauri: &AppHandle<R>) {
    let hosting = tauri.state::<App>().hosting.clone();
    hosting.keep(|kept| kept.told_goes_on = true);
    hide(tauri);
}

/// Shows the window again.
pub fn show<R: Runtime>(tauri: &AppHandle<R>) {
    with_window(tauri, |window| {
        window.show()?;
        window.unminimize()?;
        window.set_focus()
    });
}

/// Ends the app, after the question whether others may be cut off.
fn ask_to_quit<R: Runtime>(tauri: &AppHandle<R>) {
    let others = tauri
        .state::<App>()
        .hosting
        .status()
        .borrow()
        .connected
        .as_ref()
        .is_some_and(|connected| !connected.is_empty());
    if others {
        show(tauri);
        if tauri.state::<Desktop>().ask(Asked::Quitting) {
            return;
        }
    }
    quit(tauri);
}

/// Ends hosting and the app.
pub fn quit<R: Runtime>(tauri: &AppHandle<R>) {
    let tauri = tauri.clone();
    async_runtime::spawn(async move {
        tauri.state::<App>().stop_hosting().await;
        tauri.exit(0);
    });
}

/// The tray, and macOS's menu bar, speak so from now on.
pub fn speak<R: Runtime>(tauri: &AppHandle<R>, words: Words) {
    #[cfg(target_os = "macos")]
    {
        let (named, words) = (tauri.clone(), words.clone());
        let _ = tauri.run_on_main_thread(move || {
            if let Err(error) = menu::say(&named, &words) {
                tracing::warn!(%error, "the menu bar keeps its words");
            }
        });
    }
    *lock(&tauri.state::<Desktop>().words) = Some(words);
    draw_tray(tauri);
}

/// There is an icon in the tray while this device hosts.
fn draw_tray<R: Runtime>(tauri: &AppHandle<R>) {
    let words = lock(&tauri.state::<Desktop>().words).clone();
    let shown = words.filter(|_| tauri.state::<App>().hosting.is_on());
    let drawn = tauri.clone();
    // The system's menus are a matter of the main thread.
    let queued = tauri.run_on_main_thread(move || {
        if let Err(error) = tray::draw(&drawn, shown.as_ref()) {
            tracing::warn!(%error, "there is no icon in the tray");
        }
    });
    if let Err(error) = queued {
        tracing::warn!(%error, "there is no icon in the tray");
    }
}

/// Whether the app starts with the system; `None` where it can't.
fn starts_at_boot<R: Runtime>(tauri: &AppHandle<R>) -> Option<bool> {
    let launcher = tauri.try_state::<AutoLaunchManager>()?;
    launcher
        .is_enabled()
        .inspect_err(|error| tracing::warn!(%error, "the start with the system isn't known"))
        .ok()
}

/// Has the app start with the system, or not any more. What came of it is in hosting's status.
pub fn set_at_boot<R: Runtime>(tauri: &AppHandle<R>, wanted: bool) {
    if let Some(launcher) = tauri.try_state::<AutoLaunchManager>() {
        let set = if wanted {
            launcher.enable()
        } else {
            launcher.disable()
        };
        if let Err(error) = set {
            tracing::warn!(%error, "the start with the system can't be changed");
        }
    }
    let now = starts_at_boot(tauri);
    tauri.state::<App>().hosting.set_at_boot(now);
}

fn with_window<R: Runtime>(
    tauri: &AppHandle<R>,
    act: impl FnOnce(&WebviewWindow<R>) -> tauri::Result<()>,
) {
    if let Some(window) = tauri.get_webview_window(WINDOW)
        && let Err(error) = act(&window)
    {
        tracing::warn!(%error, "the window doesn't obey");
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
