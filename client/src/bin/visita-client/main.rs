//! A participant without a window.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::Parser as _;
use serde::Serialize;
use tracing_subscriber::EnvFilter;

mod args;
mod exit;
mod host;
mod hosts;
mod join;
mod rooms;

use args::{Cli, Command};
use exit::Failure;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_env("VISITA_LOG")
        .unwrap_or_else(|_| EnvFilter::new("warn,visita_client=info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .init();
    let result = match cli.command {
        Command::Join(args) => join::run(*args).await,
        Command::Rooms(args) => rooms::run(args).await,
        Command::Hosts(args) => hosts::run(args).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("visita-client: {failure}");
            failure.code()
        }
    }
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
