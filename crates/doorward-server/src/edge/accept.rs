use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::{
    HeaderValue, Request, Response, StatusCode,
    header::{CONNECTION, CONTENT_LENGTH},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};

use super::{Counted, Held, Pass};
use crate::door::Door;

/// How long the accept loop rests when the system has no more file descriptors: it sleeps, it does not spin.
const REST: Duration = Duration::from_millis(50);

/// How much of a request's head is kept while it arrives, and the time it may take.
#[derive(Clone, Copy, Debug)]
pub struct HeadLimits {
    /// From the first byte of the connection to the end of the head.
    pub within: Duration,
    /// Bytes of the head; hyper's smallest buffer is 8 KiB.
    pub bytes: usize,
    /// Header lines.
    pub headers: usize,
}

/// HTTP/1.1 as the public port speaks it: one request a connection, its head within limits.
#[derive(Clone)]
pub struct Http(http1::Builder);

impl Http {
    /// With these limits.
    pub fn new(limits: HeadLimits) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(limits.within)
            .max_buf_size(limits.bytes.max(8 * 1024))
            .max_headers(limits.headers);
        Self(http)
    }

    /// Serves one connection, whatever stream it is. `pass` is its place among those who climb.
    pub async fn connection<S>(self, stream: S, peer: SocketAddr, mut pass: Pass, door: Arc<Door>)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        // Behind a proxy that is trusted the source is known only from the head.
        if !door.proxies().trust(peer.ip())
            && let Err(full) = pass.of_source(peer.ip())
        {
            door.metrics().turned_away(full);
            tracing::debug!(%full, source = %peer.ip(), "dropped at the door");
            return;
        }
        let pass = Mutex::new(Some(pass));
        let (stream, length_twice) = Counted::new(stream);
        let service = service_fn(|mut request: Request<Incoming>| {
            // The line that hyper has left out is put back, so that the request is judged as it came.
            if length_twice.is_so()
                && let Some(length) = request.headers().get(CONTENT_LENGTH).cloned()
            {
                request.headers_mut().append(CONTENT_LENGTH, length);
            }
            let pass = pass.lock().unwrap_or_else(PoisonError::into_inner).take();
            let door = Arc::clone(&door);
            async move { Ok::<_, Infallible>(once(door.answer(request, peer, pass).await)) }
        });
        if let Err(error) = self.0.serve_connection(TokioIo::new(Held::new(stream)), service).with_upgrades().await {
            tracing::debug!(%error, source = %peer.ip(), "no proper request");
        }
    }
}

/// Says of every answer but a 101 that it is the last. hyper could say so by itself, but would do it in the 101 too, and there
/// are clients that take no other `Connection` there than `upgrade`.
fn once<B>(mut response: Response<B>) -> Response<B> {
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Accepts connections until it is dropped. One that finds no room is dropped before anything is read of it.
pub async fn serve(listener: TcpListener, door: Arc<Door>, http: Http) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => match door.caps().enter() {
                Ok(pass) => {
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!(%error, "gone before its first byte");
                        continue;
                    }
                    tokio::spawn(http.clone().connection(stream, peer, pass, Arc::clone(&door)));
                }
                Err(full) => {
                    door.metrics().turned_away(full);
                    tracing::debug!(%full, "dropped at the door");
                }
            },
            Err(error) => {
                if !is_of_one_connection(&error) {
                    tracing::warn!(%error, "cannot accept");
                    tokio::time::sleep(REST).await;
                }
            }
        }
    }
}

/// An error that says something of one connection that is gone again, not of the listener.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
