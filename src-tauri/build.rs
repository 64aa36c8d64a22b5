//! Generates Tauri's context: the page's files, the capabilities, and a permission for each of
//! the app's commands.

/// Every command of `src/commands.rs`. One that isn't named here, or that no capability grants,
/// can't be called by the page.
const COMMANDS: &[&str] = &[
    "start",
    "watch_hosts",
    "use_host",
    "forget_host",
    "watch_links",
    "scan",
    "scan_stop",
    "watch_relay",
    "relay_problem",
    "host_start",
    "host_stop",
    "host_rename",
    "host_at_boot",
    "watch_window",
    "hide_window",
    "quit",
    "tray_words",
    "watch_host",
    "capability",
    "join",
    "leave",
    "chat",
    "make_code",
    "set_camera",
    "watch_cameras",
    "choose_camera",
    "preview_start",
    "preview_stop",
    "set_microphone",
    "set_volume",
    "hear",
    "watch_sounds",
    "choose_microphone",
    "choose_speaker",
    "set_processing",
    "sound_check_start",
    "sound_check_sample",
    "sound_check_stop",
    "sound_tone",
    "sound_signal",
    "ask_microphone",
    "page_trouble",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Without these a new page file or capability is silently ignored.
    println!("cargo:rerun-if-changed=src-tauri/capabilities");
    println!("cargo:rerun-if-changed=ui");
    println!("cargo:rerun-if-changed=tauri.conf.json");
    tauri_build::try_build(
        tauri_build::Attributes::new()
            .capabilities_path_pattern("./src-tauri/capabilities/**/*")
            .app_manifest(tauri_build::AppManifest::new().commands(COMMANDS)),
    )?;
    Ok(())
}
