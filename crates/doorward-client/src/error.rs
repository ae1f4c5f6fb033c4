use std::{io, time::Duration};

use doorward_types::{TraceId, UnreadableKey};
use doorward_wire::{json::Malformed, websocket::Violation};

use crate::{Abort, Closed, Refused, TlsError};

/// Why no connection could be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The url is not one. It is not repeated: it may hold a credential.
    #[error("the url is not of the form `ws://host[:port]/path` or `wss://host[:port]/path`: {what}")]
    Url {
        /// What is wrong.
        what: &'static str,
    },
    /// A header that cannot be sent.
    #[error("the header `{name}` has a character that no header can have")]
    Header {
        /// Its name.
        name: String,
    },
    /// Nobody answers there.
    #[error("cannot reach {authority}: {error}")]
    Unreachable {
        /// Host and port.
        authority: String,
        /// What the system says.
        error: io::Error,
    },
    /// No TLS could be spoken with what answers there.
    #[error("{authority}: {error}")]
    Tls {
        /// Host and port.
        authority: String,
        /// Why.
        error: TlsError,
    },
    /// It took too long.
    #[error("{authority} did not answer the upgrade within {within:?}")]
    TooSlow {
        /// Host and port.
        authority: String,
        /// How long it was waited for.
        within: Duration,
    },
    /// The server answered, and did not upgrade: before the ladder of conversation layers, or at a handshake layer.
    #[error("the server refused the upgrade with {status}{}{}", said(body), quoted(*trace))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The beginning of the body, at most 512 bytes.
        body: String,
        /// The seconds of `Retry-After`.
        retry_after: Option<Duration>,
        /// What the operator finds the decision by: `doorward why TRACE`. A gate tells it in `Doorward-Trace`.
        trace: Option<TraceId>,
    },
    /// What came back is not an answer to a WebSocket upgrade.
    #[error("the server's answer to the upgrade is not one: {what}")]
    NotAnUpgrade {
        /// What is wrong.
        what: String,
    },
    /// The connection broke.
    #[error("the connection broke during the upgrade: {0}")]
    Io(#[from] io::Error),
}

fn said(body: &str) -> String {
    let line = body.trim();
    if line.is_empty() { String::new() } else { format!(": {}", line.escape_debug()) }
}

fn quoted(trace: Option<TraceId>) -> String {
    trace.map(|trace| format!(" (trace {trace})")).unwrap_or_default()
}

/// Why an open connection cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The connection broke, or ended without a Close frame.
    #[error("the connection is lost: {0}")]
    Lost(#[from] io::Error),
    /// The server broke a rule of RFC 6455.
    #[error("the server broke the WebSocket protocol: {0}")]
    Violation(#[from] Violation),
    /// The server sent something that is not `doorward.v1`.
    #[error("the server's message is not of the protocol: {0}")]
    Malformed(#[from] Malformed),
    /// The connection is closed already.
    #[error("the connection is closed")]
    Closed,
}

/// Why a ladder was not climbed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClimbError {
    /// The gate said no, and why as far as it tells.
    #[error("refused: {0}")]
    Refused(Refused),
    /// The gate closed without a word about the ladder.
    #[error("the gate closed the connection: {0}")]
    Closed(Closed),
    /// The answering side gave up.
    #[error(transparent)]
    Abort(#[from] Abort),
    /// The connection cannot go on.
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl From<UnreadableKey> for Abort {
    fn from(error: UnreadableKey) -> Self {
        Self::new(error.to_string())
    }
}
