//! A host that says what a test has it say: what no real host of this version would.

use std::{net::Ipv4Addr, sync::Arc};

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_tungstenite::{WebSocketStream, accept_async, tungstenite::Message};
use visita_client::{address::HostUrl, trust};
use visita_protocol::id::Fingerprint;

/// A host with a ward's CA and a socket, and no words of its own.
pub struct Stranger {
    listener: TcpListener,
    tls: TlsAcceptor,
    /// Its ward's CA.
    pub fingerprint: Fingerprint,
}

impl Stranger {
    /// Listens on a free port of the loopback.
    pub async fn listen() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["host.test".into()])
            .unwrap()
            .signed_by(&key, &ca)
            .unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![leaf.der().clone(), ca.der().clone()],
                PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )
            .unwrap();
        Self {
            listener: TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap(),
            tls: TlsAcceptor::from(Arc::new(config)),
            fingerprint: trust::fingerprint(ca.der()),
        }
    }

    /// Where it listens.
    pub fn url(&self) -> HostUrl {
        HostUrl::from_socket(self.listener.local_addr().unwrap())
    }

    /// The next one who comes.
    pub async fn guest(&self) -> Guest {
        let (tcp, _) = self.listener.accept().await.unwrap();
        let tls = self.tls.accept(tcp).await.unwrap();
        Guest(accept_async(tls).await.unwrap())
    }
}

/// Somebody who came to a [`Stranger`].
pub struct Guest(WebSocketStream<TlsStream<TcpStream>>);

impl Guest {
    /// The next packet that the guest says; `None` when it said goodbye.
    pub async fn hears(&mut self) -> Option<Value> {
        loop {
            match self.0.next().await.unwrap().unwrap() {
                Message::Text(text) => return Some(serde_json::from_str(&text).unwrap()),
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }

    /// The next media message that the guest sends; what it says meanwhile isn't heard.
    pub async fn frame(&mut self) -> Bytes {
        loop {
            if let Message::Binary(bytes) = self.0.next().await.unwrap().unwrap() {
                return bytes;
            }
        }
    }

    /// Says a packet.
    pub async fn says(&mut self, packet: Value) {
        let text = packet.to_string();
        self.0.send(Message::text(text)).await.unwrap();
    }

    /// Hears the hello, and welcomes with this version.
    pub async fn welcomes(&mut self, version: u8) -> Value {
        let hello = self.hears().await.unwrap();
        assert_eq!(hello["type"], "hello");
        let digits = "00".repeat(16);
        self.says(json!({
            "type": "welcome", "version": version, "session": digits, "secret": digits,
            "resumed": false, "received": 0, "heartbeat_ms": 3000, "grace_ms": 30000,
            "max_packet": 262_144,
        }))
        .await;
        hello
    }
}
