//! The host's certificate, under the ward's CA: names and all addresses of the machine.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::{
    crypto::ring::sign::any_supported_type,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{Error, ward::Ward};
use crate::files;

const FILE: &str = "host.json";
const DAY: Duration = Duration::from_hours(24);
/// Browsers refuse certificates that run for longer than 398 days.
const LIFE: Duration = Duration::from_hours(390 * 24);
/// Renewed this long before its end, so that a host that is switched on once a month gets there.
const EARLY: Duration = Duration::from_hours(45 * 24);
/// Addresses of earlier certificates that are kept, so that a machine that moves between two networks
/// doesn't make a new one each time, which every browser would ask about again.
const MOST_NAMES: usize = 64;

/// What the machine is called and where it is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Names {
    pub(crate) dns: BTreeSet<String>,
    pub(crate) ips: BTreeSet<IpAddr>,
}

impl Names {
    /// With `localhost` and loopback, which every certificate has.
    pub(crate) fn new(
        dns: impl IntoIterator<Item = String>,
        ips: impl IntoIterator<Item = IpAddr>,
    ) -> Self {
        let mut names = Self {
            dns: dns.into_iter().collect(),
            ips: ips.into_iter().collect(),
        };
        names.dns.insert("localhost".to_owned());
        names.ips.extend([
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(Ipv6Addr::LOCALHOST),
        ]);
        names
    }

    fn covers(&self, other: &Names) -> bool {
        self.dns.is_superset(&other.dns) && self.ips.is_superset(&other.ips)
    }
}

/// As it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    names: Names,
    until_s: u64,
    certificate: String,
    key: String,
}

pub(super) struct Host {
    kept: Kept,
    pub(super) certified: Arc<CertifiedKey>,
}

impl Host {
    /// The kept one, if it is whole and fits; otherwise a new one. A broken file is no loss here.
    pub(super) fn open(
        data: &Path,
        ward: &Ward,
        names: &Names,
        now: SystemTime,
    ) -> Result<Self, Error> {
        let text = files::read(&data.join(FILE))?;
        let kept = text.and_then(|text| {
            let host = serde_json::from_str(&text)
                .ok()
                .and_then(|kept| Self::load(ward, kept).ok());
            if host.is_none() {
                tracing::warn!(
                    file = FILE,
                    "the host's certificate is broken or another ward's: made again"
                );
            }
            host
        });
        let host = match kept {
            Some(host) if host.fits(names, now) => return Ok(host),
            Some(host) => host.again(ward, names, now)?,
            None => Self::make(ward, names, now)?,
        };
        host.keep(data)?;
        Ok(host)
    }

    /// A new one that has this one's addresses too.
    pub(super) fn again(&self, ward: &Ward, names: &Names, now: SystemTime) -> Result<Self, Error> {
        let mut names = names.clone();
        for &ip in &self.kept.names.ips {
            if names.ips.len() < MOST_NAMES {
                names.ips.insert(ip);
            }
        }
        Self::make(ward, &names, now)
    }

    fn make(ward: &Ward, names: &Names, now: SystemTime) -> Result<Self, Error> {
        let mut params = CertificateParams::default();
        for name in &names.dns {
            params
                .subject_alt_names
                .push(SanType::DnsName(name.as_str().try_into()?));
        }
        params
            .subject_alt_names
            .extend(names.ips.iter().map(|&ip| SanType::IpAddress(ip)));
        let mut name = DistinguishedName::new();
        name.push(DnType::CommonName, "Visita host");
        params.distinguished_name = name;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        // Two days back: clocks on a ward differ.
        params.not_before = moment(now - 2 * DAY)?;
        let until = now + LIFE;
        params.not_after = moment(until)?;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, ward.issuer())?;
        let kept = Kept {
            names: names.clone(),
            until_s: until
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default()
                .as_secs(),
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        };
        Self::load(ward, kept)
    }

    fn load(ward: &Ward, kept: Kept) -> Result<Self, Error> {
        let broken = |error: rustls::pki_types::pem::Error| Error::Making(error.to_string());
        let leaf = CertificateDer::from_pem_slice(kept.certificate.as_bytes()).map_err(broken)?;
        let key = PrivateKeyDer::from_pem_slice(kept.key.as_bytes()).map_err(broken)?;
        verify(&leaf, ward.der())?;
        // The CA goes along, because participants pin it.
        let certified =
            CertifiedKey::new(vec![leaf, ward.der().clone()], any_supported_type(&key)?);
        certified.keys_match()?;
        Ok(Self {
            kept,
            certified: Arc::new(certified),
        })
    }

    pub(super) fn keep(&self, data: &Path) -> Result<(), Error> {
        let text = serde_json::to_string_pretty(&self.kept)
            .map_err(|error| Error::Making(error.to_string()))?;
        Ok(files::write_secret(&data.join(FILE), &text)?)
    }

    pub(super) fn fits(&self, names: &Names, now: SystemTime) -> bool {
        let left = (UNIX_EPOCH + Duration::from_secs(self.kept.until_s)).duration_since(now);
        // More than a whole life left means that it was made under a clock that ran ahead.
        self.kept.names.covers(names)
            && left.is_ok_and(|left| left > EARLY && left <= LIFE + 2 * DAY)
    }
}

/// Whether the CA signed the certificate: a file from another ward must not be served.
fn verify(leaf: &CertificateDer<'_>, ca: &CertificateDer<'_>) -> Result<(), Error> {
    use rustls::{
        RootCertStore,
        client::{WebPkiServerVerifier, danger::ServerCertVerifier as _},
        pki_types::{ServerName, UnixTime},
    };
    let mut roots = RootCertStore::empty();
    roots.add(ca.clone().into_owned())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| Error::Making(error.to_string()))?;
    let name =
        ServerName::try_from("localhost").map_err(|error| Error::Making(error.to_string()))?;
    match verifier.verify_server_cert(leaf, &[], &name, &[], UnixTime::now()) {
        // Whether it is of today is decided by `fits`.
        Ok(_)
        | Err(rustls::Error::InvalidCertificate(
            rustls::CertificateError::Expired
            | rustls::CertificateError::ExpiredContext { .. }
            | rustls::CertificateError::NotValidYet
            | rustls::CertificateError::NotValidYetContext { .. },
        )) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn moment(at: SystemTime) -> Result<OffsetDateTime, Error> {
    let seconds = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).unwrap_or(i64::MAX))
        .map_err(|error| Error::Making(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(ip: &str) -> Names {
        Names::new(["ward.local".to_owned()], [ip.parse().unwrap()])
    }

    #[test]
    fn it_is_kept_until_the_addresses_change_or_its_time_comes() {
        let data = tempfile::tempdir().unwrap();
        let ward = Ward::open(data.path()).unwrap();
        let now = SystemTime::now();
        let open = |names: &Names, now| {
            Host::open(data.path(), &ward, names, now)
                .unwrap()
                .kept
                .certificate
        };
        let first = open(&names("192.168.1.5"), now);
        assert_eq!(first, open(&names("192.168.1.5"), now));
        let moved = open(&names("10.0.0.9"), now);
        assert_ne!(first, moved);
        assert_eq!(
            moved,
            open(&names("192.168.1.5"), now),
            "both networks are covered now"
        );
        assert_eq!(moved, open(&names("10.0.0.9"), now + 340 * DAY));
        let renewed = open(&names("10.0.0.9"), now + 346 * DAY);
        assert_ne!(moved, renewed);
        assert_ne!(
            renewed,
            open(&names("10.0.0.9"), now),
            "made under a clock that ran ahead"
        );
    }

    #[test]
    fn a_broken_file_or_one_of_another_ward_is_replaced() {
        let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (ward, other_ward) = (
            Ward::open(data.path()).unwrap(),
            Ward::open(other.path()).unwrap(),
        );
        let now = SystemTime::now();
        let names = names("10.0.0.9");
        std::fs::write(data.path().join(FILE), "{").unwrap();
        let host = Host::open(data.path(), &ward, &names, now).unwrap();
        assert_eq!(host.certified.cert.len(), 2);
        let foreign = Host::open(other.path(), &other_ward, &names, now)
            .unwrap()
            .kept
            .certificate;
        std::fs::copy(other.path().join(FILE), data.path().join(FILE)).unwrap();
        let again = Host::open(data.path(), &ward, &names, now).unwrap();
        assert_ne!(again.kept.certificate, foreign);
        assert!(verify(&again.certified.cert[0], ward.der()).is_ok());
    }
}
