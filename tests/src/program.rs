//! The programs as people run them.

use std::{
    io::{BufRead as _, BufReader, Read},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::{OnceLock, mpsc},
    thread::JoinHandle,
    time::Duration,
};

/// The path of `visita-client`, built if need be.
pub fn client() -> PathBuf {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| build("visita-client")).clone()
}

/// The path of `visita-relay`, built if need be.
pub fn relay() -> PathBuf {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| build("visita-relay")).clone()
}

/// Cargo builds a test's own binaries only, so this asks for the other packages'. Where they are
/// built already, `VISITA_PROGRAMS` names their folder.
fn build(name: &str) -> PathBuf {
    if let Some(folder) = std::env::var_os("VISITA_PROGRAMS") {
        return PathBuf::from(folder).join(name);
    }
    let output = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--package",
            name,
            "--bin",
            name,
            "--message-format=json",
        ])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "{name} can't be built");
    let lines = String::from_utf8(output.stdout).unwrap();
    let artifacts = lines
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let mut paths = artifacts
        .filter(|artifact| artifact["target"]["name"] == name)
        .filter_map(|artifact| artifact["executable"].as_str().map(PathBuf::from));
    paths.next_back().unwrap()
}

/// Runs `visita-client` to its end.
pub async fn run_client(arguments: &[&str]) -> Output {
    start_client(arguments).end().await
}

/// Starts `visita-client`.
pub fn start_client(arguments: &[&str]) -> Running {
    Running::start(Command::new(client()).args(arguments))
}

/// A program that runs, killed when this is dropped before its end.
pub struct Running {
    child: Child,
    lines: mpsc::Receiver<String>,
    stdout: Option<JoinHandle<Vec<u8>>>,
    stderr: Option<JoinHandle<Vec<u8>>>,
}

impl Running {
    /// Starts it. Its output is read all the time, so that it never waits for a reader.
    pub fn start(command: &mut Command) -> Self {
        let command = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        let stdout = child.stdout.take().map(|pipe| drain(pipe, Some(sender)));
        let stderr = child.stderr.take().map(|pipe| drain(pipe, None));
        Self {
            child,
            lines,
            stdout,
            stderr,
        }
    }

    /// The next line that it prints; `None` after its last.
    pub fn line(&self) -> Option<String> {
        self.lines.recv().ok()
    }

    /// The next line that it prints; `None` after its last, or when none came in that time.
    pub fn line_within(&self, time: Duration) -> Option<String> {
        self.lines.recv_timeout(time).ok()
    }

    /// Sends it a signal by name.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", name, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits for its end.
    pub async fn end(self) -> Output {
        tokio::task::spawn_blocking(move || self.wait())
            .await
            .unwrap()
    }

    /// Waits for its end, on this thread.
    pub fn wait(mut self) -> Output {
        let status = self.child.wait().unwrap();
        let read = |pipe: Option<JoinHandle<Vec<u8>>>| pipe.unwrap().join().unwrap();
        Output {
            status,
            stdout: read(self.stdout.take()),
            stderr: read(self.stderr.take()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn drain(
    pipe: impl Read + Send + 'static,
    lines: Option<mpsc::Sender<String>>,
) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut all = Vec::new();
        let mut pipe = BufReader::new(pipe);
        loop {
            let begin = all.len();
            if pipe.read_until(b'\n', &mut all).unwrap_or(0) == 0 {
                return all;
            }
            if let Some(lines) = &lines {
                let _ = lines.send(String::from_utf8_lossy(&all[begin..]).trim_end().to_owned());
            }
        }
    })
}
