//! A call of two with everything on it: two PulseAudios, a relay, two clients, and chirps said
//! into the one's room and found in what the other's loudspeaker plays.

use std::{
    collections::HashMap,
    error::Error,
    process::Command,
    sync::Arc,
    thread::{self, sleep},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use visita_tests::{
    program::Running,
    pulse::{self, Pulse, RATE, ROOM, Recording, SPEAKER},
};

use crate::programs::{self, Host, Program};

/// Between two chirps, in samples: no multiple of any buffer's length, so that chirps meet the
/// buffers at every point of their turn.
pub(crate) const EVERY: usize = 48_651;
/// Chirps at the start that don't count: connections settle, buffers learn.
pub(crate) const SETTLE: usize = 10;
/// Sound comes no later than this.
const MOST: Duration = Duration::from_secs(1);
/// Less alike a chirp isn't taken for one. Noise is 0.26 alike at its best place in a second: its
/// peak over 48,000 places at 0.15 s × 1,300 Hz.
const LEAST_ALIKE: f64 = 0.4;
/// Recordings come in pieces of so many milliseconds, as the client's own.
pub(crate) const PIECES_MS: u32 = 10;

/// The sound that is looked for: within the band of a voice, and so short that a buffer that takes
/// a piece out or puts one in seldom does it within. It isn't speech, so the processing must be off:
/// it would be taken out.
fn chirp() -> Vec<f32> {
    pulse::chirp(200.0, 1_500.0, 0.15, 0.3)
}

/// Two PulseAudios.
pub(crate) struct Places {
    pub(crate) near: Arc<Pulse>,
    pub(crate) far: Arc<Pulse>,
}

impl Places {
    pub(crate) fn new() -> Self {
        Self {
            near: Arc::new(Pulse::start()),
            far: Arc::new(Pulse::start()),
        }
    }
}

/// Two clients in a room.
pub(crate) struct Call {
    sender: Running,
    receiver: Running,
    _relay: Program,
    _folder: TempDir,
}

/// What a client said at its end.
pub(crate) struct Told {
    pub(crate) report: Value,
    stamps: Vec<Value>,
}

impl Call {
    /// Both have a microphone and a loudspeaker; `more` is the sender's.
    pub(crate) fn start(
        built: &str,
        places: &Places,
        more: &[&str],
    ) -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let (relay, host) = programs::relay(built, &folder.path().join("ward"))?;
        let client = |pulse: &Pulse, name: &str, more: &[&str]| {
            Running::start(pulse.serve(&mut sounding(built, &host, &folder, name, more)))
        };
        let receiver = client(&places.far, "Far", &["--video", "none"]);
        let sender = client(&places.near, "Near", more);
        Ok(Self {
            sender,
            receiver,
            _relay: relay,
            _folder: folder,
        })
    }

    /// Ends it; what the sender and the receiver said.
    pub(crate) fn end(self) -> Result<(Told, Told), Box<dyn Error>> {
        // The sender first: what was heard of it is told when it goes.
        self.sender.signal("TERM");
        let sender = Told::new(self.sender)?;
        self.receiver.signal("TERM");
        Ok((sender, Told::new(self.receiver)?))
    }
}

/// A client with devices, whose frames are stamped.
fn sounding(built: &str, host: &Host, folder: &TempDir, name: &str, more: &[&str]) -> Command {
    let mut command = host.join(built, "Sound");
    command.args(["--name", name, "--state"]);
    command.arg(folder.path().join(name));
    command.args(["--audio", "mic", "--process=off"]);
    command.args(["--play-audio", "device", "--stamps"]);
    command.args(more);
    command
}

impl Told {
    fn new(program: Running) -> Result<Self, Box<dyn Error>> {
        let output = program.wait();
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(format!("a client failed: {said}").into());
        }
        let text = String::from_utf8(output.stdout)?;
        let mut lines = text.lines().map(serde_json::from_str);
        let mut stamps = lines.by_ref().collect::<Result<Vec<Value>, _>>()?;
        let report = stamps.pop().ok_or("a client said nothing")?;
        Ok(Self { report, stamps })
    }

    fn named(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.stamps.iter().filter(move |line| line["stamp"] == name)
    }

    /// When frames of a kind were somewhere, by the time of their capture.
    pub(crate) fn stamps(&self, name: &str, track: Option<u64>) -> HashMap<i64, i64> {
        let of_track = self
            .named(name)
            .filter(|line| track.is_none() || line["track"].as_u64() == track);
        of_track
            .filter_map(|line| Some((line["captured"].as_i64()?, line["at"].as_i64()?)))
            .collect()
    }

    /// The stamp that stands for the whole of a sender's sound.
    pub(crate) fn heard(&self) -> Option<&Value> {
        self.named("heard").last()
    }
}

/// Chirps that are being said and recorded at both ends.
pub(crate) struct Chirps {
    count: usize,
    source: Recording,
    ear: Recording,
    saying: thread::JoinHandle<()>,
}

/// A chirp that came, in microseconds on this machine's clock.
#[derive(Clone, Copy)]
pub(crate) struct Came {
    /// When it sounded where it was said.
    pub(crate) said: i64,
    /// When it sounded where it was heard.
    pub(crate) heard: i64,
}

impl Came {
    pub(crate) fn delay_ms(self) -> f64 {
        (self.heard - self.said) as f64 / 1000.0
    }
}

impl Chirps {
    /// Says so many into a room.
    pub(crate) fn say(count: usize, from: &Arc<Pulse>, to: &Arc<Pulse>) -> Self {
        let (source, ear) = (
            from.record_from(ROOM, PIECES_MS),
            to.record_from(SPEAKER, PIECES_MS),
        );
        source.wait(1);
        ear.wait(1);
        let mut one = chirp();
        one.resize(EVERY, 0.0);
        let mut all = vec![0.0; RATE / 2];
        all.extend(one.iter().cycle().take(count * EVERY));
        let from = from.clone();
        let saying = thread::spawn(move || from.say(&all));
        Self {
            count,
            source,
            ear,
            saying,
        }
    }

    /// Waits until all are said, and finds them; `None` for each that didn't come.
    pub(crate) fn find(self) -> Result<Vec<Option<Came>>, Box<dyn Error>> {
        self.saying
            .join()
            .map_err(|_| "the chirps can't be played")?;
        sleep(MOST);
        let chirp = chirp();
        let (said, heard) = (self.source.wait(1), self.ear.wait(1));
        let mut found = Vec::new();
        // The first begins where anything does, the others follow.
        let begins = said.iter().position(|sample| sample.abs() > 0.01);
        let begins = begins.ok_or("nothing was said")?.saturating_sub(RATE / 20);
        let mut near = begins..begins + chirp.len() + RATE / 5;
        for _ in 0..self.count {
            let Some((at, _)) = look(&chirp, &said, near) else {
                return Err("a chirp wasn't recorded where it was said".into());
            };
            near = at + EVERY - RATE / 10..at + EVERY + chirp.len() + RATE / 10;
            let time = self.source.time_of(at);
            let from = sample_at(&self.ear, time).saturating_sub(RATE / 20);
            let until = from + RATE * MOST.as_secs() as usize + chirp.len();
            let came = look(&chirp, &heard, from..until);
            found.push(came.map(|(at, _)| Came {
                said: time,
                heard: self.ear.time_of(at),
            }));
        }
        Ok(found)
    }
}

/// Where a chirp is within a stretch, and how alike it is.
fn look(chirp: &[f32], recording: &[f32], within: std::ops::Range<usize>) -> Option<(usize, f64)> {
    let end = within.end.min(recording.len());
    let stretch = recording.get(within.start..end)?;
    let silent = stretch.iter().all(|sample| sample.abs() < 1e-4);
    if stretch.len() <= chirp.len() + 24 || silent {
        return None;
    }
    let (at, alike) = pulse::find(chirp, stretch);
    (alike >= LEAST_ALIKE).then_some((within.start + at, alike))
}

/// Which sample sounded then.
fn sample_at(recording: &Recording, time: i64) -> usize {
    let last = recording.len() as i64 - 1;
    let mut sample = last / 2;
    // Pieces are stamped nearby, so the second guess is as good as any.
    for _ in 0..2 {
        let off = time - recording.time_of(sample as usize);
        sample = (sample + off * RATE as i64 / 1_000_000).clamp(0, last);
    }
    sample as usize
}
