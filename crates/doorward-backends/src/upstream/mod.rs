//! An unchanged WebSocket server behind a gate.
//!
//! **What it is:** a client to the server for the length of one upgrade, and then a relay of bytes: no frame is unmasked or held,
//! and nothing passes of one whose header breaks a rule. The server is told who the user is, in headers and in a signed
//! assertion, and never sees what the user proved it with.
//!
//! **What it is not:** a WebSocket proxy that speaks for either side. Extensions are not offered, subprotocols are the two sides'
//! own, and pings pass from end to end.
//!
//! The order of calls for a gate whose ladder is decided at the handshake:
//!
//! ```text
//!  upstream.receive(&visitor)         what of the request may pass on; a bad path is a 404
//!  ... the ladder ... Admission
//!  sockets.register(admission, ..)    over a `LateStream`; an error: nobody is admitted, and the upstream hears of nobody
//!  upstream.dial(&socket, ..)         the upstream's own upgrade; an error is a 503
//!  101 with dialled.protocol()        the upstream's choice, as it is
//!  dialled.relay(socket, line)        until the socket has ended
//! ```
//!
//! And for a gate with conversation layers, whose 101 comes before anybody is admitted:
//!
//! ```text
//!  upstream.receive(&visitor)
//!  101 with upstream.choose(&visit)   of the gate's own `protocols`
//!  ... the ladder ... Admission
//!  sockets.register(admission, ..)
//!  upstream.visited(visit)            a `Backend`: dials, compares, relays
//! ```

mod config;
mod dial;
mod flow;
mod headers;
mod identity;
mod key;
mod leave;
mod private_file;
mod relay;
#[cfg(test)]
mod test;
mod url;

use std::{
    fmt,
    future::{Future as _, poll_fn},
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
};

use doorward_auth::{
    BoxFuture,
    ports::{Clock, Rng},
};
use doorward_session::{Backend, Incoming, Line, Socket};
use doorward_types::CloseReason;
use doorward_wire::websocket::{Frames, Message};
use http::{HeaderMap, HeaderValue};

pub use config::UpstreamConfig;
pub use dial::DialError;
pub use headers::Visitor;
pub use identity::{ASSERTION_HOLDS, ASSERTION_TYPE, TooMuchToTell};
pub use key::{SigningKey, UnusableKey};
pub use private_file::{UnusableFile, kept_or_made};
pub use url::{BadTail, UnusableUrl, UpstreamUrl};

use dial::{Connected, Request};
use identity::Facts;
use relay::{Admitted, KeepAlive, Pair, Side};

/// The name of this backend in configuration and lists.
pub const NAME: &str = "upstream";

/// The server's signature under what it says about users.
#[derive(Clone, Debug)]
pub struct Signer {
    /// The key, the same for all gates.
    pub key: Arc<SigningKey>,
    /// The `iss` of assertions: a name by which upstreams know this server.
    pub issuer: Arc<str>,
}

/// The server behind one gate.
pub struct Upstream {
    config: UpstreamConfig,
    signer: Signer,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
}

/// What of a user's request passes on to the upstream: credentials and whatever only a gate may say are left behind already.
#[derive(Debug)]
pub struct Visit {
    target: String,
    host: Option<HeaderValue>,
    headers: HeaderMap,
    offered: Vec<String>,
}

/// An upstream that has answered and waits for its first frame.
pub struct Dialled {
    connected: Connected,
    max_frame: usize,
    mask: [u8; 4],
}

impl Upstream {
    /// An upstream as it is configured.
    pub fn new(config: UpstreamConfig, signer: Signer, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Self {
        Self { config, signer, clock, rng }
    }

    /// Takes from a request what passes on. It can be done before anybody is admitted: nothing is sent.
    ///
    /// # Errors
    /// [`BadTail`]: the path leads out of the upstream's own. There is nothing for the user: status 404.
    pub fn receive(&self, visitor: &Visitor<'_>) -> Result<Visit, BadTail> {
        Ok(Visit {
            target: self.config.url.target(visitor.tail)?,
            host: headers::host(visitor).cloned(),
            headers: headers::passing(visitor, &self.config.forward_headers),
            offered: headers::offered(visitor),
        })
    }

    /// For a gate with conversation layers: the subprotocol to name in the 101, the first of the gate's `protocols` that the user
    /// offers. `None` where there is none in common; the upstream will be offered none then.
    pub fn choose(&self, visit: &Visit) -> Option<&str> {
        self.config.protocols.iter().find(|protocol| visit.offered.contains(protocol)).map(String::as_str)
    }

    /// For a gate that is decided at the handshake: asks the upstream, for a socket that is registered and whose 101 is yet to
    /// come. The upstream is offered what the user offers, without credentials.
    ///
    /// # Errors
    /// [`DialError`], for the log; its [`reason`](DialError::reason) is for the user.
    pub async fn dial(&self, socket: &Socket, visit: &Visit) -> Result<Dialled, DialError> {
        self.ask(socket, visit, &visit.offered).await
    }

    /// Asks the upstream, and gives up when the socket has ended.
    async fn ask(&self, socket: &Socket, visit: &Visit, offered: &[String]) -> Result<Dialled, DialError> {
        let mut headers = visit.headers.clone();
        if self.config.identity {
            self.introduce(socket, &mut headers)?;
        }
        let request = Request {
            url: &self.config.url,
            target: &visit.target,
            host: visit.host.as_ref(),
            headers: &headers,
            offered,
            nonce: self.rng.bytes16(),
        };
        let mut dial = pin!(dial::dial(&request, self.config.connect_timeout.duration()));
        let connected = poll_fn(|context| match socket.poll_ended(context) {
            Poll::Ready(reason) => Poll::Ready(Err(DialError::Ended(reason))),
            Poll::Pending => dial.as_mut().poll(context),
        });
        let connected = connected.await?;
        let mut mask = [0; 4];
        self.rng.fill(&mut mask);
        Ok(Dialled { connected, max_frame: self.config.max_frame, mask })
    }

    /// For a gate with conversation layers: the backend of one socket. It asks the upstream when it is served, and ends the socket
    /// with `upstream_down`, or with `upstream_mismatch` where the upstream does not take the subprotocol that was
    /// [chosen](Self::choose) for it.
    pub fn visited(self: &Arc<Self>, visit: Visit) -> Arc<dyn Backend> {
        Arc::new(Visited { upstream: Arc::clone(self), visit })
    }

    fn introduce(&self, socket: &Socket, headers: &mut HeaderMap) -> Result<(), TooMuchToTell> {
        let admission = socket.admission();
        let mut amr: Vec<&'static str> = Vec::new();
        for method in admission.evidence().iter().flat_map(|evidence| evidence.amr) {
            if !amr.contains(method) {
                amr.push(method);
            }
        }
        let facts = Facts {
            subject: admission.subject(),
            owner: admission.owner(),
            gate: admission.gate(),
            socket: socket.id(),
            trace: admission.trace(),
            amr,
            claims: admission.claims(),
            variables: admission.variables(),
        };
        identity::tell(&facts, headers)?;
        let Signer { key, issuer } = &self.signer;
        let origin = self.config.url.origin();
        let assertion = identity::assert(&facts, key, issuer, &origin, self.rng.bytes16(), self.clock.now())?;
        // A compact JWS is visible ASCII.
        if let Ok(assertion) = HeaderValue::try_from(assertion) {
            headers.insert("x-doorward-assertion", assertion);
        }
        Ok(())
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Dialled {
    /// The subprotocol that the upstream chose, of those that the user offers: the 101 to the user has the same, or none.
    pub fn protocol(&self) -> Option<&str> {
        self.connected.protocol.as_deref()
    }

    /// Carries bytes between the user and the upstream until the socket has ended. Spawn the future as it is: it is small.
    pub fn relay(self, socket: Arc<Socket>, line: Line) -> impl Future<Output = ()> + Send + 'static {
        let (client, from_client) = line.into_bytes();
        let upstream = Arc::new(self.connected.stream);
        let pair = Pair::new(socket, (client, &from_client), (upstream, &self.connected.read_ahead), self.max_frame);
        pair.run(self.mask)
    }
}

impl fmt::Debug for Dialled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialled").field("protocol", &self.protocol()).finish_non_exhaustive()
    }
}

/// The backend of one socket of a gate with conversation layers.
struct Visited {
    upstream: Arc<Upstream>,
    visit: Visit,
}

impl Visited {
    /// Asks the upstream, which has to take what was given to the user.
    async fn dial(&self, socket: &Socket) -> Result<Dialled, CloseReason> {
        let given: Vec<String> = self.upstream.choose(&self.visit).map(str::to_owned).into_iter().collect();
        let dialled = self.upstream.ask(socket, &self.visit, &given).await.and_then(|dialled| {
            let (given, chosen) = (given.first().cloned(), dialled.connected.protocol.clone());
            if given == chosen { Ok(dialled) } else { Err(DialError::Mismatch { given, chosen }) }
        });
        dialled.map_err(|error| {
            let (admission, url) = (socket.admission(), &self.upstream.config.url);
            let gate = admission.gate();
            if !matches!(error, DialError::Ended(_)) {
                tracing::warn!(socket = %socket.id(), %gate, %url, %error, "the upstream did not take a socket");
            }
            error.reason()
        })
    }
}

impl Backend for Visited {
    fn name(&self) -> &'static str {
        NAME
    }

    fn serve(self: Arc<Self>, socket: Arc<Socket>, line: Line) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            // Boxed, so that what it takes to dial is gone when the relay begins.
            let dialled = Box::pin(self.dial(&socket)).await;
            drop(self);
            match dialled {
                Ok(dialled) => dialled.relay(socket, line).await,
                Err(reason) => {
                    socket.end(reason);
                    line.run(socket, Box::new(Nothing)).await;
                }
            }
        })
    }
}

/// What stands behind a gate whose upstream is not there: the user is told why, and no more.
struct Nothing;

impl Incoming for Nothing {
    fn message(&mut self, _socket: &Arc<Socket>, _message: Message<'_>) -> Result<(), CloseReason> {
        Ok(())
    }

    fn gone(&mut self, _socket: &Arc<Socket>) {}
}

impl Admitted for Arc<Socket> {
    fn poll_ended(&self, context: &mut Context<'_>) -> Poll<CloseReason> {
        Socket::poll_ended(self, context)
    }

    fn heard(&self, frames: Frames) -> Result<(), CloseReason> {
        Admitted::ended(self).map_or_else(|| self.heard_frames(frames.begun, frames.data), Err)
    }

    fn ended(&self) -> Option<CloseReason> {
        Socket::ended(self)
    }

    fn is_suspended(&self) -> bool {
        self.must_wait()
    }

    fn keep_alive(&self) -> Option<KeepAlive> {
        let policy = self.policy();
        policy.ping_every.map(|ping_every| KeepAlive { ping_every, pong_within: policy.pong_within })
    }

    fn end(&self, reason: CloseReason) {
        Socket::end(self, reason);
    }

    fn log(&self, side: Side, what: &dyn fmt::Display) {
        let (socket, admission) = (self.id(), self.admission());
        let gate = admission.gate();
        match side {
            Side::User => tracing::debug!(%socket, %gate, "the user {what}"),
            Side::Upstream => tracing::warn!(%socket, %gate, "the upstream {what}"),
        }
    }

    fn close_accepted(&self) {
        Socket::close_accepted(self);
    }
}
