//! The key under which secrets lie in the store: a file beside it, which a backup of the store alone does not have.

use std::path::{Path, PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use doorward_auth::{account::KeyEncryptionKey, ports::Rng};
use doorward_backends::upstream::{UnusableFile, kept_or_made};
use doorward_types::Secret;

use crate::{config::Config, control::beside, node::store_path};

/// The key-encryption key cannot be read or made.
#[derive(Debug, thiserror::Error)]
pub enum UnusableKek {
    /// Its file cannot be read or made, or is open to others.
    #[error("the key that secrets are sealed under: {0}")]
    File(#[from] UnusableFile),
    /// The file holds something else.
    #[error(
        "`{}` is not the key that secrets are sealed under, or is cut off; bring it back from a backup: without it nobody's authenticator app works",
        .0.display()
    )]
    NotAKey(PathBuf),
}

/// The key in the file `STORE.kek`, which is made with mode 0600 where there is none. A store in memory gets a key of its own: what
/// is sealed under it does not outlive it.
///
/// # Errors
/// [`UnusableKek`]; a file that others can use is refused.
pub fn open_kek(config: &Config, base: &Path, rng: &dyn Rng) -> Result<KeyEncryptionKey, UnusableKek> {
    match store_path(config, base) {
        Some(store) => load_or_make(&beside(&store, ".kek"), rng),
        None => Ok(KeyEncryptionKey::draw(rng)),
    }
}

fn load_or_make(path: &Path, rng: &dyn Rng) -> Result<KeyEncryptionKey, UnusableKek> {
    let written = kept_or_made(path, rng, || Ok(write(&KeyEncryptionKey::draw(rng))))?;
    read(&written).ok_or_else(|| UnusableKek::NotAKey(path.to_owned()))
}

/// One line of base64, so that it can be copied by hand into a safe.
fn write(key: &KeyEncryptionKey) -> Secret {
    Secret::from_text(STANDARD.encode(key.secret().reveal("to keep it")) + "\n")
}

fn read(written: &Secret) -> Option<KeyEncryptionKey> {
    let line = written.reveal("to read the key").trim_ascii();
    KeyEncryptionKey::from_secret(Secret::new(STANDARD.decode(line).ok()?))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use doorward_auth::ports::SystemRng;

    use super::*;

    #[test]
    fn the_key_of_a_store_is_made_once_and_opens_what_it_has_sealed_ever_after() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("doorward.db.kek");
        let made = load_or_make(&path, &SystemRng).unwrap();
        let sealed = made.seal(&Secret::from_text("seed"), "totp/acme/7", &SystemRng);
        let read = load_or_make(&path, &SystemRng).unwrap();
        assert!(read.open(&sealed, "totp/acme/7").unwrap().same_as(b"seed"));
    }

    #[test]
    fn a_file_that_is_no_key_is_refused_and_stays_as_it_is() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("doorward.db.kek");
        for text in ["", "hello", "AAAA\n"] {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            let error = load_or_make(&path, &SystemRng).unwrap_err();
            assert!(error.to_string().contains("not the key that secrets are sealed under"), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn c90_a_key_that_others_can_use_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("doorward.db.kek");
        load_or_make(&path, &SystemRng).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = load_or_make(&path, &SystemRng).unwrap_err();
        assert!(error.to_string().contains("mode 644, so others can use it; set it to 600"), "{error}");
    }
}
