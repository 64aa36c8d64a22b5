//! Whom to trust: a host is who it is by its ward's CA, whose SHA-256 is pinned. The name in its
//! certificate isn't checked, because a host's address changes from one day to the next; the pin
//! is the identity.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore,
    SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor,
    },
    crypto::{
        CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls12_signature,
        verify_tls13_signature,
    },
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};
use visita_protocol::id::{Fingerprint, WardId};

pub mod pins;

pub use pins::Pins;

/// What a host must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// A chain to the CA with this fingerprint.
    Pin(Fingerprint),
    /// Any chain that holds: the first use of an address. The caller stores what it saw.
    First,
}

/// A host showed another CA than the pinned one. A full stop: nothing was sent to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is not the host that was trusted before: expected the ward with fingerprint \
     sha256:{expected}, found sha256:{found}. If the ward's certificate was really replaced, \
     compare the new fingerprint with the one that the host shows, then forget the old one"
)]
pub struct Mismatch {
    /// The pinned fingerprint.
    pub expected: Fingerprint,
    /// That of the last certificate in the chain that the host showed.
    pub found: Fingerprint,
}

/// Reads a fingerprint as people have it: with or without `sha256:`, colons between the bytes
/// and capitals allowed.
pub fn parse_fingerprint(text: &str) -> Option<Fingerprint> {
    let text = text.trim();
    let text = match text.get(..7) {
        Some(prefix) if prefix.eq_ignore_ascii_case("sha256:") => &text[7..],
        _ => text,
    };
    text.replace(':', "").to_ascii_lowercase().parse().ok()
}

/// The fingerprint of a certificate (DER).
pub fn fingerprint(der: &[u8]) -> Fingerprint {
    let digest = ::ring::digest::digest(&::ring::digest::SHA256, der);
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest.as_ref());
    Fingerprint(bytes)
}

/// The ward that has a CA of this fingerprint.
pub fn ward_id(fingerprint: &Fingerprint) -> WardId {
    let [a, b, c, d, e, f, g, h, ..] = fingerprint.0;
    WardId([a, b, c, d, e, f, g, h])
}

/// A TLS configuration for one host, and what its handshakes saw.
#[derive(Clone, Debug)]
pub struct Tls {
    /// For a TLS connector. Connections made with it can resume each other's TLS sessions, so it
    /// must be used for this one host only.
    pub config: Arc<ClientConfig>,
    seen: Arc<Mutex<Option<Seen>>>,
}

#[derive(Clone, Copy, Debug)]
enum Seen {
    Trusted(Fingerprint),
    Mismatch(Mismatch),
}

impl Tls {
    /// A configuration that accepts what is expected and nothing else.
    pub fn new(expect: Expect) -> Result<Self, rustls::Error> {
        let seen = Arc::new(Mutex::new(None));
        let config = client_config(Pinned::new(Rule::One(expect), seen.clone()))?;
        Ok(Self {
            config: Arc::new(config),
            seen,
        })
    }

    /// The fingerprint of the CA that the last handshake led to.
    pub fn trusted(&self) -> Option<Fingerprint> {
        match *self.seen.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(Seen::Trusted(fingerprint)) => Some(fingerprint),
            _ => None,
        }
    }

    /// Why the last handshake failed, if the pin was why.
    pub fn mismatch(&self) -> Option<Mismatch> {
        match *self.seen.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(Seen::Mismatch(mismatch)) => Some(mismatch),
            _ => None,
        }
    }
}

/// A TLS configuration for any host whose pin is known, for connections that somebody else makes
/// (the page's subscription to the lobby): a host is accepted if its chain leads to a CA that is
/// pinned for that host, on whatever port, and nobody is accepted on first use. What `pins` gets
/// to know later counts from then on.
pub fn pinned_config(pins: Arc<Pins>) -> Result<ClientConfig, rustls::Error> {
    let mut config = client_config(Pinned::new(Rule::Known(pins), Arc::default()))?;
    // A resumed handshake shows no certificate, and a pin may have been forgotten since.
    config.resumption = rustls::client::Resumption::disabled();
    Ok(config)
}

fn client_config(verifier: Pinned) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

#[derive(Debug)]
enum Rule {
    One(Expect),
    Known(Arc<Pins>),
}

#[derive(Debug)]
struct Pinned {
    rule: Rule,
    algorithms: WebPkiSupportedAlgorithms,
    seen: Arc<Mutex<Option<Seen>>>,
}

impl Pinned {
    fn new(rule: Rule, seen: Arc<Mutex<Option<Seen>>>) -> Self {
        let CryptoProvider {
            signature_verification_algorithms: algorithms,
            ..
        } = ring::default_provider();
        Self {
            rule,
            algorithms,
            seen,
        }
    }

    fn see(&self, seen: Seen) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
    }

    /// The certificate to take as the anchor.
    fn anchor<'a, 'der>(
        &self,
        chain: &[&'a CertificateDer<'der>],
        server_name: &ServerName<'_>,
    ) -> Result<(&'a CertificateDer<'der>, Fingerprint), rustls::Error> {
        let Some(&last) = chain.last() else {
            return Err(CertificateError::BadEncoding.into());
        };
        let with = |wanted: Fingerprint| {
            chain
                .iter()
                .find(|der| fingerprint(der) == wanted)
                .map(|&der| (der, wanted))
        };
        match &self.rule {
            Rule::One(Expect::First) => Ok((last, fingerprint(last))),
            Rule::One(Expect::Pin(expected)) => with(*expected).ok_or_else(|| {
                let mismatch = Mismatch {
                    expected: *expected,
                    found: fingerprint(last),
                };
                self.see(Seen::Mismatch(mismatch));
                other(mismatch)
            }),
            Rule::Known(pins) => {
                let known = pins.of_host(&server_name.to_str());
                known
                    .iter()
                    .find_map(|pin| with(*pin))
                    .ok_or_else(|| match known.first() {
                        Some(&expected) => other(Mismatch {
                            expected,
                            found: fingerprint(last),
                        }),
                        None => CertificateError::UnknownIssuer.into(),
                    })
            }
        }
    }
}

fn other(mismatch: Mismatch) -> rustls::Error {
    CertificateError::Other(OtherError(Arc::new(mismatch))).into()
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let chain: Vec<_> = std::iter::once(end_entity).chain(intermediates).collect();
        let (anchor, pin) = self.anchor(&chain, server_name)?;
        let mut roots = RootCertStore::empty();
        roots.add(anchor.clone().into_owned())?;
        let leaf = ParsedCertificate::try_from(end_entity)?;
        verify_server_cert_signed_by_trust_anchor(
            &leaf,
            &roots,
            intermediates,
            now,
            self.algorithms.all,
        )?;
        self.see(Seen::Trusted(pin));
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests;
