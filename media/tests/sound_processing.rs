//! The processing with speech (espeak-ng's): echo, and two who speak at once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]
#![cfg(target_os = "linux")]

#[path = "../../tests/src/pulse.rs"]
#[allow(dead_code, unreachable_pub, missing_docs)] // Made for the whole-system tests.
mod pulse;
mod speech;

#[test]
fn the_far_ends_speech_does_not_come_back() {
    let less = speech::echo();
    println!(
        "echo: {:.1} dB less in the first 2 s, {:.1} dB after",
        less.soon, less.later
    );
    assert!(less.later >= 30.0, "{} dB", less.later);
}

#[test]
fn who_speaks_at_the_same_time_is_kept() {
    let kept = speech::double_talk();
    println!(
        "double talk: segmental SNR {:.1} dB, level {:+.1} dB against nobody else speaking",
        kept.segmental_snr, kept.level
    );
    assert!(kept.segmental_snr > 5.0, "{} dB", kept.segmental_snr);
    assert!(
        kept.level > -6.0,
        "the near speaker isn't swallowed: {} dB",
        kept.level
    );
}
