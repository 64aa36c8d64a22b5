use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::{
    ClientConnection, ServerConfig, ServerConnection,
    pki_types::{PrivatePkcs8KeyDer, ServerName},
};
use visita_protocol::time::WallMs;

use super::*;

struct Ward {
    ca: CertifiedIssuer<'static, KeyPair>,
}

impl Ward {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self {
            ca: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap(),
        }
    }

    fn pin(&self) -> Fingerprint {
        fingerprint(self.ca.der())
    }

    fn host(&self, change: impl FnOnce(&mut CertificateParams)) -> ServerConfig {
        self.host_with_chain(change, self.ca.der().clone())
    }

    fn host_with_chain(
        &self,
        change: impl FnOnce(&mut CertificateParams),
        ca: CertificateDer<'static>,
    ) -> ServerConfig {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["another.name".into()]).unwrap();
        change(&mut params);
        let leaf = params.signed_by(&key, &self.ca).unwrap();
        ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![leaf.der().clone(), ca],
                PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )
            .unwrap()
    }
}

/// A handshake in memory.
fn handshake(client: Arc<ClientConfig>, server: ServerConfig) -> Result<(), rustls::Error> {
    let name = ServerName::try_from("192.0.2.5").unwrap();
    let mut client = ClientConnection::new(client, name).unwrap();
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    for _ in 0..10 {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        let mut wire = wire.as_slice();
        while !wire.is_empty() {
            server.read_tls(&mut wire).unwrap();
        }
        // The server's own view (an alert from the client) doesn't matter here.
        let _ = server.process_new_packets();
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        let mut wire = wire.as_slice();
        while !wire.is_empty() {
            client.read_tls(&mut wire).unwrap();
            client.process_new_packets()?;
        }
        if !client.is_handshaking() && !server.is_handshaking() {
            return Ok(());
        }
    }
    panic!("the handshake hangs");
}

#[test]
fn the_pinned_ward_is_trusted_whatever_the_name_and_no_other() {
    let (ward, other) = (Ward::new(), Ward::new());
    let tls = Tls::new(Expect::Pin(ward.pin())).unwrap();
    handshake(tls.config.clone(), ward.host(|_| ())).unwrap();
    assert_eq!(tls.trusted(), Some(ward.pin()));

    let tls = Tls::new(Expect::Pin(ward.pin())).unwrap();
    handshake(tls.config.clone(), other.host(|_| ())).unwrap_err();
    let mismatch = tls.mismatch().unwrap();
    assert_eq!(
        mismatch,
        Mismatch {
            expected: ward.pin(),
            found: other.pin()
        }
    );
    assert_eq!(tls.trusted(), None);
}

#[test]
fn showing_the_pinned_ca_without_a_certificate_under_it_is_not_enough() {
    let (ward, thief) = (Ward::new(), Ward::new());
    let server = thief.host_with_chain(|_| (), ward.ca.der().clone());
    let tls = Tls::new(Expect::Pin(ward.pin())).unwrap();
    let error = handshake(tls.config.clone(), server).unwrap_err();
    assert!(
        matches!(error, rustls::Error::InvalidCertificate(_)),
        "{error:?}"
    );
    assert_eq!(tls.trusted(), None);
}

#[test]
fn dates_are_checked() {
    let ward = Ward::new();
    let tls = Tls::new(Expect::Pin(ward.pin())).unwrap();
    let expired = ward.host(|params| params.not_after = date_time_ymd(2001, 1, 1));
    let error = handshake(tls.config.clone(), expired).unwrap_err();
    assert!(
        matches!(
            error,
            rustls::Error::InvalidCertificate(CertificateError::ExpiredContext { .. })
        ),
        "{error:?}"
    );
    let future = ward.host(|params| params.not_before = date_time_ymd(2999, 1, 1));
    handshake(tls.config.clone(), future).unwrap_err();
}

#[test]
fn the_first_use_takes_any_chain_that_holds_and_says_which() {
    let (ward, thief) = (Ward::new(), Ward::new());
    let tls = Tls::new(Expect::First).unwrap();
    handshake(tls.config.clone(), ward.host(|_| ())).unwrap();
    assert_eq!(tls.trusted(), Some(ward.pin()));

    let tls = Tls::new(Expect::First).unwrap();
    let broken = thief.host_with_chain(|_| (), ward.ca.der().clone());
    handshake(tls.config.clone(), broken).unwrap_err();
    assert_eq!(tls.trusted(), None);
}

#[test]
fn the_lobbys_connector_knows_pins_as_they_come_and_go() {
    let (ward, other) = (Ward::new(), Ward::new());
    let pins = Arc::new(Pins::in_memory());
    let config = Arc::new(pinned_config(pins.clone()).unwrap());
    handshake(config.clone(), ward.host(|_| ())).unwrap_err();
    let url = "192.0.2.5:4000".parse().unwrap();
    pins.remember(&url, ward.pin(), None, WallMs(0)).unwrap();
    handshake(config.clone(), ward.host(|_| ())).unwrap();
    handshake(config.clone(), other.host(|_| ())).unwrap_err();
    pins.forget(ward.pin()).unwrap();
    handshake(config.clone(), ward.host(|_| ())).unwrap_err();
}

#[test]
fn fingerprints_are_read_as_people_have_them() {
    let fingerprint = Fingerprint([0xab; 32]);
    let pairs = vec!["AB"; 32].join(":");
    for text in [
        fingerprint.hex(),
        format!("sha256:{fingerprint}"),
        pairs.clone(),
        format!("SHA256:{pairs}"),
    ] {
        assert_eq!(parse_fingerprint(&text), Some(fingerprint), "{text}");
    }
    for text in ["", "sha256:", "sha1:abab", "é", &fingerprint.hex()[1..]] {
        assert_eq!(parse_fingerprint(text), None, "{text}");
    }
    assert_eq!(ward_id(&fingerprint).hex(), "ab".repeat(8));
}
