//! Whom participants trust: the ward's CA, kept for good, and this host's certificate under it,
//! made again when the machine's addresses change.

mod host;
mod ward;

use std::{
    path::Path,
    sync::{Arc, PoisonError, RwLock},
    time::SystemTime,
};

use rustls::{
    ServerConfig,
    crypto::ring::default_provider,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use visita_protocol::id::{Fingerprint, WardId};

pub(crate) use host::Names;

/// Why there is no certificate to serve with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the data directory.
    #[error(transparent)]
    File(#[from] crate::files::Error),
    /// The ward's CA can't be read.
    #[error(
        "The ward's certificate {path} is broken ({reason}). Put back a copy of that file; or delete it to start a new \
         ward, which every device must then be told to trust again."
    )]
    Broken {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Making keys or certificates failed.
    #[error(
        "A certificate can't be made ({0}). This is a fault of the program or the system's random numbers."
    )]
    Making(String),
}

impl From<rcgen::Error> for Error {
    fn from(error: rcgen::Error) -> Self {
        Self::Making(error.to_string())
    }
}

impl From<rustls::Error> for Error {
    fn from(error: rustls::Error) -> Self {
        Self::Making(error.to_string())
    }
}

/// The keys and certificates that the relay serves with.
pub(crate) struct Identity {
    ward: ward::Ward,
    host: RwLock<host::Host>,
    data: std::path::PathBuf,
}

impl Identity {
    /// Loads or makes the ward's CA and the host's certificate.
    /// `names` is told the ward's identity, which is part of a name of the host.
    pub(crate) fn open(
        data: &Path,
        names: impl FnOnce(WardId) -> Names,
        now: SystemTime,
    ) -> Result<Self, Error> {
        crate::files::folder(data)?;
        let ward = ward::Ward::open(data)?;
        let host = host::Host::open(data, &ward, &names(ward.id()), now)?;
        Ok(Self {
            ward,
            host: RwLock::new(host),
            data: data.to_owned(),
        })
    }

    /// Makes the host's certificate again if it doesn't fit any more. Returns whether it did.
    pub(crate) fn renew(&self, names: &Names, now: SystemTime) -> Result<bool, Error> {
        let fits = self
            .host
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .fits(names, now);
        if fits {
            return Ok(false);
        }
        let host = self
            .host
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .again(&self.ward, names, now)?;
        // Served even if it can't be kept: guests must get in now.
        let kept = host.keep(&self.data);
        *self.host.write().unwrap_or_else(PoisonError::into_inner) = host;
        kept?;
        Ok(true)
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        self.ward.fingerprint()
    }

    pub(crate) fn ward_id(&self) -> WardId {
        self.ward.id()
    }

    /// The CA's certificate, PEM and DER.
    pub(crate) fn ca(&self) -> (&str, &[u8]) {
        (self.ward.pem(), self.ward.der())
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({})", self.fingerprint())
    }
}

impl ResolvesServerCert for Identity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(
            self.host
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .certified
                .clone(),
        )
    }
}

/// The TLS side of the listener: TLS 1.2 and 1.3, HTTP/1.1.
pub(crate) fn server(identity: Arc<Identity>) -> Result<Arc<ServerConfig>, Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(identity);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_new_address_brings_a_new_certificate_under_the_same_ca_while_it_runs() {
        let data = tempfile::tempdir().unwrap();
        let names = |ip: &str| Names::new(["ward.local".to_owned()], [ip.parse().unwrap()]);
        let now = SystemTime::now();
        let identity = Identity::open(data.path(), |_| names("192.168.1.5"), now).unwrap();
        let served = || identity.host.read().unwrap().certified.cert.clone();
        let (pin, first) = (identity.fingerprint(), served());
        assert!(!identity.renew(&names("192.168.1.5"), now).unwrap());
        assert_eq!(served(), first);
        assert!(identity.renew(&names("10.0.0.9"), now).unwrap());
        let second = served();
        assert_ne!(second[0], first[0]);
        assert_eq!(second[1], first[1], "the CA is kept");
        assert_eq!(identity.fingerprint(), pin);
        assert!(
            !identity.renew(&names("192.168.1.5"), now).unwrap(),
            "both are in it"
        );
        // What is served is what the next start finds.
        let again = Identity::open(data.path(), |_| names("10.0.0.9"), now).unwrap();
        assert_eq!(again.host.read().unwrap().certified.cert, second);
        // Its time comes, too.
        let later = now + Duration::from_hours(346 * 24);
        assert!(identity.renew(&names("10.0.0.9"), later).unwrap());
        assert_eq!((identity.fingerprint(), &served()[1]), (pin, &first[1]));
    }
}
