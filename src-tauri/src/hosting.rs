//! This device as host: the embedded relay, switched on and off, and how it fares.

pub mod kept;
pub mod lines;
pub mod load;
pub mod machine;
mod port;
pub mod status;
mod steady;

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::{
    sync::{oneshot, watch},
    task::{JoinHandle, spawn_blocking},
    time::{MissedTickBehavior, interval},
};
use visita_protocol::{error::Code, id::Fingerprint, name::RoomName, time::Now};
use visita_relay::{Addresses, BindError, Config, Handle, Relay, StartError, Traffic, bind};

use crate::{
    awake::Awake,
    hosts::{Directory, Own},
};
use kept::Keeper;
pub use kept::Kept;
use lines::Lines;
use machine::{Meter, Sample};
pub use status::{Problem, State, Status};

/// Lines for the relay, in the folder of its data, as `visita-relay --config` takes them.
const CONFIG: &str = "relay.toml";

/// How often this device and the lines of those connected are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Why the relay didn't start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
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
    running: tokio::sync::Mutex<Option<Running>>,
    facts: Mutex<Facts>,
    keeper: Keeper,
    relay_data: Option<PathBuf>,
    port: Option<u16>,
    directory: Arc<Directory>,
    awake: Arc<Awake>,
    began: Instant,
}

struct Running {
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
    telling: JoinHandle<()>,
    fingerprint: Fingerprint,
}

/// What the status is made of.
#[derive(Default)]
pub(crate) struct Facts {
    pub(crate) phase: Phase,
    pub(crate) addresses: Option<Addresses>,
    pub(crate) sample: Option<Sample>,
    #[cfg(mobile)]
    pub(crate) battery: machine::Batteries,
    pub(crate) strain: load::Rule,
    pub(crate) lines: Lines,
    /// What went through the relay, and when that was looked at.
    traffic: Option<(Now, Traffic)>,
    /// Bits a second, in and out.
    pub(crate) rate: (u64, u64),
    /// Whether the app starts with the system; `None` where it can't.
    pub(crate) at_boot: Option<bool>,
}

#[derive(Default)]
pub(crate) enum Phase {
    #[default]
    Off,
    Starting,
    On(Handle),
    Failed(status::Failure),
}

impl Hosting {
    /// Off. What is kept lies in `data`, the relay's files in `relay` under it; it listens on all
    /// addresses, unless a `relay.toml` there says otherwise.
    pub fn new(
        data: Option<PathBuf>,
        relay: &str,
        port: Option<u16>,
        directory: Arc<Directory>,
        awake: Arc<Awake>,
    ) -> Self {
        Self {
            status: watch::Sender::default(),
            running: tokio::sync::Mutex::default(),
            facts: Mutex::default(),
            relay_data: data.as_ref().map(|data| data.join(relay)),
            keeper: Keeper::open(data),
            port,
            directory,
            awake,
            began: Instant::now(),
        }
    }

    /// Tells how this device fares as host.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// What was kept.
    pub fn kept(&self) -> Kept {
        self.keeper.get()
    }

    /// Changes what is kept.
    pub fn keep(&self, change: impl FnOnce(&mut Kept)) {
        self.keeper.change(change);
    }

    /// Whether others depend on this device now.
    pub fn is_on(&self) -> bool {
        matches!(self.facts().phase, Phase::Starting | Phase::On(_))
    }

    /// Switches on; with another port than the usual one if that is wanted, from then on. What
    /// comes of it is told by the status.
    pub async fn start(self: &Arc<Self>, port: Option<u16>) {
        let mut running = self.running.lock().await;
        if running.is_some() {
            return;
        }
        self.enter(Phase::Starting);
        match self.open(port) {
            Ok((handle, started)) => {
                *running = Some(started);
                self.keeper.change(|kept| {
                    kept.hosts = true;
                    kept.port = port.or(kept.port);
                });
                self.awake.wish(|wish| wish.hosts = true);
                self.enter(Phase::On(handle));
            }
            Err(error) => {
                tracing::warn!(%error, "this device can't host");
                let failure = spawn_blocking(move || status::Failure::from(&error)).await;
                self.enter(Phase::Failed(failure.unwrap_or_default()));
            }
        }
    }

    /// Switches off because a person wants it: says so to everybody, and waits until the relay has
    /// ended.
    pub async fn stop(&self) -> Option<Fingerprint> {
        self.keeper.change(|kept| kept.hosts = false);
        self.end().await
    }

    /// The same because the app ends: the switch stays as it is. Gives the ward that was hosted.
    pub async fn end(&self) -> Option<Fingerprint> {
        let mut running = self.running.lock().await;
        let mut ended = None;
        if let Some(Running {
            stop,
            serving,
            telling,
            fingerprint,
        }) = running.take()
        {
            let _ = stop.send(());
            let _ = serving.await;
            telling.abort();
            let _ = telling.await;
            ended = Some(fingerprint);
        }
        self.awake.wish(|wish| wish.hosts = false);
        self.enter(Phase::Off);
        ended
    }

    /// Calls the ward something else, from now on and next time.
    pub fn rename(&self, name: &str) -> Result<String, Code> {
        let name = RoomName::new(name)?.reveal().to_owned();
        if let Phase::On(handle) = &self.facts().phase {
            handle.rename(&name)?;
        }
        self.keeper.change(|kept| kept.ward = Some(name.clone()));
        self.refresh();
        Ok(name)
    }

    /// The app starts with the system now, or doesn't; `None` where it can't.
    pub fn set_at_boot(&self, at_boot: Option<bool>) {
        self.facts().at_boot = at_boot;
        self.refresh();
    }

    /// Looks at this device and at the lines of those connected, until the app ends.
    pub async fn look(&self) {
        let mut awake = self.awake.state();
        let mut every = interval(LOOK_EVERY);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut meter = Meter::new();
        loop {
            tokio::select! {
                _ = every.tick() => {
                    // It reads files of the system's.
                    let measured = spawn_blocking(move || {
                        let sample = meter.sample();
                        (meter, sample, Addresses::of_this_machine())
                    });
                    let Ok((back, sample, addresses)) = measured.await else { return };
                    meter = back;
                    #[cfg(mobile)]
                    let sample = Sample { battery: self.facts().battery, ..sample };
                    self.facts().take(self.now(), sample, addresses);
                }
                Ok(()) = awake.changed() => {}
            }
            self.refresh();
        }
    }

    /// The system told of the battery, where it does so by itself.
    #[cfg(mobile)]
    pub fn battery(&self, battery: machine::Batteries) {
        self.facts().battery = battery;
    }

    fn now(&self) -> Now {
        Now(self.began.elapsed().as_micros() as u64)
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, phase: Phase) {
        {
            let mut facts = self.facts();
            facts.phase = phase;
            facts.traffic = None;
            facts.rate = (0, 0);
        }
        self.refresh();
    }

    /// Makes the status as things are.
    fn refresh(&self) {
        let awake = *self.awake.state().borrow();
        let facts = self.facts();
        // Under the lock, so that an older one never replaces a newer one.
        self.directory.set_own(match &facts.phase {
            Phase::On(handle) => own(handle),
            _ => None,
        });
        let now = facts.status(awake);
        self.status.send_if_modified(|before| {
            let changed = *before != now;
            *before = now;
            changed
        });
    }

    fn open(self: &Arc<Self>, port: Option<u16>) -> Result<(Handle, Running), Error> {
        let data = self.relay_data.as_ref().ok_or(Error::NoFolder)?;
        let file = data.join(CONFIG);
        let mut config = if file.exists() {
            Config::read(&file).map_err(StartError::from)?
        } else {
            Config::default()
        };
        let kept = self.keeper.get();
        if let Some(port) = port.or(self.port).or(kept.port) {
            config.listen.set_port(port);
        }
        if kept.ward.is_some() {
            config.ward = kept.ward;
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
        let telling = tokio::spawn(follow(self.clone(), handle.clone()));
        let running = Running {
            stop,
            serving,
            telling,
            fingerprint: handle.fingerprint(),
        };
        Ok((handle, running))
    }
}

impl Facts {
    fn take(&mut self, now: Now, sample: Sample, addresses: Addresses) {
        self.strain.take(now, sample);
        self.sample = Some(sample);
        self.addresses = Some(addresses);
        if let Phase::On(handle) = &self.phase {
            let lines: Vec<_> = handle
                .people()
                .iter()
                .map(|person| (person.member, person.line))
                .collect();
            self.lines.take(now, &lines);
            let traffic = handle.traffic();
            if let Some((before, then)) = self.traffic {
                let seconds = now.since(before).as_secs_f64();
                let rate = |now: u64, then: u64| (8.0 * (now - then) as f64 / seconds) as u64;
                self.rate = (
                    rate(traffic.bytes_in, then.bytes_in),
                    rate(traffic.bytes_out, then.bytes_out),
                );
            }
            self.traffic = Some((now, traffic));
        }
    }
}

/// Keeps the status as the relay is.
async fn follow(hosting: Arc<Hosting>, handle: Handle) {
    let (mut changes, mut addresses) = (handle.changes(), handle.addresses());
    loop {
        let more = tokio::select! {
            more = changes.changed() => more,
            more = addresses.changed() => more,
        };
        if more.is_err() {
            return;
        }
        hosting.refresh();
    }
}

fn own(handle: &Handle) -> Option<Own> {
    let url = handle.url().parse().ok()?;
    Some(Own {
        name: handle.ward(),
        url,
        fingerprint: handle.fingerprint(),
    })
}

/// The port that was asked for, of an error that says that it is taken.
pub(crate) fn taken(error: &Error) -> Option<SocketAddr> {
    match error {
        Error::Bind(BindError::InUse { address }) => Some(*address),
        _ => None,
    }
}
