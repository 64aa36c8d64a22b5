//! The icon in the tray, while this device hosts.

use tauri::{AppHandle, Runtime, menu::MenuBuilder, tray::TrayIconBuilder};

use super::{Words, ask_to_quit, show};

const TRAY: &str = "visita";
const OPEN: &str = "open";
const QUIT: &str = "quit";

/// Draws the icon with these words, or takes it away. To be called on the main thread.
pub(super) fn draw<R: Runtime>(tauri: &AppHandle<R>, words: Option<&Words>) -> tauri::Result<()> {
    let tray = tauri.tray_by_id(TRAY);
    let Some(words) = words else {
        return tray.map_or(Ok(()), |tray| tray.set_visible(false));
    };
    let menu = MenuBuilder::new(tauri)
        .text(OPEN, &words.open)
        .text(QUIT, &words.quit)
        .build()?;
    if let Some(tray) = tray {
        tray.set_menu(Some(menu))?;
        return tray.set_visible(true);
    }
    if !possible() {
        tracing::info!("this system has no tray; starting the app again shows its window");
        return Ok(());
    }
    let mut tray = TrayIconBuilder::with_id(TRAY)
        .menu(&menu)
        .tooltip("Visita")
        .on_menu_event(|tauri, event| match event.id().as_ref() {
            OPEN => show(tauri),
            QUIT => ask_to_quit(tauri),
            _ => {}
        });
    if let Some(icon) = tauri.default_window_icon() {
        tray = tray.icon(icon.clone());
    }
    tray.build(tauri).map(drop)
}

/// Whether the library that shows icons in trays is there: its binding panics without it.
#[cfg(target_os = "linux")]
#[expect(
    unsafe_code,
    reason = "the only way to learn whether a library can be loaded"
)]
fn possible() -> bool {
    // What the binding itself looks for (libappindicator-sys).
    const LIBRARIES: [&str; 2] = ["libayatana-appindicator3.so.1", "libappindicator3.so.1"];
    // SAFETY: it is the desktop's own library, which the binding loads in the next moment; nothing
    // of it is called here.
    LIBRARIES
        .iter()
        .any(|name| unsafe { libloading::Library::new(name) }.is_ok())
}

#[cfg(not(target_os = "linux"))]
fn possible() -> bool {
    true
}
