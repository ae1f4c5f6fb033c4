//! One document, asked for once.
//!
//! ```text
//! gate      -> resolver    the name; of the addresses those are left out that may not be connected to
//! gate      -> publisher   a connection to one of the others, and TLS
//! gate      -> publisher   GET, and nothing that a user has said
//! publisher -> gate        200 with JSON: its length is counted as it comes
//! ```

mod error;
mod target;

use std::{future::Future, io, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use doorward_client::{Issuers, NoTls, over_tls};
use http::{
    HeaderMap, Request, StatusCode,
    header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HOST, USER_AGENT},
};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::JoinSet,
    time::timeout,
};

pub use self::error::FetchError;
use self::target::Target;
use crate::Reach;

#[cfg(test)]
pub(crate) mod tests;

/// The longest document, as it comes: what its head says of its length is nobody's bound.
const LONGEST: usize = 256 * 1024;

/// The longest head, and the most headers in it.
const HEAD: usize = 16 * 1024;
const HEADERS: usize = 64;

/// How long one address may take to accept a connection, so that there is time for the next.
const CONNECT: Duration = Duration::from_secs(3);

/// What is kept to when something is fetched.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The issuers of certificates that are trusted; those that the machine trusts where there are none.
    pub trusted: Option<&'a Issuers>,
    /// Whether private addresses and this machine may be connected to, and without TLS.
    pub allow_private: bool,
    /// How long all of it may take together.
    pub within: Duration,
}

/// What was fetched.
#[derive(Clone, Debug)]
pub struct Document {
    /// The JSON text, which nobody has looked into.
    pub body: Bytes,
    /// For how long its publisher calls it fresh (`Cache-Control`, RFC 9111); `None` where nothing is said.
    pub max_age: Option<Duration>,
}

/// How a name becomes addresses.
type Resolve = Arc<dyn Fn(String, u16) -> Resolving + Send + Sync>;
type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Fetches. Cheap to clone.
#[derive(Clone)]
pub struct Outbound {
    resolve: Resolve,
}

impl Default for Outbound {
    fn default() -> Self {
        Self::new()
    }
}

impl Outbound {
    /// One that asks the machine's resolver.
    pub fn new() -> Self {
        Self {
            resolve: Arc::new(|host, port| {
                Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
            }),
        }
    }

    /// Fetches the JSON document at that address.
    ///
    /// # Errors
    /// There is none within the rules.
    pub async fn get_json(&self, url: &str, rules: Rules<'_>) -> Result<Document, FetchError> {
        let fetched = timeout(rules.within, self.get_at_leisure(url, rules)).await;
        fetched.unwrap_or(Err(FetchError::TooSlow(rules.within)))
    }

    /// There is no time limit in here.
    async fn get_at_leisure(&self, url: &str, rules: Rules<'_>) -> Result<Document, FetchError> {
        let target = Target::read(url, rules.allow_private)?;
        let stream = self.connect(&target, rules.allow_private).await?;
        if !target.tls {
            return ask(stream, &target).await;
        }
        let stream = over_tls(stream, &target.host, rules.trusted).await.map_err(|error| match error {
            NoTls::Tls(error) => FetchError::Tls(error),
            NoTls::Io(error) => FetchError::Unreachable(error),
        })?;
        ask(stream, &target).await
    }

    /// Resolves the name once, and connects to one of the very addresses that were judged.
    async fn connect(&self, target: &Target, allow_private: bool) -> Result<TcpStream, FetchError> {
        let found = (self.resolve)(target.host.clone(), target.port).await.map_err(FetchError::Unresolved)?;
        let mut failure = match found.first() {
            None => FetchError::Unresolved(io::Error::other("it has no address")),
            Some(first) => FetchError::Forbidden(first.ip()),
        };
        for address in found {
            match Reach::of(address.ip()) {
                Reach::Public => {}
                Reach::Private if allow_private => {}
                Reach::Private | Reach::Never => continue,
            }
            let connected = timeout(CONNECT, TcpStream::connect(address)).await;
            match connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
                Ok(stream) => return Ok(stream),
                Err(error) => failure = FetchError::Unreachable(error),
            }
        }
        Err(failure)
    }
}

/// One request over that stream, and the whole of its answer.
async fn ask<S>(stream: S, target: &Target) -> Result<Document, FetchError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |error: hyper::Error| FetchError::Broken(error.to_string());
    let request = Request::get(&target.path)
        .header(HOST, &target.authority)
        .header(ACCEPT, "application/json, application/jwk-set+json")
        .header(USER_AGENT, concat!("doorward/", env!("CARGO_PKG_VERSION")))
        .body(Empty::<Bytes>::new())
        .map_err(|_| FetchError::Url("it cannot be asked for"))?;
    let mut http = http1::Builder::new();
    http.max_buf_size(HEAD).max_headers(HEADERS);
    let (mut sender, connection) = http.handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // Ends with this function, however that ends.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let (head, body) = sender.send_request(request).await.map_err(broken)?.into_parts();
    match head.status {
        StatusCode::OK => {}
        status if status.is_redirection() => return Err(FetchError::Redirect(status)),
        status => return Err(FetchError::Status(status)),
    }
    if !is_json(&head.headers) {
        return Err(FetchError::NotJson);
    }
    Ok(Document { body: whole(body).await?, max_age: max_age(&head.headers) })
}

/// The body, as long as it is not too long: counted as it comes.
async fn whole(body: Incoming) -> Result<Bytes, FetchError> {
    match Limited::new(body, LONGEST).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(FetchError::TooLong),
        Err(error) => Err(FetchError::Broken(error.to_string())),
    }
}

/// `application/json`, or a sort of it: `application/jwk-set+json`.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(media) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media == "application/json" || (media.starts_with("application/") && media.ends_with("+json"))
}

fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let says: Vec<_> = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok()).collect();
    let says = says.join(",").to_ascii_lowercase();
    let mut words = says.split(',').map(str::trim);
    if words.clone().any(|word| word == "no-store" || word == "no-cache") {
        return Some(Duration::ZERO);
    }
    words.find_map(|word| word.strip_prefix("max-age=")?.trim_matches('"').parse().ok()).map(Duration::from_secs)
}
