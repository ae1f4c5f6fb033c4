use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use doorward_client::{Issuers, NoTls, TlsError, over_tls};
use http::{
    HeaderMap, Request, StatusCode, Uri,
    header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HOST, USER_AGENT},
    uri::Scheme,
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

/// Why nothing was fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// It is not an address of a document.
    #[error("it is no address: {0}")]
    Url(&'static str),
    /// Without TLS whoever is on the way can answer.
    #[error("it is not `https://`, and private addresses are not allowed (`allow_private`)")]
    NoTls,
    /// The name cannot be resolved.
    #[error("the name cannot be resolved: {0}")]
    Unresolved(io::Error),
    /// The name has no address that may be connected to. Says one of those that it has.
    #[error("{0} may not be connected to{hint}", hint = hint(.0))]
    Forbidden(IpAddr),
    /// Nobody accepts the connection.
    #[error("nobody answers there: {0}")]
    Unreachable(io::Error),
    /// There is no TLS with whoever answers.
    #[error("{}", tls_in_words(.0))]
    Tls(TlsError),
    /// The connection broke, or what came over it is no HTTP.
    #[error("the answer broke off, or is no HTTP: {0}")]
    Broken(String),
    /// It leads elsewhere, and no redirect is followed.
    #[error("it is answered by a redirect ({0}), and none is followed; name the address that it leads to")]
    Redirect(StatusCode),
    /// It is answered by another status than 200.
    #[error("it is answered by {0}")]
    Status(StatusCode),
    /// It is no JSON by its own word.
    #[error("the answer is no JSON by its `Content-Type`")]
    NotJson,
    /// The document is too long.
    #[error("the answer is longer than {} KiB", LONGEST / 1024)]
    TooLong,
    /// The time is over.
    #[error("there was no whole answer within {0:?}")]
    TooSlow(Duration),
}

fn hint(address: &IpAddr) -> &'static str {
    match Reach::of(*address) {
        Reach::Private => ", it is a private one; `allow_private = true` allows that",
        Reach::Public | Reach::Never => "",
    }
}

/// What is wrong with the TLS of a publisher, and what its reader can do.
fn tls_in_words(error: &TlsError) -> String {
    match error {
        TlsError::UnknownIssuer => {
            "its certificate was issued by nobody who is trusted here; if the issuer is your own, name its certificate (`ca_file`)".to_owned()
        }
        TlsError::NobodyTrusted => {
            "no issuer of certificates is trusted on this machine; install its list (often the package `ca-certificates`), or name one (`ca_file`)".to_owned()
        }
        TlsError::NotSpoken => "what answers there speaks no TLS".to_owned(),
        other => other.to_string(),
    }
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

/// An address, taken apart.
struct Target {
    tls: bool,
    /// Without brackets.
    host: String,
    port: u16,
    authority: String,
    path: String,
}

impl Target {
    fn read(url: &str, allow_private: bool) -> Result<Self, FetchError> {
        let uri: Uri = url.parse().map_err(|_| FetchError::Url("it cannot be read"))?;
        let tls = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP && allow_private => false,
            Some(scheme) if *scheme == Scheme::HTTP => return Err(FetchError::NoTls),
            _ => return Err(FetchError::Url("it begins with neither `https://` nor `http://`")),
        };
        let authority = uri.authority().ok_or(FetchError::Url("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(FetchError::Url("it names a user; credentials do not belong in an address"));
        }
        let host = authority.host();
        let port = match authority.as_str().strip_prefix(host) {
            None | Some("") => {
                if tls {
                    443
                } else {
                    80
                }
            }
            Some(_) => authority.port_u16().ok_or(FetchError::Url("its port is no number"))?,
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if host.is_empty() {
            return Err(FetchError::Url("it names no host"));
        }
        Ok(Self {
            tls,
            host: host.to_owned(),
            port,
            authority: authority.to_string(),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        })
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
