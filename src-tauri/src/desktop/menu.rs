//! The menu bar of macOS. Its "Quit" asks first, as the tray's does: the system's own would end the
//! app at once, and with it the calls of everybody whom this device hosts.

use tauri::{
    AppHandle, Builder, Runtime,
    menu::{Menu, MenuBuilder, MenuItemBuilder, MenuItemKind, SubmenuBuilder},
};

use super::{Words, ask_to_quit};

const APP: &str = "app";
const QUIT: &str = "app-quit";

/// Puts the menu bar in.
pub(super) fn put<R: Runtime>(builder: Builder<R>) -> Builder<R> {
    builder.menu(build).on_menu_event(|tauri, event| {
        if event.id().as_ref() == QUIT {
            ask_to_quit(tauri);
        }
    })
}

fn build<R: Runtime>(tauri: &AppHandle<R>) -> tauri::Result<Menu<R>> {
    // Until the page has said its words.
    let quit = MenuItemBuilder::with_id(QUIT, "Quit")
        .accelerator("Cmd+Q")
        .build(tauri)?;
    let app = SubmenuBuilder::with_id(tauri, APP, "Visita")
        .about(None)
        .separator()
        .hide()
        .hide_others()
        .show_all()
        .separator()
        .item(&quit)
        .build()?;
    // Without it the keys for copying and pasting do nothing.
    let edit = SubmenuBuilder::new(tauri, "Edit")
        .undo()
        .redo()
        .separator()
        .cut()
        .copy()
        .paste()
        .select_all()
        .build()?;
    let window = SubmenuBuilder::new(tauri, "Window")
        .minimize()
        .fullscreen()
        .close_window()
        .build()?;
    MenuBuilder::new(tauri)
        .items(&[&app, &edit, &window])
        .build()
}

/// Says "Quit" in the page's language.
pub(super) fn say<R: Runtime>(tauri: &AppHandle<R>, words: &Words) -> tauri::Result<()> {
    let app = tauri.menu().and_then(|menu| menu.get(APP));
    let Some(MenuItemKind::Submenu(app)) = app else {
        return Ok(());
    };
    match app.get(QUIT) {
        Some(MenuItemKind::MenuItem(quit)) => quit.set_text(&words.quit),
        _ => Ok(()),
    }
}
