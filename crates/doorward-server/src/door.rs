//! The door of one node: its gates, its live sockets, and what both need.

use std::{future::ready, net::SocketAddr, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use doorward_auth::{
    BoxFuture,
    ports::{Audit, Carts, Clock, Rng, Session},
};
use doorward_backends::{hub::Hub, upstream::SigningKey};
use doorward_session::{Follower, Sockets};
use doorward_types::{CookieNames, GateName, OwnerId};
use doorward_web::{Journal, PeerInfo, Site, UnknownVisitor, manage::Api};
use http::{
    HeaderValue, Method, Request, Response,
    header::{ACCEPT, UPGRADE},
};
use tokio::{net::TcpListener, sync::watch};

use crate::{
    edge::{Body, Came, Caps, Pass, Proxies, host, respond},
    gates::{Backing, Gates},
    metrics::Metrics,
    store_file::StoreFile,
    transports::{
        ninep,
        socketio::{self, Sessions},
    },
};

/// Everything that answers an upgrade request: the server's accept loop hands requests to it, and so may an application that
/// has a loop of its own.
pub struct Door {
    pub(crate) gates: Arc<ArcSwap<Gates>>,
    pub(crate) sockets: Arc<Sockets>,
    pub(crate) caps: Arc<Caps>,
    pub(crate) proxies: Proxies,
    pub(crate) cookies: CookieNames,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) audit: Arc<dyn Audit>,
    /// Writes into it what is no decision.
    pub(crate) journal: Journal,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) jwks: String,
    pub(crate) follower: Arc<Follower>,
    pub(crate) site: Option<Arc<Site>>,
    pub(crate) api: Option<Arc<Api>>,
    pub(crate) store: Option<StoreFile>,
    carts: Arc<dyn Carts>,
    pub(crate) draining: watch::Sender<bool>,
    /// The sessions of Socket.IO that have begun with long-polling.
    pub(crate) sessions: Arc<Sessions>,
}

/// What a [`Door`] is made of.
pub struct Parts {
    /// The gates, in a place where others see them change too.
    pub gates: Arc<ArcSwap<Gates>>,
    /// The registry of live sockets.
    pub sockets: Arc<Sockets>,
    /// How many connections there may be.
    pub caps: Arc<Caps>,
    /// Whose word is taken for where a connection comes from.
    pub proxies: Proxies,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Random numbers, for trace ids.
    pub rng: Arc<dyn Rng>,
    /// Where decisions are written down.
    pub audit: Arc<dyn Audit>,
    /// Where things are counted; the registry has to be [observed](Sockets::observed) by a [`Witness`](crate::Witness) that has it.
    pub metrics: Arc<Metrics>,
    /// The key that signs what upstreams are told; its public half is served.
    pub key: Arc<SigningKey>,
    /// Follows the revocation log for the registry, and is how something is ended. Whoever has the door also runs it.
    pub follower: Arc<Follower>,
    /// The names of the cookies by which a browser shows who it is.
    pub cookies: CookieNames,
    /// The built-in site.
    pub site: Option<Arc<Site>>,
    /// The HTTP API.
    pub api: Option<Arc<Api>>,
    /// The file that all of it is kept in, where it is one.
    pub store: Option<StoreFile>,
    /// What users have put into their carts.
    pub carts: Arc<dyn Carts>,
}

impl Door {
    /// Puts the parts together. Whoever has it also runs [`Sockets::run`].
    pub fn new(parts: Parts) -> Arc<Self> {
        let Parts {
            gates,
            sockets,
            caps,
            proxies,
            clock,
            rng,
            audit,
            metrics,
            key,
            follower,
            cookies,
            site,
            api,
            store,
            carts,
        } = parts;
        let jwks = key.jwks();
        let journal = Journal::new(Arc::clone(&audit), Arc::clone(&clock), Arc::clone(&rng));
        let (draining, _) = watch::channel(false);
        Arc::new(Self {
            gates,
            sockets,
            caps,
            proxies,
            cookies,
            clock,
            rng,
            audit,
            journal,
            metrics,
            jwks,
            follower,
            site,
            api,
            store,
            carts,
            draining,
            sessions: Arc::default(),
        })
    }

    /// Answers one HTTP request that `peer` sent: a 101 and a socket, or a refusal.
    ///
    /// `pass` is the connection's place among those who climb; without one (a request from an application's own accept loop)
    /// a place is taken here.
    pub async fn answer<B: Send + 'static>(
        self: &Arc<Self>,
        request: Request<B>,
        peer: SocketAddr,
        pass: Option<Pass>,
    ) -> Response<Body> {
        crate::answer::answer(self, request, peer, pass).await
    }

    /// Serves 9P over TCP to the file tools that connect to `listener`: the gates with a file tree behind them, their ladder in the
    /// authentication file. It goes on until it is dropped.
    pub async fn serve_ninep(self: &Arc<Self>, listener: TcpListener) {
        ninep::serve(listener, Arc::clone(self)).await;
    }

    /// The hub behind a gate, for an application that publishes or emits there; `None` where there is no such gate, or no hub behind
    /// it.
    pub fn hub(&self, owner: &OwnerId, gate: &GateName) -> Option<Arc<Hub>> {
        match &self.gates.load().named(owner, gate)?.backing {
            Backing::Hub(hub) | Backing::Ninep(_, hub) => Some(Arc::clone(hub)),
            Backing::Upstream(_) | Backing::Echo(_) => None,
        }
    }

    /// What users have put into their carts at the gates with a file tree, for an application that takes orders.
    pub fn carts(&self) -> &Arc<dyn Carts> {
        &self.carts
    }

    /// Counts of connections.
    pub fn caps(&self) -> &Arc<Caps> {
        &self.caps
    }

    /// Whose word is taken for where a connection comes from.
    pub fn proxies(&self) -> &Proxies {
        &self.proxies
    }

    /// The live sockets.
    pub fn sockets(&self) -> &Arc<Sockets> {
        &self.sockets
    }

    /// Follows the revocation log for them, and is how something is ended.
    pub fn follower(&self) -> &Arc<Follower> {
        &self.follower
    }

    /// Answers a request that is for the built-in site, a page or a form; `None` where there is no site, or the request is for
    /// something else: then it is [`answer`](Self::answer)'s.
    ///
    /// `over_tls` says whether the user's connection is TLS as far as this server knows; what a trusted proxy says counts first.
    pub async fn visit<B>(
        &self,
        request: Request<B>,
        peer: SocketAddr,
        over_tls: bool,
    ) -> Result<Response<Body>, Request<B>>
    where
        B: http_body::Body<Data = bytes::Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let Some(site) = self.site.as_ref().filter(|site| is_for(site, &request)) else { return Err(request) };
        let host = match host(&request) {
            Ok(host) => host,
            Err(why) => {
                self.metrics.turned_away(why);
                return Ok(respond::malformed(why));
            }
        };
        let Came { source, tls, .. } = Came::of(&self.proxies, request.headers(), peer.ip(), over_tls);
        let peer = PeerInfo { source, secure: tls, host };
        Ok(site.answer(request, peer).await)
    }

    /// The login by whose cookie a request comes, for pages that an application serves beside the built-in site; `None` where there
    /// is none, or no site. It counts as used. `over_tls` as in [`visit`](Self::visit).
    ///
    /// # Errors
    /// [`Foreign`](UnknownVisitor::Foreign) where the request is no `GET` or `HEAD` and another website may have sent it, which
    /// includes one without a proper `Host`; [`Down`](UnknownVisitor::Down) where the store does not answer.
    pub fn login_of<B>(
        &self,
        request: &Request<B>,
        peer: SocketAddr,
        over_tls: bool,
    ) -> BoxFuture<'_, Result<Option<Session>, UnknownVisitor>> {
        let host = match host(request) {
            Ok(host) => host,
            Err(why) => return Box::pin(ready(Err(UnknownVisitor::Foreign(why.to_string())))),
        };
        let Some(site) = &self.site else { return Box::pin(ready(Ok(None))) };
        let Came { source, tls, .. } = Came::of(&self.proxies, request.headers(), peer.ip(), over_tls);
        site.login_of(request, PeerInfo { source, secure: tls, host })
    }

    /// Answers a request of long-polling, of a client of Socket.IO. Gives the request back where it is for something else: then
    /// it is [`answer`](Self::answer)'s. `pass` is taken where the connection goes on in a session.
    pub async fn exchange<B>(
        self: &Arc<Self>,
        request: Request<B>,
        peer: SocketAddr,
        over_tls: bool,
        pass: &mut Option<Pass>,
    ) -> Result<Response<Body>, Request<B>>
    where
        B: http_body::Body<Data = bytes::Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        socketio::exchange(self, request, peer, over_tls, pass).await
    }

    /// Answers a request that is neither for the site nor an upgrade: where there is a site, somebody's browser is told so by a page
    /// of it. No gate is looked for, so that the answer is the same whether the path is one's or not.
    pub(crate) fn nothing_here<'a, B>(
        &'a self,
        request: &Request<B>,
        peer: SocketAddr,
        over_tls: bool,
    ) -> BoxFuture<'a, Response<Body>> {
        let (Some(site), Ok(host)) = (self.site.as_ref().filter(|_| wants_page(request)), host(request)) else {
            return Box::pin(ready(respond::not_found()));
        };
        let Came { source, tls, .. } = Came::of(&self.proxies, request.headers(), peer.ip(), over_tls);
        let mut bare = Request::new(Body::default());
        *bare.method_mut() = request.method().clone();
        *bare.uri_mut() = request.uri().clone();
        *bare.headers_mut() = request.headers().clone();
        Box::pin(site.answer(bare, PeerInfo { source, secure: tls, host }))
    }

    /// What it counts.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Whether it lets nobody in any more.
    pub fn is_draining(&self) -> bool {
        *self.draining.borrow()
    }

    /// Closes every climb and every socket with 1012, the sockets spread over the time with jitter. From here on new requests
    /// are answered with 503.
    pub async fn drain(&self, over: Duration) {
        self.draining.send_replace(true);
        self.sockets.drain(over).await;
        // The climbs have been told; each says its Close and writes its row before it gives its place back.
        self.caps.none_climbs().await;
    }
}

/// Whether a request is for the site: an upgrade never is.
fn is_for<B>(site: &Site, request: &Request<B>) -> bool {
    !request.headers().contains_key(UPGRADE) && site.takes(request.method(), request.uri().path())
}

/// Whether somebody looks for a page, and not a program for something else.
fn wants_page<B>(request: &Request<B>) -> bool {
    let takes_html = |accept: &HeaderValue| accept.to_str().is_ok_and(|accept| accept.contains("text/html"));
    matches!(*request.method(), Method::GET | Method::HEAD) && request.headers().get(ACCEPT).is_some_and(takes_html)
}
