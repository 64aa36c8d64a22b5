//! A key as RFC 9605, section 4.4.2, derives it, and AES-GCM under it.

use std::fmt;

use aes_gcm::{
    Aes128Gcm, Aes256Gcm, KeyInit as _,
    aead::{AeadInOut as _, inout::InOutBuf},
};
use hkdf::Hkdf;
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

use super::{Suite, TAG};

/// A nonce's bytes, and so the salt's.
const NONCE: usize = 12;

enum Cipher {
    Aes128(Box<Aes128Gcm>),
    Aes256(Box<Aes256Gcm>),
}

/// One key with its salt: wiped when it is dropped, never printed.
pub(super) struct Key {
    cipher: Cipher,
    salt: Zeroizing<[u8; NONCE]>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// The key of the number `kid`.
    pub(super) fn derive(suite: Suite, kid: u64, base: &[u8]) -> Self {
        let label = |what: &str| {
            let text = format!("SFrame 1.0 Secret {what} ");
            [
                text.as_bytes(),
                &kid.to_be_bytes(),
                &suite.id().to_be_bytes(),
            ]
            .concat()
        };
        let (key_label, salt_label) = (label("key"), label("salt"));
        let mut salt = Zeroizing::new([0; NONCE]);
        let cipher = match suite {
            Suite::Aes128 => {
                let secret = Hkdf::<Sha256>::new(None, base);
                let mut key = Zeroizing::new([0; 16]);
                let expanded = secret
                    .expand(&key_label, &mut *key)
                    .and(secret.expand(&salt_label, &mut *salt));
                assert!(expanded.is_ok(), "HKDF gives far more than 16 bytes");
                Cipher::Aes128(Box::new(Aes128Gcm::new((&*key).into())))
            }
            Suite::Aes256 => {
                let secret = Hkdf::<Sha512>::new(None, base);
                let mut key = Zeroizing::new([0; 32]);
                let expanded = secret
                    .expand(&key_label, &mut *key)
                    .and(secret.expand(&salt_label, &mut *salt));
                assert!(expanded.is_ok(), "HKDF gives far more than 32 bytes");
                Cipher::Aes256(Box::new(Aes256Gcm::new((&*key).into())))
            }
        };
        Self { cipher, salt }
    }

    /// Encrypts in place and gives the tag; `None` for more bytes than AES-GCM takes.
    pub(super) fn seal(&self, ctr: u64, aad: &[u8], bytes: &mut [u8]) -> Option<[u8; TAG]> {
        let nonce = self.nonce(ctr).into();
        let bytes = InOutBuf::from(bytes);
        let tag = match &self.cipher {
            Cipher::Aes128(cipher) => cipher.encrypt_inout_detached(&nonce, aad, bytes),
            Cipher::Aes256(cipher) => cipher.encrypt_inout_detached(&nonce, aad, bytes),
        };
        tag.ok().map(Into::into)
    }

    /// Decrypts in place; `None` if the tag doesn't fit.
    pub(super) fn open(
        &self,
        ctr: u64,
        aad: &[u8],
        bytes: &mut [u8],
        tag: &[u8; TAG],
    ) -> Option<()> {
        let nonce = self.nonce(ctr).into();
        let bytes = InOutBuf::from(bytes);
        let opened = match &self.cipher {
            Cipher::Aes128(cipher) => cipher.decrypt_inout_detached(&nonce, aad, bytes, tag.into()),
            Cipher::Aes256(cipher) => cipher.decrypt_inout_detached(&nonce, aad, bytes, tag.into()),
        };
        opened.ok()
    }

    /// The salt, with the counter over its end.
    fn nonce(&self, ctr: u64) -> [u8; NONCE] {
        let mut nonce = *self.salt;
        for (byte, count) in nonce[NONCE - 8..].iter_mut().zip(ctr.to_be_bytes()) {
            *byte ^= count;
        }
        nonce
    }
}
