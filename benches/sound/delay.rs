//! From the mouth to the ear. The whole is read from recordings at both ends, the parts from the
//! clients' stamps, and what the devices alone take from a loop without Visita in the same run.

use std::{
    error::Error,
    io::Read as _,
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use visita_media::sound::{BLOCK, FRAME_US, RATE, mix::Limiter, opus::Encoder, process::Processor};
use visita_tests::pulse::Pulse;

use crate::{
    call::{Call, Chirps, Places, SETTLE, Told},
    spread::{Spread, share},
};

/// The number of the microphone's track.
const TRACK: u64 = 8;
/// The aims, in milliseconds: all, and without the devices.
const AIM_MS: f64 = 120.0;
const SOFTWARE_AIM_MS: f64 = 60.0;
/// Chirps through the devices alone.
const ALONE: usize = 8;

/// What a run found, in milliseconds.
struct Run {
    parts: Vec<(&'static str, f64)>,
    /// What the client itself reports.
    told: f64,
    whole: f64,
    whole_p95: f64,
    alone: f64,
    lost: usize,
}

pub(crate) fn measure(built: &str, runs: usize, chirps: usize) -> Result<(), Box<dyn Error>> {
    let runs = (0..runs).map(|_| run(built, chirps));
    print(&runs.collect::<Result<Vec<_>, _>>()?, chirps);
    Ok(())
}

/// How long the processing's filters hold sound back, in milliseconds.
fn processing() -> f64 {
    Processor::DELAY_US as f64 / 1000.0
}

fn run(built: &str, chirps: usize) -> Result<Run, Box<dyn Error>> {
    let places = Places::new();
    let call = Call::start(built, &places, &["--video", "none"])?;
    let said = Chirps::say(SETTLE + chirps, &places.near, &places.far);
    let came = said.find()?.split_off(SETTLE);
    let (sender, receiver) = call.end()?;
    let delays: Vec<f64> = came.iter().flatten().map(|came| came.delay_ms()).collect();
    if delays.is_empty() {
        return Err("nothing was heard".into());
    }
    let since = came.iter().flatten().map(|came| came.said).min();
    Ok(Run {
        parts: parts(&sender, &receiver, since.unwrap_or_default())?,
        told: sound_of(&receiver.report["received"], "delay_ms", "p50")?,
        whole: share(&delays, 0.5) + processing(),
        whole_p95: share(&delays, 0.95) + processing(),
        alone: alone(built, &places.far)?,
        lost: came.len() - delays.len(),
    })
}

/// A percentile in the report's row of sound.
fn sound_of(rows: &Value, field: &str, part: &str) -> Result<f64, Box<dyn Error>> {
    let rows = rows.as_array().ok_or("no report")?;
    let row = rows.iter().find(|row| row["kind"] == "audio");
    let figure = row.and_then(|row| row[field][part].as_f64());
    Ok(figure.ok_or("the report has no sound")?)
}

/// Medians of the parts, of frames that were captured since then.
fn parts(
    sender: &Told,
    receiver: &Told,
    since: i64,
) -> Result<Vec<(&'static str, f64)>, Box<dyn Error>> {
    let [encoded, sent] = ["encoded", "sent"].map(|name| sender.stamps(name, Some(TRACK)));
    let arrived = receiver.stamps("arrived", Some(TRACK));
    let (mut to_encoded, mut to_sent, mut to_arrived) = (Vec::new(), Vec::new(), Vec::new());
    for (captured, encoded) in encoded.iter().filter(|(captured, _)| **captured >= since) {
        if let (Some(sent), Some(arrived)) = (sent.get(captured), arrived.get(captured)) {
            to_encoded.push((encoded - captured) as f64 / 1000.0);
            to_sent.push((sent - encoded) as f64 / 1000.0);
            to_arrived.push((arrived - sent) as f64 / 1000.0);
        }
    }
    let heard = receiver.heard().ok_or("the receiver heard nothing")?;
    let whole = |name: &str| heard[name]["p50"].as_f64().map(|micros| micros / 1000.0);
    let (mixed, heard) = (
        whole("mixed_us").ok_or("nothing was mixed")?,
        whole("heard_us").ok_or("nothing was heard")?,
    );
    let [to_encoded, to_sent, to_arrived] =
        [to_encoded, to_sent, to_arrived].map(|part| share(&part, 0.5));
    // The codec's and the processing's own delay are in the time that a frame is sent with.
    let ahead = Encoder::new(RATE)?.look_ahead()? as f64 * 1000.0 / f64::from(RATE);
    let frame = FRAME_US as f64 / 1000.0;
    let spent = sound_of(&sender.report["sent"], "encode_us", "p50")? / 1000.0;
    let limiter = Limiter::DELAY as f64 * 1000.0 / f64::from(RATE);
    Ok(vec![
        (
            "capture: PulseAudio's and cpal's buffer, until our thread has it",
            to_encoded - frame - ahead - spent,
        ),
        ("the length of a frame", frame),
        ("processing: its filters' delay (added)", processing()),
        ("Opus: its look-ahead", ahead),
        ("Opus: computing", spent),
        ("send: queue, WebSocket, TLS", to_sent),
        ("relay, until the frame is there", to_arrived),
        (
            "jitter buffer, until it is mixed",
            mixed - to_encoded - to_sent - to_arrived,
        ),
        ("limiter: its look-ahead", limiter),
        (
            "playback: ring, cpal's and PulseAudio's buffer",
            heard - mixed - limiter,
        ),
    ])
}

/// The same through the devices alone, opened by the same library with the same buffers.
fn alone(built: &str, pulse: &std::sync::Arc<Pulse>) -> Result<f64, Box<dyn Error>> {
    let mut command = Command::new(format!("{built}/examples/sound-loop"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut between = Killed(pulse.serve(&mut command).spawn()?);
    let came = Chirps::say(ALONE, pulse, pulse).find()?;
    drop(between.0.stdin.take());
    let mut said = String::new();
    let stdout = between.0.stdout.as_mut().ok_or("no stdout")?;
    stdout.read_to_string(&mut said)?;
    let said: Value = serde_json::from_str(&said)?;
    let waited = said["waited_us"]["p50"].as_f64().ok_or("the loop failed")? / 1000.0;
    // The first comes while devices still settle.
    let delays: Vec<f64> = came
        .iter()
        .skip(2)
        .flatten()
        .map(|c| c.delay_ms())
        .collect();
    if delays.len() < ALONE / 2 {
        return Err("nothing came through the devices alone".into());
    }
    Ok(share(&delays, 0.5) - waited)
}

/// A program that is killed when this is dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn over(runs: &[Run], figure: impl Fn(&Run) -> f64) -> Spread {
    runs.iter().map(figure).collect()
}

fn verdict(ms: f64, aim: f64) -> &'static str {
    if ms <= aim { "kept" } else { "**missed**" }
}

fn print(runs: &[Run], chirps: usize) {
    let whole = over(runs, |run| run.whole);
    let alone = over(runs, |run| run.alone);
    let software = over(runs, |run| run.whole - run.alone);
    println!(
        "{} calls of two, {chirps} chirps counted in each; medians of the calls (least–most).\n",
        runs.len()
    );
    println!("| part, by the clients' stamps | p50 ms | |");
    println!("| --- | ---: | --- |");
    let scale = 40.0 / whole.median().max(1.0);
    let mut begin = 0.0;
    for (number, (name, _)) in runs[0].parts.iter().enumerate() {
        let part = over(runs, |run| run.parts[number].1);
        let cells = |ms: f64| (ms.max(0.0) * scale).round() as usize;
        let bar = "█".repeat(cells(part.median()));
        println!("| {name} | {part} | `{}{bar}` |", "·".repeat(cells(begin)));
        begin += part.median().max(0.0);
    }
    let told = over(runs, |run| run.told);
    println!("| all of them, as the client's report says it, without processing | {told} | |");
    let p95 = over(runs, |run| run.whole_p95);
    println!("| **from the sound in one sink to the sound in the other, p50** | **{whole}** | |");
    println!("| the same, p95 | {p95} | |");
    println!("| of that the devices alone: a loop of cpal's streams, without Visita | {alone} | |");
    println!("| **what is left: the software** | **{software}** | |\n");
    println!(
        "Aims: {AIM_MS:.0} ms in all {}, {SOFTWARE_AIM_MS:.0} ms of it the software {}. \
         {} of {} chirps weren't found. A chirp is no speech, and what the processing does to one says nothing: it is off, and the {:.1} ms that its filters take (measured alone) are added.\n",
        verdict(whole.median(), AIM_MS),
        verdict(software.median(), SOFTWARE_AIM_MS),
        runs.iter().map(|run| run.lost).sum::<usize>(),
        runs.len() * chirps,
        processing(),
    );
    println!(
        "Recorded at the sinks' monitors in pieces of {} ms; a sample counts from when its sink \
         plays it. A null sink hands a piece on when it begins to play it, a real microphone when it \
         has ended, which is a piece more.\n",
        BLOCK * 1000 / RATE as usize
    );
}
