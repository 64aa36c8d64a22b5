//! The app's program.

// No console beside the window on Windows.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;

fn main() -> ExitCode {
    match visita::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A terminal would obey control characters, which a path may hold.
            let sentence = error.to_string().replace(char::is_control, "\u{fffd}");
            eprintln!("visita: {sentence}");
            ExitCode::FAILURE
        }
    }
}
