//! The app: a thin shell around the client and the relay, with the page in its window.

use std::{io::IsTerminal as _, path::PathBuf};

use tauri::{
    AppHandle, Builder, Manager as _, RunEvent, Runtime, WebviewWindowBuilder, async_runtime,
    generate_handler, utils::config::WindowConfig,
};
use tracing_subscriber::{EnvFilter, fmt};
use visita_media::source::Choice;

pub mod app;
pub mod awake;
pub mod calls;
pub mod cameras;
pub mod commands;
#[cfg(desktop)]
pub mod desktop;
#[cfg(target_os = "android")]
mod device;
pub mod frames;
pub mod hosting;
pub mod hosts;
pub mod links;
pub mod lobby;
#[cfg(target_os = "linux")]
mod painting;
pub mod qr;
pub mod relay;
pub mod settings;
pub mod sounds;
pub mod way;

use app::App;
use commands::Listeners;
use settings::Settings;

/// Runs the app until its window is closed.
///
/// # Errors
/// When it can't start: the message says why, in words with the next step.
pub fn run() -> Result<(), Box<dyn std::error::Error>> {
    #[cfg(target_os = "linux")]
    {
        let shown = |name| std::env::var_os(name).is_some_and(|display| !display.is_empty());
        if !shown("DISPLAY") && !shown("WAYLAND_DISPLAY") {
            return Err(
                "there is no display for the window; visita-relay hosts without one".into(),
            );
        }
        painting::choose();
    }
    let filter = EnvFilter::try_from_env("VISITA_LOG")
        .unwrap_or_else(|_| EnvFilter::new("warn,visita=info"));
    fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // Colours are control characters, which no log may hold.
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let settings = Settings::from_env()?;
    let tauri = Builder::default();
    #[cfg(desktop)]
    let tauri = desktop::plugins(tauri);
    #[cfg(target_os = "android")]
    let tauri = tauri.plugin(device::plugin());
    let tauri = tauri.plugin(tauri_plugin_deep_link::init());
    let tauri = builder(tauri).build(tauri::generate_context!())?;
    assemble(tauri.handle(), settings)?;
    links::listen(tauri.handle());
    let directory = tauri.state::<App>().directory.clone();
    async_runtime::spawn(async move { directory.search().await });
    let looking = tauri.handle().clone();
    async_runtime::spawn(async move { looking.state::<App>().look().await });
    #[cfg(desktop)]
    desktop::begin(tauri.handle());
    #[cfg(target_os = "android")]
    async_runtime::spawn(device::keep_awake(tauri.handle().clone()));
    #[cfg(target_os = "android")]
    async_runtime::spawn(device::watch_battery(tauri.handle().clone()));
    async_runtime::spawn(end_when_told(tauri.handle().clone()));
    tauri.run(|handle, event| {
        if let RunEvent::Exit = event {
            async_runtime::block_on(handle.state::<App>().end());
            // Mostly there is none.
            let _ = std::fs::remove_dir_all(forgotten_folder());
        }
        // A click on the icon in the Dock, which is all there is of an app whose window is hidden.
        #[cfg(target_os = "macos")]
        if let RunEvent::Reopen { .. } = event {
            desktop::show(handle);
        }
    });
    Ok(())
}

/// Where Android begins. It takes no error; what is written to its log is all that can be said.
#[cfg(mobile)]
#[tauri::mobile_entry_point]
fn begin() {
    if let Err(error) = run() {
        tracing::error!(%error, "the app can't start");
    }
}

/// The app with its commands, for any runtime: with a window, or without one in tests. Its parts
/// are put in by [`assemble`].
pub fn builder<R: Runtime>(builder: Builder<R>) -> Builder<R> {
    #[cfg(desktop)]
    let builder = builder
        .manage(desktop::Desktop::default())
        .on_window_event(|window, event| {
            if let tauri::WindowEvent::CloseRequested { api, .. } = event {
                desktop::close_requested(window.app_handle(), api);
            }
        });
    builder
        .manage(Listeners::default())
        .manage(links::Links::default())
        .setup(|tauri| {
            // The configuration's windows are opened here, after all is assembled: their page
            // asks for it at once.
            for window in &tauri.config().app.windows {
                open(tauri.handle(), window)?;
            }
            Ok(())
        })
        .invoke_handler(generate_handler![
            commands::start,
            commands::watch_hosts,
            commands::use_host,
            commands::forget_host,
            links::watch_links,
            links::scan,
            links::scan_stop,
            commands::watch_relay,
            commands::relay_problem,
            commands::host_start,
            commands::host_stop,
            commands::host_rename,
            commands::watch_host,
            #[cfg(desktop)]
            commands::host_at_boot,
            #[cfg(desktop)]
            commands::watch_window,
            #[cfg(desktop)]
            commands::hide_window,
            #[cfg(desktop)]
            commands::quit,
            #[cfg(desktop)]
            commands::tray_words,
            commands::capability,
            commands::join,
            commands::leave,
            commands::chat,
            commands::make_code,
            commands::set_camera,
            commands::watch_cameras,
            commands::choose_camera,
            commands::preview_start,
            commands::preview_stop,
            commands::set_microphone,
            commands::set_volume,
            commands::hear,
            commands::watch_sounds,
            commands::choose_microphone,
            commands::choose_speaker,
            commands::set_processing,
            commands::sound_check_start,
            commands::sound_check_sample,
            commands::sound_check_stop,
            commands::sound_tone,
            commands::sound_signal,
            #[cfg(target_os = "android")]
            device::ask_microphone,
            commands::page_trouble,
        ])
}

/// Opens a window. Where the web view's own folder can't be written it forgets what it is told:
/// a page that says what is wrong is better than none.
fn open<R: Runtime>(tauri: &AppHandle<R>, window: &WindowConfig) -> tauri::Result<()> {
    let mut builder = WebviewWindowBuilder::from_config(tauri, window)?;
    #[cfg(desktop)]
    if desktop::hidden(tauri) {
        builder = builder.visible(false);
    }
    let app = tauri.try_state::<App>();
    if app.is_some_and(|app| matches!(app.settings.camera, Choice::Feed(_))) {
        builder = builder.initialization_script("window.__VISITA_CAMERA__ = 'page';");
    }
    let folder = tauri.path().app_local_data_dir();
    if !folder.is_ok_and(|folder| std::fs::create_dir_all(folder).is_ok()) {
        tracing::warn!("the web view has no folder to keep its settings in");
        builder = builder.incognito(true).data_directory(forgotten_folder());
    }
    builder.build().map(drop)
}

/// A folder that the web view insists on and leaves empty. It goes with the app.
fn forgotten_folder() -> PathBuf {
    std::env::temp_dir().join(format!("visita-{}", std::process::id()))
}

/// Puts the app's parts together, before any window is open.
///
/// # Errors
/// When this device has no socket for the pictures, or no TLS.
pub fn assemble<R: Runtime>(
    tauri: &AppHandle<R>,
    settings: Settings,
) -> Result<(), Box<dyn std::error::Error>> {
    let data = settings
        .data
        .clone()
        .or_else(|| tauri.path().app_data_dir().ok());
    let app = App::new(settings, data)?;
    tauri.plugin(lobby::plugin(app.pins.clone())?)?;
    tauri.manage(app);
    Ok(())
}

/// Ends the app in order when the system asks it to end, so that a host says goodbye.
#[cfg(unix)]
async fn end_when_told<R: Runtime>(tauri: AppHandle<R>) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tauri.exit(0);
}

/// Elsewhere the window's own end is all that the system says.
#[cfg(not(unix))]
async fn end_when_told<R: Runtime>(_tauri: AppHandle<R>) {}

#[cfg(test)]
mod tests;
