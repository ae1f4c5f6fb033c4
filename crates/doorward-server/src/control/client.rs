use std::{io, path::Path, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

use super::{LONGEST, Reply, Request};

/// Why a running server did not answer.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    /// There is no server on that store.
    #[error("no doorward is running on this store (nothing answers at `{0}`)")]
    NotRunning(String),
    /// It did not answer in time.
    #[error("the server did not answer within {0:?}")]
    Silent(Duration),
    /// The conversation broke off.
    #[error("the conversation with the server broke off: {0}")]
    Broken(String),
    /// It answered that it cannot.
    #[error("{0}")]
    Refused(String),
}

/// Asks a running server and waits for its answer, at most 10 seconds.
pub async fn ask(socket: &Path, request: &Request) -> Result<serde_json::Value, Unreachable> {
    const LIMIT: Duration = Duration::from_secs(10);
    tokio::time::timeout(LIMIT, exchange(socket, request)).await.map_err(|_| Unreachable::Silent(LIMIT))?
}

async fn exchange(socket: &Path, request: &Request) -> Result<serde_json::Value, Unreachable> {
    let broken = |error: io::Error| Unreachable::Broken(error.to_string());
    let mut stream = UnixStream::connect(socket).await.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            Unreachable::NotRunning(socket.display().to_string())
        }
        _ => Unreachable::Broken(format!("`{}`: {error}", socket.display())),
    })?;
    let request = serde_json::to_vec(request).map_err(|error| Unreachable::Broken(error.to_string()))?;
    stream.write_all(&request).await.map_err(broken)?;
    stream.shutdown().await.map_err(broken)?;
    let mut reply = Vec::new();
    stream.take(LONGEST).read_to_end(&mut reply).await.map_err(broken)?;
    match serde_json::from_slice(&reply) {
        Ok(Reply::Ok(value)) => Ok(value),
        Ok(Reply::Error(why)) => Err(Unreachable::Refused(why)),
        Err(error) => Err(Unreachable::Broken(error.to_string())),
    }
}
