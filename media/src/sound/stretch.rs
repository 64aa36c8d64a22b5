//! Taking a piece out of sound, or putting one in, where it is heard least: whole periods of the
//! voice, cross-faded (WSOLA). Pure.

use std::collections::VecDeque;

/// The shortest piece: 2.5 ms, the pitch of a child.
const SHORTEST: usize = 120;
/// The longest: 15 ms, the deepest voices.
const LONGEST: usize = 720;
/// How much sound on both sides of a cut is compared: 10 ms, more than most voices' period.
const COMPARED: usize = 480;
/// How long the sides fade into each other: 5 ms.
const FADE: usize = 240;
/// The shortest piece that is put in: it is faded into and out of.
const SHORTEST_IN: usize = FADE;

/// So much sound must lie ready for a piece to be taken out.
pub const NEEDED: usize = LONGEST + COMPARED;
/// So much sound that was played must be kept for a piece to be put in.
pub const HISTORY: usize = LONGEST;

/// Below this power (−55 dBFS) nobody hears where a cut is.
const INAUDIBLE: f32 = 3.2e-6;

/// Takes out a piece at the beginning of what lies ready, if two places are alike enough (−1 to
/// 1). Answers how many samples are gone, 0 if none.
pub fn take_out(ready: &mut VecDeque<f32>, alike: f32) -> usize {
    if ready.len() < NEEDED {
        return 0;
    }
    let sound = ready.make_contiguous();
    let whole: &[f32] = sound;
    let (lag, likeness) = best(SHORTEST..=LONGEST, |lag| {
        (&whole[..COMPARED], &whole[lag..lag + COMPARED])
    });
    if likeness < alike && power(&whole[..NEEDED]) > INAUDIBLE {
        return 0;
    }
    // What stays begins as it was and becomes what follows the piece.
    for at in 0..FADE {
        let share = at as f32 / FADE as f32;
        sound[lag + at] = sound[at] * (1.0 - share) + sound[lag + at] * share;
    }
    ready.drain(..lag);
    lag
}

/// Puts a piece in before what lies ready, after what was played last (at least [`HISTORY`]
/// samples), if two places are alike enough. Answers how many samples were added, 0 if none.
pub fn put_in(played: &[f32], ready: &mut VecDeque<f32>, alike: f32) -> usize {
    if played.len() < HISTORY || ready.len() < COMPARED {
        return 0;
    }
    let mut sound = played[played.len() - HISTORY..].to_vec();
    sound.extend(ready.iter().take(COMPARED));
    let now = HISTORY;
    let (lag, likeness) = best(SHORTEST_IN..=LONGEST, |lag| {
        (
            &sound[now..now + COMPARED],
            &sound[now - lag..now - lag + COMPARED],
        )
    });
    if likeness < alike && power(&sound) > INAUDIBLE {
        return 0;
    }
    // The last period is played again: what would have come fades into it, and it ends where what
    // comes begins.
    let mut piece = sound[now - lag..now].to_vec();
    for at in 0..FADE {
        let share = at as f32 / FADE as f32;
        piece[at] = sound[now + at] * (1.0 - share) + piece[at] * share;
    }
    for &sample in piece.iter().rev() {
        ready.push_front(sample);
    }
    lag
}

/// The lag at which two places are most alike, and how much, from −1 to 1.
fn best<'a>(
    lags: std::ops::RangeInclusive<usize>,
    places: impl Fn(usize) -> (&'a [f32], &'a [f32]),
) -> (usize, f32) {
    let mut best = (*lags.start(), f32::NEG_INFINITY);
    for lag in lags {
        let (one, other) = places(lag);
        let likeness = likeness(one, other);
        if likeness > best.1 {
            best = (lag, likeness);
        }
    }
    best
}

/// Normalised correlation.
fn likeness(one: &[f32], other: &[f32]) -> f32 {
    // Eight sums side by side, which the compiler keeps in one register each.
    let mut sums = [[0.0_f32; 8]; 3];
    for (a, b) in one.as_chunks::<8>().0.iter().zip(other.as_chunks::<8>().0) {
        for at in 0..8 {
            sums[0][at] += a[at] * b[at];
            sums[1][at] += a[at] * a[at];
            sums[2][at] += b[at] * b[at];
        }
    }
    let [both, first, second] = sums.map(|lanes| lanes.iter().sum::<f32>());
    let scale = (first * second).sqrt();
    if scale > f32::MIN_POSITIVE {
        both / scale
    } else {
        0.0
    }
}

fn power(sound: &[f32]) -> f32 {
    sound.iter().map(|sample| sample * sample).sum::<f32>() / sound.len() as f32
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn voice(pitch: f32, samples: usize) -> Vec<f32> {
        (0..samples)
            .map(|at| {
                let turns = pitch * at as f32 / 48_000.0;
                let overtone = |n: f32| (turns * n * std::f32::consts::TAU).sin() / n;
                0.2 * (overtone(1.0) + overtone(2.0) + overtone(3.0))
            })
            .collect()
    }

    fn roughest(sound: &[f32]) -> f32 {
        let jumps = sound.windows(2).map(|pair| (pair[0] - pair[1]).abs());
        jumps.fold(0.0, f32::max)
    }

    #[test]
    fn whole_periods_are_taken_out_of_a_voice() {
        for pitch in [85.0, 120.0, 210.0, 350.0] {
            let sound = voice(pitch, 4800);
            let mut ready: VecDeque<f32> = sound.iter().copied().collect();
            let gone = take_out(&mut ready, 0.8);
            assert!((SHORTEST..=LONGEST).contains(&gone), "{pitch} Hz: {gone}");
            assert_eq!(ready.len() + gone, sound.len());
            let periods = gone as f32 * pitch / 48_000.0;
            assert!(
                (periods - periods.round()).abs() < 0.03,
                "{pitch} Hz: {periods}"
            );
            let out: Vec<f32> = ready.into();
            assert!(
                roughest(&out) < roughest(&sound) * 1.1,
                "{pitch} Hz: no click"
            );
            assert_eq!(out[FADE..], sound[gone + FADE..]);
        }
    }

    #[test]
    fn whole_periods_are_put_into_a_voice() {
        for pitch in [85.0, 120.0, 210.0, 350.0] {
            let sound = voice(pitch, 4800);
            let (played, coming) = sound.split_at(2400);
            let mut ready: VecDeque<f32> = coming.iter().copied().collect();
            let more = put_in(played, &mut ready, 0.8);
            assert!(
                (SHORTEST_IN..=LONGEST).contains(&more),
                "{pitch} Hz: {more}"
            );
            assert_eq!(ready.len(), coming.len() + more);
            let mut out = played.to_vec();
            out.extend(&ready);
            assert!(
                roughest(&out) < roughest(&sound) * 1.1,
                "{pitch} Hz: no click"
            );
            assert_eq!(out[2400 + more..], *coming);
        }
    }

    #[test]
    fn silence_gives_and_takes_freely_and_noise_does_not() {
        let mut ready: VecDeque<f32> = vec![0.0; NEEDED].into();
        assert!(take_out(&mut ready, 0.8) > 0);
        assert!(put_in(&[0.0; HISTORY], &mut ready, 0.8) > 0);
        let mut state = 1_u32;
        let mut noise: VecDeque<f32> = (0..4800)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state as f32 / u32::MAX as f32 - 0.5
            })
            .collect();
        assert_eq!(take_out(&mut noise, 0.8), 0);
        assert!(take_out(&mut noise, -1.0) > 0, "unless it must be");
    }

    proptest! {
        #[test]
        fn any_sound_stays_within_what_it_was(sound in vec(-1.0..1.0_f32, 0..3000), alike in -1.0..1.0_f32) {
            let mut ready: VecDeque<f32> = sound.iter().copied().collect();
            let gone = take_out(&mut ready, alike);
            prop_assert_eq!(ready.len() + gone, sound.len());
            let before = ready.len();
            let more = put_in(&sound, &mut ready, alike);
            prop_assert_eq!(before + more, ready.len());
            prop_assert!(ready.iter().all(|sample| sample.abs() <= 1.0));
        }
    }
}
