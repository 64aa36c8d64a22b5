//! The publisher's thread: opens the source, and moves blocks from it.

use std::{
    collections::VecDeque,
    sync::{PoisonError, atomic::Ordering},
    thread,
    time::Duration,
};

use visita_protocol::time::MediaTime;

use super::{Event, OnEvent, Shared, lock, outgoing::Outgoing, timeline::Timeline};
use crate::{
    clock,
    sound::{
        BLOCK, BLOCK_US, Error, RATE,
        device::{Capture, callback::Stamp, this_thread},
        devices::DeviceId,
        played::Played,
        resample::Resampler,
        retry::Retry,
        source::{Choice, File, Tone},
    },
};

/// A microphone that brings nothing for so long is lost: even one that is switched off brings
/// silence.
const STALL_US: u64 = 3_000_000;
/// The thread looks at its orders at least so often.
const LOOK: Duration = Duration::from_millis(100);
/// A source that has a pace of its own and is so late begins its pace anew: the machine slept.
const LATE_US: u64 = 200_000;

/// Why a source isn't read any more.
enum End {
    /// Another is wanted, or the publisher stops.
    Ordered,
    /// The system's default is another device.
    Moved,
    Failed(Error),
}

/// Works until the publisher stops.
pub(super) fn run(shared: &Shared, played: Played, mut on_event: OnEvent) {
    let (process, bitrate) = {
        let orders = lock(&shared.orders);
        (orders.process, orders.bitrate)
    };
    let mut outgoing = match Outgoing::new(played, process, bitrate) {
        Ok(outgoing) => outgoing,
        Err(error) => {
            on_event(Event::Stopped(Error::Failed(error.to_string())));
            return;
        }
    };
    let mut choice = Choice::None;
    let mut retry = Retry::default();
    let mut moved = false;
    while !shared.stopping.load(Ordering::Acquire) {
        if let Some(next) = lock(&shared.orders).source.take() {
            choice = next;
            retry.reset();
            moved = false;
        }
        outgoing.another_source();
        let mut work = Work {
            shared,
            outgoing: &mut outgoing,
            retry: &mut retry,
            on_event: &mut *on_event,
            moved,
        };
        let end = match &choice {
            Choice::None => {
                wait(shared, None);
                continue;
            }
            Choice::Microphone(id) => work.microphone(id.as_ref()),
            Choice::Tone(hertz) => work.tone(*hertz),
            Choice::File(path) => File::open(path).map_or_else(End::Failed, |file| work.file(file)),
        };
        moved = matches!(end, End::Moved);
        if let End::Failed(error) = end {
            let verdict = retry.failed(&error);
            if verdict.say {
                on_event(Event::Stopped(error));
            }
            wait(shared, verdict.after);
        }
    }
}

/// Waits for another source, the stop, or as long as `patience`.
fn wait(shared: &Shared, patience: Option<Duration>) {
    let orders = lock(&shared.orders);
    let idle = |orders: &mut super::Orders| {
        orders.source.is_none() && !shared.stopping.load(Ordering::Acquire)
    };
    match patience {
        Some(patience) => drop(
            shared
                .ordered
                .wait_timeout_while(orders, patience, idle)
                .unwrap_or_else(PoisonError::into_inner),
        ),
        None => drop(
            shared
                .ordered
                .wait_while(orders, idle)
                .unwrap_or_else(PoisonError::into_inner),
        ),
    }
}

struct Work<'a> {
    shared: &'a Shared,
    outgoing: &'a mut Outgoing,
    retry: &'a mut Retry,
    on_event: &'a mut (dyn FnMut(Event) + Send),
    /// Whether it is opened because the system's default changed.
    moved: bool,
}

impl Work<'_> {
    /// Does as was ordered; `false` when the source is to be left.
    fn orders(&mut self) -> bool {
        if self.shared.stopping.load(Ordering::Acquire) {
            return false;
        }
        let orders = lock(&self.shared.orders);
        if orders.source.is_some() {
            return false;
        }
        let (process, bitrate) = (orders.process, orders.bitrate);
        drop(orders);
        self.outgoing.process(process);
        let loss_percent = self.shared.loss_percent.load(Ordering::Relaxed);
        self.outgoing.line(bitrate, loss_percent);
        true
    }

    fn started(&mut self, name: &str) {
        let name = name.to_owned();
        (self.on_event)(if std::mem::take(&mut self.moved) {
            Event::DeviceChanged { name }
        } else {
            Event::Started { name }
        });
        self.retry.reset();
    }

    fn block(&mut self, block: &[f32; BLOCK], time: MediaTime) {
        let (gate, sent) = (&self.shared.gate, &self.shared.sent);
        let on_event = &mut *self.on_event;
        self.outgoing.block(*block, time, gate, sent, on_event);
    }

    fn tone(&mut self, hertz: f32) -> End {
        let mut tone = Tone::new(hertz);
        self.started(&format!("{hertz} Hz"));
        self.paced(|block| {
            tone.read(block);
            Ok(())
        })
    }

    fn file(&mut self, mut file: File) -> End {
        let name = file.name().to_owned();
        let mut first = [0.0; BLOCK];
        if let Err(error) = file.read(&mut first) {
            return End::Failed(error);
        }
        self.started(&name);
        let mut first = Some(first);
        self.paced(|block| match first.take() {
            Some(first) => {
                *block = first;
                Ok(())
            }
            None => file.read(block),
        })
    }

    /// Blocks at the pace of this machine's clock.
    fn paced(&mut self, mut read: impl FnMut(&mut [f32; BLOCK]) -> Result<(), Error>) -> End {
        let mut time = clock::now().0;
        let mut block = [0.0; BLOCK];
        while self.orders() {
            if let Err(error) = read(&mut block) {
                return End::Failed(error);
            }
            // It is captured while it lasts, and whole only then.
            let due = time + BLOCK_US;
            let now = clock::now().0;
            if now > due + LATE_US {
                time = now - BLOCK_US;
            }
            while let Some(early) = due.checked_sub(clock::now().0)
                && early > 0
            {
                thread::sleep(Duration::from_micros(early));
            }
            self.block(&block, MediaTime(time));
            time += BLOCK_US;
        }
        End::Ordered
    }

    fn microphone(&mut self, id: Option<&DeviceId>) -> End {
        let opened = Capture::open(id, &this_thread())
            .and_then(|capture| Ok((Resampler::new(capture.rate, RATE)?, capture)));
        let (resampler, capture) = match opened {
            Ok(opened) => opened,
            Err(error) => return End::Failed(error),
        };
        let name = capture.name.clone();
        let mut microphone = Microphone {
            capture,
            resampler,
            ready: VecDeque::with_capacity(4 * BLOCK),
            timeline: Timeline::default(),
            taken: 0,
            stamp: None,
        };
        let mut came = clock::now().0;
        let mut missed = 0;
        let mut began = false;
        while self.orders() {
            if let Some(error) = microphone.capture.state.failed() {
                return End::Failed(error);
            }
            if microphone.capture.state.moved() {
                return End::Moved;
            }
            microphone.take();
            while let Some((block, time)) = microphone.block() {
                came = clock::now().0;
                if !std::mem::replace(&mut began, true) {
                    self.started(&name);
                }
                self.block(&block, time);
            }
            let state = &microphone.capture.state;
            let callbacks = state.callbacks.load(Ordering::Relaxed);
            self.shared.callbacks.store(callbacks, Ordering::Relaxed);
            let all = state.missed.load(Ordering::Relaxed);
            lock(&self.shared.sent).overruns += all - missed;
            missed = all;
            if clock::now().0.saturating_sub(came) > STALL_US {
                return End::Failed(Error::Lost("it brings nothing".into()));
            }
            thread::park_timeout(LOOK);
        }
        End::Ordered
    }
}

/// An open microphone, and what came of it.
struct Microphone {
    capture: Capture,
    resampler: Resampler,
    ready: VecDeque<f32>,
    timeline: Timeline,
    /// How many of the device's samples were taken.
    taken: u64,
    stamp: Option<Stamp>,
}

impl Microphone {
    /// Takes what the device has brought.
    fn take(&mut self) {
        let there = self.capture.samples.slots();
        let Ok(chunk) = self.capture.samples.read_chunk(there) else {
            return;
        };
        let (first, second) = chunk.as_slices();
        for part in [first, second] {
            self.resampler
                .push(part, |sample| self.ready.push_back(sample));
        }
        self.taken += there as u64;
        chunk.commit_all();
        while let Ok(stamp) = self.capture.stamps.peek()
            && stamp.sample <= self.taken
        {
            self.stamp = Some(*stamp);
            let _ = self.capture.stamps.pop();
        }
    }

    /// The next block, and when its first sample was captured.
    fn block(&mut self) -> Option<([f32; BLOCK], MediaTime)> {
        if self.ready.len() < BLOCK {
            return None;
        }
        let stamp = self.stamp?;
        // From the last stamp to what was taken last, and back by what is still held.
        let rate = i64::from(self.capture.rate);
        let since = self.taken as i64 - stamp.sample as i64;
        let back = self.ready.len() as i64 * 1_000_000 / i64::from(RATE);
        let device = (since * 1_000_000) / rate - self.resampler.held_us() as i64;
        let measured = stamp.time_us.saturating_add_signed(device - back);
        let mut block = [0.0; BLOCK];
        for (sample, ready) in block.iter_mut().zip(self.ready.drain(..BLOCK)) {
            *sample = ready;
        }
        Some((block, self.timeline.block(MediaTime(measured))))
    }
}
