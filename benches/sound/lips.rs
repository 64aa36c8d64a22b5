//! Whether lips go with the sound, over minutes. Each picture says in its pixels when it was made,
//! so that each is a flash whose instant is known; a chirp is the beep. What is compared is how
//! late the two are: the picture when it is put for whoever paints, the chirp when the loudspeaker
//! plays it.

use std::error::Error;

use visita_tests::pulse::RATE;

use crate::{
    call::{Call, Came, Chirps, EVERY, PIECES_MS, Places, SETTLE},
    spread::share,
};

/// The bound, in milliseconds.
const BOUND_MS: f64 = 40.0;

/// A null sink hands a piece of sound on when it begins to play it, a microphone when it has heard
/// it: what a client takes for the instant of a sound is a piece before that of its being played
/// here. In microseconds.
const PIECE_US: i64 = PIECES_MS as i64 * 1000;

pub(crate) fn measure(built: &str, seconds: u64) -> Result<(), Box<dyn Error>> {
    let places = Places::new();
    let video = ["--video", "synthetic:640x360@30"];
    let call = Call::start(built, &places, &video)?;
    let chirps = seconds as usize * RATE / EVERY + SETTLE;
    let came = Chirps::say(chirps, &places.near, &places.far)
        .find()?
        .split_off(SETTLE);
    let (_, receiver) = call.end()?;
    let mut shown: Vec<(i64, i64)> = receiver.stamps("shown", None).into_iter().collect();
    shown.sort_unstable();
    let (mut offsets, mut sounds, mut pictures) = (Vec::new(), Vec::new(), Vec::new());
    for came in came.iter().flatten() {
        let came = Came {
            said: came.said - PIECE_US,
            ..*came
        };
        // The first picture that was made after the beep.
        let after = shown.partition_point(|(made, _)| *made < came.said);
        let Some((made, put)) = shown.get(after) else {
            continue;
        };
        let picture = (put - made) as f64 / 1000.0;
        pictures.push(picture);
        sounds.push(came.delay_ms());
        offsets.push(picture - came.delay_ms());
    }
    if offsets.is_empty() {
        return Err("no chirp was heard beside a picture".into());
    }
    let within = offsets.iter().filter(|offset| offset.abs() <= BOUND_MS);
    let sizes: Vec<f64> = offsets.iter().map(|offset| offset.abs()).collect();
    let told = receiver.report["received"].as_array();
    let told = told.and_then(|rows| rows.iter().find(|row| row["kind"] == "audio"));
    let told = told.map_or(&serde_json::Value::Null, |row| &row["av_offset_ms"]);
    println!("| {seconds} s, 640×360 at 30 and sound | p50 | p95 | most |");
    println!("| --- | ---: | ---: | ---: |");
    let row = |name: &str, figures: &[f64]| {
        let at = |part| share(figures, part);
        println!(
            "| {name} | {:.1} ms | {:.1} ms | {:.1} ms |",
            at(0.5),
            at(0.95),
            at(1.0)
        );
    };
    row("from a chirp to its being played", &sounds);
    row("from a picture to its being put", &pictures);
    row("**between the two, whichever is first**", &sizes);
    let part = |name: &str| told[name].as_f64().unwrap_or(f64::NAN);
    println!(
        "| what the client itself reports (`av_offset_ms`) | {:.1} ms | {:.1} ms | |\n",
        part("p50"),
        part("p95")
    );
    println!(
        "Within ±{BOUND_MS:.0} ms: {} of {} (of {} chirps said); the picture's lead in the median: {:+.1} ms.\n",
        within.count(),
        offsets.len(),
        came.len(),
        -share(&offsets, 0.5)
    );
    Ok(())
}
