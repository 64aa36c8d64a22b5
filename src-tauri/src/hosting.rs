//! This device as host: the embedded relay, switched on and off.

use std::{path::PathBuf, sync::Arc};

use serde::Serialize;
use tokio::{
    sync::{Mutex, oneshot, watch},
    task::JoinHandle,
};
use visita_protocol::{
    control::{Connection, Role},
    id::MemberId,
    name::{PersonName, RoomName},
};
use visita_relay::{
    Addresses, BindError, Config, FileError, Handle, Relay, StartError, TlsError, bind,
};

use crate::{
    hosts::{Directory, Own, shown},
    qr::{Qr, qr},
};

/// Lines for the relay, in the folder of its data, as `visita-relay --config` takes them.
const CONFIG: &str = "relay.toml";

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
    /// Why it doesn't host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
    /// The same in English, with paths and numbers, for whoever has to help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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
    Other,
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
}

/// Why the relay didn't start.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Bind(#[from] BindError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("the system names no folder for the app's data; set VISITA_DATA to one")]
    NoFolder,
    #[error("this device is on no network; connect it to one that the others are on")]
    NoNetwork,
}

/// The switch, and what it does.
pub struct Hosting {
    status: watch::Sender<Status>,
    running: Mutex<Option<Running>>,
    data: Option<PathBuf>,
    port: Option<u16>,
    directory: Arc<Directory>,
}

struct Running {
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
    telling: JoinHandle<()>,
}

impl Hosting {
    /// Off. The relay keeps its files in `data`, and listens on all addresses, unless a
    /// `relay.toml` there says otherwise.
    pub fn new(data: Option<PathBuf>, port: Option<u16>, directory: Arc<Directory>) -> Self {
        Self {
            status: watch::Sender::default(),
            running: Mutex::default(),
            data,
            port,
            directory,
        }
    }

    /// Tells how this device fares as host.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// Switches on. What comes of it is told by the status.
    pub async fn start(&self) {
        let mut running = self.running.lock().await;
        if running.is_some() {
            return;
        }
        self.status.send_replace(Status {
            state: State::Starting,
            ..Status::default()
        });
        match self.open() {
            Ok(started) => *running = Some(started),
            Err(error) => {
                tracing::warn!(%error, "this device can't host");
                self.status.send_replace(Status {
                    state: State::Failed,
                    problem: Some(problem(&error)),
                    detail: Some(error.to_string()),
                    ..Status::default()
                });
            }
        }
    }

    /// Switches off: says so to everybody, and waits until the relay has ended.
    pub async fn stop(&self) {
        let mut running = self.running.lock().await;
        if let Some(Running {
            stop,
            serving,
            telling,
            ..
        }) = running.take()
        {
            let _ = stop.send(());
            let _ = serving.await;
            telling.abort();
            let _ = telling.await;
        }
        self.directory.set_own(None);
        self.status.send_replace(Status::default());
    }

    fn open(&self) -> Result<Running, Error> {
        let data = self.data.as_ref().ok_or(Error::NoFolder)?;
        let file = data.join(CONFIG);
        let mut config = if file.exists() {
            Config::read(&file).map_err(StartError::from)?
        } else {
            Config::default()
        };
        if let Some(port) = self.port {
            config.listen.set_port(port);
        }
        config.data.clone_from(data);
        if config.listen.ip().is_unspecified()
            && Addresses::of_this_machine().reachable().is_empty()
        {
            return Err(Error::NoNetwork);
        }
        let listener = bind(config.listen)?;
        let relay = Relay::new(config, listener)?;
        let handle = relay.handle();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(relay.serve(async {
            let _ = stopped.await;
        }));
        let telling = tokio::spawn(tell(handle, self.status.clone(), self.directory.clone()));
        Ok(Running {
            stop,
            serving,
            telling,
        })
    }
}

/// Keeps the status as the relay is.
async fn tell(handle: Handle, status: watch::Sender<Status>, directory: Arc<Directory>) {
    let (mut changes, mut addresses) = (handle.changes(), handle.addresses());
    loop {
        changes.mark_unchanged();
        addresses.mark_unchanged();
        directory.set_own(own(&handle));
        let now = describe(&handle);
        status.send_if_modified(|before| {
            let changed = *before != now;
            *before = now;
            changed
        });
        let more = tokio::select! {
            more = changes.changed() => more,
            more = addresses.changed() => more,
        };
        if more.is_err() {
            return;
        }
    }
}

fn own(handle: &Handle) -> Option<Own> {
    let url = handle.url().parse().ok()?;
    Some(Own {
        name: handle.ward().to_owned(),
        url,
        fingerprint: handle.fingerprint(),
    })
}

fn describe(handle: &Handle) -> Status {
    let links = handle.links();
    let url = links.first().cloned().unwrap_or_else(|| handle.url());
    let connected = handle.people().into_iter().map(|person| Connected {
        id: person.member,
        name: person.name,
        role: person.role,
        room: person.room_name,
        state: person.connection,
    });
    Status {
        state: State::On,
        qr: qr(&url),
        url: Some(url),
        fingerprint: Some(shown(handle.fingerprint())),
        ward: Some(handle.ward().to_owned()),
        addresses: links,
        connected: Some(connected.collect()),
        problem: None,
        detail: None,
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
