//! A PulseAudio of one's own, with null sinks in place of a microphone and a loudspeaker: what is
//! played into the one is captured by a program, and what the program plays is recorded from the
//! other. Nothing is written to disk.

use std::{
    io::{Read as _, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use visita_media::clock;

/// Samples a second.
pub const RATE: usize = 48_000;

/// A server takes some milliseconds to start; one that takes this long doesn't.
const HUNG: Duration = Duration::from_secs(30);

/// One participant's devices.
pub struct Pulse {
    daemon: Child,
    folder: tempfile::TempDir,
}

/// Into this sink goes what the microphone is to hear.
pub const ROOM: &str = "room";
/// This one is the loudspeaker.
pub const SPEAKER: &str = "speaker";

impl Pulse {
    /// Starts it. The microphone and the loudspeaker are the system's defaults in it.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("native");
        let sink = |name: &str| {
            format!("module-null-sink sink_name={name} rate={RATE} channels=1 channel_map=mono")
        };
        let daemon = command("pulseaudio", folder.path())
            .args(["-n", "--daemonize=no", "--exit-idle-time=-1"])
            .args([
                "--use-pid-file=no",
                "--log-target=stderr",
                "--log-level=error",
            ])
            .args(["--load", &sink(ROOM), "--load", &sink(SPEAKER)])
            .arg("--load")
            .arg(format!(
                "module-native-protocol-unix auth-anonymous=1 socket={}",
                socket.display()
            ))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pulse = Self { daemon, folder };
        let begin = Instant::now();
        while !pulse.control(&["set-default-sink", SPEAKER]) {
            assert!(begin.elapsed() < HUNG, "no PulseAudio");
            thread::sleep(Duration::from_millis(20));
        }
        assert!(pulse.control(&["set-default-source", &format!("{ROOM}.monitor")]));
        pulse
    }

    fn control(&self, arguments: &[&str]) -> bool {
        let mut pactl = self.client("pactl");
        let status = pactl.args(arguments).stderr(Stdio::null()).status();
        status.unwrap().success()
    }

    /// Has a command speak to this server.
    pub fn serve<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let server = format!("unix:{}", self.folder.path().join("native").display());
        command.env("PULSE_SERVER", server)
    }

    fn client(&self, name: &str) -> Command {
        let mut command = command(name, self.folder.path());
        self.serve(&mut command);
        command
    }

    /// Plays this into the microphone's room, to its end.
    pub fn say(&self, samples: &[f32]) {
        let mut pacat = self
            .client("pacat")
            .args(["--playback", "--raw", "--format=float32le", "--channels=1"])
            .args([&format!("--rate={RATE}"), &format!("--device={ROOM}")])
            .arg("--latency-msec=50")
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let bytes: Vec<u8> = samples
            .iter()
            .flat_map(|sample| sample.to_le_bytes())
            .collect();
        pacat.stdin.take().unwrap().write_all(&bytes).unwrap();
        assert!(pacat.wait().unwrap().success());
    }

    /// Records from here on what the loudspeaker plays.
    pub fn record(&self) -> Recording {
        self.record_from(SPEAKER, 50)
    }

    /// Records from here on what a sink plays, in pieces of at most so many milliseconds.
    pub fn record_from(&self, sink: &str, pieces_ms: u32) -> Recording {
        let mut parec = self
            .client("parec")
            .args(["--raw", "--format=float32le", "--channels=1"])
            .args([
                &format!("--rate={RATE}"),
                &format!("--device={sink}.monitor"),
            ])
            .arg(format!("--latency-msec={pieces_ms}"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = parec.stdout.take().unwrap();
        let heard = Arc::new((Mutex::new(Heard::default()), Condvar::new()));
        let (writes, stopping) = (heard.clone(), Arc::new(AtomicBool::new(false)));
        let stops = stopping.clone();
        let reader = thread::spawn(move || {
            let (mut bytes, mut there) = ([0; 1 << 14], 0);
            while !stops.load(SeqCst) {
                let Ok(more @ 1..) = pipe.read(&mut bytes[there..]) else {
                    break;
                };
                there += more;
                let mut heard = writes.0.lock().unwrap();
                let piece = (heard.samples.len(), clock::now().0);
                heard.pieces.push(piece);
                let (samples, left) = bytes[..there].as_chunks::<4>();
                let samples = samples.iter().map(|bytes| f32::from_le_bytes(*bytes));
                heard.samples.extend(samples);
                let left = there - left.len()..there;
                there = left.len();
                bytes.copy_within(left, 0);
                writes.1.notify_all();
            }
        });
        Recording {
            parec,
            heard,
            stopping,
            reader: Some(reader),
        }
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// A program with a home and a runtime folder of its own.
fn command(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(name);
    command
        .env("HOME", folder)
        .env("XDG_RUNTIME_DIR", folder)
        .env("XDG_CONFIG_HOME", folder)
        .env("PULSE_RUNTIME_PATH", folder)
        .env("PULSE_STATE_PATH", folder)
        .env_remove("PULSE_SERVER")
        .env_remove("DBUS_SESSION_BUS_ADDRESS");
    command
}

/// What was recorded so far.
#[derive(Default)]
struct Heard {
    samples: Vec<f32>,
    /// The number of the first sample of each piece, and when the piece came.
    pieces: Vec<(usize, u64)>,
}

/// A recording that goes on until it is dropped.
pub struct Recording {
    parec: Child,
    heard: Arc<(Mutex<Heard>, Condvar)>,
    stopping: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl Recording {
    /// How many samples there are by now.
    pub fn len(&self) -> usize {
        self.heard.0.lock().unwrap().samples.len()
    }

    /// Whether nothing was recorded yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All samples, once there are so many.
    pub fn wait(&self, samples: usize) -> Vec<f32> {
        let heard = self.heard.0.lock().unwrap();
        let few = |heard: &mut Heard| heard.samples.len() < samples;
        let (heard, timeout) = self.heard.1.wait_timeout_while(heard, HUNG, few).unwrap();
        assert!(!timeout.timed_out(), "the recording stands still");
        heard.samples.clone()
    }

    /// When a sink plays a sample, in microseconds on this machine's clock. A null sink hands a
    /// piece on when the piece begins to sound, so that is when its first sample sounds; the median
    /// over a second keeps pieces out that a busy machine brought late.
    pub fn time_of(&self, sample: usize) -> i64 {
        let heard = self.heard.0.lock().unwrap();
        let near = |first: usize| first.abs_diff(sample) <= RATE / 2;
        let pieces = heard.pieces.iter().filter(|(first, _)| near(*first));
        let mut starts: Vec<i64> = pieces
            .map(|&(first, at)| at as i64 - micros(first))
            .collect();
        starts.sort_unstable();
        let middle = starts.get(starts.len() / 2);
        micros(sample) + middle.expect("it was recorded")
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.stopping.store(true, SeqCst);
        let _ = self.parec.kill();
        let _ = self.parec.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

/// How long so many samples sound, in microseconds.
fn micros(samples: usize) -> i64 {
    (samples * 1_000_000 / RATE) as i64
}

/// A sine that rises from one pitch to another, faded in and out.
pub fn chirp(from_hz: f64, to_hz: f64, seconds: f64, amplitude: f64) -> Vec<f32> {
    let samples = (seconds * RATE as f64) as usize;
    let fade = RATE as f64 / 50.0;
    (0..samples)
        .map(|n| {
            let time = n as f64 / RATE as f64;
            let phase = from_hz * time + (to_hz - from_hz) * time * time / (2.0 * seconds);
            let edge = n.min(samples - n) as f64 / fade;
            let sample = amplitude * edge.min(1.0) * (std::f64::consts::TAU * phase).sin();
            sample as f32
        })
        .collect()
}

/// A sentence, spoken by espeak-ng.
pub fn sentence(voice: &str, words: &str) -> Vec<f32> {
    let spoken = Command::new("espeak-ng")
        .args(["-v", voice, "--stdout", words])
        .output()
        .unwrap();
    assert!(spoken.status.success() && !spoken.stdout.is_empty());
    let mut ffmpeg = Command::new("ffmpeg")
        .args(["-v", "error", "-i", "pipe:0", "-f", "f32le", "-ac", "1"])
        .args(["-ar", &RATE.to_string(), "pipe:1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = ffmpeg.stdin.take().unwrap();
    let writer = thread::spawn(move || input.write_all(&spoken.stdout));
    let output = ffmpeg.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let samples = output.stdout.as_chunks::<4>().0.iter();
    samples.map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

/// How alike two stretches of sound are, whatever their loudness: 1 = the same.
pub fn alike(a: &[f32], b: &[f32]) -> f64 {
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (&a, &b) in a.iter().zip(b) {
        let (a, b) = (f64::from(a), f64::from(b));
        ab += a * b;
        aa += a * a;
        bb += b * b;
    }
    ab / (aa * bb).sqrt().max(f64::MIN_POSITIVE)
}

/// Where in a recording a sound is, and how alike it is there.
pub fn find(sound: &[f32], recording: &[f32]) -> (usize, f64) {
    find_coarsely(sound, recording, 12)
}

/// As `find`, looked for at a part of the rate first: the smaller the part, the lower a sound must
/// be for it to be found at its best place.
fn find_coarsely(sound: &[f32], recording: &[f32], part: usize) -> (usize, f64) {
    let coarse = |samples: &[f32]| -> Vec<f32> {
        let chunks = samples.chunks_exact(part);
        chunks
            .map(|chunk| chunk.iter().sum::<f32>() / part as f32)
            .collect()
    };
    assert!(recording.len() > sound.len(), "nothing was recorded");
    let (small, all) = (coarse(sound), coarse(recording));
    let loud = all.iter().map(|sample| sample.abs()).fold(0.0, f32::max);
    assert!(loud > 0.0, "the recording is silent");
    let best = (0..=all.len() - small.len())
        .map(|at| (at, alike(&small, &all[at..])))
        .max_by(|a, b| a.1.total_cmp(&b.1));
    let near = best.unwrap().0 * part;
    let last = recording.len() - sound.len();
    (near.saturating_sub(2 * part)..=(near + 2 * part).min(last))
        .map(|at| (at, alike(sound, &recording[at..])))
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .unwrap()
}

/// Where in a recording a sound is, and how alike it is: the median over eighths of a second, each
/// at its own best place nearby and counted by its power, as any correlation does: pauses of speech
/// count for nothing. The buffers may take a piece out or put one in, which moves what
/// follows by some milliseconds and changes no sound.
pub fn find_in_pieces(sound: &[f32], recording: &[f32]) -> (usize, f64) {
    const EIGHTH: usize = RATE / 8;
    const NEARBY: usize = RATE / 32;
    let (place, _) = find(sound, recording);
    let pieces = sound.chunks_exact(EIGHTH).enumerate();
    let mut alikes: Vec<(f64, f64)> = pieces
        .map(|(number, piece)| {
            let at = place + number * EIGHTH;
            let from = at.saturating_sub(NEARBY);
            let until = (at + EIGHTH + NEARBY).min(recording.len());
            let near = recording.get(from..until).unwrap_or_default();
            let heard = near.len() > EIGHTH + NEARBY && near.iter().any(|sample| *sample != 0.0);
            let power: f64 = piece.iter().map(|sample| f64::from(*sample).powi(2)).sum();
            let alike = if heard {
                find_coarsely(piece, near, 3).1
            } else {
                0.0
            };
            (alike, power)
        })
        .collect();
    alikes.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = alikes.iter().map(|(_, power)| power).sum::<f64>() / 2.0;
    let mut below = 0.0;
    let median = alikes.iter().find(|(_, power)| {
        below += power;
        below >= half
    });
    (place, median.map_or(0.0, |(alike, _)| *alike))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sound_is_found_where_it_is_and_nowhere_else() {
        let chirp = chirp(200.0, 3_000.0, 0.5, 0.3);
        let mut recording = vec![0.0; 100_003];
        let at = 41_237;
        for (into, sample) in recording[at..].iter_mut().zip(&chirp) {
            *into = sample * -0.1;
        }
        let (_, turned) = find(&chirp, &recording);
        assert!(turned < 0.9, "turned over it isn't the same: {turned}");
        for sample in &mut recording {
            *sample = -*sample;
        }
        let (found, alike) = find(&chirp, &recording);
        assert_eq!(found, at);
        assert!(alike > 0.999, "{alike}");

        // A piece taken out changes the whole, and no eighth but its own.
        recording.drain(at + 11_000..at + 11_400);
        let (_, whole) = find(&chirp, &recording);
        let (_, pieces) = find_in_pieces(&chirp, &recording);
        assert!(whole < 0.95 && pieces > 0.99, "{whole}, {pieces}");
        let (_, other) = find_in_pieces(&super::chirp(3_000.0, 200.0, 0.5, 0.3), &recording);
        assert!(other < 0.9, "{other}");
    }
}
