//! The page's subscription to a host's list of rooms goes through tauri-plugin-websocket. Its
//! connections are accepted only where the ward's CA is pinned: by the pins that are known when a
//! connection is made, not by those of the app's start.

use std::sync::Arc;

use tauri::{Runtime, plugin::TauriPlugin};
use tokio_tungstenite::Connector;
use visita_client::trust::{Pins, pinned_config};

/// The plugin, with the pins in its TLS.
pub fn plugin<R: Runtime>(pins: Arc<Pins>) -> Result<TauriPlugin<R>, rustls::Error> {
    Ok(tauri_plugin_websocket::Builder::new()
        .tls_connector(connector(pins)?)
        .build())
}

/// TLS that accepts hosts by their pins and nobody else.
pub(crate) fn connector(pins: Arc<Pins>) -> Result<Connector, rustls::Error> {
    Ok(Connector::Rustls(Arc::new(pinned_config(pins)?)))
}
