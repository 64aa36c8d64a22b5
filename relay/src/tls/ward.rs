//! The ward's CA: made once, kept for as long as the ward lasts. Its hash is what participants pin.

use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::{
    crypto::ring::sign::any_supported_type,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};
use visita_protocol::id::{Fingerprint, WardId};

use super::Error;
use crate::files;

/// Certificate and key stand in one file, so that there is no moment with only one of them.
const FILE: &str = "ward-ca.pem";

pub(super) struct Ward {
    issuer: Issuer<'static, KeyPair>,
    der: CertificateDer<'static>,
    pem: String,
}

impl Ward {
    pub(super) fn open(data: &Path) -> Result<Self, Error> {
        let path = data.join(FILE);
        if let Some(text) = files::read(&path)? {
            return Self::load(&text).map_err(|reason| Error::Broken { path, reason });
        }
        let key = KeyPair::generate()?;
        let certificate = params().self_signed(&key)?;
        let text = format!("{}{}", certificate.pem(), key.serialize_pem());
        files::write_secret(&path, &text)?;
        tracing::info!("new ward: its certificate authority was made");
        Self::load(&text).map_err(|reason| Error::Broken { path, reason })
    }

    fn load(text: &str) -> Result<Self, String> {
        let der =
            CertificateDer::from_pem_slice(text.as_bytes()).map_err(|_| "no certificate in it")?;
        let key =
            PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| "no private key in it")?;
        let pair = KeyPair::try_from(&key).map_err(|_| "its private key can't be read")?;
        let signer = any_supported_type(&key).map_err(|_| "its private key can't be used")?;
        CertifiedKey::new(vec![der.clone()], signer)
            .keys_match()
            .map_err(|_| "its key doesn't belong to its certificate")?;
        let issuer = Issuer::from_ca_cert_der(&der, pair)
            .map_err(|_| "its certificate isn't a certificate authority's")?;
        let pem = text
            .find("-----BEGIN CERTIFICATE-----")
            .zip(text.find("-----END CERTIFICATE-----"));
        let (start, end) = pem
            .filter(|(start, end)| start < end)
            .ok_or("no certificate in it")?;
        let pem = format!("{}-----END CERTIFICATE-----\n", &text[start..end]);
        Ok(Self { issuer, der, pem })
    }

    pub(super) fn issuer(&self) -> &Issuer<'static, KeyPair> {
        &self.issuer
    }

    pub(super) fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    pub(super) fn pem(&self) -> &str {
        &self.pem
    }

    pub(super) fn id(&self) -> WardId {
        let Fingerprint(bytes) = self.fingerprint();
        let mut id = [0; 8];
        id.copy_from_slice(&bytes[..8]);
        WardId(id)
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        let digest = ring::digest::digest(&ring::digest::SHA256, &self.der);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest.as_ref());
        Fingerprint(bytes)
    }
}

fn params() -> CertificateParams {
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "Visita");
    // Two wards' authorities must not have one name, or a browser that trusts both may pick the wrong one.
    name.push(
        DnType::CommonName,
        format!("Visita ward {:08x}", rand::random::<u32>()),
    );
    params.distinguished_name = name;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // Wide, so that a tablet whose clock is wrong still gets in; what counts is the pin.
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2060, 1, 1);
    params
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ward_stays_the_same_and_a_broken_file_is_named() {
        let data = tempfile::tempdir().unwrap();
        let first = Ward::open(data.path()).unwrap().fingerprint();
        let again = Ward::open(data.path()).unwrap();
        assert_eq!(first, again.fingerprint());
        assert!(
            again.pem().starts_with("-----BEGIN CERTIFICATE-----")
                && !again.pem().contains("PRIVATE")
        );

        let path = data.path().join(FILE);
        let text = std::fs::read_to_string(&path).unwrap();
        let other = KeyPair::generate().unwrap().serialize_pem();
        let key = text.find("-----BEGIN PRIVATE").unwrap();
        let broken = [
            String::new(),
            "\u{0}\u{1}garbage".to_owned(),
            text[..key].to_owned(),
            text[..key / 2].to_owned(),
            format!("{}{other}", &text[..key]),
            text.replace("MII", "AAA"),
        ];
        for text in broken {
            std::fs::write(&path, &text).unwrap();
            let Err(error) = Ward::open(data.path()) else {
                panic!("{text:?} was taken")
            };
            let said = error.to_string();
            assert!(
                said.contains("ward-ca.pem is broken") && said.contains("copy of that file"),
                "{said}"
            );
        }
    }
}
