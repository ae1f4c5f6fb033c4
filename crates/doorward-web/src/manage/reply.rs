use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use http_body_util::Full;
use serde_json::Value;

use super::problem;

/// What the API can do, for programs (OpenAPI 3.1).
pub(super) const DESCRIPTION: &str = include_str!("openapi.json");

/// What was asked for.
pub(super) struct Reply {
    status: StatusCode,
    content_type: &'static str,
    body: Bytes,
}

impl Reply {
    /// A document.
    pub(super) fn of(document: &Value) -> Self {
        Self::json(StatusCode::OK, document.to_string())
    }

    /// Something was made: its document.
    pub(super) fn made(document: &Value) -> Self {
        Self::json(StatusCode::CREATED, document.to_string())
    }

    /// It is done, and there is nothing to say.
    pub(super) fn done() -> Self {
        Self { status: StatusCode::NO_CONTENT, content_type: "", body: Bytes::new() }
    }

    pub(super) fn description() -> Self {
        Self::json(StatusCode::OK, DESCRIPTION)
    }

    pub(super) fn problems() -> Self {
        Self { status: StatusCode::OK, content_type: "text/markdown; charset=utf-8", body: problem::page().into() }
    }

    fn json(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self { status, content_type: "application/json", body: body.into() }
    }

    pub(super) fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::from(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if !self.content_type.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        }
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}
