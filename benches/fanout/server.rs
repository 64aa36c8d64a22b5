//! The servers: starting them on a core of their own, and what they cost.

use std::{
    fs, io,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::wire::{Failure, Language};

/// Which server, and what it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    FlaskThreading,
    FlaskGevent,
    NodeText,
    NodeBinary,
    Floor,
    Visita,
}

impl Kind {
    pub(crate) const ALL: [Kind; 6] = [
        Kind::FlaskThreading,
        Kind::FlaskGevent,
        Kind::NodeText,
        Kind::NodeBinary,
        Kind::Floor,
        Kind::Visita,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::FlaskThreading => "Flask-SocketIO, threading",
            Kind::FlaskGevent => "Flask-SocketIO, gevent",
            Kind::NodeText => "Node Socket.IO, Base64",
            Kind::NodeBinary => "Node Socket.IO, binary",
            Kind::Floor => "floor: one TLS 1.3 write a frame",
            Kind::Visita => "Visita's relay (TLS 1.3)",
        }
    }

    fn language(self) -> Language {
        match self {
            Kind::FlaskThreading | Kind::FlaskGevent | Kind::NodeText => Language::SocketIoText,
            Kind::NodeBinary => Language::SocketIoBinary,
            Kind::Floor => Language::Bare,
            Kind::Visita => Language::Visita,
        }
    }
}

/// Where the programs are.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    /// Cargo's release folder.
    pub(crate) built: String,
    /// What `scripts/bench` installed: `py/`, a Python environment, and `node/`, with Socket.IO.
    pub(crate) comparisons: String,
}

/// A running server; it is killed when this is dropped.
pub(crate) struct Server {
    pub(crate) language: Language,
    pub(crate) port: u16,
    child: Child,
    data: Option<tempfile::TempDir>,
}

/// Python's imports take the longest, a second on a slow machine.
const START: Duration = Duration::from_secs(20);

impl Server {
    /// Starts a server on core 0; this process and its clients stay on core 1.
    pub(crate) fn start(kind: Kind, programs: &Programs) -> Result<Self, Failure> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?
            .local_addr()?
            .port();
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../benches/fanout/servers");
        let mut data = None;
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]);
        match kind {
            Kind::FlaskThreading | Kind::FlaskGevent => {
                let mode = if kind == Kind::FlaskGevent {
                    "gevent"
                } else {
                    "threading"
                };
                command
                    .arg(format!("{}/py/bin/python", programs.comparisons))
                    .arg(sources.join("flask_relay.py"))
                    .args([mode, &port.to_string()]);
            }
            Kind::NodeText | Kind::NodeBinary => {
                command
                    .arg("node")
                    .arg(format!("{}/node/node_relay.mjs", programs.comparisons))
                    .arg(port.to_string());
            }
            Kind::Floor => {
                command
                    .arg(format!("{}/examples/fanout-floor", programs.built))
                    .arg(port.to_string());
            }
            Kind::Visita => {
                let folder = tempfile::tempdir()?;
                command
                    .arg(format!("{}/visita-relay", programs.built))
                    .args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--data"])
                    .arg(folder.path());
                data = Some(folder);
            }
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut server = Server {
            language: kind.language(),
            port,
            child,
            data,
        };
        server
            .wait_until_up()
            .map_err(|error| format!("{}: {error}", kind.name()))?;
        Ok(server)
    }

    fn wait_until_up(&mut self) -> Result<(), Failure> {
        let deadline = Instant::now() + START;
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("ended with {status} at its start").into());
            }
            if Instant::now() > deadline {
                return Err("didn't listen in time".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// The CPU time of all its threads up to now, to the nanosecond (the kernel's own sum).
    pub(crate) fn cpu(&self) -> io::Result<Duration> {
        let mut nanos = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            // A thread may end between the two calls.
            let Ok(line) = fs::read_to_string(task?.path().join("schedstat")) else {
                continue;
            };
            let on_cpu = line
                .split_whitespace()
                .next()
                .and_then(|field| field.parse::<u64>().ok());
            nanos += on_cpu.ok_or_else(|| io::Error::other("schedstat can't be read"))?;
        }
        Ok(Duration::from_nanos(nanos))
    }

    /// Its resident memory, in megabytes.
    pub(crate) fn resident_mb(&self) -> Result<f64, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|rest| rest.split_whitespace().next());
        Ok(kilobytes.ok_or("no VmRSS")?.parse::<f64>()? * 1024.0 / 1e6)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Only now, since the server writes into it.
        self.data.take();
    }
}
