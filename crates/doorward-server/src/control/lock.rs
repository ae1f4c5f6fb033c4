use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use super::beside;

/// Holds the lock of a store; the system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct StoreLock {
    _file: File,
}

/// Why the lock of a store could not be had.
#[derive(Debug, thiserror::Error)]
pub enum InUse {
    /// Another server has it.
    #[error("another doorward is running on the store `{0}`; stop it, or give this one a store of its own")]
    Another(PathBuf),
    /// The lock file cannot be made.
    #[error(
        "cannot make the lock file `{path}`: {error}; `[store] url` names the store, and its folder has to be there"
    )]
    Unwritable {
        /// Where.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

impl StoreLock {
    /// Takes the lock, or says who is in the way.
    pub fn take(store: &Path) -> Result<Self, InUse> {
        let path = beside(store, ".lock");
        let unwritable = |error| InUse::Unwritable { path: path.clone(), error };
        let file = File::options().create(true).write(true).truncate(false).open(&path).map_err(unwritable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(InUse::Another(store.to_owned())),
            Err(TryLockError::Error(error)) => Err(InUse::Unwritable { path, error }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_server_on_one_store_is_told_so_and_may_start_when_the_first_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("doorward.db");
        let first = StoreLock::take(&store).unwrap();
        assert!(matches!(StoreLock::take(&store), Err(InUse::Another(path)) if path == store));
        drop(first);
        assert!(StoreLock::take(&store).is_ok());
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = StoreLock::take(Path::new("/no/such/folder/doorward.db")).unwrap_err();
        let said = error.to_string();
        assert!(said.contains("/no/such/folder/doorward.db.lock") && said.contains("`[store] url`"), "{said}");
    }
}
