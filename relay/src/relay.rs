//! The relay as a whole: what its parts share, its life, and what the program around it can see.

use std::{
    convert::Infallible,
    io,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, SystemTime},
};

use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_rustls::TlsAcceptor;
use visita_protocol::{
    control::LobbyMessage,
    error::Code,
    id::{Fingerprint, WardId},
    name::RoomName,
};

use crate::{
    addresses::{Address, Addresses},
    advertise::{Advertisement, Advertiser},
    assets::Assets,
    clock,
    config::{self, Config},
    door::Door,
    https,
    hub::{Hub, Person},
    limits::Doors,
    line::Lines,
    listener,
    metrics::{self, Counters, Gauges, Traffic},
    origin::{Origin, Policy},
    tls::{self, Identity, Names},
    trouble::Troubles,
    webrtc::Front,
};

/// How often the machine's addresses are looked at.
const ADDRESSES_EVERY: Duration = Duration::from_secs(5);

/// Why the relay can't start. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// Certificates, or the folder that holds them.
    #[error(transparent)]
    Tls(#[from] tls::Error),
    /// The ward's name.
    #[error("The ward's name is empty or longer than 80 characters. Set another as `ward`.")]
    WardName,
    /// The folder of the page's files.
    #[error("{} isn't a folder with an index.html. Check the path given as `ui`.", .0.display())]
    Ui(PathBuf),
    /// The listener.
    #[error(
        "The port can't be used ({0}). Start again, or choose another with --listen ADDR:PORT."
    )]
    Listener(#[from] io::Error),
}

/// What all parts share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    ward: watch::Sender<String>,
    pub(crate) identity: Arc<Identity>,
    pub(crate) policy: Policy,
    pub(crate) assets: Assets,
    pub(crate) doors: Arc<Doors>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) troubles: Troubles,
    pub(crate) door: Door,
    pub(crate) lines: Lines,
    pub(crate) hub: Arc<Hub>,
    /// For media over UDP, if there is any.
    pub(crate) front: Option<Arc<Front>>,
    pub(crate) https: https::Connections,
    /// Where the listener is bound.
    local: SocketAddr,
    addresses: watch::Sender<Addresses>,
    /// It should be advertised, and the system doesn't let it be.
    unheard: AtomicBool,
    stop: watch::Sender<bool>,
    running: mpsc::WeakSender<Infallible>,
}

impl Shared {
    /// Is over when the relay ends.
    pub(crate) fn stopped(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut stop = self.stop.subscribe();
        async move {
            // An error means that the relay is gone altogether.
            let _ = stop.wait_for(|stop| *stop).await;
        }
    }

    pub(crate) fn stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// The relay's end waits for as long as this is held.
    pub(crate) fn running(&self) -> Option<mpsc::Sender<Infallible>> {
        self.running.upgrade()
    }

    /// Whether a `Host` header names this machine.
    pub(crate) fn is_own_host(&self, host: &str) -> bool {
        let mut headers = http::HeaderMap::new();
        let Ok(host) = host.parse() else { return false };
        headers.insert(http::header::HOST, host);
        self.policy
            .judge(IpAddr::from([0, 0, 0, 0]), &headers, None)
            .is_ok()
    }

    /// The machine's addresses now.
    pub(crate) fn addresses(&self) -> Addresses {
        self.addresses.borrow().clone()
    }

    /// What the ward is called now.
    pub(crate) fn ward(&self) -> String {
        self.ward.borrow().clone()
    }

    /// A connection came from this address.
    pub(crate) fn came_from(&self, ip: IpAddr) {
        let outside = !ip.is_loopback() && self.addresses.borrow().all().all(|own| own != ip);
        if outside {
            metrics::add(&self.counters.connections_outside, 1);
        }
    }

    /// How the relay is reached from outside.
    pub(crate) fn public_origin(&self) -> Origin {
        self.config
            .public_url
            .clone()
            .unwrap_or_else(|| self.origin())
    }

    fn origin(&self) -> Origin {
        let reachable = if self.local.ip().is_unspecified() {
            self.addresses
                .borrow()
                .reachable()
                .first()
                .map(|address| address.ip)
        } else {
            Some(self.local.ip().to_canonical())
        };
        // A machine without a network is still reached from itself.
        let ip = reachable.unwrap_or(IpAddr::from([127, 0, 0, 1]));
        Origin::of(SocketAddr::new(ip, self.local.port()))
    }

    /// Every address by which it is reached, the best first.
    pub(crate) fn links(&self) -> Vec<Origin> {
        let mut links: Vec<Origin> = self.config.public_url.iter().cloned().collect();
        if self.local.ip().is_unspecified() {
            let reachable = self.addresses.borrow().reachable();
            links.extend(
                reachable
                    .iter()
                    .map(|address| Origin::of(SocketAddr::new(address.ip, self.local.port()))),
            );
        }
        if links.is_empty() {
            links.push(self.origin());
        }
        links
    }

    pub(crate) fn gauges(&self) -> Gauges {
        Gauges {
            connections: self.doors.open().into(),
            ..self.hub.gauges()
        }
    }

    /// What to advertise now; `None` when nobody may know.
    fn advertisement(&self) -> Option<Advertisement> {
        let local = self.local.ip().to_canonical();
        if !self.config.advertise || local.is_loopback() {
            return None;
        }
        let mut addresses: Vec<Address> = self.addresses.borrow().reachable();
        if !local.is_unspecified() {
            addresses.retain(|address| address.ip == local);
        }
        (!addresses.is_empty()).then(|| Advertisement {
            ward: self.ward(),
            ward_id: self.identity.ward_id(),
            fingerprint: self.identity.fingerprint(),
            port: self.local.port(),
            addresses,
        })
    }
}

/// A relay that is ready to serve.
pub struct Relay {
    shared: Arc<Shared>,
    acceptor: TlsAcceptor,
    listener: TcpListener,
    running: mpsc::Sender<Infallible>,
    ended: mpsc::Receiver<Infallible>,
}

impl Relay {
    /// Prepares a relay on a bound listener: reads or makes its certificates, opens no connection.
    /// Must be called within a tokio runtime.
    pub fn new(config: Config, listener: std::net::TcpListener) -> Result<Self, StartError> {
        config.check()?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let local = listener.local_addr()?;
        let ward = config.ward.clone().unwrap_or_else(machine_name);
        let ward = ward_name(&ward).map_err(|_| StartError::WardName)?;
        let assets = match &config.ui {
            None => Assets::Embedded,
            Some(folder) if folder.join("index.html").is_file() => Assets::Folder(folder.clone()),
            Some(folder) => return Err(StartError::Ui(folder.clone())),
        };
        let addresses = Addresses::of_this_machine();
        let mut names = own_names(&config);
        let identity = Identity::open(
            &config.data,
            |ward| {
                names.push(Advertisement::host(ward));
                Names::new(names.clone(), addresses.all())
            },
            SystemTime::now(),
        )?;
        let identity = Arc::new(identity);
        let policy = Policy {
            names,
            public: config.public_url.clone(),
            allowed: config.allowed_origins.clone(),
            proxies: config.trusted_proxies.clone(),
        };
        let acceptor = TlsAcceptor::from(tls::server(identity.clone())?);
        let (running, ended) = mpsc::channel(1);
        let counters = Arc::new(Counters::default());
        let front = front(&config, local, &counters);
        let shared = Shared {
            ward: watch::Sender::new(ward),
            identity,
            policy,
            assets,
            doors: Doors::new(
                config.limits.connections,
                config.limits.connections_per_address,
            ),
            hub: Hub::new(&config.limits, front.is_some(), counters.clone()),
            front,
            https: https::Connections::default(),
            counters,
            troubles: Troubles::new(clock::now()),
            door: Door::new(clock::now(), &config.limits),
            lines: Lines::new(clock::now()),
            local,
            addresses: watch::Sender::new(addresses),
            unheard: AtomicBool::new(false),
            stop: watch::Sender::new(false),
            running: running.downgrade(),
            config,
        };
        Ok(Self {
            shared: Arc::new(shared),
            acceptor,
            listener,
            running,
            ended,
        })
    }

    /// What the program around it can see and ask, also while it serves.
    pub fn handle(&self) -> Handle {
        Handle {
            shared: self.shared.clone(),
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Serves until `shutdown` is over; then says so to everybody, and ends in bounded time.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) {
        let Self {
            shared,
            acceptor,
            listener,
            running,
            mut ended,
        } = self;
        let listening = listener::run(shared.clone(), listener, acceptor);
        let keeping = keep(shared.clone());
        let lanes = async {
            if let Some(front) = &shared.front {
                tokio::select! {
                    () = front.run() => {}
                    () = shared.stopped() => {}
                }
            }
        };
        let serving = async {
            tokio::join!(listening, keeping, lanes, shared.hub.run(shared.stopped()));
        };
        let ending = async {
            shutdown.await;
            tracing::info!("ending");
            shared.hub.close();
            shared.stop.send_replace(true);
        };
        tokio::join!(serving, ending);
        drop(running);
        let limit = Duration::from_secs(shared.config.limits.shutdown_s.into());
        if timeout(limit, ended.recv()).await.is_err() {
            tracing::info!("some connections didn't end by themselves");
        }
    }
}

/// The UDP socket beside the listener. A relay without one serves all the same.
fn front(config: &Config, local: SocketAddr, counters: &Arc<Counters>) -> Option<Arc<Front>> {
    let port = config.udp_port.unwrap_or(local.port());
    if port == 0 {
        return None;
    }
    match Front::bind(SocketAddr::new(local.ip(), port), counters.clone()) {
        Ok(front) => {
            if front.port() != port {
                tracing::warn!(port, "the UDP port is taken: another is used");
            }
            Some(front)
        }
        Err(error) => {
            tracing::warn!(%error, "no UDP here: media goes over WebSockets");
            None
        }
    }
}

/// Keeps certificate and advertisement as the machine's addresses are.
async fn keep(shared: Arc<Shared>) {
    let mut stopped = pin!(shared.stopped());
    let mut renamed = shared.ward.subscribe();
    let mut every = interval(ADDRESSES_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut advertiser: Option<Advertiser> = None;
    loop {
        tokio::select! {
            _ = every.tick() => {}
            Ok(()) = renamed.changed() => {}
            () = &mut stopped => break,
        }
        let changed = shared.addresses.borrow().changed();
        if let Some(changed) = changed {
            shared.addresses.send_replace(changed);
        }
        let addresses = shared.addresses.borrow().clone();
        let names = Names::new(shared.policy.names.clone(), addresses.all());
        // Making keys and writing files takes long: not on a thread that others need.
        let identity = shared.identity.clone();
        let renewed =
            tokio::task::spawn_blocking(move || identity.renew(&names, SystemTime::now())).await;
        let renewed = renewed.unwrap_or_else(|error| Err(tls::Error::Making(error.to_string())));
        match renewed {
            Ok(true) => tracing::info!(
                "the machine's addresses changed: the host's certificate was made again"
            ),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "the new certificate can't be kept"),
        }
        let wanted = shared.advertisement();
        if advertiser.as_ref().map(|advertiser| &advertiser.said) != wanted.as_ref() {
            if let Some(old) = advertiser.take() {
                old.end().await;
            }
            advertiser = wanted.and_then(|wanted| match Advertiser::start(wanted) {
                Ok(advertiser) => Some(advertiser),
                Err(error) => {
                    tracing::warn!(%error, "this host can't be found by itself on the LAN: connect by its address");
                    None
                }
            });
            let said = shared.advertisement().is_none() || advertiser.is_some();
            shared.unheard.store(!said, Relaxed);
        }
    }
    if let Some(advertiser) = advertiser {
        advertiser.end().await;
    }
}

/// What the program around a relay can see and ask. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
}

impl Handle {
    /// Whether it should be advertised on the LAN, and the system doesn't let it be.
    pub fn is_unheard(&self) -> bool {
        self.shared.unheard.load(Relaxed)
    }

    /// `https://HOST:PORT` of the bound address, or of the best LAN address for a wildcard.
    pub fn url(&self) -> String {
        self.shared.origin().to_string()
    }

    /// Every `https://HOST:PORT` to show to people, best first; `public_url` before all others.
    pub fn links(&self) -> Vec<String> {
        self.shared
            .links()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    /// Where the listener is bound.
    pub fn local_addr(&self) -> SocketAddr {
        self.shared.local
    }

    /// The hash of the ward's CA, which participants pin.
    pub fn fingerprint(&self) -> Fingerprint {
        self.shared.identity.fingerprint()
    }

    /// The ward's identity.
    pub fn ward_id(&self) -> WardId {
        self.shared.identity.ward_id()
    }

    /// What the ward is called.
    pub fn ward(&self) -> String {
        self.shared.ward()
    }

    /// Calls the ward something else from now on, and advertises it so. Sessions, rooms and pins
    /// stay as they are: the ward's identity is its CA. Who wants the name to last keeps it and
    /// gives it as [`Config::ward`] next time.
    pub fn rename(&self, name: &str) -> Result<(), Code> {
        let name = ward_name(name)?;
        self.shared.ward.send_if_modified(|ward| {
            let changed = *ward != name;
            *ward = name;
            changed
        });
        Ok(())
    }

    /// Changes when the ward is called something else.
    pub fn renames(&self) -> watch::Receiver<String> {
        self.shared.ward.subscribe()
    }

    /// The ward's CA certificate, PEM.
    pub fn ca_pem(&self) -> String {
        self.shared.identity.ca().0.to_owned()
    }

    /// Everybody in any room now, for the host's own screen.
    pub fn people(&self) -> Vec<Person> {
        self.shared.hub.people()
    }

    /// What went through so far.
    pub fn traffic(&self) -> Traffic {
        self.shared.counters.traffic()
    }

    /// All rooms now, as lists show them.
    pub fn rooms(&self) -> LobbyMessage {
        self.shared.hub.rooms()
    }

    /// Changes each time that rooms or people do.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.hub.people_changed()
    }

    /// Changes each time that the machine's addresses do: [`Handle::links`] may be others then.
    pub fn addresses(&self) -> watch::Receiver<Addresses> {
        self.shared.addresses.subscribe()
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Handle({})", self.url())
    }
}

/// A ward's name obeys a room's rules: no control characters, not endless.
fn ward_name(name: &str) -> Result<String, Code> {
    Ok(RoomName::new(name)?.reveal().to_owned())
}

/// What the machine is called, when it says so.
fn machine_name() -> String {
    static NAME: Mutex<Option<String>> = Mutex::new(None);
    let mut name = NAME.lock().unwrap_or_else(PoisonError::into_inner);
    name.get_or_insert_with(|| {
        let told = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
        let told = told
            .or_else(|| std::env::var("COMPUTERNAME").ok())
            .or_else(|| std::env::var("HOSTNAME").ok());
        let told = told.map(|name| name.trim().to_owned());
        told.filter(|name| RoomName::new(name).is_ok())
            .unwrap_or_else(|| "Visita".to_owned())
    })
    .clone()
}

/// Names under which the machine is reached, in lower case.
fn own_names(config: &Config) -> Vec<String> {
    let machine = machine_name().to_ascii_lowercase();
    let mut names: Vec<String> = config
        .host_names
        .iter()
        .map(|name| name.to_ascii_lowercase())
        .collect();
    if config::host_name(&machine) && machine.parse::<IpAddr>().is_err() {
        names.push(format!(
            "{}.local",
            machine.split('.').next().unwrap_or(&machine)
        ));
        names.push(machine);
    }
    if let Some(host) = config.public_url.as_ref().and_then(Origin::name) {
        names.push(host);
    }
    names.sort_unstable();
    names.dedup();
    names
}
