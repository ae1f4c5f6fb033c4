use std::{
    io,
    path::{Path, PathBuf},
};

use doorward_types::Secret;

/// Reads the files that settings like `secret_file` name, relative to `folder`: that of the configuration.
///
/// A file that everybody on the machine can read or change holds no secret, so it is refused; a public key in PEM may be read by all.
/// A line break at the end is not part of the secret.
pub fn secret_reader(folder: &Path) -> impl Fn(&Path) -> Result<Secret, String> {
    let folder: PathBuf = folder.to_owned();
    move |path| read(&folder.join(path))
}

fn read(path: &Path) -> Result<Secret, String> {
    let bytes = std::fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => error.to_string(),
    })?;
    let mut secret = Secret::new(bytes);
    if let Some(mode) = open_mode(path).map_err(|error| error.to_string())? {
        let text = secret.reveal("to see whether it is a public key");
        let (may_read, may_write) = (mode & 0o004 == 0, mode & 0o002 == 0);
        if !may_write || (!may_read && !text.starts_with(b"-----BEGIN PUBLIC KEY-----")) {
            let what = if may_write { "read" } else { "change" };
            return Err(format!("everybody on this machine can {what} it (mode {mode:04o}); `chmod 600` closes it"));
        }
    }
    let bytes = secret.reveal("to leave the line break at its end away");
    let kept = bytes.strip_suffix(b"\n").map(|bytes| bytes.strip_suffix(b"\r").unwrap_or(bytes));
    if let Some(kept) = kept {
        secret = Secret::new(kept);
    }
    Ok(secret)
}

/// The permission bits of a file, where the system has them.
#[cfg(unix)]
fn open_mode(path: &Path) -> io::Result<Option<u32>> {
    use std::os::unix::fs::PermissionsExt;
    Ok(Some(std::fs::metadata(path)?.permissions().mode() & 0o7777))
}

/// The permission bits of a file, where the system has them.
#[cfg(not(unix))]
fn open_mode(_: &Path) -> io::Result<Option<u32>> {
    Ok(None)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn with(mode: u32, text: &str) -> Result<Secret, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        secret_reader(folder.path())(Path::new("key"))
    }

    #[test]
    fn c90_a_file_that_everybody_can_read_or_change_is_no_secret() {
        assert!(with(0o600, "s3cret\n").unwrap().same_as(b"s3cret"));
        assert!(with(0o640, "s3cret\r\n").unwrap().same_as(b"s3cret"));
        let error = with(0o644, "s3cret").unwrap_err();
        assert!(error.contains("read it (mode 0644); `chmod 600`"), "{error}");
        assert!(with(0o602, "s3cret").unwrap_err().contains("change it"));
    }

    #[test]
    fn a_public_key_may_be_read_by_all_but_not_changed() {
        let key = "-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n";
        assert!(with(0o644, key).is_ok());
        assert!(with(0o666, key).is_err());
    }

    #[test]
    fn a_missing_file_is_told_as_such() {
        assert_eq!(secret_reader(Path::new("/nowhere"))(Path::new("key")), Err("there is no such file".to_owned()));
    }
}
