//! The opening handshake of RFC 6455, the client's side.
//!
//! client -> server   send request with a fresh key
//! server -> client   answer 101
//! client             require upgrade, accept key and a subprotocol that was offered
use std::time::Duration;

use aws_lc_rs::rand;
use doorward_types::{Secret, TraceId};
use doorward_wire::websocket::handshake;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::{Address, ConnectError, Options};

/// The most bytes of the head of an answer, and the most headers of it.
const HEAD: usize = 16 * 1024;
const HEADERS: usize = 64;

/// How much of the body of a refusal is read.
const BODY: usize = 512;

/// What the server agreed to.
pub(crate) struct Upgraded {
    /// The subprotocol that it chose.
    pub(crate) subprotocol: Option<String>,
    /// What came after the head: the first frames.
    pub(crate) read_ahead: Vec<u8>,
}

/// Sends the request and reads the answer. There is no time limit in here.
pub(crate) async fn upgrade<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    address: &Address,
    options: &Options,
) -> Result<Upgraded, ConnectError> {
    let mut random = [0; 16];
    rand::fill(&mut random).map_err(|_| std::io::Error::other("no random numbers"))?;
    let key = handshake::key(&random);
    let request = request(address, options, &key)?;
    stream.write_all(request.reveal("it is sent to the server")).await?;
    stream.flush().await?;

    let mut read = Vec::with_capacity(1024);
    let head = loop {
        if let Some(head) = Head::read(&read)? {
            break head;
        }
        if read.len() >= HEAD {
            return Err(not_one(format!("its head is longer than {HEAD} bytes")));
        }
        if stream.read_buf(&mut read).await? == 0 {
            return Err(not_one("it ended before its head did"));
        }
    };
    let mut after = read.split_off(head.length);
    if head.status != 101 {
        let wanted = head.content_length.unwrap_or(0).min(BODY);
        while after.len() < wanted && stream.read_buf(&mut after).await? > 0 {}
        after.truncate(BODY);
        let body = String::from_utf8_lossy(&after).into_owned();
        let Head { status, retry_after, trace, .. } = head;
        return Err(ConnectError::Refused { status, body, retry_after, trace });
    }
    let subprotocol = head.agree(&key, &options.subprotocols)?;
    Ok(Upgraded { subprotocol, read_ahead: after })
}

fn not_one(what: impl Into<String>) -> ConnectError {
    ConnectError::NotAnUpgrade { what: what.into() }
}

fn request(address: &Address, options: &Options, key: &[u8; 24]) -> Result<Secret, ConnectError> {
    let mut request = Vec::with_capacity(512);
    let mut put = |bytes: &[u8]| request.extend_from_slice(bytes);
    put(b"GET ");
    put(address.target().as_bytes());
    put(b" HTTP/1.1\r\nHost: ");
    put(address.authority().as_bytes());
    put(b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ");
    put(key);
    put(b"\r\n");
    let mut header = |name: &str, before: &str, value: &[u8]| {
        let fits = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
            && value.iter().all(|byte| matches!(byte, b'\t' | 0x20..=0x7E | 0x80..));
        if !fits {
            return Err(ConnectError::Header { name: name.escape_debug().to_string() });
        }
        for piece in [name.as_bytes(), b": ", before.as_bytes(), value, b"\r\n"] {
            put(piece);
        }
        Ok(())
    };
    if !options.subprotocols.is_empty() {
        header("Sec-WebSocket-Protocol", "", options.subprotocols.join(", ").as_bytes())?;
    }
    if let Some(origin) = &options.origin {
        header("Origin", "", origin.as_bytes())?;
    }
    if let Some(bearer) = &options.bearer {
        header("Authorization", "Bearer ", bearer.reveal("it goes into its header"))?;
    }
    if let Some(ticket) = &options.ticket {
        header("Doorward-Ticket", "", ticket.reveal("it goes into its header"))?;
    }
    for (name, value) in &options.headers {
        header(name, "", value.reveal("it goes into its header"))?;
    }
    put(b"\r\n");
    Ok(Secret::new(request))
}

/// What is wanted of the head of an answer.
#[derive(Default)]
struct Head {
    length: usize,
    status: u16,
    upgrade: bool,
    connection: bool,
    accept: Option<Vec<u8>>,
    subprotocol: Option<String>,
    extensions: bool,
    content_length: Option<usize>,
    retry_after: Option<Duration>,
    trace: Option<TraceId>,
}

impl Head {
    /// `None` while more bytes are wanted.
    fn read(bytes: &[u8]) -> Result<Option<Self>, ConnectError> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let length = match response.parse(bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(error) => return Err(not_one(error.to_string())),
        };
        let mut head = Self { length, status: response.code.unwrap_or(0), ..Self::default() };
        for header in response.headers.iter() {
            let text = || std::str::from_utf8(header.value).unwrap_or_default().trim();
            let is = |name: &str| header.name.eq_ignore_ascii_case(name);
            if is("Upgrade") {
                head.upgrade |= text().eq_ignore_ascii_case("websocket");
            } else if is("Connection") {
                head.connection |= text().split(',').any(|token| token.trim().eq_ignore_ascii_case("upgrade"));
            } else if is("Sec-WebSocket-Accept") {
                head.accept = Some(header.value.to_vec());
            } else if is("Sec-WebSocket-Protocol") {
                head.subprotocol = Some(text().to_owned());
            } else if is("Sec-WebSocket-Extensions") {
                head.extensions = true;
            } else if is("Content-Length") {
                head.content_length = text().parse().ok();
            } else if is("Retry-After") {
                head.retry_after = text().parse().ok().map(Duration::from_secs);
            } else if is("Doorward-Trace") {
                head.trace = text().parse().ok();
            }
        }
        Ok(Some(head))
    }

    /// RFC 6455, section 4.1, what the client has to check of a 101.
    fn agree(self, key: &[u8; 24], offered: &[String]) -> Result<Option<String>, ConnectError> {
        if !self.upgrade || !self.connection {
            return Err(not_one("it is a 101 without `Upgrade: websocket` and `Connection: Upgrade`"));
        }
        let expected = handshake::accept_key(key);
        if self.accept.as_deref() != expected.as_ref().map(<[u8; 28]>::as_slice) {
            return Err(not_one("its `Sec-WebSocket-Accept` does not fit the key that was sent"));
        }
        if self.extensions {
            return Err(not_one("it names an extension, and none was offered"));
        }
        match self.subprotocol {
            Some(chosen) if !offered.contains(&chosen) => {
                Err(not_one(format!("it chose the subprotocol `{}`, which was not offered", chosen.escape_debug())))
            }
            chosen => Ok(chosen),
        }
    }
}
