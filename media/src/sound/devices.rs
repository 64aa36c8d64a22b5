//! The system's sound devices, as lists that change.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{Error, device};

/// A device's identity: the same after it was pulled out and plugged in again, and, where the
/// system keeps it, after a restart.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceId(String);

impl DeviceId {
    /// As it was once told by [`Device::id`].
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// To keep or to pass on.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its identity.
    pub id: DeviceId,
    /// What to call it on a screen.
    pub name: String,
    /// Whether it is the system's default.
    pub default: bool,
}

/// All devices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Devices {
    /// Microphones and what stands for one.
    pub microphones: Vec<Device>,
    /// Loudspeakers, headphones.
    pub speakers: Vec<Device>,
}

/// The devices there are now. Asks the system, so it may take some milliseconds.
pub fn list() -> Result<Devices, Error> {
    device::list()
}

/// How often the list is asked for: soon enough for somebody who has just put a plug in, and next
/// to no work. (cpal tells no changes.)
const LOOK: Duration = Duration::from_secs(2);

/// Tells when the list changes, until it is dropped.
#[derive(Debug)]
pub struct Watch {
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Starts a thread that tells the list at once and then whenever it differs.
    pub fn start(mut on_change: impl FnMut(Devices) + Send + 'static) -> std::io::Result<Self> {
        let mut last = None;
        Self::looking(move || {
            // A system without sound has no devices; which error it gave is told by who opens one.
            let now = list().unwrap_or_default();
            if last.as_ref() != Some(&now) {
                on_change(now.clone());
                last = Some(now);
            }
        })
    }

    /// Starts a thread that looks now and again.
    pub(super) fn looking(mut look: impl FnMut() + Send + 'static) -> std::io::Result<Self> {
        let stopping = Arc::new(AtomicBool::new(false));
        let ending = stopping.clone();
        let thread = thread::Builder::new()
            .name("visita-devices".into())
            .spawn(move || {
                while !ending.load(Ordering::Acquire) {
                    look();
                    thread::park_timeout(LOOK);
                }
            })?;
        Ok(Self {
            stopping,
            thread: Some(thread),
        })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // Its callback may be what drops this.
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}
