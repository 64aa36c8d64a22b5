//! How this device fares as host, as the page shows it.

use serde::Serialize;
use visita_protocol::{
    control::{Connection, Role},
    id::MemberId,
    name::{PersonName, RoomName},
};
use visita_relay::{BindError, FileError, Handle, StartError, TlsError};

use super::{
    Error, Facts, Phase,
    lines::Quality,
    load::Strain,
    machine::{self, Network, Power},
    port, taken,
};
use crate::{
    awake,
    hosts::shown,
    qr::{Qr, qr},
};

/// How this device fares as host, as the page shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Whether it hosts.
    pub state: State,
    /// Where others connect to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The ward's CA.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// What the ward is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ward: Option<String>,
    /// Every address at which others may reach this device, best first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// The code that leads to `url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qr: Option<Qr>,
    /// Who is connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected: Option<Vec<Connected>>,
    /// What hosting depends on, as far as it is known yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Conditions>,
    /// What this device has to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load: Option<Load>,
    /// Whether the app starts with the system; absent where it can't.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_boot: Option<bool>,
    /// Why it doesn't host.
    #[serde(flatten)]
    pub failure: Option<Failure>,
}

/// Whether this device hosts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It doesn't.
    #[default]
    Off,
    /// It is about to.
    Starting,
    /// It does.
    On,
    /// It should, and can't.
    Failed,
}

/// Why a device can't host. The page has the words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// Another program has the port.
    PortInUse,
    /// The state can't be kept.
    DataNotWritable,
    /// There is no room to keep it.
    DiskFull,
    /// Nobody could reach this device.
    NoNetwork,
    /// Anything else: `detail` says what.
    #[default]
    Other,
}

/// A start that failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Why.
    pub problem: Problem,
    /// The same in English, with paths and numbers, for whoever has to help.
    pub detail: String,
    /// The port that was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The program that has it, where the system says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// A port that is free.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free_port: Option<u16>,
}

impl From<&Error> for Failure {
    /// Looks for who has the port, and for another: it takes its time.
    fn from(error: &Error) -> Self {
        let taken = taken(error);
        Self {
            problem: problem(error),
            detail: error.to_string(),
            port: taken.map(|address| address.port()),
            holder: taken.and_then(|address| port::holder(address.port())),
            free_port: taken.and_then(port::free_after),
        }
    }
}

/// What hosting depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conditions {
    /// Whether the device is plugged in.
    pub power: Power,
    /// The networks that it is on, best first.
    pub networks: Vec<Network>,
    /// Whether the system keeps the device awake.
    pub awake: awake::State,
    /// Whether anybody came from another device since the start: no firewall keeps all out.
    pub visited: bool,
    /// Others don't find it by themselves: the system doesn't let it be advertised.
    pub unheard: bool,
}

/// What this device has to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Load {
    /// Of all cores, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processor: Option<u8>,
    /// Of the memory, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u8>,
    /// How full the battery is, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub battery: Option<u8>,
    /// Bits a second of pictures that come in.
    pub bits_in: u64,
    /// Bits a second of pictures that go out.
    pub bits_out: u64,
    /// What is too much.
    pub strain: Vec<Strain>,
}

/// Somebody in a room of this host. Shown on the host's own screen, and nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Connected {
    /// Who.
    pub id: MemberId,
    /// What the person is called.
    pub name: PersonName,
    /// Who the person is.
    pub role: Role,
    /// In which room.
    pub room: RoomName,
    /// Whether the person can be reached.
    pub state: Connection,
    /// How well, once it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<Quality>,
    /// Milliseconds there and back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round_trip_ms: Option<u32>,
}

impl Facts {
    pub(super) fn status(&self, awake: awake::State) -> Status {
        let status = Status {
            at_boot: self.at_boot,
            conditions: self.conditions(awake),
            ..Status::default()
        };
        match &self.phase {
            Phase::Off => status,
            Phase::Starting => Status {
                state: State::Starting,
                ..status
            },
            Phase::On(handle) => self.on(handle, status),
            Phase::Failed(failure) => Status {
                state: State::Failed,
                failure: Some(failure.clone()),
                ..status
            },
        }
    }

    fn on(&self, handle: &Handle, status: Status) -> Status {
        let links = handle.links();
        let url = links.first().cloned().unwrap_or_else(|| handle.url());
        let connected = handle.people().into_iter().map(|person| Connected {
            line: self.lines.quality(person.member),
            round_trip_ms: self
                .lines
                .round_trip(person.member)
                .map(|there_and_back| there_and_back.as_millis() as u32),
            id: person.member,
            name: person.name,
            role: person.role,
            room: person.room_name,
            state: person.connection,
        });
        let load = self.sample.map(|sample| Load {
            processor: sample.processor,
            memory: sample.memory,
            battery: sample.battery.known().map(|battery| battery.percent),
            bits_in: self.rate.0,
            bits_out: self.rate.1,
            strain: self.strain.told(),
        });
        Status {
            state: State::On,
            qr: qr(&url),
            url: Some(url),
            fingerprint: Some(shown(handle.fingerprint())),
            ward: Some(handle.ward()),
            addresses: links,
            connected: Some(connected.collect()),
            load,
            ..status
        }
    }

    fn conditions(&self, awake: awake::State) -> Option<Conditions> {
        let (sample, addresses) = (self.sample?, self.addresses.as_ref()?);
        let (visited, unheard) = match &self.phase {
            Phase::On(handle) => (handle.traffic().from_outside > 0, handle.is_unheard()),
            _ => (false, false),
        };
        Some(Conditions {
            power: sample.power(),
            networks: machine::networks(addresses),
            awake,
            visited,
            unheard,
        })
    }
}

fn problem(error: &Error) -> Problem {
    match error {
        Error::Bind(BindError::InUse { .. }) => Problem::PortInUse,
        Error::NoNetwork => Problem::NoNetwork,
        Error::Start(StartError::Tls(TlsError::File(FileError::Full { .. }))) => Problem::DiskFull,
        Error::Start(StartError::Tls(TlsError::File(_))) | Error::NoFolder => {
            Problem::DataNotWritable
        }
        Error::Bind(_) | Error::Start(_) => Problem::Other,
    }
}
