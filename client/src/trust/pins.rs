//! The hosts that were trusted, remembered in a file of the state directory.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};
use visita_protocol::{
    id::{Fingerprint, WardId},
    time::WallMs,
};

use crate::{address::HostUrl, trust};

/// The file's name in the state directory.
const FILE: &str = "hosts.json";
/// Held while the file is read, changed and replaced, so that two programs lose nothing.
const LOCK: &str = "hosts.lock";
/// The file's version.
const VERSION: u8 = 1;
/// How many hosts are remembered; the one not seen for the longest goes first. A ward has a few.
const MAX_HOSTS: usize = 256;

/// A host that was trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// Where it was.
    pub url: HostUrl,
    /// Its ward.
    pub ward: WardId,
    /// What the ward called itself, if it was advertised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The ward's CA.
    pub fingerprint: Fingerprint,
    /// When it was last met.
    pub seen_ms: WallMs,
}

#[derive(Default, Serialize, Deserialize)]
struct Content {
    version: u8,
    hosts: Vec<Pin>,
}

/// Why the pins can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory or file can't be read or written.
    #[error(
        "{path}: {source}; check that the state directory exists and can be written, or name another one"
    )]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file isn't what this program writes. It isn't replaced, because what it pinned would
    /// be forgotten silently.
    #[error("{path} is damaged ({source}); restore it, or delete it to trust the hosts anew")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Where it is damaged.
        source: serde_json::Error,
    },
    /// The file is of a newer version.
    #[error(
        "{path} was written by a newer version of this program (version {version}); update this one"
    )]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its version.
        version: u8,
    },
}

/// The hosts that were trusted. Several programs may use one directory at the same time.
#[derive(Debug)]
pub struct Pins {
    directory: Option<PathBuf>,
    hosts: Mutex<Vec<Pin>>,
}

impl Pins {
    /// Reads the pins of a state directory, which is made when something is stored.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        let hosts = Mutex::new(read(&directory.join(FILE))?);
        Ok(Self {
            directory: Some(directory.to_owned()),
            hosts,
        })
    }

    /// Pins that are forgotten with the program.
    pub fn in_memory() -> Self {
        Self {
            directory: None,
            hosts: Mutex::default(),
        }
    }

    /// Makes sure that a host could be remembered, before one is trusted.
    pub fn check_writable(&self) -> Result<(), Error> {
        self.change(|_| ())
    }

    /// All hosts, last met first.
    pub fn hosts(&self) -> Vec<Pin> {
        let mut hosts = self.locked().clone();
        hosts.sort_by_key(|pin| std::cmp::Reverse(pin.seen_ms));
        hosts
    }

    /// What a host at this address must show. `advertised`: what an advertisement said of it,
    /// which counts for an address that isn't known yet, or for a ward that is known from
    /// another one (a host's address may have been another's before).
    pub fn expect(&self, url: &HostUrl, advertised: Option<Fingerprint>) -> trust::Expect {
        let hosts = self.locked();
        if let Some(fingerprint) = advertised
            && hosts.iter().any(|pin| pin.fingerprint == fingerprint)
        {
            return trust::Expect::Pin(fingerprint);
        }
        match hosts
            .iter()
            .find(|pin| pin.url == *url)
            .map(|pin| pin.fingerprint)
            .or(advertised)
        {
            Some(fingerprint) => trust::Expect::Pin(fingerprint),
            None => trust::Expect::First,
        }
    }

    /// The fingerprints pinned for a name or IP address, on any port.
    pub fn of_host(&self, host: &str) -> Vec<Fingerprint> {
        let pins = self.locked();
        pins.iter()
            .filter(|pin| pin.url.host() == host)
            .map(|pin| pin.fingerprint)
            .collect()
    }

    /// Remembers a host that was met and trusted. Says whether its fingerprint is new for this
    /// address.
    pub fn remember(
        &self,
        url: &HostUrl,
        fingerprint: Fingerprint,
        name: Option<&str>,
        now: WallMs,
    ) -> Result<bool, Error> {
        self.change(|hosts| {
            let before = hosts
                .iter()
                .position(|pin| pin.url == *url)
                .map(|at| hosts.swap_remove(at));
            let known = before.as_ref().filter(|pin| pin.fingerprint == fingerprint);
            let new = known.is_none();
            let name = name
                .map(str::to_owned)
                .or_else(|| known.and_then(|pin| pin.name.clone()));
            let ward = trust::ward_id(&fingerprint);
            hosts.push(Pin {
                url: url.clone(),
                ward,
                name,
                fingerprint,
                seen_ms: now,
            });
            if hosts.len() > MAX_HOSTS {
                hosts.sort_by_key(|pin| std::cmp::Reverse(pin.seen_ms));
                hosts.truncate(MAX_HOSTS);
            }
            new
        })
    }

    /// Forgets a ward, at all its addresses: the next use of one of them is a first one.
    pub fn forget(&self, fingerprint: Fingerprint) -> Result<(), Error> {
        self.change(|hosts| hosts.retain(|pin| pin.fingerprint != fingerprint))
    }

    fn locked(&self) -> MutexGuard<'_, Vec<Pin>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Vec<Pin>) -> T) -> Result<T, Error> {
        let mut hosts = self.locked();
        let Some(directory) = &self.directory else {
            return Ok(change(&mut hosts));
        };
        let path = directory.join(FILE);
        let io = |source| Error::Io {
            path: path.clone(),
            source,
        };
        fs::create_dir_all(directory).map_err(io)?;
        let lock = File::create(directory.join(LOCK)).map_err(io)?;
        lock.lock().map_err(io)?;
        // Another program may have written since.
        let mut fresh = read(&path)?;
        let result = change(&mut fresh);
        replace(&path, &fresh).map_err(io)?;
        *hosts = fresh;
        Ok(result)
    }
}

fn read(path: &Path) -> Result<Vec<Pin>, Error> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => {
            return Err(Error::Io {
                path: path.to_owned(),
                source,
            });
        }
    };
    let damaged = |source| Error::Damaged {
        path: path.to_owned(),
        source,
    };
    let value: serde_json::Value = serde_json::from_slice(&text).map_err(damaged)?;
    match value.get("version").and_then(serde_json::Value::as_u64) {
        Some(version) if version > u64::from(VERSION) => Err(Error::Newer {
            path: path.to_owned(),
            version: version.min(255) as u8,
        }),
        _ => Ok(serde_json::from_value::<Content>(value)
            .map_err(damaged)?
            .hosts),
    }
}

/// Writes a new file and puts it in the old one's place, so that a crash or a full disk leaves
/// the old one whole.
fn replace(path: &Path, hosts: &[Pin]) -> io::Result<()> {
    let content = Content {
        version: VERSION,
        hosts: hosts.to_vec(),
    };
    let text = serde_json::to_vec_pretty(&content)?;
    let new = path.with_extension("json.new");
    let mut file = File::create(&new)?;
    file.write_all(&text)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&new, path)
}

/// Where this program keeps its state when nobody says otherwise: the system's directory for a
/// user's application state; `None` where the system names no home.
pub fn default_directory() -> Option<PathBuf> {
    let from = |name: &str| {
        std::env::var_os(name)
            .filter(|v| !v.is_empty())
            .map(PathBuf::from)
    };
    if cfg!(windows) {
        return from("LOCALAPPDATA").map(|base| base.join("visita"));
    }
    let base = from("XDG_STATE_HOME").filter(|p| p.is_absolute());
    base.or_else(|| from("HOME").map(|home| home.join(".local/state")))
        .map(|base| base.join("visita"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::Expect;

    fn scratch(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("visita-pins-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        path
    }

    #[test]
    fn pins_outlive_the_program_and_two_programs_share_them() {
        let directory = scratch("share");
        let (a, b): (HostUrl, HostUrl) =
            ("192.0.2.5".parse().unwrap(), "192.0.2.6".parse().unwrap());
        let (one, two) = (Fingerprint([1; 32]), Fingerprint([2; 32]));
        let first = Pins::open(&directory).unwrap();
        let second = Pins::open(&directory).unwrap();
        assert_eq!(first.expect(&a, None), Expect::First);
        assert!(first.remember(&a, one, Some("Ward 3"), WallMs(1)).unwrap());
        assert!(!first.remember(&a, one, None, WallMs(2)).unwrap());
        assert!(second.remember(&b, two, None, WallMs(3)).unwrap());

        let later = Pins::open(&directory).unwrap();
        assert_eq!(later.expect(&a, None), Expect::Pin(one));
        assert_eq!(
            later.hosts().iter().map(|pin| &pin.url).collect::<Vec<_>>(),
            [&b, &a]
        );
        assert_eq!(later.hosts()[1].name.as_deref(), Some("Ward 3"));
        assert_eq!(later.of_host("192.0.2.6"), [two]);
        later.forget(one).unwrap();
        assert_eq!(
            Pins::open(&directory).unwrap().expect(&a, None),
            Expect::First
        );
        fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn an_advertisement_counts_for_new_addresses_and_known_wards_only() {
        let pins = Pins::in_memory();
        let (a, b): (HostUrl, HostUrl) =
            ("192.0.2.5".parse().unwrap(), "192.0.2.6".parse().unwrap());
        let (one, two) = (Fingerprint([1; 32]), Fingerprint([2; 32]));
        assert_eq!(pins.expect(&a, Some(one)), Expect::Pin(one));
        pins.remember(&a, one, None, WallMs(0)).unwrap();
        // Nobody takes over a known address by advertising another ward on it …
        assert_eq!(pins.expect(&a, Some(two)), Expect::Pin(one));
        // … but a ward that is known may have got it.
        pins.remember(&b, two, None, WallMs(0)).unwrap();
        assert_eq!(pins.expect(&a, Some(two)), Expect::Pin(two));
    }

    #[test]
    fn a_damaged_or_newer_file_is_said_and_kept() {
        let directory = scratch("damaged");
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join(FILE), "{\"version\":1,\"hosts\":[{").unwrap();
        assert!(matches!(Pins::open(&directory), Err(Error::Damaged { .. })));
        fs::write(directory.join(FILE), "{\"version\":9,\"wards\":[]}").unwrap();
        assert!(matches!(
            Pins::open(&directory),
            Err(Error::Newer { version: 9, .. })
        ));
        assert!(
            fs::read_to_string(directory.join(FILE))
                .unwrap()
                .contains("wards")
        );
        fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_an_error_with_its_path() {
        let directory = scratch("file");
        fs::write(&directory, "a file where a directory should be").unwrap();
        let pins = Pins::open(&directory);
        let error = match pins {
            Ok(pins) => pins
                .remember(
                    &"192.0.2.5".parse().unwrap(),
                    Fingerprint([1; 32]),
                    None,
                    WallMs(0),
                )
                .unwrap_err(),
            Err(error) => error,
        };
        assert!(error.to_string().contains("visita-pins-file"), "{error}");
        fs::remove_file(&directory).unwrap();
    }
}
