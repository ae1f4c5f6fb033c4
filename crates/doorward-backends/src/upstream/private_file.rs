//! A file that only the server can use: what it holds is drawn once, and is the same ever after.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use doorward_auth::ports::Rng;
use doorward_types::Secret;

/// What is kept so is never longer: keys.
const AT_MOST: u64 = 4096;

/// A file of the server's own cannot be used. Says which and why.
#[derive(Debug, thiserror::Error)]
pub enum UnusableFile {
    /// The file system said no.
    #[error("cannot read or make `{}`: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Others than the owner of the file may read or write it.
    #[error("`{}` has mode {mode:o}, so others can use it; set it to 600", path.display())]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

/// What the file of `path` holds; where there is no such file, what `draw` gives, written with mode 0600 before it is used.
///
/// Two servers that start at once end up with the same.
///
/// # Errors
/// [`UnusableFile`]; a file that others may read is refused rather than repaired, since they may have read it.
pub fn kept_or_made(
    path: &Path,
    rng: &dyn Rng,
    draw: impl FnOnce() -> io::Result<Secret>,
) -> Result<Secret, UnusableFile> {
    let io = |error| UnusableFile::Io { path: path.to_owned(), error };
    match fs::File::open(path) {
        Ok(file) => read(path, file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            draw().and_then(|drawn| make(path, &drawn, rng)).map_err(io)?;
            read(path, fs::File::open(path).map_err(io)?)
        }
        Err(error) => Err(io(error)),
    }
}

fn read(path: &Path, file: fs::File) -> Result<Secret, UnusableFile> {
    let io = |error| UnusableFile::Io { path: path.to_owned(), error };
    let mode = mode(&file.metadata().map_err(io)?);
    if mode & 0o077 != 0 {
        return Err(UnusableFile::Mode { path: path.to_owned(), mode });
    }
    // What is held grows into no second place while it is read.
    let mut held = Vec::with_capacity(AT_MOST as usize);
    file.take(AT_MOST).read_to_end(&mut held).map_err(io)?;
    Ok(Secret::new(held))
}

/// Writes `path`, whole or not at all. Does nothing where somebody else was faster.
fn make(path: &Path, drawn: &Secret, rng: &dyn Rng) -> io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{:032x}", u128::from_be_bytes(rng.bytes16())));
    let draft = PathBuf::from(draft);
    let written = write_private(&draft, drawn.reveal("to keep it")).and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft)?;
    match written {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        written => written,
    }
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(unix)]
fn mode(metadata: &fs::Metadata) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777
}

/// Elsewhere the directory has to keep others out.
#[cfg(not(unix))]
fn mode(_: &fs::Metadata) -> u32 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::test::Fixed;
    use std::os::unix::fs::PermissionsExt as _;

    fn kept(path: &Path, drawn: &str) -> Result<Secret, UnusableFile> {
        kept_or_made(path, &Fixed(1), || Ok(Secret::from_text(drawn)))
    }

    #[test]
    fn what_is_drawn_is_for_its_owner_alone_and_the_same_ever_after() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert!(kept(&path, "first").unwrap().same_as(b"first"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        assert!(kept(&path, "second").unwrap().same_as(b"first"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left behind");
    }

    #[test]
    fn what_was_made_meanwhile_is_what_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let drawn = kept_or_made(&path, &Fixed(1), || {
            kept(&path, "of the other").unwrap();
            Ok(Secret::from_text("of this one"))
        });
        assert!(drawn.unwrap().same_as(b"of the other"));
    }

    #[test]
    fn c90_what_others_can_use_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        kept(&path, "secret").unwrap();
        for open in [0o640, 0o604, 0o620] {
            fs::set_permissions(&path, fs::Permissions::from_mode(open)).unwrap();
            let error = kept(&path, "secret").unwrap_err();
            assert!(matches!(error, UnusableFile::Mode { mode, .. } if mode == open), "{error}");
            assert!(error.to_string().contains(&format!("mode {open:o}")), "{error}");
        }
    }

    #[test]
    fn a_place_where_nothing_can_be_made_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let error = kept(&folder.path().join("nowhere/key"), "secret").unwrap_err();
        assert!(matches!(error, UnusableFile::Io { .. }), "{error}");
    }
}
