use std::{
    io,
    path::{Path, PathBuf},
};

use doorward_types::Secret;

/// Reads the files that settings like `secret_file` name, relative to `folder`: that of the configuration.
///
/// A file that everybody on the machine can read or change holds no secret, so it is refused; a public key or a certificate in PEM may be read by all.
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
        let text = secret.reveal("to see whether it is public");
        let (may_read, may_write) = (mode & 0o004 == 0, mode & 0o002 == 0);
        if !may_write || (!may_read && !is_public(text)) {
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

/// Whether a file holds what everybody may know. Somebody may have put a private key behind it.
fn is_public(text: &[u8]) -> bool {
    let has = |part: &[u8]| text.windows(part.len()).any(|window| window == part);
    let public = text.starts_with(b"-----BEGIN PUBLIC KEY-----") || has(b"-----BEGIN CERTIFICATE-----");
    public && !has(b"PRIVATE KEY-----")
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
    fn a_certificate_may_be_read_by_all_unless_its_key_stands_behind_it() {
        let certificate = "subject=gate.example\n-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
        let key = "-----BEGIN EC PRIVATE KEY-----\nAA==\n-----END EC PRIVATE KEY-----\n";
        assert!(with(0o644, certificate).is_ok() && with(0o600, &format!("{certificate}{key}")).is_ok());
        assert!(with(0o644, &format!("{certificate}{key}")).is_err());
        assert!(with(0o646, certificate).is_err());
    }

    #[test]
    fn a_missing_file_is_told_as_such() {
        assert_eq!(secret_reader(Path::new("/nowhere"))(Path::new("key")), Err("there is no such file".to_owned()));
    }
}
