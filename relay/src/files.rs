//! Files that must be whole or absent.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// Why a file of the data directory couldn't be used, with the next step.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk is full.
    #[error(
        "The disk that holds {path} is full. Free some space, or choose another folder with --data, and start again."
    )]
    Full {
        /// What was written.
        path: PathBuf,
    },
    /// No permission, or a read-only disk.
    #[error(
        "{path} can't be written ({source}). Give this user the right to write there, or choose another folder with --data."
    )]
    Denied {
        /// What was written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Anything else.
    #[error("{path} can't be used ({source}). Check the folder, or choose another with --data.")]
    Io {
        /// What was read or written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    fn new(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::Denied { path, source }
            }
            _ => Self::Io { path, source },
        }
    }
}

/// Makes the folder, for its owner alone, if it isn't there.
pub(crate) fn folder(path: &Path) -> Result<(), Error> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(path)
        .map_err(|source| Error::new(path, source))
}

/// The file's text; `None` when there is no such file.
pub(crate) fn read(path: &Path) -> Result<Option<String>, Error> {
    match fs::read(path) {
        // What isn't UTF-8 isn't PEM or JSON either: its reader says that the file is broken.
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::new(path, error)),
    }
}

/// Writes a file that only its owner may read: all of it, or nothing.
pub(crate) fn write_secret(path: &Path, text: &str) -> Result<(), Error> {
    let fresh = path.with_extension(format!("new-{}", std::process::id()));
    let written = write_new(&fresh, text).and_then(|()| fs::rename(&fresh, path));
    if let Err(error) = written {
        // Nothing to be done if that fails too: the first error is the one to tell.
        let _ = fs::remove_file(&fresh);
        return Err(Error::new(path, error));
    }
    // The rename itself survives a power cut only when the folder was written too.
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|source| Error::new(folder, source))?;
    }
    Ok(())
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_its_owners_alone_and_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert!(read(&path).unwrap().is_none());
        write_secret(&path, "one").unwrap();
        write_secret(&path, "two").unwrap();
        assert_eq!(read(&path).unwrap().unwrap(), "two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(
                fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
    }

    #[test]
    fn what_fails_is_said_in_words() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        let text = write_secret(&file.join("below"), "x")
            .unwrap_err()
            .to_string();
        assert!(text.contains("--data"), "{text}");
        let full = Error::new(&file, io::ErrorKind::StorageFull.into()).to_string();
        assert!(full.contains("is full. Free some space"), "{full}");
        let denied = Error::new(&file, io::ErrorKind::ReadOnlyFilesystem.into()).to_string();
        assert!(denied.contains("right to write"), "{denied}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_told_from_others() {
        let error = write_new(Path::new("/dev/full"), "x").unwrap_err();
        assert!(matches!(
            Error::new(Path::new("x"), error),
            Error::Full { .. }
        ));
    }
}
