//! Sound through real devices: a PulseAudio of the test's own with null sinks.
//!
//! Which server is used stands in the environment, which a test program can't change while it
//! runs: so each test starts the server and then this program again, for the part of its name.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]
#![cfg(target_os = "linux")]

use std::{
    env,
    path::Path,
    process::{Command, Stdio},
    sync::{Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use visita_media::sound::{
    BLOCK, Error, FRAME, devices,
    devices::DeviceId,
    listen::{self, Frame, Listener, Output},
    opus::Decoder,
    played::Played,
    publish::{self, Publisher},
    source::Choice,
};
use visita_protocol::id::MemberId;

use pulse::{Pulse, chirp, find};

#[path = "sound/chirps.rs"]
mod chirps;
#[path = "../../tests/src/pulse.rs"]
#[allow(dead_code, unreachable_pub, missing_docs)] // Made for the whole-system tests.
mod pulse;

/// Long enough for any machine; nothing waits for it when all is well.
const AGES: Duration = Duration::from_mins(1);
/// Set where this program was started by itself.
const INSIDE: &str = "VISITA_SOUND_TEST";

/// Starts this program again for one test, with a server; answers what it said. One at a time: beside
/// another's codecs and searching, a test would measure those.
fn inside(test: &str) {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let pulse = Pulse::start();
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .stdin(Stdio::null());
    let status = pulse.serve(&mut command).status().unwrap();
    assert!(status.success(), "{test}");
}

fn is_inside() -> bool {
    env::var_os(INSIDE).is_some()
}

/// Has the server do something.
fn pactl(arguments: &[&str]) -> String {
    let output = Command::new("pactl").args(arguments).output().unwrap();
    assert!(output.status.success(), "pactl {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn id(name: &str) -> DeviceId {
    DeviceId::new(format!("pulseaudio:{name}"))
}

struct Speaking {
    publisher: Publisher,
    events: mpsc::Receiver<publish::Event>,
    encoded: mpsc::Receiver<publish::Encoded>,
}

fn speak(source: Choice) -> Speaking {
    let config = publish::Config {
        source,
        process: false,
        bitrate: BITRATE,
        ..publish::Config::default()
    };
    speak_as(config)
}

fn speak_as(config: publish::Config) -> Speaking {
    let (to_events, events) = mpsc::channel();
    let (to_encoded, encoded) = mpsc::channel();
    let publisher = Publisher::start(
        config,
        move |event| drop(to_events.send(event)),
        move |frame| drop(to_encoded.send(frame)),
    )
    .unwrap();
    publisher.wanted(true);
    Speaking {
        publisher,
        events,
        encoded,
    }
}

impl Speaking {
    fn event(&self) -> publish::Event {
        loop {
            match self.events.recv_timeout(AGES).unwrap() {
                publish::Event::Level { .. } => {}
                event => return event,
            }
        }
    }
}

fn write_wav(path: &Path, rate: u32, sound: &[f32]) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for sample in sound {
        writer.write_sample((sample * 32_767.0) as i16).unwrap();
    }
    writer.finalize().unwrap();
}

/// The sound's bits a second.
const BITRATE: u32 = 40_000;

/// So many times five seconds are listened to at most, for an echo to go.
const MOST_SPANS: usize = 10;
#[test]
fn a_chirp_comes_back_through_real_devices() {
    if !is_inside() {
        return inside("a_chirp_comes_back_through_real_devices");
    }
    chirps::there_and_back("speaker");
}

#[test]
fn a_device_of_another_rate_and_more_channels_serves_as_well() {
    if !is_inside() {
        return inside("a_device_of_another_rate_and_more_channels_serves_as_well");
    }
    pactl(&[
        "load-module",
        "module-null-sink",
        "sink_name=odd",
        "rate=44100",
        "channels=2",
    ]);
    chirps::there_and_back("odd");
}

/// What a microphone sent in each five seconds, in decibels below full scale, until nobody wants to
/// know any more.
fn sent(encoded: &mpsc::Receiver<publish::Encoded>, loud: &mpsc::Sender<f64>) {
    const SPAN_US: u64 = 5_000_000;
    let mut decoder = Decoder::new().unwrap();
    let (mut until, mut power) = (None, 0.0);
    loop {
        let frame = encoded.recv_timeout(AGES).unwrap();
        let until = until.get_or_insert(frame.time.0 + SPAN_US);
        let mut out = [0.0; FRAME];
        decoder.decode(&frame.payload, &mut out).unwrap();
        if frame.time.0 > *until {
            *until += SPAN_US;
            let mean = std::mem::take(&mut power) / (5.0 * 48_000.0);
            if loud.send(10.0 * (mean + 1e-12_f64).log10()).is_err() {
                return;
            }
        }
        power += out
            .iter()
            .map(|sample| f64::from(*sample).powi(2))
            .sum::<f64>();
    }
}

/// Loudspeaker and microphone in one room, which is a loop in the server: the echo canceller must be
/// told what is played, and when it is heard.
#[test]
fn what_the_loudspeaker_plays_does_not_come_back_from_its_room() {
    if !is_inside() {
        return inside("what_the_loudspeaker_plays_does_not_come_back_from_its_room");
    }
    pactl(&[
        "load-module",
        "module-loopback",
        "source=speaker.monitor",
        "sink=room",
        "latency_msec=20",
    ]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("far.wav");
    let far = "El doctor viene por la tarde a verle, y le trae los resultados de la sangre. \
               Mientras tanto puede usted comer algo ligero, pero nada de sal.";
    write_wav(&path, 48_000, &pulse::sentence("es-419", far));
    let played = Played::new();
    let (to_heard, heard) = mpsc::channel();
    let listener = Listener::start(Output::Device(None), played.clone(), move |event| {
        drop(to_heard.send(event));
    })
    .unwrap();
    let started = heard.recv_timeout(AGES).unwrap();
    assert!(matches!(started, listen::Event::Started { .. }));
    let hear = |process, played| {
        speak_as(publish::Config {
            source: Choice::Microphone(None),
            process,
            played,
            ..publish::Config::default()
        })
    };
    let (processed, raw) = (hear(true, played), hear(false, Played::new()));
    let _open = (processed.publisher, raw.publisher);
    let (processed, raw) = (processed.encoded, raw.encoded);
    let there = speak(Choice::File(path));
    // Until the canceller knows the room: where a machine is busy with something else, clocks jump and
    // it must begin anew.
    let found = std::thread::scope(|scope| {
        let (to_sends, sends) = mpsc::channel();
        let (to_hears, hears) = mpsc::channel();
        scope.spawn(move || sent(&processed, &to_sends));
        scope.spawn(move || sent(&raw, &to_hears));
        let mut spans = 0;
        while spans < MOST_SPANS {
            if let Ok(frame) = there.encoded.recv_timeout(Duration::from_millis(100)) {
                listener.frame(
                    MemberId(1),
                    Frame {
                        sequence: frame.sequence,
                        time: frame.time,
                        payload: frame.payload,
                    },
                );
            }
            let Ok(processed) = sends.try_recv() else {
                continue;
            };
            let raw: f64 = hears.recv().unwrap();
            println!(
                "the room has {raw:.1} dB of the loudspeaker, {processed:.1} dB of it are sent"
            );
            assert!(raw > -50.0, "nothing is heard in the room: {raw} dB");
            // Without what is played it is 1 dB. How much it takes out where no clock jumps,
            // sound_processing.rs holds.
            if processed < raw - 10.0 {
                return true;
            }
            spans += 1;
        }
        false
    });
    assert!(found, "what is played comes back");
    listener.stop();
}

#[test]
fn devices_are_listed_and_changes_told() {
    if !is_inside() {
        return inside("devices_are_listed_and_changes_told");
    }
    let listed = devices::list().unwrap();
    let speaker = |name: &str| {
        let id = id(name);
        listed
            .speakers
            .iter()
            .find(move |device| device.id == id)
            .cloned()
    };
    assert!(speaker("speaker").unwrap().default);
    assert!(!speaker("room").unwrap().default);
    assert_eq!(
        listed.microphones,
        [],
        "monitors aren't microphones to choose"
    );
    let (to_lists, lists) = mpsc::channel();
    let watch = devices::Watch::start(move |devices| drop(to_lists.send(devices))).unwrap();
    assert_eq!(lists.recv_timeout(AGES).unwrap(), listed);
    let module = pactl(&["load-module", "module-null-sink", "sink_name=another"]);
    assert_eq!(lists.recv_timeout(AGES).unwrap().speakers.len(), 3);
    pactl(&["unload-module", &module]);
    assert_eq!(lists.recv_timeout(AGES).unwrap(), listed);
    drop(watch);
    assert!(lists.recv_timeout(AGES).is_err());
}

/// PulseAudio serves 64 connections: a program that looks for devices all day must not use them up.
#[test]
fn looking_for_devices_keeps_one_connection() {
    if !is_inside() {
        return inside("looking_for_devices_keeps_one_connection");
    }
    let ours = format!("\"cpal-pulseaudio-{}\"", std::process::id());
    let connections = || pactl(&["list", "clients"]).matches(&ours).count();
    let first = devices::list().unwrap();
    assert_eq!(connections(), 1);
    for _ in 0..200 {
        assert_eq!(devices::list().unwrap(), first);
    }
    let module = pactl(&["load-module", "module-null-sink", "sink_name=another"]);
    assert_eq!(devices::list().unwrap().speakers.len(), 3);
    pactl(&["unload-module", &module]);
    assert_eq!(connections(), 1);
}

/// A server that is started anew is found again: here its socket is taken away and put back.
#[test]
fn a_connection_that_was_cut_is_made_anew() {
    if !is_inside() {
        return inside("a_connection_that_was_cut_is_made_anew");
    }
    const SERVES: &str = "module-native-protocol-unix";
    let first = devices::list().unwrap();
    let usual = env::var("PULSE_SERVER").unwrap();
    let usual = usual.strip_prefix("unix:").unwrap();
    let modules = pactl(&["list", "short", "modules"]);
    let serving = modules.lines().find(|line| line.contains(SERVES)).unwrap();
    let serving = serving.split('\t').next().unwrap();
    let serve = |at: &str| ["auth-anonymous=1".to_owned(), format!("socket={at}")];
    let aside = format!("{usual}-aside");
    let [open, socket] = serve(&aside);
    pactl(&["load-module", SERVES, &open, &socket]);
    let aside = format!("--server=unix:{aside}");
    pactl(&[&aside, "unload-module", serving]);
    assert_ne!(devices::list().unwrap_or_default(), first);
    let [open, socket] = serve(usual);
    pactl(&[&aside, "load-module", SERVES, &open, &socket]);
    assert_eq!(devices::list().unwrap(), first);
}

#[test]
fn a_device_that_is_pulled_out_is_told_and_comes_back_by_itself() {
    if !is_inside() {
        return inside("a_device_that_is_pulled_out_is_told_and_comes_back_by_itself");
    }
    let plug = || pactl(&["load-module", "module-null-sink", "sink_name=usb"]);
    let module = plug();
    let microphone = speak(Choice::Microphone(Some(id("usb.monitor"))));
    assert!(matches!(microphone.event(), publish::Event::Started { .. }));
    let (to_heard, heard) = mpsc::channel();
    let output = Output::Device(Some(id("usb")));
    let listener = Listener::start(output, Played::new(), move |event| {
        drop(to_heard.send(event));
    })
    .unwrap();
    assert!(matches!(
        heard.recv_timeout(AGES).unwrap(),
        listen::Event::Started { .. }
    ));
    pactl(&["unload-module", &module]);
    let lost = microphone.event();
    assert!(
        matches!(lost, publish::Event::Stopped(Error::Lost(_))),
        "{lost:?}"
    );
    let lost = heard.recv_timeout(AGES).unwrap();
    assert!(
        matches!(lost, listen::Event::Stopped(Error::Lost(_))),
        "{lost:?}"
    );
    plug();
    let back = microphone.event();
    assert!(matches!(back, publish::Event::Started { .. }), "{back:?}");
    let back = heard.recv_timeout(AGES).unwrap();
    assert!(matches!(back, listen::Event::Started { .. }), "{back:?}");
    listener.stop();
    microphone.publisher.stop();
}

/// A sound of the device's own is heard once, and the echo canceller knows of it.
#[test]
fn an_own_sound_is_played_once_among_the_others() {
    if !is_inside() {
        return inside("an_own_sound_is_played_once_among_the_others");
    }
    let played = Played::new();
    let (to_heard, heard) = mpsc::channel();
    let listener = Listener::start(Output::Device(None), played.clone(), move |event| {
        drop(to_heard.send(event));
    })
    .unwrap();
    assert!(matches!(
        heard.recv_timeout(AGES).unwrap(),
        listen::Event::Started { .. }
    ));
    let sound = vec![[0.06; BLOCK]; 20];
    listener.sound(&sound);
    listener.sound(&sound);
    let (mut loud, mut silent) = (0, 0);
    let begin = Instant::now();
    while loud == 0 || silent < 100 {
        assert!(begin.elapsed() < AGES, "{loud} blocks were heard");
        match played.take() {
            Some((block, _)) if block.iter().any(|sample| *sample > 0.01) => {
                assert_eq!(silent.min(loud), 0, "twice");
                loud += 1;
            }
            Some(_) if loud > 0 => silent += 1,
            Some(_) => {}
            None => thread::sleep(Duration::from_millis(5)),
        }
    }
    // The limiter holds a quarter of a block back.
    assert!((1..=sound.len() + 1).contains(&loud), "{loud}");
    listener.stop();
}

#[test]
fn another_default_is_followed() {
    if !is_inside() {
        return inside("another_default_is_followed");
    }
    pactl(&["load-module", "module-null-sink", "sink_name=headset"]);
    pactl(&[
        "load-module",
        "module-remap-source",
        "master=room.monitor",
        "source_name=built-in",
    ]);
    pactl(&[
        "load-module",
        "module-remap-source",
        "master=headset.monitor",
        "source_name=boom",
    ]);
    pactl(&["set-default-source", "built-in"]);
    let microphone = speak(Choice::Microphone(None));
    assert!(matches!(microphone.event(), publish::Event::Started { .. }));
    let (to_heard, heard) = mpsc::channel();
    let listener = Listener::start(Output::Device(None), Played::new(), move |event| {
        drop(to_heard.send(event));
    })
    .unwrap();
    assert!(matches!(
        heard.recv_timeout(AGES).unwrap(),
        listen::Event::Started { .. }
    ));
    pactl(&["set-default-source", "boom"]);
    let moved = microphone.event();
    assert!(
        matches!(moved, publish::Event::DeviceChanged { .. }),
        "{moved:?}"
    );
    pactl(&["set-default-sink", "headset"]);
    let moved = heard.recv_timeout(AGES).unwrap();
    assert!(
        matches!(moved, listen::Event::DeviceChanged { .. }),
        "{moved:?}"
    );
    listener.stop();
    microphone.publisher.stop();
}

#[test]
fn a_device_that_is_not_there_is_told_once_and_the_call_goes_on() {
    if !is_inside() {
        return inside("a_device_that_is_not_there_is_told_once_and_the_call_goes_on");
    }
    let microphone = speak(Choice::Microphone(Some(id("nowhere"))));
    assert_eq!(microphone.event(), publish::Event::Stopped(Error::Missing));
    // Another choice is taken at once, and the first isn't said again.
    microphone.publisher.source(Choice::Tone(440.0));
    assert!(matches!(microphone.event(), publish::Event::Started { .. }));
    microphone.encoded.recv_timeout(AGES).unwrap();
    microphone.publisher.stop();
}

#[test]
fn files_are_read_whole_and_over_and_over() {
    let folder = tempfile::tempdir().unwrap();
    let chirp = chirp(200.0, 3_000.0, 0.5, 0.5);
    let half: Vec<f32> = chirp.chunks(2).map(|pair| pair[0]).collect();
    for (name, rate, sound) in [("whole.wav", 48_000, &chirp), ("half.wav", 24_000, &half)] {
        let path = folder.path().join(name);
        write_wav(&path, rate, sound);
        let mut paths = vec![path.clone()];
        // Anything else goes through ffmpeg.
        let other = path.with_extension("flac");
        let made = Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(&path)
            .arg(&other)
            .status();
        assert!(made.unwrap().success());
        paths.push(other);
        for path in paths {
            let mut file = visita_media::sound::source::File::open(&path).unwrap();
            let mut heard = Vec::new();
            let mut block = [0.0; 480];
            while heard.len() < 3 * chirp.len() {
                file.read(&mut block).unwrap();
                heard.extend(block);
            }
            let (_, alike) = find(&chirp, &heard);
            assert!(alike > 0.99, "{}: {alike}", path.display());
            let (_, again) = find(&chirp, &heard[chirp.len()..]);
            assert!(again > 0.99, "{}: {again}", path.display());
        }
    }
    for (name, content) in [
        ("empty.wav", &b""[..]),
        ("no.wav", b"RIFF\0\0\0\0WAVEjunk"),
        ("x", b"no sound"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        let mut block = [0.0; 480];
        let error = visita_media::sound::source::File::open(&path)
            .and_then(|mut file| file.read(&mut block))
            .unwrap_err();
        assert!(matches!(error, Error::File(_)), "{name}: {error}");
    }
}
