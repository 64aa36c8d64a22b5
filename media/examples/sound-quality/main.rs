//! What the processing does to speech. `sound-quality echo` prints a table in Markdown;
//! `sound-quality noise` gives sound to `benches/sound/stoi.py` through a pipe, which makes the
//! table of it. Nothing is written to disk.

use std::{
    error::Error,
    io::{Write, stdout},
};

#[path = "../../../tests/src/pulse.rs"]
#[allow(dead_code, unreachable_pub, missing_docs)] // Made for the whole-system tests.
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod pulse;
#[path = "../../tests/speech/mod.rs"]
mod speech;
mod ward;

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = stdout().lock();
    match std::env::args().nth(1).as_deref() {
        Some("echo") => echo(&mut out)?,
        Some("noise") => ward::noise(&mut out)?,
        _ => return Err("echo or noise?".into()),
    }
    Ok(out.flush()?)
}

fn echo(out: &mut impl Write) -> std::io::Result<()> {
    let less = speech::echo();
    let kept = speech::double_talk();
    writeln!(out, "| echo of speech at −6 dB in a room | dB |")?;
    writeln!(out, "| --- | ---: |")?;
    writeln!(out, "| less echo in the first 2 s | {:.1} |", less.soon)?;
    writeln!(
        out,
        "| less echo after 2 s (at least 30) | {:.1} |",
        less.later
    )?;
    writeln!(
        out,
        "| both speak: the near one's segmental SNR | {:.1} |",
        kept.segmental_snr
    )?;
    writeln!(
        out,
        "| both speak: the near one's level against nobody else speaking | {:+.1} |",
        kept.level
    )
}
