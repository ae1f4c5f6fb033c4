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
use hyper::{body::Incoming, server::conn::http1, service::service_fn, upgrade::OnUpgrade};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    sync::watch,
    time::{Instant, timeout, timeout_at},
};

use super::{
    Counted, Full, Held, Pass,
    tls::{NoTls, OverTls, Tls},
};
use crate::{door::Door, transports::socketio::Answering};

/// How long the accept loop rests when the system has no more file descriptors: it sleeps, it does not spin.
const REST: Duration = Duration::from_millis(50);

/// How long the last word of a refused connection may take to be accepted.
const LEAVE: Duration = Duration::from_secs(1);

/// How much of a request's head is kept while it arrives, and the time it may take.
#[derive(Clone, Copy, Debug)]
pub struct HeadLimits {
    /// From the beginning of the connection to the end of the head, a TLS handshake included.
    pub within: Duration,
    /// Bytes of the head; hyper's smallest buffer is 8 KiB.
    pub bytes: usize,
    /// Header lines.
    pub headers: usize,
}

/// HTTP/1.1 as the public port speaks it, over TLS or without: one request a connection, its head within limits.
#[derive(Clone)]
pub struct Http {
    builder: http1::Builder,
    /// For the head of the request, and for the TLS handshake before it.
    within: Duration,
    tls: Option<Arc<Tls>>,
}

impl Http {
    /// With these limits.
    pub fn new(limits: HeadLimits) -> Self {
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).max_buf_size(limits.bytes.max(8 * 1024)).max_headers(limits.headers);
        Self { builder, within: limits.within, tls: None }
    }

    /// Within TLS alone.
    #[must_use]
    pub fn over(mut self, tls: Option<Arc<Tls>>) -> Self {
        self.tls = tls;
        self
    }

    /// Serves one connection, whatever stream it is. `pass` is its place among those who climb.
    pub async fn connection<S>(self, stream: S, peer: SocketAddr, mut pass: Pass, door: Arc<Door>)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        // Behind a proxy that is trusted the source is known only from the head.
        if !door.proxies().trust(peer.ip()) {
            let counted = pass.of_source(peer.ip()).or_else(|full| match full {
                // A request of a socket that there is needs no room for another; whether it is one shows in its head.
                Full::SourceSockets if door.sessions.is_known(peer.ip()) => pass.climbs_from(peer.ip()),
                full => Err(full),
            });
            if let Err(full) = counted {
                door.metrics().turned_away(full);
                tracing::debug!(%full, source = %peer.ip(), "dropped at the door");
                return;
            }
        }
        let until = Instant::now() + self.within;
        let Some(tls) = self.tls.clone() else {
            return self.requests(stream, None, until, peer, pass, door).await;
        };
        // In a box: most connections have no TLS, or have it behind them.
        let accepted = Box::pin(timeout_at(until, tls.accept(stream))).await;
        match accepted.map_err(|_| NoTls::Handshake(io::ErrorKind::TimedOut.into())).flatten() {
            Ok(stream) => self.requests(stream, Some(OverTls), until, peer, pass, door).await,
            Err(error) => tracing::debug!(%error, source = %peer.ip(), "no TLS"),
        }
    }

    /// Serves what is within, whose head has come by then.
    async fn requests<S>(
        mut self,
        stream: S,
        over_tls: Option<OverTls>,
        until: Instant,
        peer: SocketAddr,
        pass: Pass,
        door: Arc<Door>,
    ) where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        self.builder.header_read_timeout(until.saturating_duration_since(Instant::now()));
        let pass = Mutex::new(Some(pass));
        let (stream, length_twice) = Counted::new(stream);
        let carried = Carried::default();
        let service = service_fn(|mut request: Request<Incoming>| {
            // The line that hyper has left out is put back, so that the request is judged as it came.
            if length_twice.is_so()
                && let Some(length) = request.headers().get(CONTENT_LENGTH).cloned()
            {
                request.headers_mut().append(CONTENT_LENGTH, length);
            }
            if let Some(over_tls) = over_tls {
                request.extensions_mut().insert(over_tls);
            }
            let mut pass = pass.lock().unwrap_or_else(PoisonError::into_inner).take();
            let (door, carried) = (Arc::clone(&door), Arc::clone(&carried));
            let refused = over_tls.and_then(|_| request.extensions().get::<OnUpgrade>().cloned());
            async move {
                let response = match door.visit(request, peer, over_tls.is_some()).await {
                    Ok(page) => page,
                    Err(request) => match door.exchange(request, peer, over_tls.is_some(), &mut pass).await {
                        Ok(exchanged) => exchanged,
                        Err(request) => door.answer(request, peer, pass).await,
                    },
                };
                let mut response = once(response);
                if let Some(answering) = response.extensions_mut().remove::<Answering>() {
                    carried.send_replace(Some(answering));
                }
                if let (Some(refused), true) = (refused, response.status() != StatusCode::SWITCHING_PROTOCOLS) {
                    tokio::spawn(leave(refused));
                }
                Ok::<_, Infallible>(response)
            }
        });
        let serving = self.builder.serve_connection(TokioIo::new(Held::new(stream)), service).with_upgrades();
        tokio::select! {
            served = serving => if let Err(error) = served {
                tracing::debug!(%error, source = %peer.ip(), "no proper request");
            },
            // What its peer has not taken by then, it does not get.
            () = is_over(carried.subscribe()) => {
                tracing::debug!(source = %peer.ip(), "dropped with its session");
            }
        }
    }
}

/// The answer of a session that a connection carries, once it does. It is kept as long as the connection goes on.
type Carried = Arc<watch::Sender<Option<Answering>>>;

/// Waits until a connection has carried an answer of a session that is over, and a little longer where that answer may tell of it.
async fn is_over(mut carried: watch::Receiver<Option<Answering>>) {
    let answering = match carried.wait_for(Option::is_some).await {
        Ok(answering) => answering.clone(),
        Err(_) => None,
    };
    let Some(answering) = answering else { return std::future::pending().await };
    if answering.until_over().await {
        tokio::time::sleep(LEAVE).await;
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

/// Ends TLS after the answer to an upgrade that was refused: hyper drops such a connection, and one within TLS that just stops
/// could have been cut off by anybody (RFC 8446, section 6.1).
async fn leave(refused: OnUpgrade) {
    if let Ok(upgraded) = refused.await {
        // One that takes nothing any more is dropped.
        let _gone = timeout(LEAVE, TokioIo::new(upgraded).shutdown()).await;
    }
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
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept");
                tokio::time::sleep(REST).await;
            }
        }
    }
}

/// An error that says something of one connection that is gone again, not of the listener.
pub(crate) fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
