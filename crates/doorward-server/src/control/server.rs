use std::{io, path::Path, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

use super::{Reply, Request, Unbound, bind::bind};
use crate::door::Door;

/// How long the command line has to say what it wants.
const LIMIT: Duration = Duration::from_secs(5);

/// Answers the command line until it is dropped.
///
/// # Errors
/// There is no place for the socket: somebody answers there already, or what stands there is none.
pub fn serve(path: &Path, door: Arc<Door>) -> Result<impl Future<Output = ()> + use<>, Unbound> {
    let listener = bind(path)?;
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
