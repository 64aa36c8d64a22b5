//! What happens on the device's own threads neither allocates nor logs: this program's allocator
//! and subscriber count, while real devices run (null sinks of the test's own PulseAudio). Locks
//! there are none to count: the callbacks own all they touch but rings and atomics
//! (`media/src/sound/device/callback.rs`, which tests/tests/structure.rs holds to it).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]
#![cfg(target_os = "linux")]
#![allow(unsafe_code)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    env,
    process::{Command, Stdio},
    sync::{
        atomic::{AtomicU64, Ordering::SeqCst},
        mpsc,
    },
    time::Duration,
};

use visita_media::sound::{
    in_callback,
    listen::{Frame, Listener, Output},
    played::Played,
    publish::{Config, Event, Publisher},
    source::Choice,
};
use visita_protocol::id::MemberId;

use pulse::Pulse;

#[path = "../../tests/src/pulse.rs"]
#[allow(dead_code, unreachable_pub, missing_docs)] // Made for the whole-system tests.
mod pulse;

struct Counting;

static ALLOCATED: AtomicU64 = AtomicU64::new(0);
static ELSEWHERE: AtomicU64 = AtomicU64::new(0);
static LOGGED: AtomicU64 = AtomicU64::new(0);

fn count() {
    let counter = if in_callback() {
        &ALLOCATED
    } else {
        &ELSEWHERE
    };
    counter.fetch_add(1, SeqCst);
}

// SAFETY: everything is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count();
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Counts what is logged in a callback.
struct Logs;

impl tracing::Subscriber for Logs {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        if in_callback() {
            LOGGED.fetch_add(1, SeqCst);
        }
        true
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, _: &tracing::Event<'_>) {
        if in_callback() {
            LOGGED.fetch_add(1, SeqCst);
        }
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

const AGES: Duration = Duration::from_mins(1);
const INSIDE: &str = "VISITA_SOUND_TEST";
const NAME: &str = "the_devices_threads_neither_allocate_nor_log";

#[test]
fn the_devices_threads_neither_allocate_nor_log() {
    if env::var_os(INSIDE).is_none() {
        let pulse = Pulse::start();
        let mut command = Command::new(env::current_exe().unwrap());
        command
            .args(["--exact", NAME, "--nocapture"])
            .env(INSIDE, "1")
            .stdin(Stdio::null());
        assert!(pulse.serve(&mut command).status().unwrap().success());
        return;
    }
    tracing::subscriber::set_global_default(Logs).unwrap();
    let played = Played::new();
    let listener = Listener::start(Output::Device(None), played.clone(), |_| {}).unwrap();
    let (to_encoded, encoded) = mpsc::channel();
    let (to_events, events) = mpsc::channel();
    let config = Config {
        source: Choice::Microphone(None),
        played,
        ..Config::default()
    };
    let publisher = Publisher::start(
        config,
        move |event| drop(to_events.send(event)),
        move |frame| drop(to_encoded.send(frame)),
    )
    .unwrap();
    publisher.wanted(true);
    let mut levels = 0;
    // Three seconds of sound from the microphone to the loudspeaker.
    while levels < 30 {
        if matches!(events.recv_timeout(AGES).unwrap(), Event::Level { .. }) {
            levels += 1;
        }
        for frame in encoded.try_iter() {
            let frame = Frame {
                sequence: frame.sequence,
                time: frame.time,
                payload: frame.payload,
            };
            listener.frame(MemberId(1), frame);
        }
    }
    let callbacks = publisher.callbacks() + listener.played().callbacks;
    assert!(callbacks > 200, "{callbacks} callbacks");
    listener.stop();
    publisher.stop();
    assert!(ELSEWHERE.load(SeqCst) > 1_000, "the allocator counts");
    assert_eq!(ALLOCATED.load(SeqCst), 0);
    assert_eq!(LOGGED.load(SeqCst), 0);
    println!("{callbacks} callbacks, nothing allocated, nothing logged");
}
