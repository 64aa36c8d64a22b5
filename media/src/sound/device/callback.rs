//! What happens on the device's own threads: samples move through rings, and counters are counted.
//! Nothing here allocates, locks or logs (`media/tests/sound_callbacks.rs` counts); waking a
//! thread is one call to the system that doesn't wait. What cpal itself does around it is cpal's.

use std::{
    cell::Cell,
    sync::{Arc, atomic::Ordering},
    thread::Thread,
    time::Duration,
};

use rtrb::{Consumer, Producer};

use super::State;
use crate::clock;

thread_local! {
    static IN_CALLBACK: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is in a callback of ours, for a test's allocator.
pub fn in_callback() -> bool {
    IN_CALLBACK.get()
}

/// Marks a callback for as long as it lives.
struct Marked;

impl Marked {
    fn new() -> Self {
        IN_CALLBACK.set(true);
        Self
    }
}

impl Drop for Marked {
    fn drop(&mut self) {
        IN_CALLBACK.set(false);
    }
}

/// When a sample was captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Stamp {
    /// The sample's number, counted from 0.
    pub(in super::super) sample: u64,
    /// When it was captured, on this machine's clock.
    pub(in super::super) time_us: u64,
}

/// Fills a ring from a microphone.
pub(super) struct Fill {
    samples: Producer<f32>,
    stamps: Producer<Stamp>,
    channels: usize,
    /// So many samples are worth waking somebody for.
    block: u64,
    waits: u64,
    state: Arc<State>,
    wake: Thread,
    filled: u64,
}

impl Fill {
    pub(super) fn new(
        samples: Producer<f32>,
        stamps: Producer<Stamp>,
        channels: u16,
        block: u32,
        state: Arc<State>,
        wake: Thread,
    ) -> Self {
        Self {
            samples,
            stamps,
            channels: usize::from(channels).max(1),
            block: u64::from(block),
            waits: 0,
            state,
            wake,
            filled: 0,
        }
    }

    /// Samples came, of which the first was captured this long ago.
    pub(super) fn callback<T: Copy>(
        &mut self,
        data: &[T],
        latency: Duration,
        to_f32: impl Fn(T) -> f32,
    ) {
        let marked = Marked::new();
        let time_us = clock::now().0.saturating_sub(latency.as_micros() as u64);
        let stamp = Stamp {
            sample: self.filled,
            time_us,
        };
        // A stamp without room is no loss: the samples between two are counted.
        let _ = self.stamps.push(stamp);
        let frames = data.len() / self.channels;
        let scale = 1.0 / self.channels as f32;
        let mono = data.chunks_exact(self.channels).map(|frame| {
            let sum = frame.iter().fold(0.0, |sum, &sample| sum + to_f32(sample));
            sum * scale
        });
        let room = self.samples.slots().min(frames);
        let moved = match self.samples.write_chunk_uninit(room) {
            Ok(chunk) => chunk.fill_from_iter(mono),
            Err(_) => 0,
        };
        self.filled += moved as u64;
        self.state
            .latency_us
            .store(latency.as_micros() as u64, Ordering::Relaxed);
        self.state
            .missed
            .fetch_add((frames - moved) as u64, Ordering::Relaxed);
        self.state.callbacks.fetch_add(1, Ordering::Relaxed);
        drop(marked);
        // Some devices bring two dozen samples at a time.
        self.waits += moved as u64;
        if self.waits >= self.block || moved < frames {
            self.waits = 0;
            self.wake.unpark();
        }
    }
}

/// So much of what was heard last is left a sample later, while nothing is there to be played: it
/// is gone within 5 ms.
const FADE_OUT: f32 = 0.98;
/// So much louder is each sample than the one before, until what is there is heard in full: 5 ms.
const FADE_IN: f32 = 1.0 / 240.0;

/// Joins what is there to be played and what is missing without a step, which would be a click.
#[derive(Default)]
struct Seam {
    /// What was heard last.
    last: f32,
    /// What is left to be heard of what was heard before it went missing.
    tail: f32,
    /// How much isn't heard yet of what is there again: 1 to 0.
    lost: f32,
    began: bool,
    missing: bool,
}

impl Seam {
    fn there(&mut self, sample: f32) -> f32 {
        self.began = true;
        self.missing = false;
        self.last = sample;
        if self.lost > 0.0 {
            self.lost = (self.lost - FADE_IN).max(0.0);
            self.tail *= FADE_OUT;
            self.last = sample * (1.0 - self.lost) + self.tail;
        }
        self.last
    }

    fn missing(&mut self) -> f32 {
        // Silence before anything was heard is no hole.
        if self.began && !self.missing {
            self.lost = 1.0;
            self.tail = self.last;
            self.missing = true;
        }
        self.tail *= FADE_OUT;
        // Smaller ones make some processors slow.
        if self.tail.abs() < 1e-6 {
            self.tail = 0.0;
        }
        self.last = self.tail;
        self.tail
    }
}

/// Empties a ring into a loudspeaker.
pub(super) struct Drain {
    samples: Consumer<f32>,
    channels: usize,
    state: Arc<State>,
    wake: Thread,
    began: bool,
    seam: Seam,
}

impl Drain {
    pub(super) fn new(
        samples: Consumer<f32>,
        channels: u16,
        state: Arc<State>,
        wake: Thread,
    ) -> Self {
        Self {
            samples,
            channels: usize::from(channels).max(1),
            state,
            wake,
            began: false,
            seam: Seam::default(),
        }
    }

    /// Samples are wanted; the first will be heard this long from now.
    pub(super) fn callback<T: Copy>(
        &mut self,
        data: &mut [T],
        latency: Duration,
        of_f32: impl Fn(f32) -> T,
    ) {
        let marked = Marked::new();
        let frames = data.len() / self.channels;
        let there = self.samples.slots().min(frames);
        let mut left = data.chunks_exact_mut(self.channels);
        if let Ok(chunk) = self.samples.read_chunk(there) {
            for (sample, frame) in chunk.into_iter().zip(left.by_ref()) {
                frame.fill(of_f32(self.seam.there(sample)));
            }
        }
        for frame in left {
            frame.fill(of_f32(self.seam.missing()));
        }
        self.began |= there > 0;
        if self.began && there < frames {
            self.state.missed.fetch_add(1, Ordering::Relaxed);
        }
        self.state
            .latency_us
            .store(latency.as_micros() as u64, Ordering::Relaxed);
        self.state.asked.store(frames as u64, Ordering::Relaxed);
        self.state
            .called_us
            .store(clock::now().0, Ordering::Relaxed);
        self.state.callbacks.fetch_add(1, Ordering::Relaxed);
        drop(marked);
        self.wake.unpark();
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp)] // Samples that are only moved stay what they are.
mod tests {
    use std::thread;

    use rtrb::RingBuffer;

    use super::*;

    #[test]
    fn channels_become_one_and_what_has_no_room_is_counted() {
        let (samples, mut taken) = RingBuffer::new(4);
        let (stamps, mut stamped) = RingBuffer::new(8);
        let state = Arc::new(State::default());
        let mut fill = Fill::new(samples, stamps, 2, 480, state.clone(), thread::current());
        let data: [i16; 12] = [0, 100, 200, 400, -100, -300, 1, 1, 2, 2, 3, 3];
        fill.callback(&data, Duration::from_millis(5), f32::from);
        let mono: Vec<f32> = std::iter::from_fn(|| taken.pop().ok()).collect();
        assert_eq!(mono, [50.0, 300.0, -200.0, 1.0]);
        assert_eq!(state.missed.load(Ordering::Relaxed), 2);
        fill.callback(&data, Duration::ZERO, f32::from);
        let stamps: Vec<Stamp> = std::iter::from_fn(|| stamped.pop().ok()).collect();
        assert_eq!(stamps[1].sample, 4);
        assert!(stamps[1].time_us >= stamps[0].time_us + 5_000);
        assert!(!in_callback());
    }

    #[test]
    fn one_becomes_all_channels_and_what_is_missing_is_silence() {
        let (mut given, samples) = RingBuffer::new(8);
        let state = Arc::new(State::default());
        let mut drain = Drain::new(samples, 3, state.clone(), thread::current());
        let mut data = [9.0_f32; 9];
        drain.callback(&mut data, Duration::ZERO, |sample| sample);
        assert_eq!(data, [0.0; 9]);
        assert_eq!(state.missed.load(Ordering::Relaxed), 0, "it hasn't begun");
        given.push_entire_slice(&[1.0, 2.0]).unwrap();
        drain.callback(&mut data, Duration::ZERO, |sample| sample);
        assert_eq!(data[..6], [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]);
        assert_eq!(data[6..], [2.0 * FADE_OUT; 3]);
        assert_eq!(state.missed.load(Ordering::Relaxed), 1);
        assert_eq!(state.asked.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn what_is_missing_and_comes_back_makes_no_step() {
        const LOUD: f32 = 0.5;
        let (mut given, samples) = RingBuffer::new(4_800);
        let mut drain = Drain::new(samples, 1, Arc::new(State::default()), thread::current());
        let mut heard = Vec::new();
        // All of a piece, none of it, a part, all: the tone stands at its height when it ends.
        for there in [480_usize, 0, 0, 300, 0, 480, 480, 480, 7, 480, 480, 480] {
            for _ in 0..there {
                given.push(LOUD).unwrap();
            }
            let mut data = [9.0_f32; 480];
            drain.callback(&mut data, Duration::ZERO, |sample| sample);
            heard.extend(data);
        }
        let steps = heard.windows(2).map(|pair| (pair[1] - pair[0]).abs());
        assert!(steps.fold(0.0, f32::max) < 0.03);
        let loudest = heard
            .iter()
            .fold(0.0_f32, |most, sample| most.max(sample.abs()));
        assert!(loudest <= LOUD * 1.01, "{loudest}");
        assert_eq!(heard[..480], [LOUD; 480], "it begins as it is");
        assert!(heard[959].abs() < 1e-4, "what is missing is silent");
        assert_eq!(
            heard[heard.len() - 480..],
            [LOUD; 480],
            "and it is all there again"
        );
    }
}
