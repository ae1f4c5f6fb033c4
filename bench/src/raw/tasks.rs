//! The tokio baselines: what a plain task per connection costs, idle and as a relay.

use crate::{
    epoll::announce,
    error::{Error, Result, Trying},
};
use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    time::Duration,
};
use tokio::{
    io::copy_bidirectional_with_sizes,
    net::{TcpListener, TcpStream},
};

/// Size of each of the two buffers of a relayed connection: tokio's own default.
const BUFFER: usize = 8 * 1024;

/// Accepts, greets with one small frame (so that the peer knows it is there) and waits: one task per connection.
pub(super) fn idle(life: Duration) -> Result<()> {
    serve(life, |stream| async move {
        let _ = hold(&stream).await;
    })
}

async fn hold(stream: &TcpStream) -> io::Result<()> {
    stream.try_write(&[0x81, 1, b'S'])?;
    loop {
        stream.readable().await?;
        match stream.try_read(&mut [0; 64]) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

/// Joins each connection to one of its own to `upstream`, byte by byte.
pub(super) fn relay(upstream: Option<SocketAddr>, life: Duration) -> Result<()> {
    let upstream = upstream.ok_or_else(|| Error::Usage("`raw --mode relay` needs `--upstream ADDR`".into()))?;
    serve(life, move |mut near| async move {
        let Ok(mut far) = TcpStream::connect(upstream).await else { return };
        let _ = far.set_nodelay(true);
        let _ = copy_bidirectional_with_sizes(&mut near, &mut far, BUFFER, BUFFER).await;
    })
}

fn serve<F>(life: Duration, task: impl Fn(TcpStream) -> F) -> Result<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .trying("the tokio runtime")?;
    runtime.block_on(async {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.trying("bind")?;
        announce(listener.local_addr().trying("local address")?)?;
        let accepting = async {
            loop {
                if let Ok((stream, _)) = listener.accept().await {
                    let _ = stream.set_nodelay(true);
                    tokio::spawn(task(stream));
                }
            }
        };
        // The end of its life is how a baseline is meant to end.
        let _: std::result::Result<(), _> = tokio::time::timeout(life, accepting).await;
        Ok(())
    })
}
