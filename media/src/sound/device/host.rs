//! The system's sound, asked over one connection that is kept. cpal never ends one to PulseAudio,
//! which serves 64 of them, and devices are looked for every few seconds.

use std::sync::{Arc, Mutex, PoisonError};

use cpal::{ErrorKind, Host, traits::HostTrait};

/// The host whose connections must be counted: of the others each look is a call of the system's.
const CONNECTS: &str = "pulseaudio";

static KEPT: Mutex<Option<Arc<Host>>> = Mutex::new(None);

/// The system's sound. Where a server serves it, one that was started since is found too.
pub(super) fn host() -> Arc<Host> {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(host) = kept.as_ref().filter(|host| answers(host)) {
        return host.clone();
    }
    let host = Arc::new(cpal::default_host());
    *kept = (host.id().to_string() == CONNECTS).then(|| host.clone());
    host
}

/// Whether the connection stands. One whose server ended has ended with it.
fn answers(host: &Host) -> bool {
    let asked = host.devices();
    !asked.is_err_and(|error| error.kind() == ErrorKind::StreamInvalidated)
}

/// The host of that name.
pub(super) fn named(id: cpal::HostId) -> Result<Arc<Host>, cpal::Error> {
    let usual = host();
    if usual.id() == id {
        return Ok(usual);
    }
    cpal::host_from_id(id).map(Arc::new)
}
