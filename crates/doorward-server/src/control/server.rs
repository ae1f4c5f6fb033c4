use std::{fs, io, os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
};

use super::{Reply, Request};
use crate::door::Door;

/// How long the command line has to say what it wants.
const LIMIT: Duration = Duration::from_secs(5);

/// Answers the command line until it is dropped. The caller holds the [`StoreLock`](super::StoreLock), so a socket that is
/// there already belongs to a server that is gone.
pub fn serve(path: &Path, door: Arc<Door>) -> io::Result<impl Future<Output = ()> + use<>> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let door = Arc::clone(&door);
                    tokio::spawn(async move {
                        if let Err(error) = answer(stream, &door).await {
                            tracing::debug!(%error, "the command line left early");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept on the control socket");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    })
}

async fn answer(stream: UnixStream, door: &Door) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut request = Vec::new();
    tokio::time::timeout(LIMIT, read.take(64 * 1024).read_to_end(&mut request)).await??;
    let reply = match serde_json::from_slice::<Request>(&request) {
        Ok(request) => match door.operate(request).await {
            Ok(value) => Reply::Ok(value),
            Err(why) => Reply::Error(why),
        },
        Err(error) => Reply::Error(format!("cannot read the request: {error}")),
    };
    let reply = serde_json::to_vec(&reply)?;
    tokio::time::timeout(LIMIT, write.write_all(&reply)).await??;
    write.shutdown().await
}
