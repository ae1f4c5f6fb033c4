//! What an application asks of the site for pages of its own, which it serves beside it under the same host: who sends a request.

use bytes::Bytes;
use doorward_auth::{
    BoxFuture,
    ports::{PortError, Session},
};
use http::{Method, Request};

use crate::{PeerInfo, Site, visit::Visit};

/// Why it cannot be said who sends a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownVisitor {
    /// It may change something, and another website may have sent it: answer 403. Says why, for a person.
    #[error("{0}")]
    Foreign(String),
    /// The store does not answer: answer 503.
    #[error(transparent)]
    Down(#[from] PortError),
}

impl Site {
    /// The login by whose cookie a request comes; `None` where there is none, or none any more. It counts as used by the request, as
    /// it does by those for pages of the site.
    ///
    /// # Errors
    /// The request is no `GET` or `HEAD` and was not sent by a page of this site, as far as the browser says; or the store is down.
    pub fn login_of<B>(
        &self,
        request: &Request<B>,
        peer: PeerInfo,
    ) -> BoxFuture<'_, Result<Option<Session>, UnknownVisitor>> {
        // Of the request only its head goes into the future: bodies are seldom to be shared between threads.
        let mut bare = Request::new(());
        *bare.method_mut() = request.method().clone();
        *bare.uri_mut() = request.uri().clone();
        *bare.headers_mut() = request.headers().clone();
        let (parts, ()) = bare.into_parts();
        Box::pin(async move {
            if !matches!(parts.method, Method::GET | Method::HEAD) {
                let checked = self.check_origin(&parts.headers, &peer);
                checked.map_err(|foreign| UnknownVisitor::Foreign(foreign.to_string()))?;
            }
            Ok(Visit::of(self.desk(), &parts, peer, Bytes::new()).await?.session)
        })
    }
}
