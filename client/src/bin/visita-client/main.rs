//! A participant without a window.

use std::{
    error::Error as _,
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
};

use clap::{
    Parser as _,
    error::{ContextKind, ErrorKind},
};
use serde::Serialize;
use tracing_subscriber::EnvFilter;

mod args;
mod exit;
mod host;
mod hosts;
mod join;
mod rooms;
mod stamps;

use args::{Cli, Command};
use exit::Failure;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let filter = EnvFilter::try_from_env("VISITA_LOG")
        .unwrap_or_else(|_| EnvFilter::new("warn,visita_client=info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    let result = match cli.command {
        Command::Join(args) => join::run(*args).await,
        Command::Rooms(args) => rooms::run(args).await,
        Command::Hosts(args) => hosts::run(args).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("visita-client: {}", printable(&failure.to_string()));
            failure.code()
        }
    }
}

/// Without control characters, which a terminal would obey: a path may hold them.
fn printable(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

/// Says what is wrong with the command line, or what was asked of it. A value that doesn't fit isn't
/// repeated: it may be somebody's name, and stderr may be a log.
fn usage(error: &clap::Error) -> ExitCode {
    let argument = error.get(ContextKind::InvalidArg);
    match (error.kind(), argument, error.source()) {
        (ErrorKind::ValueValidation, Some(argument), Some(reason)) => {
            eprintln!("visita-client: {argument}: {reason}; see --help");
        }
        _ => {
            let _ = error.print();
        }
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// A line of the output: JSON.
fn print(line: &impl Serialize) -> Result<(), Failure> {
    let mut text = serde_json::to_string(line)
        .map_err(io::Error::from)
        .map_err(Failure::Output)?;
    text.push('\n');
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(Failure::Output)
}
