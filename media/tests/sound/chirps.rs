//! A chirp through devices and back.

use std::{sync::mpsc, time::Duration};

use visita_media::sound::{
    BLOCK_US, FRAME,
    listen::{self, Frame, Listener, Output},
    opus::{Decoder, Encoder},
    played::Played,
    publish,
    source::Choice,
};
use visita_protocol::id::MemberId;

use super::{
    AGES, BITRATE, id,
    pulse::{chirp, find_in_pieces},
    speak, write_wav,
};

/// How alike a sound is after going through Opus twice, and through nothing else, in the worst of
/// some rounds: what an encoder makes of a sweep depends on what it heard before.
fn by_codec_alone(sound: &[f32], round: &[f32]) -> f64 {
    let mut heard = round.repeat(4);
    for _ in 0..2 {
        let (mut encoder, mut decoder) = (Encoder::new(BITRATE).unwrap(), Decoder::new().unwrap());
        for block in heard.as_chunks_mut::<FRAME>().0 {
            let packet = encoder.encode(block).unwrap().to_vec();
            decoder.decode(&packet, block).unwrap();
        }
    }
    let rounds = (0..3).map(|from| &heard[from * round.len()..(from + 2) * round.len()]);
    let alike = rounds.map(|heard| find_in_pieces(sound, heard).1);
    alike.fold(1.0, f64::min)
}

/// So many rounds of two seconds are listened to at most.
const MOST_ROUNDS: usize = 20;

/// How alike the chirp was in its best round, and how many were looked at: until it has come back
/// once as well as need be. Where a machine is busy with something else, devices find nothing to play
/// at first, and the buffers learn how much must lie ready.
fn best_round(
    chirp: &[f32],
    need: f64,
    round: usize,
    encoded: mpsc::Receiver<publish::Encoded>,
) -> (f64, usize) {
    let mut decoder = Decoder::new().unwrap();
    let mut recording = Vec::new();
    let (mut last, mut best, mut looked) = (None, 0.0_f64, 0);
    while best < need && looked < MOST_ROUNDS {
        let frame = encoded.recv_timeout(AGES).unwrap();
        let mut out = [0.0; FRAME];
        decoder.decode(&frame.payload, &mut out).unwrap();
        // Silence isn't sent, but takes its time.
        let gap = last.map_or(0, |last: u64| {
            frame.time.0.saturating_sub(last + 20_000) / 20_000
        });
        recording.extend(vec![0.0; gap as usize * FRAME]);
        recording.extend(out);
        last = Some(frame.time.0);
        // Two rounds hold the chirp whole, wherever they begin.
        if recording.len() >= (looked + 2) * round {
            best = best.max(find_in_pieces(chirp, &recording[looked * round..]).1);
            looked += 1;
        }
    }
    (best, looked)
}

/// A chirp from a file through Opus, the jitter buffer and the mixer into a sink, and from its
/// monitor through Opus again: it is nearly as it is after Opus alone. Prints how long it takes.
pub(super) fn there_and_back(sink: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chirp.wav");
    let chirp = chirp(200.0, 3_000.0, 1.0, 0.5);
    let mut sound = vec![0.0; 24_000];
    sound.extend(&chirp);
    sound.extend(vec![0.0; 24_000]);
    write_wav(&path, 48_000, &sound);
    // The buffers may take a piece out of any eighth of a second or put one in.
    let alone = by_codec_alone(&chirp, &sound);
    let need = alone * 0.95;

    let (to_heard, heard) = mpsc::channel();
    let listener = Listener::start(
        Output::Device(Some(id(sink))),
        Played::new(),
        move |event| {
            drop(to_heard.send(event));
        },
    )
    .unwrap();
    let started = heard.recv_timeout(AGES).unwrap();
    assert!(
        matches!(started, listen::Event::Started { .. }),
        "{started:?}"
    );
    let back = speak(Choice::Microphone(Some(id(&format!("{sink}.monitor")))));
    let started = back.event();
    assert!(
        matches!(started, publish::Event::Started { .. }),
        "{started:?}"
    );
    let member = MemberId(1);
    let there = speak(Choice::File(path));
    let encoded = back.encoded;
    // Looking for the chirp takes longer than a block: what is looked through waits, what is played
    // doesn't.
    let (best, looked) = std::thread::scope(|scope| {
        let looking = scope.spawn(|| best_round(&chirp, need, sound.len(), encoded));
        while !looking.is_finished() {
            let wait = Duration::from_micros(BLOCK_US);
            let Ok(frame) = there.encoded.recv_timeout(wait) else {
                continue;
            };
            listener.frame(
                member,
                Frame {
                    sequence: frame.sequence,
                    time: frame.time,
                    payload: frame.payload,
                },
            );
        }
        looking.join().unwrap()
    });
    let stats = listener.stats(member).unwrap();
    println!(
        "{sink}: correlation {best:.4} (by Opus alone {alone:.4}) after {looked} rounds; delay to the ear p50 {:?} µs, p95 {:?} µs; output {:?}; \
         concealed {} ms, stretched {} ms, aim {} ms; way out p50 {:?} µs",
        stats.delay_us.at(0.5),
        stats.delay_us.at(0.95),
        listener.played(),
        stats.concealed_ms,
        stats.stretched_ms,
        stats.target_ms,
        back.publisher.sent().encode_us.at(0.5),
    );
    listener.stop();
    there.publisher.stop();
    let sent = back.publisher.stop();
    assert_eq!(sent.overruns, 0);
    assert!(best >= need, "{best} of {alone}");
}
