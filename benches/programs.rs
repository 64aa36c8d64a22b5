//! The released programs, started by a bench, and what the kernel counts of them.

use std::{
    error::Error,
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;

/// A program that is killed when this is dropped.
pub(crate) struct Program(pub(crate) Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Program {
    pub(crate) fn start(command: &mut Command) -> Result<Self, Box<dyn Error>> {
        let command = command.stdout(Stdio::piped()).stderr(Stdio::null());
        Ok(Self(command.spawn()?))
    }

    /// The CPU time of all its threads up to now.
    pub(crate) fn cpu(&self) -> Result<Duration, Box<dyn Error>> {
        let mut nanos = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.0.id()))? {
            // A thread may end between the two calls.
            let Ok(line) = fs::read_to_string(task?.path().join("schedstat")) else {
                continue;
            };
            nanos += line.split(' ').next().unwrap_or("0").parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanos))
    }

    pub(crate) fn resident_mb(&self) -> Result<f64, Box<dyn Error>> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|rest| rest.split_whitespace().next());
        Ok(kilobytes.ok_or("no VmRSS")?.parse::<f64>()? * 1024.0 / 1e6)
    }

    /// What a client reports when its time is over.
    pub(crate) fn report(&mut self) -> Result<Value, Box<dyn Error>> {
        let mut report = String::new();
        let stdout = self.0.stdout.as_mut().ok_or("no stdout")?;
        stdout.read_to_string(&mut report)?;
        Ok(serde_json::from_str(&report)?)
    }
}

/// Where a relay is, and what it shows.
pub(crate) struct Host {
    pub(crate) url: String,
    pub(crate) fingerprint: String,
}

/// Starts a relay on a free port.
pub(crate) fn relay(built: &str, data: &Path) -> Result<(Program, Host), Box<dyn Error>> {
    let mut relay = Command::new(format!("{built}/visita-relay"));
    relay.args(["serve", "--listen", "127.0.0.1:0", "--data"]);
    let mut relay = Program::start(relay.arg(data))?;
    let mut line = String::new();
    let stdout = relay.0.stdout.take().ok_or("no stdout")?;
    BufReader::new(stdout).read_line(&mut line)?;
    let ready: Value = serde_json::from_str(&line)?;
    let text = |key: &str| {
        ready[key]
            .as_str()
            .map(str::to_owned)
            .ok_or("no ready line")
    };
    let host = Host {
        url: text("url")?,
        fingerprint: text("fingerprint")?,
    };
    Ok((relay, host))
}

impl Host {
    /// A client that joins a room there, and makes it if need be.
    pub(crate) fn join(&self, built: &str, room: &str) -> Command {
        let mut client = Command::new(format!("{built}/visita-client"));
        client.args(["join", "--host", &self.url]);
        client.args(["--fingerprint", &self.fingerprint]);
        client.args(["--room", room, "--create", "--report", "json"]);
        client
    }
}
