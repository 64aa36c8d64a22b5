//! Plays a few packets once: the way of a call's sound, from the jitter buffer to the loudspeaker,
//! so that what is heard here is what others hear.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use bytes::Bytes;
use tokio::task::{JoinHandle, spawn_blocking};
use visita_media::{
    clock,
    sound::{
        BLOCK, BLOCK_US, FRAME, FRAME_US,
        listen::{Event, Frame, Listener, Output},
        opus::{self, Encoder},
        played::Played,
        publish::Encoded,
        source::Tone,
    },
};
use visita_protocol::{id::MemberId, time::MediaTime};

/// The tone's pitch, in hertz: a C, which small loudspeakers play and old ears hear.
const HERTZ: f32 = 523.0;
/// Its length, in packets of 20 ms: 1.2 s, long enough to turn one's head to.
const LONG: usize = 60;
/// How it rises and falls, in packets, so that it doesn't click or startle.
const RISES: usize = 3;
const FALLS: usize = 15;
/// Half of the usual tone: −18 dBFS at its top, clear, and not startling at night.
const GAIN: f32 = 0.5;

/// How long a loudspeaker may take to begin.
const OPENING: Duration = Duration::from_secs(5);
/// The thread looks so often whether it is to stop.
const MOMENT: Duration = Duration::from_millis(20);
/// What a jitter buffer and a loudspeaker may hold at the end, in microseconds, besides what they
/// tell of themselves.
const TAIL_US: u64 = 100_000;

/// The only one who is heard.
const SELF: MemberId = MemberId(0);

/// A packet, and when it is due after the first, in microseconds.
pub(super) struct Piece {
    due_us: u64,
    payload: Bytes,
}

/// What was taken up, in its own time.
pub(super) fn pieces(packets: Vec<Encoded>) -> Vec<Piece> {
    let first = packets.first().map_or(0, |packet| packet.time.0);
    let pieces = packets.into_iter().map(|packet| Piece {
        due_us: packet.time.0.saturating_sub(first),
        payload: packet.payload,
    });
    pieces.collect()
}

/// What goes wrong before anything is heard.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Codec(#[from] opus::Error),
    #[error("no thread for it: {0}")]
    Thread(#[from] io::Error),
}

/// Something is played. It stops when this is dropped.
pub(super) struct Playing {
    stopping: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Playing {
    /// Whether it has come to its end.
    pub(super) fn is_over(&self) -> bool {
        self.task.is_finished()
    }

    /// Ends it. Once this returns the loudspeaker is given back.
    pub(super) async fn stop(mut self) {
        self.stopping.store(true, Ordering::Release);
        let _ = (&mut self.task).await;
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
    }
}

/// Plays a short tone.
pub(super) fn tone(speaker: Output, played: Played) -> Result<Playing, Error> {
    play(speaker, played, tone_pieces()?, || ())
}

/// Plays the pieces once, and calls `over` at the end, also when nothing could be heard.
pub(super) fn play(
    speaker: Output,
    played: Played,
    pieces: Vec<Piece>,
    over: impl FnOnce() + Send + 'static,
) -> Result<Playing, Error> {
    let run = move |listener: &Listener, stop: &AtomicBool| run(listener, pieces, stop);
    heard(speaker, played, run, over)
}

/// Plays a sound of the app's own once.
pub(super) fn sound(
    speaker: Output,
    played: Played,
    blocks: Vec<[f32; BLOCK]>,
) -> Result<Playing, Error> {
    let run = move |listener: &Listener, stop: &AtomicBool| {
        listener.sound(&blocks);
        let long = blocks.len() as u64 * BLOCK_US;
        rest(listener, clock::now().0 + long, stop);
    };
    heard(speaker, played, run, || ())
}

/// Does what is to be done while a loudspeaker plays.
fn heard(
    speaker: Output,
    played: Played,
    run: impl FnOnce(&Listener, &AtomicBool) + Send + 'static,
    over: impl FnOnce() + Send + 'static,
) -> Result<Playing, Error> {
    let (told, events) = mpsc::sync_channel(8);
    let waits = speaker != Output::None;
    let listener = Listener::start(speaker, played, move |event| drop(told.try_send(event)))?;
    let stopping = Arc::new(AtomicBool::new(false));
    let stop = stopping.clone();
    let task = spawn_blocking(move || {
        if !waits || begins(&events) {
            run(&listener, &stop);
        }
        listener.stop();
        over();
    });
    Ok(Playing { stopping, task })
}

/// Waits for the loudspeaker.
fn begins(events: &mpsc::Receiver<Event>) -> bool {
    match events.recv_timeout(OPENING) {
        Ok(Event::Started { .. } | Event::DeviceChanged { .. }) => true,
        Ok(Event::Stopped(error)) => {
            tracing::warn!(%error, "nothing is played");
            false
        }
        Err(_) => {
            tracing::warn!("the loudspeaker doesn't begin");
            false
        }
    }
}

fn run(listener: &Listener, pieces: Vec<Piece>, stop: &AtomicBool) {
    let begin = clock::now().0;
    let mut end = begin;
    for (sequence, piece) in (0..).zip(pieces) {
        end = begin + piece.due_us;
        if !until(end, stop) {
            return;
        }
        let frame = Frame {
            sequence,
            time: MediaTime(end),
            payload: piece.payload,
        };
        listener.frame(SELF, frame);
    }
    let held_ms = listener.stats(SELF).map_or(0, |stats| stats.target_ms);
    rest(listener, end + FRAME_US + held_ms * 1000, stop);
}

/// Waits until what is given to the loudspeaker by then was heard.
fn rest(listener: &Listener, given_us: u64, stop: &AtomicBool) {
    until(given_us + listener.played().delay_us + TAIL_US, stop);
}

/// Waits until it is time; `false` when it is to stop.
fn until(time_us: u64, stop: &AtomicBool) -> bool {
    loop {
        if stop.load(Ordering::Acquire) {
            return false;
        }
        let Some(early) = time_us
            .checked_sub(clock::now().0)
            .filter(|&early| early > 0)
        else {
            return true;
        };
        thread::sleep(Duration::from_micros(early).min(MOMENT));
    }
}

fn tone_pieces() -> Result<Vec<Piece>, opus::Error> {
    let mut encoder = Encoder::new(opus::BITRATE)?;
    let mut tone = Tone::new(HERTZ);
    let mut pieces = Vec::with_capacity(LONG);
    for number in 0..LONG {
        let mut frame = [0.0; FRAME];
        for (half, block) in frame.as_chunks_mut::<BLOCK>().0.iter_mut().enumerate() {
            tone.read(block);
            let at = number as f32 + 0.5 * half as f32;
            for (sample, value) in block.iter_mut().enumerate() {
                *value *= loud(at + sample as f32 / FRAME as f32);
            }
        }
        pieces.push(Piece {
            due_us: number as u64 * FRAME_US,
            payload: Bytes::copy_from_slice(encoder.encode(&frame)?),
        });
    }
    Ok(pieces)
}

/// How loud the tone is after so many packets.
fn loud(at: f32) -> f32 {
    let rises = at / RISES as f32;
    let falls = (LONG as f32 - at) / FALLS as f32;
    GAIN * rises.min(falls).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use visita_media::sound::opus::Decoder;

    use super::*;

    #[test]
    fn the_tone_rises_and_falls_and_is_what_it_says() {
        let pieces = tone_pieces().unwrap();
        assert_eq!(pieces.len(), LONG);
        let mut decoder = Decoder::new().unwrap();
        let mut all = Vec::new();
        for (number, piece) in pieces.iter().enumerate() {
            assert_eq!(piece.due_us, number as u64 * FRAME_US);
            let mut frame = [0.0; FRAME];
            decoder.decode(&piece.payload, &mut frame).unwrap();
            all.extend(frame);
        }
        let peak = |samples: &[f32]| samples.iter().fold(0.0_f32, |most, s| most.max(s.abs()));
        assert!(peak(&all[..FRAME / 4]) < 0.06, "it begins softly");
        assert!(peak(&all[all.len() - FRAME / 2..]) < 0.06, "and ends so");
        let middle = &all[20 * FRAME..30 * FRAME];
        assert!((0.09..0.16).contains(&peak(middle)), "{}", peak(middle));
        let rises = middle
            .windows(2)
            .filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0);
        let hertz = rises.count() as f32 / 0.2;
        assert!((hertz - HERTZ).abs() < 10.0, "{hertz} Hz");
    }
}
