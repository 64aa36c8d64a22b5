//! A call of twelve `visita-client`s on one machine, each sending 640×360 at 30 pictures a second
//! and decoding the other eleven: delay, CPU and memory, from their reports and from the kernel.
//! `scripts/bench twelve` builds and starts it.

use std::{error::Error, io::Write as _, thread::sleep, time::Duration};

use clap::Parser;
use serde_json::Value;

use programs::Program;

#[path = "../programs.rs"]
mod programs;

/// A call of many on one machine.
#[derive(Parser)]
struct Arguments {
    /// How many take part.
    #[arg(long, default_value_t = 12)]
    people: usize,
    /// How long each stays in the room, in seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Where the release build is.
    #[arg(long)]
    built: String,
}

/// CPU is measured from when everybody has come and keys have settled…
const SETTLE: Duration = Duration::from_secs(8);
/// …to a while before the first goes.
const BEFORE_END: Duration = Duration::from_secs(6);

fn main() -> Result<(), Box<dyn Error>> {
    let Arguments {
        people,
        seconds,
        built,
    } = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let (relay, host) = programs::relay(&built, &folder.path().join("ward"))?;

    let mut clients = Vec::new();
    for number in 0..people {
        let mut client = host.join(&built, "Twelve");
        client.arg("--name").arg(format!("Person {}", number + 1));
        client.args(["--video", "synthetic:640x360@30"]);
        client.args(["--duration", &seconds.to_string(), "--state"]);
        client.arg(folder.path().join(format!("state-{number}")));
        clients.push(Program::start(&mut client)?);
    }
    sleep(SETTLE);
    let cpu = |programs: &[Program]| -> Result<Vec<Duration>, Box<dyn Error>> {
        programs.iter().map(Program::cpu).collect()
    };
    let (relay_before, before) = (relay.cpu()?, cpu(&clients)?);
    let window = Duration::from_secs(seconds).saturating_sub(SETTLE + BEFORE_END);
    sleep(window);
    let (relay_after, after) = (relay.cpu()?, cpu(&clients)?);
    let part = |used: Duration| 100.0 * used.as_secs_f64() / window.as_secs_f64();
    let relay_cpu = part(relay_after.saturating_sub(relay_before));
    let client_cpu = after
        .iter()
        .zip(&before)
        .map(|(a, b)| part(a.saturating_sub(*b)));
    let client_cpu = sorted(client_cpu.collect());
    let relay_mb = relay.resident_mb()?;
    let client_mb = clients
        .iter()
        .map(Program::resident_mb)
        .collect::<Result<_, _>>()?;
    let client_mb = sorted(client_mb);

    let mut reports = Vec::new();
    for client in &mut clients {
        reports.push(client.report()?);
    }
    let text = table(&reports, people);
    let mut out = std::io::stdout();
    writeln!(
        out,
        "| {people} people, 640×360 at 30, {seconds} s | median | least–most |"
    )?;
    writeln!(out, "| --- | ---: | ---: |\n{text}")?;
    let mut row = |name: &str, unit: &str, values: &[f64]| {
        let (least, most) = (values[0], values[values.len() - 1]);
        let median = values[values.len() / 2];
        writeln!(
            out,
            "| {name} | {median:.1}{unit} | {least:.1}–{most:.1}{unit} |"
        )
    };
    row("CPU of one participant, of one core", " %", &client_cpu)?;
    row("CPU of the relay, of one core", " %", &[relay_cpu])?;
    row("resident memory of one participant", " MB", &client_mb)?;
    row("resident memory of the relay", " MB", &[relay_mb])?;
    Ok(())
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

/// What the reports say, a row for each figure.
fn table(reports: &[Value], people: usize) -> String {
    let rows: Vec<&Value> = reports
        .iter()
        .filter_map(|report| report["received"].as_array())
        .flatten()
        .collect();
    let of = |pick: &dyn Fn(&Value) -> &Value| -> Vec<f64> {
        sorted(rows.iter().filter_map(|row| pick(row).as_f64()).collect())
    };
    let sum = |key: &str| of(&|row| &row[key]).iter().sum::<f64>();
    let mut lines = Vec::new();
    let mut line = |name: &str, values: &[f64], unit: &str| {
        if let (Some(least), Some(most)) = (values.first(), values.last()) {
            let median = values[values.len() / 2];
            lines.push(format!(
                "| {name} | {median:.1}{unit} | {least:.1}–{most:.1}{unit} |"
            ));
        }
    };
    for part in ["p50", "p95", "p99"] {
        let delays = of(&|row| &row["delay_ms"][part]);
        line(
            &format!("delay from capture to decoded, {part}"),
            &delays,
            " ms",
        );
    }
    let first = reports
        .iter()
        .filter_map(|report| report["first_picture_ms"].as_f64());
    line(
        "first picture after the call's start",
        &sorted(first.collect()),
        " ms",
    );
    line("frozen", &of(&|row| &row["frozen_ms"]), " ms");
    let encodes = reports
        .iter()
        .filter_map(|report| report["sent"].as_array())
        .flatten();
    let encodes = encodes.filter_map(|sent| sent["encode_us"]["p50"].as_f64());
    line("encoding a picture, p50", &sorted(encodes.collect()), " µs");
    lines.push(format!(
        "| pictures received / decoded / dropped, all {} ways | {:.0} / {:.0} / {:.0} | |",
        people * (people - 1),
        sum("frames_received"),
        sum("frames_decoded"),
        sum("frames_dropped"),
    ));
    lines.join("\n")
}
