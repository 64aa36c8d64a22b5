//! A file as a microphone: WAV by itself, anything else through the `ffmpeg` program.

use std::{
    collections::VecDeque,
    ffi::OsString,
    fs,
    io::{self, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use hound::{SampleFormat, WavReader};

use super::super::{BLOCK, Error, RATE, resample::Resampler};

/// A file, over and over.
pub struct File {
    name: String,
    path: PathBuf,
    input: Input,
    ready: VecDeque<f32>,
}

enum Input {
    Wav(Box<Wav>),
    Program(Program),
}

/// How many samples of the file are read at once, for each channel.
const CHUNK: usize = 480;

impl File {
    /// Opens a file.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let mut start = [0; 12];
        let mut plain = fs::File::open(path).map_err(|error| Error::File(error.to_string()))?;
        let wav = plain.read_exact(&mut start).is_ok()
            && start.starts_with(b"RIFF")
            && start.ends_with(b"WAVE");
        let input = if wav {
            Input::Wav(Box::new(Wav::open(path)?))
        } else {
            Input::Program(Program::start(path)?)
        };
        let name = path
            .file_name()
            .map_or_else(|| "file".into(), |name| name.to_string_lossy().into_owned());
        Ok(Self {
            name,
            path: path.to_owned(),
            input,
            ready: VecDeque::new(),
        })
    }

    /// What to call it on a screen.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The next 10 ms; from the beginning again after the end.
    pub fn read(&mut self, out: &mut [f32; BLOCK]) -> Result<(), Error> {
        let mut begun_anew = false;
        while self.ready.len() < BLOCK {
            let more = match &mut self.input {
                Input::Wav(wav) => wav.read(&mut self.ready)?,
                Input::Program(program) => program.read(&mut self.ready)?,
            };
            if more {
                begun_anew = false;
                continue;
            }
            if begun_anew {
                return Err(Error::File("there is no sound in it".into()));
            }
            begun_anew = true;
            match &mut self.input {
                Input::Wav(wav) => wav.rewind()?,
                Input::Program(program) => *program = Program::start(&self.path)?,
            }
        }
        for (sample, ready) in out.iter_mut().zip(self.ready.drain(..BLOCK)) {
            *sample = ready;
        }
        Ok(())
    }
}

struct Wav {
    reader: WavReader<BufReader<fs::File>>,
    resampler: Resampler,
}

fn broken(error: hound::Error) -> Error {
    Error::File(error.to_string())
}

impl Wav {
    fn open(path: &Path) -> Result<Self, Error> {
        let reader = WavReader::open(path).map_err(broken)?;
        let rate = reader.spec().sample_rate;
        if reader.spec().channels == 0 {
            return Err(Error::File("it has no channels".into()));
        }
        Ok(Self {
            reader,
            resampler: Resampler::new(rate, RATE)?,
        })
    }

    fn rewind(&mut self) -> Result<(), Error> {
        let sought = self.reader.seek(0);
        sought.map_err(|error| Error::File(error.to_string()))
    }

    /// Reads some; `false` at the end.
    fn read(&mut self, ready: &mut VecDeque<f32>) -> Result<bool, Error> {
        let spec = self.reader.spec();
        let channels = usize::from(spec.channels);
        let most = CHUNK * channels;
        let samples: Vec<f32> = match spec.sample_format {
            SampleFormat::Float => {
                let samples = self.reader.samples::<f32>().take(most);
                samples.collect::<Result<_, _>>().map_err(broken)?
            }
            SampleFormat::Int => {
                let full = 2_f32.powi(i32::from(spec.bits_per_sample) - 1);
                let samples = self.reader.samples::<i32>().take(most);
                let scaled = samples.map(|sample| sample.map(|sample| sample as f32 / full));
                scaled.collect::<Result<_, _>>().map_err(broken)?
            }
        };
        if samples.is_empty() {
            return Ok(false);
        }
        let mono: Vec<f32> = samples
            .chunks(channels)
            .map(|frame| frame.iter().sum::<f32>() / channels as f32)
            .collect();
        self.resampler.push(&mono, |sample| ready.push_back(sample));
        Ok(true)
    }
}

/// The `ffmpeg` program, decoding a file into a pipe. It ends with this.
struct Program {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Program {
    fn start(path: &Path) -> Result<Self, Error> {
        // "file:" keeps names like "concat:…" or "-x" from being anything but a name.
        let mut input = OsString::from("file:");
        input.push(path);
        let rate = RATE.to_string();
        let mut child = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-i"])
            .arg(input)
            .args(["-vn", "-sn", "-dn", "-ac", "1", "-ar", &rate, "-f", "f32le", "-"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => Error::File(
                    "it is no WAV file, and the program ffmpeg, which reads others, is not installed".into(),
                ),
                _ => Error::File(format!("ffmpeg can't be started: {error}")),
            })?;
        let Some(out) = child.stdout.take() else {
            return Err(Error::File("ffmpeg gives nothing".into()));
        };
        Ok(Self {
            child,
            out: BufReader::with_capacity(1 << 16, out),
        })
    }

    /// Reads some; `false` at the end.
    fn read(&mut self, ready: &mut VecDeque<f32>) -> Result<bool, Error> {
        let mut bytes = Vec::with_capacity(CHUNK * 4);
        let chunk = self.out.by_ref().take(CHUNK as u64 * 4);
        { chunk }
            .read_to_end(&mut bytes)
            .map_err(|error| Error::File(error.to_string()))?;
        let samples = bytes.as_chunks::<4>().0;
        ready.extend(samples.iter().map(|sample| f32::from_le_bytes(*sample)));
        Ok(!samples.is_empty())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
