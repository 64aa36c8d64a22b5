//! What fuzzing found interesting stays so: each corpus is played through what is fuzzed.

#![allow(
    clippy::print_stdout,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used
)]

#[path = "../../fuzz/src/sframe.rs"]
mod sframe;

use std::{fs, path::Path};

use visita_relay::fuzzed;

/// Fewer say that a corpus was lost, more that it isn't minimised.
const FILES: std::ops::RangeInclusive<usize> = 5..=100;

fn replay(target: &str, take: fn(&[u8])) {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folder = top.join("fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(FILES.contains(&files.len()), "{target}: {}", files.len());
    for file in files {
        // Told if it panics.
        println!("{}", file.display());
        take(&fs::read(file).unwrap());
    }
}

#[test]
fn offers() {
    replay("offer", fuzzed::offer);
}

#[test]
fn rtp() {
    replay("rtp", fuzzed::rtp);
}

#[test]
fn requests() {
    replay("https", fuzzed::https);
}

#[test]
fn sealed_frames() {
    replay("sframe", sframe::sframe);
}
