use std::{io, path::Path, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixStream, unix::OwnedWriteHalf},
    time::timeout,
};

use super::{ITEMS, Reply, Request, Unbound, bind::bind};
use crate::{
    door::Door,
    operate::{Answer, List},
};

/// The longest request, in bytes.
const LONGEST_REQUEST: u64 = 64 * 1024;

/// How long the command line has to say what it wants, and to take each line of the answer.
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
    timeout(LIMIT, read.take(LONGEST_REQUEST).read_to_end(&mut request)).await??;
    let answer = match serde_json::from_slice::<Request>(&request) {
        Ok(request) => door.operate(request).await,
        Err(error) => Err(format!("cannot read the request: {error}")),
    };
    let last = match answer.map(Answer::parts) {
        Ok((document, list)) => {
            if let Some(list) = list {
                say_all(&mut write, list).await?;
            }
            Reply::Ok(document)
        }
        Err(why) => Reply::Error(why),
    };
    say(&mut write, &last).await?;
    write.shutdown().await
}

/// One line after the other: however long the list is, no more than a line of it is held, and others have their turn.
async fn say_all(write: &mut OwnedWriteHalf, List { name, mut items }: List) -> io::Result<()> {
    loop {
        let items: Vec<_> = items.by_ref().take(ITEMS).collect();
        if items.is_empty() {
            return Ok(());
        }
        say(write, &Reply::Part { of: name.to_owned(), items }).await?;
    }
}

async fn say(write: &mut OwnedWriteHalf, reply: &Reply) -> io::Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    timeout(LIMIT, write.write_all(&line)).await?
}
