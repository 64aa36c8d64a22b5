//! The app's program.

// No console beside the window on Windows.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;

fn main() -> ExitCode {
    match visita::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("visita: {error}");
            ExitCode::FAILURE
        }
    }
}
