//! How late sound is and by which part, whether lips go with it, and what it costs: whole
//! `visita-client`s with devices of a real PulseAudio, null sinks in place of the air.
//! `scripts/bench sound` builds and starts it.
#![allow(clippy::print_stdout)]

use std::error::Error;

use clap::{Parser, Subcommand};

mod call;
mod cpu;
mod delay;
mod lips;
#[path = "../programs.rs"]
mod programs;
mod spread;

/// Measures sound.
#[derive(Parser)]
struct Arguments {
    /// Where the release build is.
    #[arg(long, global = true, default_value = "target/release")]
    built: String,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// From the mouth to the ear, by part.
    Delay {
        /// How many calls.
        #[arg(long, default_value_t = 3)]
        runs: usize,
        /// How many chirps are counted in each.
        #[arg(long, default_value_t = 15)]
        chirps: usize,
    },
    /// How far a picture is from the sound of its moment.
    Lips {
        /// How long, in seconds.
        #[arg(long, default_value_t = 180)]
        seconds: u64,
    },
    /// CPU of a call with and without sound, in turns.
    Cpu {
        /// How many take part.
        #[arg(long, default_value_t = 4)]
        people: usize,
        /// How many calls of each kind.
        #[arg(long, default_value_t = 3)]
        runs: usize,
        /// How long each is measured, in seconds.
        #[arg(long, default_value_t = 12)]
        seconds: u64,
    },
}

fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { built, what } = Arguments::parse();
    match what {
        What::Delay { runs, chirps } => delay::measure(&built, runs, chirps),
        What::Lips { seconds } => lips::measure(&built, seconds),
        What::Cpu {
            people,
            runs,
            seconds,
        } => cpu::measure(&built, people, runs, seconds),
    }
}
