//! A host on this machine's loopback.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::{sync::oneshot, task::JoinHandle};
use visita_client::{
    address::HostUrl,
    session,
    trust::{Expect, Tls},
};
use visita_relay::{Config, Handle, Relay, bind};

/// A relay that serves until it is stopped or dropped.
pub struct Host {
    /// What it shows.
    pub handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
    _data: tempfile::TempDir,
}

impl Host {
    /// A relay with the usual configuration, on a free port.
    pub fn start() -> Self {
        Self::start_with(|_| ())
    }

    /// A relay with a configuration of one's own.
    pub fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut config = Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            data: data.path().to_owned(),
            ward: Some("Test ward".into()),
            advertise: false,
            ..Config::default()
        };
        change(&mut config);
        let listener = bind(config.listen).unwrap();
        let relay = Relay::new(config, listener).unwrap();
        let handle = relay.handle();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(relay.serve(async {
            let _ = stopped.await;
        }));
        Self {
            handle,
            stop: Some(stop),
            task,
            _data: data,
        }
    }

    /// Its socket's address.
    pub fn address(&self) -> SocketAddr {
        self.handle.local_addr()
    }

    /// Its address as people write it.
    pub fn url(&self) -> HostUrl {
        HostUrl::from_socket(self.address())
    }

    /// How to begin a session with it.
    pub fn session(&self) -> session::Options {
        self.session_at(self.url())
    }

    /// How to begin a session with it by way of another address.
    pub fn session_at(&self, url: HostUrl) -> session::Options {
        session::Options::new(
            vec![url],
            Tls::new(Expect::Pin(self.handle.fingerprint())).unwrap(),
        )
    }

    /// Shuts it down and waits for its end.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        (&mut self.task).await.unwrap();
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.task.abort();
    }
}
