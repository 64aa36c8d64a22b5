//! SFrame (RFC 9605) with AES-GCM: sealing whole frames, and opening them.
//!
//! A sealed frame is the [header](header::Header), which says the key's number and the counter, and
//! then the ciphertext with its tag of 16 bytes. The header and the caller's metadata are bound by
//! the tag. Keys are handed in; how they are agreed on is not a matter of this module.
//!
//! A nonce is a key's salt and the counter, and one that is used twice gives the key away. So a
//! counter has one owner: a [`Sealer`] can't be cloned, takes its key away from who made it, and ends
//! when the counter does.

use std::{collections::BTreeMap, fmt};

use zeroize::Zeroizing;

pub mod header;
mod key;
mod window;

use header::Header;
use key::Key;
use window::Window;

/// The tag behind each ciphertext, in bytes.
pub const TAG: usize = 16;
/// How many bytes a sealed frame has more than its plaintext, at most.
pub const MAX_OVERHEAD: usize = header::MAX + TAG;
/// How many frames one key seals: TLS 1.3 changes a key of AES-GCM after 2^24.5 records of 16 KiB
/// (RFC 8446, section 5.5), and most frames are smaller. Three days of a picture in two layers.
pub const MAX_FRAMES: u64 = 1 << 24;
/// The most keys that an [`Opener`] holds: of 63 others, 8 tracks each, in two epochs.
pub const MAX_KEYS: usize = 1024;

/// A cipher suite of RFC 9605, section 4.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// `AES_128_GCM_SHA256_128`: the one that Visita uses.
    Aes128,
    /// `AES_256_GCM_SHA512_128`.
    Aes256,
}

impl Suite {
    /// Its number in the registry of the RFC.
    pub fn id(self) -> u16 {
        match self {
            Suite::Aes128 => 4,
            Suite::Aes256 => 5,
        }
    }
}

/// What a key is derived from. It can't be copied or printed, and is wiped when it is dropped.
pub struct BaseKey(Zeroizing<Vec<u8>>);

impl BaseKey {
    /// A key of these bytes; the caller wipes its own.
    pub fn new(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }
}

impl fmt::Debug for BaseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BaseKey(…)")
    }
}

/// Why a frame wasn't sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The key has sealed [`MAX_FRAMES`]: another one is needed.
    #[error("the key has sealed as many frames as one may")]
    Exhausted,
    /// More bytes than AES-GCM takes, which are 64 GiB.
    #[error("the frame is too large for AES-GCM")]
    TooLarge,
}

/// The one owner of a key's counter.
#[derive(Debug)]
pub struct Sealer {
    key: Key,
    next: Header,
}

impl Sealer {
    /// Seals with a key of the number `kid`, counting from 0.
    pub fn new(suite: Suite, kid: u64, key: BaseKey) -> Self {
        Self::starting_at(suite, kid, key, 0)
    }

    /// Goes on counting where another owner of the key, which is gone, would have gone on.
    pub fn starting_at(suite: Suite, kid: u64, key: BaseKey, ctr: u64) -> Self {
        Self {
            key: Key::derive(suite, kid, &key.0),
            next: Header { kid, ctr },
        }
    }

    /// The key's number.
    pub fn kid(&self) -> u64 {
        self.next.kid
    }

    /// Seals a frame, and binds `metadata`, which isn't sent, to it.
    pub fn seal(&mut self, metadata: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
        if self.next.ctr >= MAX_FRAMES {
            return Err(SealError::Exhausted);
        }
        let header = self.next;
        // Spent even if sealing fails: what may have been used isn't used again.
        self.next.ctr += 1;
        let mut sealed = Vec::with_capacity(header.len() + plaintext.len() + TAG);
        header.write(&mut sealed);
        let aad = [&sealed[..], metadata].concat();
        sealed.extend_from_slice(plaintext);
        let tag = self
            .key
            .seal(header.ctr, &aad, &mut sealed[header.len()..])
            .ok_or(SealError::TooLarge)?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }
}

/// Why a frame wasn't opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The header can't be read.
    #[error("the SFrame header: {0}")]
    Header(#[from] header::Error),
    /// Fewer bytes than a tag has.
    #[error("fewer bytes than the tag")]
    Truncated,
    /// No key of this number.
    #[error("no key {0:#x}")]
    NoKey(u64),
    /// It came before, or is so old that this can't be told.
    #[error("frame {ctr} of key {kid:#x} came before, or too late")]
    Replayed {
        /// The key's number.
        kid: u64,
        /// The counter.
        ctr: u64,
    },
    /// Not sealed with this key, or changed on the way, or the metadata is another one.
    #[error("the tag doesn't fit")]
    Forged,
}

/// Why a key wasn't taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is one of this number: another one would let its frames come again.
    #[error("there is a key {0:#x} already")]
    Known(u64),
    /// As many as [`MAX_KEYS`].
    #[error("more than {MAX_KEYS} keys")]
    TooMany,
}

/// A frame that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The number of the key that sealed it.
    pub kid: u64,
    /// Its counter.
    pub ctr: u64,
    /// What was sealed.
    pub plaintext: Vec<u8>,
}

/// Keys to open frames with, each with what came of it already.
#[derive(Debug)]
pub struct Opener {
    suite: Suite,
    keys: BTreeMap<u64, (Key, Window)>,
}

impl Opener {
    /// An opener without keys.
    pub fn new(suite: Suite) -> Self {
        Self {
            suite,
            keys: BTreeMap::new(),
        }
    }

    /// Takes a key. Who removed one must not give it again: what came of it is forgotten.
    pub fn add(&mut self, kid: u64, key: &BaseKey) -> Result<(), KeyError> {
        if self.keys.contains_key(&kid) {
            return Err(KeyError::Known(kid));
        }
        if self.keys.len() >= MAX_KEYS {
            return Err(KeyError::TooMany);
        }
        let key = Key::derive(self.suite, kid, &key.0);
        self.keys.insert(kid, (key, Window::default()));
        Ok(())
    }

    /// Wipes a key; says whether it was there.
    pub fn remove(&mut self, kid: u64) -> bool {
        self.keys.remove(&kid).is_some()
    }

    /// Opens a frame that was sealed with this metadata.
    pub fn open(&mut self, metadata: &[u8], sealed: &[u8]) -> Result<Opened, Error> {
        let (Header { kid, ctr }, offset) = Header::parse(sealed)?;
        let (key, window) = self.keys.get_mut(&kid).ok_or(Error::NoKey(kid))?;
        if window.saw(ctr) {
            return Err(Error::Replayed { kid, ctr });
        }
        let (header, body) = sealed.split_at(offset);
        let (ciphertext, tag) = body.split_last_chunk::<TAG>().ok_or(Error::Truncated)?;
        let aad = [header, metadata].concat();
        let mut plaintext = ciphertext.to_vec();
        key.open(ctr, &aad, &mut plaintext, tag)
            .ok_or(Error::Forged)?;
        // Only now: a forged frame mustn't move the window.
        window.mark(ctr);
        Ok(Opened {
            kid,
            ctr,
            plaintext,
        })
    }
}
