use std::{io, path::Path, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
    time::timeout,
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

/// How long the server may be silent.
const SILENCE: Duration = Duration::from_secs(10);

/// Asks a running server and waits for its answer, at most 10 seconds for each line of it.
pub async fn ask(socket: &Path, request: &Request) -> Result<Value, Unreachable> {
    let mut stream = in_time(say(socket, request)).await?;
    let mut list: Option<(String, Vec<Value>)> = None;
    loop {
        match in_time(next_line(&mut stream)).await? {
            Reply::Part { of, items } => list.get_or_insert((of, Vec::new())).1.extend(items),
            Reply::Ok(mut document) => {
                if let Some((name, items)) = list {
                    document[name] = items.into();
                }
                return Ok(document);
            }
            Reply::Error(why) => return Err(Unreachable::Refused(why)),
        }
    }
}

async fn in_time<T>(work: impl Future<Output = Result<T, Unreachable>>) -> Result<T, Unreachable> {
    timeout(SILENCE, work).await.map_err(|_| Unreachable::Silent(SILENCE))?
}

async fn say(socket: &Path, request: &Request) -> Result<BufReader<UnixStream>, Unreachable> {
    let mut stream = UnixStream::connect(socket).await.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            Unreachable::NotRunning(socket.display().to_string())
        }
        _ => Unreachable::Broken(format!("`{}`: {error}", socket.display())),
    })?;
    let request = serde_json::to_vec(request).map_err(broken)?;
    stream.write_all(&request).await.map_err(broken)?;
    stream.shutdown().await.map_err(broken)?;
    Ok(BufReader::new(stream))
}

async fn next_line(stream: &mut BufReader<UnixStream>) -> Result<Reply, Unreachable> {
    let mut line = Vec::new();
    stream.take(LONGEST).read_until(b'\n', &mut line).await.map_err(broken)?;
    serde_json::from_slice(&line).map_err(broken)
}

fn broken(error: impl ToString) -> Unreachable {
    Unreachable::Broken(error.to_string())
}
