//! The HTTP API: what programs see and end, make, revoke and emit, under `/api/v1/` on the internal port.
//!
//! ```text
//!   program -> api   GET /api/v1/sockets   Authorization: Bearer dwa_...
//!   api              is there such a route?               404, 405
//!   api              whose key is it, and may it do that?  401, 403
//!   api              is what was sent readable?            408, 413, 415, 400
//!   api              do it, for the key's owner alone      404, 409, 503
//!   api -> program   a document
//! ```
//!
//! **What it is:** a table of routes, one file per resource, and what they have in common. It answers whole requests and
//! is wired to a port by whoever has one.
//!
//! **What it is not:** the truth. What ends is written into the revocation log first ([`Node::end`]); the receipt is what the nodes
//! say that came of it. It sees live sockets through [`Node`] alone, as the pages do.
//!
//! A key of an owner sees what is that owner's, and hears of all other things what it hears of things that there are not.

mod accounts;
mod api_keys;
mod app_keys;
mod audit;
mod caller;
mod ending;
mod events;
mod fields;
mod invitations;
mod page;
mod passwords;
mod problem;
mod reply;
mod route;
mod sessions;
mod sockets;
mod tickets;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use doorward_auth::{
    Scope,
    account::Hashing,
    ports::{AppKeys, Audit, Clock, PortError, Rng, SitePorts, Tickets},
};
use http::{Method, Request, Response};
use http_body::Body;
use http_body_util::Full;

use caller::Caller;
use fields::Fields;
use problem::{Kind, Problem};
use reply::Reply;
use route::{Call, Route};

use crate::{Gates, Journal, TokenSigner, live::Node};

pub use audit::decision;

/// How long a request may take, from its head to the answer.
const WITHIN: Duration = Duration::from_secs(30);

/// Every route. The description in `openapi.json` has these and no others.
const ROUTES: &[Route] = &[
    Route::open(Method::GET, "/openapi.json", |_| Box::pin(async { Ok(Reply::description()) })),
    Route::open(Method::GET, "/problems", |_| Box::pin(async { Ok(Reply::problems()) })),
    Route::keyed(Method::GET, "/sockets", Scope::SocketsRead, |call| Box::pin(sockets::list(call))),
    Route::keyed(Method::GET, "/sockets/{socket}", Scope::SocketsRead, |call| Box::pin(sockets::show(call))),
    Route::keyed(Method::DELETE, "/sockets/{socket}", Scope::SocketsEnd, |call| Box::pin(sockets::end(call))),
    Route::by_what_is_sent(Method::POST, "/end", ending::SCOPES, |call| Box::pin(ending::end(call))),
    Route::keyed(Method::POST, "/emit", Scope::EventsEmit, |call| Box::pin(events::emit(call))),
    Route::keyed(Method::POST, "/not-before", Scope::SessionsEnd, |call| Box::pin(ending::not_before(call))),
    Route::keyed(Method::GET, "/sessions", Scope::SessionsRead, |call| Box::pin(sessions::list(call))),
    Route::keyed(Method::GET, "/sessions/{sid}", Scope::SessionsRead, |call| Box::pin(sessions::show(call))),
    Route::keyed(Method::DELETE, "/sessions/{sid}", Scope::SessionsEnd, |call| Box::pin(sessions::end(call))),
    Route::keyed(Method::GET, "/accounts", Scope::AccountsRead, |call| Box::pin(accounts::list(call))),
    Route::keyed(Method::POST, "/accounts", Scope::AccountsWrite, |call| Box::pin(accounts::create(call))),
    Route::keyed(Method::GET, "/accounts/{account}", Scope::AccountsRead, |call| Box::pin(accounts::show(call))),
    Route::keyed(Method::POST, "/accounts/{account}/disable", Scope::AccountsWrite, |call| {
        Box::pin(accounts::disable(call))
    }),
    Route::keyed(Method::POST, "/accounts/{account}/enable", Scope::AccountsWrite, |call| {
        Box::pin(accounts::enable(call))
    }),
    Route::keyed(Method::POST, "/accounts/{account}/end", Scope::SessionsEnd, |call| Box::pin(accounts::end(call))),
    Route::keyed(Method::POST, "/accounts/{account}/not-before", Scope::SessionsEnd, |call| {
        Box::pin(accounts::not_before(call))
    }),
    Route::keyed(Method::POST, "/accounts/{account}/password", Scope::AccountsWrite, |call| {
        Box::pin(passwords::set(call))
    }),
    Route::keyed(Method::POST, "/accounts/{account}/reset", Scope::AccountsWrite, |call| {
        Box::pin(passwords::reset(call))
    }),
    Route::keyed(Method::POST, "/invitations", Scope::AccountsWrite, |call| Box::pin(invitations::create(call))),
    Route::keyed(Method::POST, "/tickets", Scope::TicketsWrite, |call| Box::pin(tickets::create(call))),
    Route::keyed(Method::GET, "/keys", Scope::KeysRead, |call| Box::pin(app_keys::list(call))),
    Route::keyed(Method::POST, "/keys", Scope::KeysWrite, |call| Box::pin(app_keys::create(call))),
    Route::keyed(Method::DELETE, "/keys/{key}", Scope::KeysWrite, |call| Box::pin(app_keys::revoke(call))),
    Route::keyed(Method::GET, "/api-keys", Scope::ApiKeysRead, |call| Box::pin(api_keys::list(call))),
    Route::keyed(Method::POST, "/api-keys", Scope::ApiKeysWrite, |call| Box::pin(api_keys::create(call))),
    Route::keyed(Method::DELETE, "/api-keys/{key}", Scope::ApiKeysWrite, |call| Box::pin(api_keys::revoke(call))),
    Route::keyed(Method::GET, "/audit", Scope::AuditRead, |call| Box::pin(audit::search(call))),
    Route::keyed(Method::GET, "/audit/{trace}", Scope::AuditRead, |call| Box::pin(audit::show(call))),
];

/// What an [`Api`] is made of.
pub struct ApiParts {
    /// What the site keeps.
    pub ports: SitePorts,
    /// One-time tickets.
    pub tickets: Arc<dyn Tickets>,
    /// Public halves of app keys.
    pub app_keys: Arc<dyn AppKeys>,
    /// Decisions.
    pub audit: Arc<dyn Audit>,
    /// What it does is written down there: in the same log.
    pub journal: Journal,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Random numbers for all secrets.
    pub rng: Arc<dyn Rng>,
    /// The live sockets.
    pub node: Arc<dyn Node>,
    /// Of the pages of each owner: where they are, and what a password there may be.
    pub gates: Arc<dyn Gates>,
    /// Hashes passwords.
    pub hashing: Arc<Hashing>,
    /// Knows the site's own access tokens again.
    pub signer: Arc<dyn TokenSigner>,
}

/// The HTTP API.
pub struct Api {
    parts: ApiParts,
}

impl Api {
    /// Puts it together.
    pub fn new(parts: ApiParts) -> Self {
        Self { parts }
    }

    /// Whether a path is the API's.
    pub fn takes(path: &str) -> bool {
        path.starts_with(route::PREFIX)
    }

    /// Answers one request. It takes 30 seconds at the most.
    pub async fn answer<B>(&self, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: Body + Send + Unpin,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let attended = tokio::time::timeout(WITHIN, self.attend(request)).await;
        let late = || Err(Problem::new(Kind::TryLater, "it took too long; what was begun may still be done"));
        match attended.unwrap_or_else(|_| late()) {
            Ok(reply) => reply.into_response(),
            Err(problem) => problem.into_response(),
        }
    }

    async fn attend<B>(&self, request: Request<B>) -> Result<Reply, Problem>
    where
        B: Body + Send + Unpin,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        let (route, parameter) = route::find(&head.method, head.uri.path())?;
        let now = self.parts.clock.now();
        let caller = match route.needs.scopes() {
            [] => Caller::nobody(),
            scopes => Caller::of(self, &head.headers, scopes, now).await?,
        };
        let query = Fields::of_query(head.uri.query().unwrap_or_default())?;
        let body = match head.method {
            Method::POST => Fields::of_body(&head.headers, body).await?,
            _ => Fields::none(),
        };
        (route.handler)(Call { api: self, caller, parameter, query, body, now }).await
    }
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}

impl From<PortError> for Problem {
    fn from(error: PortError) -> Self {
        tracing::error!(%error, "the HTTP API cannot do its work");
        Self::new(Kind::TryLater, "something that this depends on is down")
    }
}

#[cfg(test)]
mod tests;
