use bytes::Bytes;
use doorward_types::{CloseReason, Reconnect, TraceId};
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

use super::Malformed;
use crate::metrics;

/// The body of every answer: short, and whole at once.
pub type Body = Full<Bytes>;

/// One answer for a path that nobody has, a gate that is disabled, a wrong method and a request that is no upgrade.
pub(crate) fn not_found() -> Response<Body> {
    plain(StatusCode::NOT_FOUND, "not found\n")
}

/// The answer to a request that is not a proper upgrade.
pub(crate) fn malformed(why: Malformed) -> Response<Body> {
    match why {
        Malformed::NotAnUpgrade => not_found(),
        Malformed::Version => {
            let mut response = plain(StatusCode::UPGRADE_REQUIRED, format!("{why}\n"));
            response.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            response
        }
        _ => plain(StatusCode::BAD_REQUEST, format!("{why}\n")),
    }
}

/// The answer to an upgrade that is refused before the 101.
///
/// The status follows from the close reason, so that both ways of saying it agree: 4401 is 401, 4403 is 403, 1013 is 503.
pub fn refused(reason: CloseReason, trace: TraceId) -> Response<Body> {
    let status = match reason {
        CloseReason::NotAuthenticated | CloseReason::SessionEnded | CloseReason::Expired => StatusCode::UNAUTHORIZED,
        CloseReason::NotAllowed | CloseReason::Declined | CloseReason::Replaced => StatusCode::FORBIDDEN,
        CloseReason::Malformed => StatusCode::BAD_REQUEST,
        CloseReason::TooFast => StatusCode::TOO_MANY_REQUESTS,
        CloseReason::TooSlow => StatusCode::REQUEST_TIMEOUT,
        CloseReason::UpstreamMismatch | CloseReason::UpstreamBroken => StatusCode::BAD_GATEWAY,
        CloseReason::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    let mut response = plain(status, format!("{}\n", reason.sentence()));
    let headers = response.headers_mut();
    if let Ok(trace) = HeaderValue::from_str(&trace.to_string()) {
        headers.insert("doorward-trace", trace);
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if reason.reconnect() != Reconnect::Never {
        headers.insert(header::RETRY_AFTER, later());
    }
    response
}

/// The answer to an upgrade that no gate has looked at, because nobody is let in just now.
pub(crate) fn unavailable(why: &'static str) -> Response<Body> {
    let mut response = plain(StatusCode::SERVICE_UNAVAILABLE, why);
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, later());
    // Also under a server that would keep the connection: who comes again should come to another node.
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Seconds after which somebody may come again.
fn later() -> HeaderValue {
    HeaderValue::from(Reconnect::Later.after().as_secs())
}

/// The 101 that opens the WebSocket (RFC 6455, section 4.2.2).
pub(crate) fn switching(accept: &[u8; 28], protocol: Option<&str>) -> Response<Body> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_bytes(accept) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    if let Some(protocol) = protocol.and_then(|protocol| HeaderValue::from_str(protocol).ok()) {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    response
}

/// A JSON document that anybody may read.
pub(crate) fn json(document: String) -> Response<Body> {
    let mut response = Response::new(Full::from(document));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

/// What Prometheus reads.
pub(crate) fn metrics(text: String) -> Response<Body> {
    let mut response = plain(StatusCode::OK, text);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(metrics::CONTENT_TYPE));
    response
}

pub(crate) fn plain(status: StatusCode, text: impl Into<String>) -> Response<Body> {
    let mut response = Response::new(Full::from(text.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
