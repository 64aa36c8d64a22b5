//! Sound and pictures between two machines with an emulated link between them: two whole clients and a relay.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]
#![cfg(target_os = "linux")]

mod network {
    mod beside;
    mod carriers;
}

use std::{
    path::Path,
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::Value;
use visita_client::report::Report;
use visita_media::sound::mix::CEILING;
use visita_protocol::media::Kind;
use visita_tests::{
    link::Profile,
    program::Running,
    pulse::{Pulse, RATE},
    seen::{report, row},
    ward::{GUEST, HOST, Ward},
};

/// Reports come so often, in milliseconds.
const EVERY_MS: usize = 20;
/// The tone that each says, in hertz.
const ANA: &str = "tone:440";
const LUIS: &str = "tone:700";

/// Two visits at a time would measure each other on two cores.
static ONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The program that is the link.
fn emulator() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_emulated-link"))
}

/// Luis beside the relay, and Ana behind the link.
struct Visit {
    ward: Ward,
    luis: Running,
    ana: Running,
    _alone: MutexGuard<'static, ()>,
}

impl Visit {
    /// Begins it on a good link. Ana is heard and hears through `pulse`, if there is one.
    fn begin(pulse: Option<&Pulse>, video: &str) -> Option<Self> {
        Self::over("ws", pulse, video)
    }

    /// The same, with Ana's media over this carrier.
    fn over(carrier: &str, pulse: Option<&Pulse>, video: &str) -> Option<Self> {
        let alone = alone();
        let ward = Ward::open(emulator())?;
        let client = |machine: usize, name: &str, tone: &str| {
            let mut client =
                ward.participant(machine, name, Duration::from_millis(EVERY_MS as u64));
            client.args(["--audio", tone, "--video", video]);
            client
        };
        let start = |command: &mut Command| Running::start(command);
        let luis = start(&mut client(HOST, "Luis", LUIS));
        let mut ana = client(GUEST, "Ana", ANA);
        ana.args(["--carrier", carrier]);
        let ana = match pulse {
            Some(pulse) => start(pulse.serve(ana.args(["--play-audio", "device"]))),
            None => start(&mut ana),
        };
        Some(Self {
            ward,
            luis,
            ana,
            _alone: alone,
        })
    }

    /// What Luis heard of Ana, and she of him, in the same time: reports wait until they are read.
    fn both(&self, seconds: u64) -> (Heard, Heard) {
        (hears(&self.luis, seconds), hears(&self.ana, seconds))
    }

    fn end(self) {
        self.stamps();
    }

    /// Ends it; gives Ana's stamps and Luis's.
    fn stamps(self) -> [Vec<Value>; 2] {
        self.ward.end([self.ana, self.luis])
    }
}

/// What somebody heard between two reports.
#[derive(Debug)]
struct Heard {
    frames: u64,
    concealed_ms: u64,
    pictures: u64,
    /// Median and 95 % of the delays at each report.
    delay_ms: (f64, f64),
}

/// Reads reports until the other's sound has come for so long.
fn hears(of: &Running, seconds: u64) -> Heard {
    let counted = |report: &Report| {
        let sound = row(report, Kind::Audio)?;
        let pictures = row(report, Kind::Video).map_or(0, |row| row.frames_decoded);
        let concealed = sound.sound()?.concealed_ms;
        (sound.frames_decoded > 0).then_some((sound.frames_decoded, concealed, pictures))
    };
    let first = std::iter::repeat_with(|| report(of)).find_map(|report| counted(&report));
    let first = first.unwrap();
    let mut delays = Vec::new();
    loop {
        let report = report(of);
        let now = counted(&report).unwrap();
        let sound = row(&report, Kind::Audio).unwrap().sound().unwrap();
        delays.extend(sound.delay_now_ms);
        if now.0 >= first.0 + seconds * 50 {
            delays.sort_by(f64::total_cmp);
            let at = |share: f64| delays[(share * (delays.len() - 1) as f64) as usize];
            return Heard {
                frames: now.0 - first.0,
                concealed_ms: now.1 - first.1,
                pictures: now.2 - first.2,
                delay_ms: (at(0.5), at(0.95)),
            };
        }
    }
}

impl Heard {
    /// How much of the sound was made up, in percent.
    fn concealed(&self) -> f64 {
        self.concealed_ms as f64 / (self.frames as f64 * 20.0) * 100.0
    }
}

#[test]
fn at_5_percent_loss_and_30_ms_jitter_sound_is_whole_and_later() {
    let Some(mut visit) = Visit::begin(None, "none") else {
        return;
    };
    let (up, down) = visit.both(3);
    println!("good link: up {up:?}, down {down:?}");
    visit.ward.link.profile(Profile {
        loss: 0.05,
        delay_ms: 5,
        jitter_ms: 30,
        ..Profile::default()
    });
    // The buffers learn how late sound comes.
    let (up, down) = visit.both(5);
    println!("5 % loss, 30 ms jitter, first 5 s: up {up:?}, down {down:?}");
    let (up, down) = visit.both(20);
    println!("5 % loss, 30 ms jitter: up {up:?}, down {down:?}");
    for heard in [&up, &down] {
        let concealed = heard.concealed();
        assert!(concealed < 2.0, "{concealed} % concealed");
    }
    visit.end();
}

#[test]
fn on_a_link_of_150_kbit_s_the_picture_gives_way_and_sound_is_whole() {
    let Some(mut visit) = Visit::begin(None, "synthetic:640x360@30") else {
        return;
    };
    let (good, _) = visit.both(3);
    visit.ward.link.profile(Profile {
        rate: 150_000,
        delay_ms: 5,
        ..Profile::default()
    });
    let (up, down) = visit.both(10);
    println!("150 kbit/s, first 10 s: up {up:?}, down {down:?}");
    let (up, down) = visit.both(15);
    println!("150 kbit/s: up {up:?}, down {down:?}");
    for heard in [&up, &down] {
        assert!(good.pictures * 4 > heard.pictures, "{good:?}, {heard:?}");
        let concealed = heard.concealed();
        assert!(concealed < 2.0, "{concealed} % concealed");
    }
    visit.end();
}

/// When the delay is what it was before a gap, to this; in milliseconds.
const NORMAL_MS: f64 = 20.0;

#[test]
fn after_a_gap_of_300_ms_the_delay_is_soon_what_it_was_and_nothing_is_above_the_limiter() {
    let pulse = Pulse::start();
    let Some(mut visit) = Visit::begin(Some(&pulse), "none") else {
        return;
    };
    hears(&visit.ana, 3);
    let recording = pulse.record();
    let before = hears(&visit.ana, 3);
    let (normal, _) = before.delay_ms;
    visit.ward.link.gap(Duration::from_millis(300));
    // For a whole second as it was; ten times the three seconds that it may take is too long.
    let (mut calm, mut back, mut most) = (0, None, 0.0_f64);
    for n in 0..(31_000 / EVERY_MS) {
        let report = report(&visit.ana);
        let sound = row(&report, Kind::Audio).unwrap().sound().unwrap();
        match sound.delay_now_ms {
            Some(delay) if delay <= normal + NORMAL_MS => calm += 1,
            delay => {
                calm = 0;
                most = most.max(delay.unwrap_or_default());
            }
        }
        if most > 0.0 && calm * EVERY_MS >= 1000 {
            back = Some((n + 1 - calm) * EVERY_MS);
            break;
        }
    }
    let heard = recording.wait(recording.len() + RATE / 2);
    let peak = heard
        .iter()
        .fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    let jump = heard
        .windows(2)
        .fold(0.0_f32, |jump, pair| jump.max((pair[1] - pair[0]).abs()));
    println!(
        "delay {normal} ms, {most} ms after the gap, {back:?} ms until it was as before; \
         highest sample {peak:.3}, highest step {jump:.3}"
    );
    assert!(back.is_some(), "the delay never comes back");
    assert!(peak <= CEILING, "{peak}");
    visit.end();
}
