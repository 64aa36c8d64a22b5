//! A host on a machine of its own, and participants there and on another machine behind an
//! emulated link.

use std::{path::Path, process::Command, time::Duration};

use serde_json::Value;

use crate::{
    link::{Link, Profile},
    program::{self, Running},
};

/// The machine that hosts.
pub const HOST: usize = 0;
/// The machine behind the link.
pub const GUEST: usize = 1;

/// A good line within a building.
pub const GOOD: Profile = Profile {
    rate: 0,
    loss: 0.0,
    delay_ms: 5,
    jitter_ms: 0,
};

/// A relay, and the link to it.
pub struct Ward {
    /// The link between [`HOST`] and [`GUEST`].
    pub link: Link,
    relay: Running,
    url: String,
    pin: String,
    _data: tempfile::TempDir,
}

impl Ward {
    /// Starts the relay, with a [`GOOD`] link to it. `emulator` is `emulated-link`; `None` where
    /// networks can't be made and may be left out.
    pub fn open(emulator: &Path) -> Option<Self> {
        Self::open_as(emulator, |_| ())
    }

    /// The same, with something about the relay's command changed.
    pub fn open_as(emulator: &Path, change: impl FnOnce(&mut Command)) -> Option<Self> {
        let link = Link::new(emulator, GOOD)?;
        let data = tempfile::tempdir().unwrap();
        let mut serve = link.on(HOST, &program::relay());
        serve.args(["serve", "--listen", "0.0.0.0:0", "--data"]);
        serve.arg(data.path());
        change(&mut serve);
        let relay = Running::start(&mut serve);
        let ready: Value = serde_json::from_str(&relay.line().unwrap()).unwrap();
        let text = |key: &str| ready[key].as_str().unwrap().to_owned();
        Some(Self {
            link,
            relay,
            url: text("url"),
            pin: text("fingerprint"),
            _data: data,
        })
    }

    /// A participant who enters the one room, stamps what it sees and reports that often.
    pub fn participant(&self, machine: usize, name: &str, every: Duration) -> Command {
        let mut client = self.link.on(machine, &program::client());
        client
            .args(["join", "--host", &self.url, "--fingerprint", &self.pin])
            .args(["--create", "--room", "Room", "--name", name, "--stamps"])
            .args(["--report", "json", "--report-every"])
            .arg(every.as_secs_f64().to_string());
        client
    }

    /// Ends it; gives each participant's stamps.
    pub fn end<const N: usize>(self, participants: [Running; N]) -> [Vec<Value>; N] {
        for participant in &participants {
            participant.signal("TERM");
        }
        let stamps = participants.each_ref().map(|participant| {
            let lines = std::iter::from_fn(|| participant.line());
            let values = lines.map(|line| serde_json::from_str::<Value>(&line).unwrap());
            values.filter(|value| value["stamp"].is_string()).collect()
        });
        for participant in participants {
            let output = participant.wait();
            let words = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(0), "{words}");
        }
        self.relay.signal("TERM");
        assert_eq!(self.relay.wait().status.code(), Some(0));
        stamps
    }
}
