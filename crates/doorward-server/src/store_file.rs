//! Whether the file of a store is still where it was opened.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// The file that a store was opened at. A file that is removed while it is open goes on being written, by whoever has it open and
/// for nobody else, so that everything seems well until the next start.
#[derive(Debug)]
pub struct StoreFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl StoreFile {
    /// The file that is there now.
    pub fn at(path: &Path) -> io::Result<Self> {
        let found = fs::metadata(path)?;
        Ok(Self { path: path.to_owned(), device: found.dev(), inode: found.ino() })
    }

    /// Whether it is where it was. A folder that cannot be looked into is no reason to think that it is not.
    pub(crate) fn is_there(&self) -> bool {
        match fs::metadata(&self.path) {
            Ok(found) => (found.dev(), found.ino()) == (self.device, self.inode),
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_removed_or_replaced_is_not_there_and_one_that_was_written_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("doorward.db");
        assert!(StoreFile::at(&path).is_err());
        fs::write(&path, "a store").unwrap();
        let file = StoreFile::at(&path).unwrap();
        fs::write(&path, "and more of it").unwrap();
        assert!(file.is_there());
        let aside = folder.path().join("aside.db");
        fs::rename(&path, &aside).unwrap();
        assert!(!file.is_there());
        fs::write(&path, "another store").unwrap();
        assert!(!file.is_there());
        fs::rename(&aside, &path).unwrap();
        assert!(file.is_there());
    }
}
