//! A film as a camera: Y4M by itself, anything else through the `ffmpeg` program.

use std::{
    ffi::OsString,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use visita_protocol::time::MediaTime;

use super::{Error, Source, y4m};
use crate::{clock, picture::Picture};

/// A film, over and over, at its own pace.
pub struct File {
    name: String,
    path: PathBuf,
    input: Input,
    header: y4m::Header,
    start: MediaTime,
    shown: u64,
}

enum Input {
    Plain(BufReader<fs::File>),
    Program(Program),
}

impl File {
    /// Opens a film.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let mut plain =
            BufReader::new(fs::File::open(path).map_err(|error| Error::File(error.to_string()))?);
        let start = plain
            .fill_buf()
            .map_err(|error| Error::File(error.to_string()))?;
        let (input, header) = if start.starts_with(b"YUV4MPEG2") {
            let header = y4m::Header::read(&mut plain)?;
            (Input::Plain(plain), header)
        } else {
            let (program, header) = Program::start(path)?;
            (Input::Program(program), header)
        };
        let name = path
            .file_name()
            .map_or_else(|| "file".into(), |name| name.to_string_lossy().into_owned());
        Ok(Self {
            name,
            path: path.to_owned(),
            input,
            header,
            start: clock::now(),
            shown: 0,
        })
    }

    fn read(&mut self, time: MediaTime) -> Result<Option<Picture>, Error> {
        match &mut self.input {
            Input::Plain(input) => self.header.picture(input, time),
            Input::Program(program) => self.header.picture(&mut program.out, time),
        }
    }

    fn again(&mut self) -> Result<(), Error> {
        match &mut self.input {
            Input::Plain(input) => y4m::rewind(input),
            Input::Program(program) => {
                (*program, self.header) = Program::start(&self.path)?;
                Ok(())
            }
        }
    }
}

impl Source for File {
    fn name(&self) -> &str {
        &self.name
    }

    fn next(&mut self) -> Result<Picture, Error> {
        let interval = self.header.interval_us();
        let due = self.start.0 + self.shown * interval;
        let now = clock::now().0;
        if let Some(early) = due.checked_sub(now) {
            std::thread::sleep(Duration::from_micros(early));
        } else if now - due > 2 * interval {
            self.start = MediaTime(now.saturating_sub(self.shown * interval));
        }
        self.shown += 1;
        let time = clock::now();
        if let Some(picture) = self.read(time)? {
            return Ok(picture);
        }
        self.again()?;
        self.read(time)?
            .ok_or_else(|| Error::File("there is no whole picture in it".into()))
    }
}

/// The `ffmpeg` program, decoding a film into a pipe. It ends with this.
struct Program {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Program {
    fn start(path: &Path) -> Result<(Self, y4m::Header), Error> {
        // "file:" keeps names like "concat:…" or "-x" from being anything but a name.
        let mut input = OsString::from("file:");
        input.push(path);
        let mut child = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-i"])
            .arg(input)
            .args(["-an", "-sn", "-dn", "-pix_fmt", "yuv420p", "-f", "yuv4mpegpipe", "-"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => Error::File(
                    "it is no Y4M file, and the program ffmpeg, which reads others, is not installed".into(),
                ),
                _ => Error::File(format!("ffmpeg can't be started: {error}")),
            })?;
        let Some(out) = child.stdout.take() else {
            return Err(Error::File("ffmpeg gives nothing".into()));
        };
        let mut program = Self {
            child,
            out: BufReader::with_capacity(1 << 16, out),
        };
        let header = y4m::Header::read(&mut program.out)
            .map_err(|_| Error::File("ffmpeg finds no picture in it".into()))?;
        Ok((program, header))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
