//! What programs ask for on the public port: access tokens, tickets, and keys for sockets.

mod key;
mod ticket;
mod token;

use std::sync::Arc;

use axum::{
    Router,
    response::{IntoResponse, Response},
};
use doorward_auth::ports::Session;
use doorward_types::Secret;
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_TYPE, WWW_AUTHENTICATE},
};
use serde::Serialize;

use crate::{bearer, desk::Desk, sorry::Sorry, visit::Visit};

pub(crate) use ticket::is_ticket;

pub(crate) fn routes() -> Router<Arc<Desk>> {
    Router::new().merge(token::routes()).merge(key::routes()).fallback(ticket::make)
}

/// An error as programs read it (RFC 6749, section 5.2).
#[derive(Debug, Serialize)]
pub(crate) struct ApiError<'a> {
    pub(crate) error: &'a str,
    pub(crate) error_description: &'a str,
}

impl ApiError<'_> {
    pub(crate) fn with(&self, status: StatusCode) -> Response {
        let body = serde_json::to_string(self).unwrap_or_default();
        (status, [(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
    }
}

/// The login of who asks: by the access token in the header, where there is one, otherwise by the cookie.
async fn logged_in(desk: &Desk, visit: &Visit) -> Result<Option<Session>, Sorry> {
    match bearer(&visit.headers) {
        Ok(Some(token)) => of_access_token(desk, visit, &token).await,
        Ok(None) => Ok(visit.session.clone()),
        Err(_) => Ok(None),
    }
}

/// The login of an access token, as long as both hold.
async fn of_access_token(desk: &Desk, visit: &Visit, token: &Secret) -> Result<Option<Session>, Sorry> {
    let Some(claims) = desk.parts.signer.verify(token, visit.now) else { return Ok(None) };
    let session = desk.ports().sessions.find_by_id(&claims.owner, claims.sid, visit.now).await?;
    Ok(session.filter(|session| session.account == claims.account && session.owner == visit.owner))
}

/// One answer for no credential, a wrong one and one that has ended.
fn unauthorized(wanted: &str) -> Response {
    let why = format!("log in, or send {wanted} as `Authorization: Bearer`");
    let mut response = ApiError { error: "login_required", error_description: &why }.with(StatusCode::UNAUTHORIZED);
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

/// A document.
fn json(document: &impl Serialize) -> Result<Response, Sorry> {
    match serde_json::to_string(document) {
        Ok(body) => Ok(([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()),
        Err(error) => {
            tracing::error!(%error, "a document could not be written");
            Err(Sorry::Down)
        }
    }
}

/// Whether an address is one of those that programs ask, so that they get JSON whatever happens.
pub(crate) fn is_api(path: &str) -> bool {
    path.starts_with("/api/") || is_ticket(path)
}
