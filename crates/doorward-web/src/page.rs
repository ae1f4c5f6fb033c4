use std::time::Duration;

use askama::Template;
use axum::response::{IntoResponse, Response};
use doorward_auth::ports::Role;
use doorward_types::Secret;
use http::{
    HeaderName, HeaderValue, StatusCode,
    header::{CONTENT_TYPE, LOCATION, RETRY_AFTER, SET_COOKIE},
};

use crate::{PeerInfo, assets::Assets, cookies::Cookie, desk::Desk, sorry::Sorry, visit::Visit};

/// What is around every page: name, files, and who is logged in.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) site: String,
    pub(crate) assets: Assets,
    /// The name of who is logged in.
    pub(crate) user: Option<String>,
    /// Whether they may see the console.
    pub(crate) console: bool,
    /// Whether the browser will keep no cookie of this page, so that nobody can log in.
    pub(crate) is_plain: bool,
}

impl Frame {
    pub(crate) fn of(desk: &Desk, visit: &Visit) -> Self {
        Self {
            user: visit.session.as_ref().map(|session| session.username.clone()),
            console: visit.session.as_ref().is_some_and(|session| session.role >= Role::Owner),
            ..Self::of_stranger(desk, &visit.peer)
        }
    }

    /// For somebody of whom nothing is known.
    pub(crate) fn of_stranger(desk: &Desk, peer: &PeerInfo) -> Self {
        Self {
            site: desk.parts.config.name.clone(),
            assets: desk.assets.clone(),
            user: None,
            console: false,
            is_plain: !peer.keeps_secure_cookies(),
        }
    }
}

/// A page with that status.
pub(crate) fn page(status: StatusCode, template: &impl Template) -> Result<Response, Sorry> {
    match template.render() {
        Ok(html) => {
            let kind = (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
            Ok((status, [kind], html).into_response())
        }
        Err(error) => {
            tracing::error!(%error, "a page could not be written");
            Err(Sorry::Down)
        }
    }
}

/// Sends the browser to another page, which it fetches anew: what was sent is not sent again by a reload.
pub(crate) fn go(to: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    // Where to go is a path of this site, so that it is always a header's value.
    let to = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(LOCATION, to);
    response
}

/// Sends a page elsewhere of which only a part was asked for: a redirection would put the other page into this one.
pub(crate) fn leave_for(to: &'static str) -> Response {
    (StatusCode::UNAUTHORIZED, [(HeaderName::from_static("hx-redirect"), HeaderValue::from_static(to))]).into_response()
}

/// Says after how long somebody may come again: in whole seconds, rounded up.
pub(crate) fn retry_after(mut response: Response, wait: Duration) -> Response {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// Sets and clears cookies on the way out.
pub(crate) fn with_cookies(mut response: Response, desk: &Desk, cookies: &[(Cookie, Option<&Secret>)]) -> Response {
    for (cookie, value) in cookies {
        let header = match value {
            Some(value) => desk.cookies.set(*cookie, value),
            None => desk.cookies.clear(*cookie),
        };
        if let Some(header) = header {
            response.headers_mut().append(SET_COOKIE, header);
        }
    }
    response
}

/// What every answer says to the browser (OWASP, HTTP Headers): nothing of another site is loaded, nothing is in the page itself
/// that runs, nobody frames it, nothing is guessed, nobody is told where the user came from, and nothing is kept.
pub(crate) fn dress(response: &mut Response, is_secure: bool) {
    const POLICY: &str =
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
    let headers = response.headers_mut();
    let lines: [(&'static str, &'static str); 5] = [
        ("content-security-policy", POLICY),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cache-control", "no-store"),
    ];
    for (name, value) in lines {
        headers.entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
    }
    if is_secure {
        headers.insert("strict-transport-security", HeaderValue::from_static("max-age=31536000"));
    }
}
