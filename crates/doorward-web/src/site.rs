use std::{sync::Arc, time::Duration};

use askama::Template;
use axum::{Router, body::Body as AxumBody, response::Response as AxumResponse};
use bytes::Bytes;
use http::{
    HeaderMap, Method, Request, Response, StatusCode,
    header::{CONTENT_TYPE, SET_COOKIE},
    request::Parts,
};
use http_body::Body;
use http_body_util::{BodyExt, Full, Limited};
use tower_service::Service;

use crate::{
    PeerInfo, api,
    api::ApiError,
    assets, console,
    desk::{Desk, SiteParts},
    page::{self, Frame},
    pages, same_origin,
    sorry::Sorry,
    visit::Visit,
};

/// No form here is longer, in bytes.
const LONGEST_BODY: usize = 64 * 1024;
/// A form that is under way for longer does not come.
const BODY_WITHIN: Duration = Duration::from_secs(10);
/// A page takes no longer: the store answers in milliseconds, and a password waits for a few others at most.
const PAGE_WITHIN: Duration = Duration::from_secs(15);

/// The built-in site. One serves all requests of a server.
///
/// What is beside the pages of the site (gates, `/ready`) is not its affair: [`takes`](Self::takes) says what is.
pub struct Site {
    desk: Arc<Desk>,
    router: Router,
}

/// What went wrong, on a page of its own.
#[derive(Template)]
#[template(path = "sorry.html")]
struct SorryPage {
    frame: Frame,
    heading: &'static str,
    sentence: String,
}

impl Site {
    /// A site of those parts.
    pub fn new(parts: SiteParts) -> Self {
        let desk = Arc::new(Desk::new(parts));
        Self { router: routes().with_state(Arc::clone(&desk)), desk }
    }

    /// Whether a request of that method and path, which is no upgrade, is for the site.
    pub fn takes(&self, method: &Method, path: &str) -> bool {
        takes(method, path)
    }

    /// Answers a request. It takes no longer than half a minute, whatever the peer and the store do.
    pub async fn answer<B>(&self, request: Request<B>, peer: PeerInfo) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let is_secure = peer.secure;
        let (parts, body) = request.into_parts();
        let attended = async {
            let body = self.admit(&parts, &peer, body).await?;
            self.attend(&parts, &peer, body).await
        };
        let mut response = match attended.await {
            Ok(response) => response,
            Err(sorry) => self.apologize(&parts, &peer, sorry, None),
        };
        page::dress(&mut response, is_secure);
        let (parts, body) = response.into_parts();
        // All bodies here are whole already.
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        Response::from_parts(parts, Full::new(body))
    }

    /// Lets a request in, and takes its body: from the site itself, and not too long.
    async fn admit<B>(&self, parts: &Parts, peer: &PeerInfo, body: B) -> Result<Bytes, Sorry>
    where
        B: Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if matches!(parts.method, Method::GET | Method::HEAD) {
            return Ok(Bytes::new());
        }
        self.check_origin(&parts.headers, peer).map_err(|foreign| Sorry::Foreign(foreign.to_string()))?;
        if body.size_hint().lower() > LONGEST_BODY as u64 {
            return Err(Sorry::TooLarge);
        }
        let whole = tokio::time::timeout(BODY_WITHIN, Limited::new(body, LONGEST_BODY).collect());
        match whole.await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(Sorry::TooLarge),
            Ok(Err(_)) => Err(Sorry::Malformed("the form broke off".into())),
            Err(_) => Err(Sorry::TooSlow),
        }
    }

    /// Lets a request pass that a page of the site has sent, or a program without cookies.
    pub(crate) fn check_origin(&self, headers: &HeaderMap, peer: &PeerInfo) -> Result<(), same_origin::Foreign> {
        let own = peer.origin();
        same_origin::check(headers, &[&own, self.desk.public_origin().unwrap_or(&own)])
    }

    pub(crate) fn desk(&self) -> &Desk {
        &self.desk
    }

    async fn attend(&self, parts: &Parts, peer: &PeerInfo, body: Bytes) -> Result<AxumResponse, Sorry> {
        let attended = async {
            let visit = match assets::is_file(parts.uri.path()) {
                true => None,
                false => Some(Visit::of(&self.desk, parts, peer.clone(), body).await?),
            };
            let mut request = Request::new(AxumBody::empty());
            *request.method_mut() = parts.method.clone();
            *request.uri_mut() = parts.uri.clone();
            if let Some(visit) = visit.clone() {
                request.extensions_mut().insert(visit);
            }
            let Ok(mut response) = self.router.clone().call(request).await;
            Ok(match response.extensions_mut().remove::<Sorry>() {
                Some(Sorry::LogInFirst(_)) if visit.as_ref().is_some_and(Visit::wants_part) => {
                    page::leave_for("/login")
                }
                Some(sorry) if sorry.status().is_redirection() && !api::is_api(parts.uri.path()) => response,
                Some(sorry) => self.with_words(&response, parts, peer, sorry, visit.as_ref()),
                None => response,
            })
        };
        tokio::time::timeout(PAGE_WITHIN, attended).await.unwrap_or_else(|_| {
            tracing::error!("a page took too long");
            Err(Sorry::Down)
        })
    }

    /// Says why there is no page, and keeps the cookies of the response that has none: a login may have begun before it failed.
    fn with_words(
        &self,
        bare: &AxumResponse,
        parts: &Parts,
        peer: &PeerInfo,
        sorry: Sorry,
        visit: Option<&Visit>,
    ) -> AxumResponse {
        let mut response = self.apologize(parts, peer, sorry, visit);
        for cookie in bare.headers().get_all(SET_COOKIE) {
            response.headers_mut().append(SET_COOKIE, cookie.clone());
        }
        response
    }

    fn apologize(&self, parts: &Parts, peer: &PeerInfo, sorry: Sorry, visit: Option<&Visit>) -> AxumResponse {
        let (heading, sentence) = sorry.words();
        let status = sorry.status();
        let mut response = if api::is_api(parts.uri.path()) {
            ApiError { error: sorry.code(), error_description: &sentence }.with(status)
        } else {
            let frame = match visit {
                Some(visit) => Frame::of(&self.desk, visit),
                None => Frame::of_stranger(&self.desk, peer),
            };
            page::page(status, &SorryPage { frame, heading, sentence }).unwrap_or_else(|_| plain(status))
        };
        if let Some(after) = sorry.retry_after() {
            response = page::retry_after(response, after);
        }
        response
    }
}

/// The last resort.
fn plain(status: StatusCode) -> AxumResponse {
    let mut response = AxumResponse::new(AxumBody::from("out of order\n"));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site").field("config", &self.desk.parts.config).finish_non_exhaustive()
    }
}

fn routes() -> Router<Arc<Desk>> {
    Router::new().merge(assets::routes()).merge(pages::routes()).merge(console::routes()).merge(api::routes())
}

fn takes(method: &Method, path: &str) -> bool {
    const PAGES: [&str; 13] = [
        "/",
        "/login",
        "/login/code",
        "/logout",
        "/register",
        "/reset",
        "/account",
        "/console",
        "/api/token",
        "/api/key",
        "/try",
        "/doorward.js",
        "/ninep.js",
    ];
    const BELOW: [&str; 3] = ["/account/", "/console/", "/assets/"];
    let is_page = PAGES.contains(&path) || BELOW.iter().any(|folder| path.starts_with(folder));
    match *method {
        Method::GET | Method::HEAD => is_page && !path.starts_with("/api/"),
        Method::POST => is_page || api::is_ticket(path),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_route_is_the_sites() {
        // A router names its paths where it is printed, and nowhere else.
        let printed = format!("{:?}", routes());
        let is_path = |text: &&str| text.starts_with('/') && !text.contains("axum_fallback");
        let paths: BTreeSet<_> = printed.split('"').filter(is_path).collect();
        for known in ["/", "/account/totp/codes", "/api/key", "/console/accounts/{owner}/{id}/end", "/doorward.js"] {
            assert!(paths.contains(known), "{known}: {paths:?}");
        }
        for path in paths {
            assert!(takes(&Method::GET, path) || takes(&Method::POST, path), "{path}");
        }
    }
}
