//! The least of a browser that the transcript needs: it keeps cookies, and says of what it sends which page it comes from.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use bytes::Bytes;
use doorward_client::Options;
use doorward_types::Secret;
use http::{
    HeaderValue, Request, Response, StatusCode,
    header::{CONTENT_TYPE, COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE},
};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::cli::Failure;

/// How long a page may take.
const PAGE: Duration = Duration::from_secs(10);

/// One browser, with its cookies. It follows no link by itself: what an answer leads to is part of the transcript.
pub(super) struct Browser {
    site: SocketAddr,
    cookies: BTreeMap<String, Secret>,
}

/// What came of a request.
pub(super) struct Page {
    pub(super) status: StatusCode,
    /// Where the browser is sent to.
    pub(super) leads_to: Option<String>,
}

impl Browser {
    /// One that has never been at that site.
    pub(super) fn at(site: SocketAddr) -> Self {
        Self { site, cookies: BTreeMap::new() }
    }

    /// Sends a form, as the page of the site with that form does.
    pub(super) async fn submit(&mut self, path: &str, fields: &[(&str, &Secret)]) -> Result<Page, Failure> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        for (name, value) in fields {
            form.append_pair(name, value.reveal_text("its holder types it").unwrap_or_default());
        }
        let request = Request::post(path)
            .header(HOST, self.site.to_string())
            .header(ORIGIN, self.origin())
            .header("sec-fetch-site", "same-origin")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(COOKIE, self.cookie())
            .body(Full::new(Bytes::from(form.finish())))?;
        let answer = tokio::time::timeout(PAGE, send(self.site, request)).await;
        let answer = answer.map_err(|_| Failure::new(format!("{path} was not answered within {PAGE:?}")))??;
        self.keep(&answer);
        let leads_to = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok()).map(str::to_owned);
        Ok(Page { status: answer.status(), leads_to })
    }

    /// What it sends with an upgrade request.
    pub(super) fn opening(&self) -> Options {
        let cookie = Secret::new(self.cookie().as_bytes());
        Options { origin: Some(self.origin()), headers: vec![("Cookie".to_owned(), cookie)], ..Options::default() }
    }

    fn origin(&self) -> String {
        format!("http://{}", self.site)
    }

    fn cookie(&self) -> HeaderValue {
        let pairs = self.cookies.iter().map(|(name, value)| {
            let value = value.reveal_text("it is sent to the site that gave it").unwrap_or_default();
            format!("{name}={value}")
        });
        let mut line =
            HeaderValue::try_from(pairs.collect::<Vec<_>>().join("; ")).unwrap_or(HeaderValue::from_static(""));
        line.set_sensitive(true);
        line
    }

    fn keep(&mut self, answer: &Response<Incoming>) {
        for line in answer.headers().get_all(SET_COOKIE).iter().filter_map(|line| line.to_str().ok()) {
            let mut parts = line.split(';').map(str::trim);
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { continue };
            if parts.any(|attribute| attribute.eq_ignore_ascii_case("max-age=0")) {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), Secret::from_text(value));
            }
        }
    }
}

async fn send(site: SocketAddr, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Failure> {
    let stream = TcpStream::connect(site).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let answer = sender.send_request(request).await;
    connection.abort();
    Ok(answer?)
}
