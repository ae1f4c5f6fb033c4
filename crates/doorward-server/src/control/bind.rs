use std::{
    fs, io,
    os::unix::{
        fs::{FileTypeExt, PermissionsExt},
        net::UnixStream,
    },
    path::Path,
};

use tokio::net::UnixListener;

/// Why nobody can listen for the command line.
#[derive(Debug, thiserror::Error)]
pub enum Unbound {
    /// Something stands at the path that no server has left there.
    #[error("there is something that is no socket; move it away, or give `[store] control` another path")]
    NoSocket,
    /// Somebody answers.
    #[error("another doorward answers there; stop it, or give this one a `[store] control` of its own")]
    Answered,
    /// The system does not let it.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Listens at a path, for nobody but the user who runs this.
///
/// The socket is made in a folder that nobody else can enter and moved to its place when its mode is right, so there is no
/// moment at which another could connect. A socket that is there already is replaced if nobody answers on it, and nothing else is.
pub(super) fn bind(path: &Path) -> Result<UnixListener, Unbound> {
    is_free(path)?;
    let beside = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let private =
        tempfile::Builder::new().prefix(".").permissions(fs::Permissions::from_mode(0o700)).tempdir_in(beside)?;
    let made = private.path().join("s");
    let listener = UnixListener::bind(&made)?;
    fs::set_permissions(&made, fs::Permissions::from_mode(0o600))?;
    fs::rename(&made, path)?;
    Ok(listener)
}

/// Whether a socket may be put there.
fn is_free(path: &Path) -> Result<(), Unbound> {
    match fs::symlink_metadata(path) {
        Ok(there) if there.file_type().is_socket() => {}
        Ok(_) => return Err(Unbound::NoSocket),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(Unbound::Answered),
        // Whoever listened there is gone.
        Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control.sock");
        (folder, path)
    }

    #[tokio::test]
    async fn a_socket_is_its_users_alone_and_nothing_is_left_beside_it() {
        let (folder, path) = place();
        let listener = bind(&path).unwrap();
        let address = listener.local_addr().unwrap();
        assert_ne!(address.as_pathname(), Some(path.as_path()), "it was made elsewhere, before anybody could see it");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        assert!(UnixStream::connect(&path).is_ok());
    }

    #[tokio::test]
    async fn a_socket_of_a_server_that_is_gone_is_replaced_and_one_that_answers_is_not() {
        let (_folder, path) = place();
        drop(bind(&path).unwrap());
        assert!(path.exists());
        let _listener = bind(&path).unwrap();
        assert!(matches!(bind(&path), Err(Unbound::Answered)));
        assert!(UnixStream::connect(&path).is_ok(), "the first one goes on");
    }

    #[tokio::test]
    async fn what_is_no_socket_stays() {
        let (folder, path) = place();
        fs::write(&path, "the only copy of a novel").unwrap();
        assert!(matches!(bind(&path), Err(Unbound::NoSocket)));
        assert_eq!(fs::read_to_string(&path).unwrap(), "the only copy of a novel");
        let link = folder.path().join("link.sock");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(matches!(bind(&link), Err(Unbound::NoSocket)));
        assert!(matches!(bind(folder.path()), Err(Unbound::NoSocket)));
    }
}
