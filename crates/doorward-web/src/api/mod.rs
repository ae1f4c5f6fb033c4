//! What programs ask for on the public port: access tokens and tickets.

mod ticket;
mod token;

use std::sync::Arc;

use axum::{
    Router,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
use serde::Serialize;

use crate::{desk::Desk, sorry::Sorry};

pub(crate) use ticket::is_ticket;

pub(crate) fn routes() -> Router<Arc<Desk>> {
    Router::new().merge(token::routes()).fallback(ticket::make)
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
