//! The listener's thread: opens the output, and mixes as fast as it plays.

use std::{sync::atomic::Ordering, thread, time::Duration};

use visita_protocol::time::MediaTime;

use super::{Event, OnEvent, Output, Shared, lock, pace::Pace};
use crate::{
    clock,
    sound::{
        BLOCK, BLOCK_US, Error, RATE,
        device::{Playback, this_thread},
        devices::DeviceId,
        mix::{Limiter, Mixer},
        played::Played,
        resample::Resampler,
        retry::Retry,
    },
};

/// A loudspeaker that takes nothing for so long is lost.
const STALL_US: u64 = 3_000_000;
/// The thread looks at its orders at least so often.
const LOOK: Duration = Duration::from_millis(100);
/// What waits for the device beyond what it takes at once, in milliseconds: the time that the
/// system may need to wake this thread…
const MARGIN_MS: u64 = 5;
/// …and so much more after each time that it was too little, up to this.
const MARGIN_STEP_MS: u64 = 5;
const MOST_MARGIN_MS: u64 = 60;
/// A clock that is so late begins anew: the machine slept.
const LATE_US: u64 = 200_000;

/// Why an output isn't played on any more.
enum End {
    /// Another is wanted, or the listener stops.
    Ordered,
    /// The system's default is another device.
    Moved,
    Failed(Error),
}

/// Works until the listener stops.
pub(super) fn run(shared: &Shared, played: &Played, mut on_event: OnEvent) {
    let mut work = Work {
        shared,
        played,
        mixer: Mixer::new(),
        limiter: Limiter::new(),
        retry: Retry::default(),
        moved: false,
    };
    let mut output = Output::None;
    while !shared.stopping.load(Ordering::Acquire) {
        if let Some(next) = lock(&shared.orders).take() {
            output = next;
            work.retry.reset();
            work.moved = false;
        }
        played.clear();
        let end = match &output {
            Output::None => work.nowhere(None),
            Output::Device(id) => work.device(id.as_ref(), &mut *on_event),
        };
        work.moved = matches!(end, End::Moved);
        if let End::Failed(error) = end {
            let verdict = work.retry.failed(&error);
            if verdict.say {
                on_event(Event::Stopped(error));
            }
            // What comes in goes on being played, only that nobody hears it.
            work.nowhere(Some(verdict.after.unwrap_or(Duration::MAX)));
        }
    }
}

struct Work<'a> {
    shared: &'a Shared,
    played: &'a Played,
    mixer: Mixer,
    limiter: Limiter,
    retry: Retry,
    /// Whether a device is opened because the system's default changed.
    moved: bool,
}

impl Work<'_> {
    fn ordered(&self) -> bool {
        self.shared.stopping.load(Ordering::Acquire) || lock(&self.shared.orders).is_some()
    }

    /// The next 10 ms, which will be heard after so many microseconds.
    fn mix(&mut self, pace: &mut Pace, delay_us: u64) -> [f32; BLOCK] {
        let delay_us = delay_us + LIMITER_US;
        let now = clock::now();
        let by_pace = MediaTime(pace.block(now.0));
        for sender in lock(&self.shared.senders).values_mut() {
            sender.mix(by_pace, now, delay_us, &mut self.mixer);
        }
        if let Some(own) = lock(&self.shared.own).pop_front() {
            self.mixer.add(&own, 1.0, 1.0);
        }
        let mut block = self.mixer.take();
        self.limiter.block(&mut block);
        let mut done = lock(&self.shared.played);
        done.blocks += 1;
        done.delay_us = delay_us;
        block
    }

    /// Plays nowhere, by this machine's clock.
    fn nowhere(&mut self, patience: Option<Duration>) -> End {
        let begin = clock::now().0;
        let end = patience.map(|patience| begin.saturating_add(patience.as_micros() as u64));
        let mut due = begin;
        let mut pace = Pace::default();
        while !self.ordered() {
            let now = clock::now().0;
            if end.is_some_and(|end| now >= end) {
                break;
            }
            if now < due {
                thread::park_timeout(Duration::from_micros(due - now));
                continue;
            }
            if now > due + LATE_US {
                due = now;
            }
            self.mix(&mut pace, 0);
            due += BLOCK_US;
        }
        End::Ordered
    }

    fn device(&mut self, id: Option<&DeviceId>, on_event: &mut dyn FnMut(Event)) -> End {
        let opened = Playback::open(id, &this_thread())
            .and_then(|playback| Ok((Resampler::new(RATE, playback.rate)?, playback)));
        let (resampler, playback) = match opened {
            Ok(opened) => opened,
            Err(error) => return End::Failed(error),
        };
        let mut speaker = Speaker {
            rate: u64::from(playback.rate),
            playback,
            resampler,
            margin_ms: MARGIN_MS,
            missed: 0,
            out: Vec::with_capacity(4 * BLOCK),
        };
        // What was to sound before there was anything to hear it is of the past.
        lock(&self.shared.own).clear();
        let (mut callbacks, mut took) = (0, clock::now().0);
        let mut pace = Pace::default();
        while !self.ordered() {
            let state = &speaker.playback.state;
            if let Some(error) = state.failed() {
                return End::Failed(error);
            }
            if state.moved() {
                return End::Moved;
            }
            let all = state.callbacks.load(Ordering::Relaxed);
            let now = clock::now().0;
            if all != callbacks {
                if callbacks == 0 {
                    self.started(&speaker.playback.name, on_event);
                }
                (callbacks, took) = (all, now);
            } else if now.saturating_sub(took) > STALL_US {
                return End::Failed(Error::Lost("it takes nothing".into()));
            }
            {
                let mut done = lock(&self.shared.played);
                done.underruns += speaker.underruns();
                done.callbacks = all;
            }
            while speaker.wants() {
                let delay_us = speaker.delay_us();
                let block = self.mix(&mut pace, delay_us);
                self.played.put(&block, delay_us);
                speaker.give(&block);
            }
            thread::park_timeout(LOOK);
        }
        End::Ordered
    }

    fn started(&mut self, name: &str, on_event: &mut dyn FnMut(Event)) {
        let name = name.to_owned();
        on_event(if std::mem::take(&mut self.moved) {
            Event::DeviceChanged { name }
        } else {
            Event::Started { name }
        });
        self.retry.reset();
    }
}

/// By how much the limiter delays, in microseconds.
const LIMITER_US: u64 = Limiter::DELAY as u64 * 1_000_000 / RATE as u64;

/// An open loudspeaker, and what goes to it.
struct Speaker {
    playback: Playback,
    rate: u64,
    resampler: Resampler,
    margin_ms: u64,
    missed: u64,
    out: Vec<f32>,
}

impl Speaker {
    /// How often it found too little since it was asked last; it will find more from now on.
    fn underruns(&mut self) -> u64 {
        let all = self.playback.state.missed.load(Ordering::Relaxed);
        let new = all - self.missed;
        self.missed = all;
        if new > 0 {
            self.margin_ms = (self.margin_ms + MARGIN_STEP_MS).min(MOST_MARGIN_MS);
        }
        new
    }

    /// Whether more should lie ready for it.
    fn wants(&self) -> bool {
        let asked = self.playback.state.asked.load(Ordering::Relaxed);
        let needed = asked.max(self.rate / 100) + self.rate * self.margin_ms / 1000;
        let room = self.playback.samples.slots() as u64;
        (self.playback.waiting() as u64) < needed && room > self.rate / 50
    }

    /// How long from now what is given now will be heard.
    fn delay_us(&self) -> u64 {
        let state = &self.playback.state;
        let asked = state.asked.load(Ordering::Relaxed);
        let before = self.playback.waiting() as u64 + asked;
        let latency = state.latency_us.load(Ordering::Relaxed);
        let called = state.called_us.load(Ordering::Relaxed);
        let since = if called == 0 {
            0
        } else {
            clock::now().0.saturating_sub(called)
        };
        let ring = before * 1_000_000 / self.rate + self.resampler.held_us();
        (latency + ring).saturating_sub(since)
    }

    fn give(&mut self, block: &[f32; BLOCK]) {
        self.out.clear();
        self.resampler.push(block, |sample| self.out.push(sample));
        // What has no room is counted by nobody, since there always is some.
        let _ = self.playback.samples.push_partial_slice(&self.out);
    }
}
