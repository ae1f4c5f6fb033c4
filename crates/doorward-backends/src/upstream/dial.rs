//! Opens a connection to an upstream: TCP, then the upgrade of RFC 6455, section 4.
//!
//! ```text
//! gate -> upstream   GET /chat HTTP/1.1                  Host, Upgrade, Connection, Sec-WebSocket-Key ...
//! upstream -> gate   HTTP/1.1 101 Switching Protocols    Upgrade, Connection, Sec-WebSocket-Accept
//! gate               the answer is to this key, chooses what was offered, and adds nothing
//! ```
//!
//! The request is written by hand: it is one fixed line and headers that are checked already, and an HTTP client would bring a
//! task and a read buffer of its own, out of which the first frames would have to be taken again.

use std::{io, time::Duration};

use doorward_types::CloseReason;
use doorward_wire::websocket::handshake;
use http::{HeaderMap, HeaderValue};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time,
};

use super::{identity::TooMuchToTell, url::UpstreamUrl};

/// The most bytes that the head of an answer may have.
const HEAD: usize = 16 * 1024;
/// The most headers that an answer may have.
const HEADERS: usize = 64;

/// An upstream could not be reached, or did not become a WebSocket. For the log: the user sees [`DialError::reason`] alone.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The name has no address, or nobody listens there.
    #[error("cannot connect: {0}")]
    Connect(io::Error),
    /// It took longer than `connect_timeout` until the upgrade was answered.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// The connection broke before the answer was complete.
    #[error("the connection broke before the upgrade was answered: {0}")]
    Broken(io::Error),
    /// The upstream hung up before the answer was complete.
    #[error("the upstream hung up before it answered the upgrade")]
    HungUp,
    /// The head of the answer is too long.
    #[error("the head of the answer has over {HEAD} bytes or over {HEADERS} headers")]
    TooLong,
    /// The answer is not HTTP/1.1.
    #[error("the answer is not HTTP/1.1: {0}")]
    NotHttp(httparse::Error),
    /// The upstream answered with another status than 101. Redirects are not followed.
    #[error("the upstream refused the upgrade with status {0}")]
    Status(u16),
    /// The answer says 101, but not to this upgrade.
    #[error("the upstream is not a WebSocket server: `{0}` is missing or wrong in its answer")]
    NotAWebSocketServer(&'static str),
    /// The upstream chose a subprotocol that was not offered.
    #[error("the upstream chose the subprotocol `{0}`, which was not offered")]
    NotOffered(String),
    /// The upstream chose another subprotocol than the one that the user was given.
    #[error("the upstream chose the subprotocol {chosen:?}, but the user was given {given:?}")]
    Mismatch {
        /// What the user was given before the ladder was climbed.
        given: Option<String>,
        /// What the upstream chose.
        chosen: Option<String>,
    },
    /// The socket was ended while the upstream was asked.
    #[error("the socket was ended meanwhile: {0}")]
    Ended(CloseReason),
    /// The identity does not fit.
    #[error(transparent)]
    TooMuchToTell(#[from] TooMuchToTell),
}

impl DialError {
    /// What the user's socket ends with. Before a 101 it is HTTP: 400 for [`CloseReason::Malformed`], otherwise 503.
    pub fn reason(&self) -> CloseReason {
        match self {
            Self::Mismatch { .. } => CloseReason::UpstreamMismatch,
            Self::Ended(reason) => *reason,
            Self::TooMuchToTell(_) => CloseReason::Malformed,
            _ => CloseReason::UpstreamDown,
        }
    }
}

/// What is asked of an upstream.
pub(super) struct Request<'a> {
    pub(super) url: &'a UpstreamUrl,
    pub(super) target: &'a str,
    /// The user's `Host`; the upstream's own where there is none.
    pub(super) host: Option<&'a HeaderValue>,
    pub(super) headers: &'a HeaderMap,
    pub(super) offered: &'a [String],
    /// 16 random bytes for the `Sec-WebSocket-Key`.
    pub(super) nonce: [u8; 16],
}

/// A connection that speaks WebSocket now.
#[derive(Debug)]
pub(super) struct Connected {
    pub(super) stream: TcpStream,
    /// What the upstream sent behind its answer.
    pub(super) read_ahead: Vec<u8>,
    pub(super) protocol: Option<String>,
}

/// Connects and upgrades; gives up `within` that time.
pub(super) async fn dial(request: &Request<'_>, within: Duration) -> Result<Connected, DialError> {
    time::timeout(within, connect_and_upgrade(request)).await.unwrap_or(Err(DialError::TimedOut(within)))
}

async fn connect_and_upgrade(request: &Request<'_>) -> Result<Connected, DialError> {
    let address = (request.url.host(), request.url.port());
    let mut stream = TcpStream::connect(address).await.map_err(DialError::Connect)?;
    // Frames are written whole: to wait for more of them would only delay.
    stream.set_nodelay(true).map_err(DialError::Connect)?;
    let key = handshake::key(&request.nonce);
    stream.write_all(&write(request, &key)).await.map_err(DialError::Broken)?;

    let mut read = Vec::with_capacity(1024);
    loop {
        // As much as is left of the limit, and a byte more that breaks it.
        let mut rest = (&mut stream).take((HEAD + 1 - read.len()) as u64);
        if rest.read_buf(&mut read).await.map_err(DialError::Broken)? == 0 {
            return Err(DialError::HungUp);
        }
        if let Some((protocol, head)) = answer(&read, &key, request.offered)? {
            return Ok(Connected { stream: forgetful(stream)?, read_ahead: read.split_off(head), protocol });
        }
        if read.len() > HEAD {
            return Err(DialError::TooLong);
        }
    }
}

/// The same connection without the waker of the task that dialled. It would stay with the stream as long as nothing that is
/// written blocks, which may be for ever, and with it the memory of that task: more than all else that a quiet relay needs.
fn forgetful(stream: TcpStream) -> Result<TcpStream, DialError> {
    stream.into_std().and_then(TcpStream::from_std).map_err(DialError::Broken)
}

fn write(request: &Request<'_>, key: &[u8]) -> Vec<u8> {
    let mut head = Vec::with_capacity(1024);
    for piece in ["GET ", request.target, " HTTP/1.1\r\n"] {
        head.extend_from_slice(piece.as_bytes());
    }
    let mut line = |name: &str, value: &[u8]| {
        for piece in [name.as_bytes(), b": ", value, b"\r\n"] {
            head.extend_from_slice(piece);
        }
    };
    let own;
    line(
        "host",
        match request.host {
            Some(host) => host.as_bytes(),
            None => {
                own = request.url.authority();
                own.as_bytes()
            }
        },
    );
    line("upgrade", b"websocket");
    line("connection", b"Upgrade");
    line("sec-websocket-version", b"13");
    line("sec-websocket-key", key);
    if !request.offered.is_empty() {
        line("sec-websocket-protocol", request.offered.join(", ").as_bytes());
    }
    for (name, value) in request.headers {
        line(name.as_str(), value.as_bytes());
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// Reads an answer as far as it has come: the chosen subprotocol and the length of the head, or `None` while it is not whole.
fn answer(read: &[u8], key: &[u8], offered: &[String]) -> Result<Option<(Option<String>, usize)>, DialError> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let head = match response.parse(read) {
        Ok(httparse::Status::Complete(head)) => head,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(DialError::TooLong),
        Err(error) => return Err(DialError::NotHttp(error)),
    };
    match response.code {
        Some(101) if response.version == Some(1) => {}
        Some(101) => return Err(DialError::NotAWebSocketServer("HTTP/1.1")),
        status => return Err(DialError::Status(status.unwrap_or_default())),
    }
    let all = |name: &'static str| {
        let named = response.headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name));
        named.map(|header| header.value.trim_ascii())
    };
    let has_token = |name, token: &[u8]| {
        all(name)
            .flat_map(|value| value.split(|byte| *byte == b','))
            .any(|item| item.trim_ascii().eq_ignore_ascii_case(token))
    };
    if !has_token("upgrade", b"websocket") {
        return Err(DialError::NotAWebSocketServer("Upgrade"));
    }
    if !has_token("connection", b"upgrade") {
        return Err(DialError::NotAWebSocketServer("Connection"));
    }
    let expected = handshake::accept_key(key);
    let mut accepts = all("sec-websocket-accept");
    if expected.is_none()
        || accepts.next() != expected.as_ref().map(|accept| accept.as_slice())
        || accepts.next().is_some()
    {
        return Err(DialError::NotAWebSocketServer("Sec-WebSocket-Accept"));
    }
    if all("sec-websocket-extensions").any(|value| !value.is_empty()) {
        return Err(DialError::NotAWebSocketServer("Sec-WebSocket-Extensions"));
    }
    let mut chosen = all("sec-websocket-protocol");
    let protocol = chosen.next().map(|chosen| String::from_utf8_lossy(chosen).into_owned());
    match protocol {
        Some(protocol) if chosen.next().is_some() || !offered.contains(&protocol) => {
            Err(DialError::NotOffered(protocol))
        }
        protocol => Ok(Some((protocol, head))),
    }
}
