//! Visita's relay beside the seed's servers and a floor, under one load generator: what a
//! forwarded frame costs and how long it takes.
//!
//! All servers run on core 0 and all clients on core 1 of this machine, over 127.0.0.1. The runs
//! go in turn (every server once, then all again), so that a slow minute strikes all alike.
//! `scripts/bench fanout` builds, installs and starts it.

#[path = "load.rs"]
mod load;
#[path = "report.rs"]
mod report;
#[path = "server.rs"]
mod server;
#[path = "wire.rs"]
mod wire;

use std::{io::Write as _, time::Duration};

use clap::Parser;
use load::Scenario;
use report::Run;
use server::{Kind, Programs, Server};
use wire::Failure;

/// The bytes at a picture's start that hold when it was sent.
pub(crate) const STAMP: usize = 8;

const SCENARIOS: [Scenario; 6] = {
    const fn scenario(people: usize, publishers: usize, bytes: usize, per_second: u32) -> Scenario {
        Scenario {
            people,
            publishers,
            bytes,
            per_second,
        }
    }
    [
        scenario(10, 1, 20_000, 15),
        scenario(4, 4, 20_000, 15),
        scenario(10, 10, 20_000, 15),
        scenario(10, 1, 2_500, 30),
        scenario(4, 4, 2_500, 30),
        scenario(10, 10, 2_500, 30),
    ]
};

/// Measures what forwarding costs.
#[derive(Parser)]
struct Arguments {
    /// How often each server is run in each scenario.
    #[arg(long, default_value_t = 7)]
    runs: usize,
    /// How long each run is measured, in seconds.
    #[arg(long, default_value_t = 2.5)]
    seconds: f64,
    /// Only servers with this in their name.
    #[arg(long)]
    only: Option<String>,
    /// Where the release build is.
    #[arg(long)]
    built: String,
    /// Where the comparisons' packages are.
    #[arg(long)]
    comparisons: String,
    /// Where the Markdown goes, besides stdout.
    #[arg(long)]
    out: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let programs = Programs {
        built: arguments.built.clone(),
        comparisons: arguments.comparisons.clone(),
    };
    let window = Duration::from_secs_f64(arguments.seconds);
    let wanted = |kind: &Kind| {
        arguments
            .only
            .as_ref()
            .is_none_or(|part| kind.name().to_lowercase().contains(&part.to_lowercase()))
    };
    let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(wanted).collect();
    let mut runs = Vec::new();
    for round in 0..arguments.runs {
        for turn in 0..kinds.len() {
            // Each round begins with another server.
            let kind = kinds[(turn + round) % kinds.len()];
            let server = Server::start(kind, &programs)?;
            for (index, &scenario) in SCENARIOS.iter().enumerate() {
                let room = format!("bench {round} {index}");
                let outcome =
                    load::run(&server, scenario, window, &room)
                        .await
                        .map_err(|failure| {
                            format!("{}, {}: {failure}", kind.name(), scenario.name())
                        })?;
                eprintln!(
                    "{}/{} {:34} {:16} {:7.1} µs, p95 {:6.2} ms, lost {:.3}, {:.0} MB",
                    round + 1,
                    arguments.runs,
                    kind.name(),
                    scenario.name(),
                    outcome.cpu_us,
                    outcome.p95_ms,
                    outcome.lost,
                    outcome.resident_mb,
                );
                runs.push(Run {
                    kind,
                    scenario,
                    outcome,
                });
            }
        }
    }
    let markdown = report::markdown(&runs, &SCENARIOS);
    if let Some(path) = &arguments.out {
        std::fs::write(path, &markdown)?;
    }
    std::io::stdout().write_all(markdown.as_bytes())?;
    Ok(())
}
