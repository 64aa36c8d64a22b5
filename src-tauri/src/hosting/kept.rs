//! What hosting keeps from one start of the app to the next.

use std::{
    fs, io,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

/// The file's name, in the app's data folder.
const FILE: &str = "hosting.json";

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    /// Whether the switch is on: a device that starts with the system hosts again.
    pub hosts: bool,
    /// What the ward was called here, instead of what the relay's file says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ward: Option<String>,
    /// The port that was chosen here when the usual one was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Whether it was said that hosting goes on when the window is closed.
    pub told_goes_on: bool,
}

/// What is kept, and where.
pub(crate) struct Keeper {
    folder: Option<PathBuf>,
    kept: Mutex<Kept>,
}

impl Keeper {
    /// Reads what was kept. What can't be read is as if nothing were: it holds nothing that one
    /// couldn't set again.
    pub(crate) fn open(folder: Option<PathBuf>) -> Self {
        let kept = folder.as_ref().map(|folder| fs::read(folder.join(FILE)));
        let kept = match kept {
            Some(Ok(text)) => serde_json::from_slice(&text).unwrap_or_else(|error| {
                tracing::warn!(%error, "what hosting kept is broken and is begun anew");
                Kept::default()
            }),
            Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, "what hosting kept can't be read");
                Kept::default()
            }
            _ => Kept::default(),
        };
        Self {
            folder,
            kept: Mutex::new(kept),
        }
    }

    pub(crate) fn get(&self) -> Kept {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Changes what is kept. When it can't be written it holds until the app ends.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Kept)) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let before = kept.clone();
        change(&mut kept);
        if *kept == before {
            return;
        }
        if let Some(folder) = &self.folder
            && let Err(error) = write(folder, &kept)
        {
            tracing::warn!(%error, "what hosting keeps can't be written");
        }
    }
}

/// All of it, or nothing.
fn write(folder: &std::path::Path, kept: &Kept) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let fresh = folder.join(format!("{FILE}.new"));
    fs::write(&fresh, serde_json::to_vec_pretty(kept)?)?;
    fs::rename(&fresh, folder.join(FILE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_there_again_and_what_is_broken_stops_nobody() {
        let folder = std::env::temp_dir().join(format!("visita-kept-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let keeper = Keeper::open(Some(folder.clone()));
        assert_eq!(keeper.get(), Kept::default());
        keeper.change(|kept| kept.ward = Some("Ward 3".into()));
        keeper.change(|kept| kept.hosts = true);
        let again = Keeper::open(Some(folder.clone())).get();
        assert!(again.hosts);
        assert_eq!(again.ward.as_deref(), Some("Ward 3"));
        fs::write(folder.join(FILE), "{").unwrap();
        assert_eq!(Keeper::open(Some(folder.clone())).get(), Kept::default());
        fs::remove_dir_all(&folder).unwrap();

        let nowhere = Keeper::open(Some("/dev/null/visita".into()));
        nowhere.change(|kept| kept.hosts = true);
        assert!(nowhere.get().hosts);
    }
}
