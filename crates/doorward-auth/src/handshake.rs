use std::{collections::BTreeMap, net::IpAddr};

use doorward_types::Secret;
use serde::Deserialize;

/// What the HTTP upgrade request says, free of HTTP: the edge makes one, handshake layers read it.
///
/// Header values are bytes: a peer may send anything.
#[derive(Clone, Debug)]
pub struct Handshake {
    /// Where the connection comes from, as far as trusted proxies tell.
    pub source: IpAddr,
    /// Whether nobody but the peer can read or change the bytes: TLS, or loopback.
    pub secure: bool,
    /// The `Host` header, lowercased, without the port.
    pub host: String,
    /// The port of the `Host` header, where it has one.
    pub port: Option<u16>,
    /// The `Origin` header as it came; `None` where there is none.
    pub origin: Option<Vec<u8>>,
    /// The path's variables and the query, as `path.NAME` and `query.NAME`.
    pub variables: BTreeMap<String, String>,
    /// The token of `Authorization: Bearer`, or of the `base64url.bearer.authorization.doorward.` subprotocol.
    pub bearer: Option<Secret>,
    /// The ticket of the `Doorward-Ticket` header, or of the `ticket.doorward.` subprotocol.
    pub ticket: Option<PresentedTicket>,
    /// The value of the cookie of a login, not looked at yet.
    pub session: Option<Secret>,
    /// The value of the cookie of the browser itself, not looked at yet.
    pub browser: Option<Secret>,
}

/// A ticket as it was shown in an upgrade request, not looked at yet.
#[derive(Clone, Debug)]
pub struct PresentedTicket {
    /// In which way.
    pub via: TicketVia,
    /// Its text.
    pub text: Secret,
}

/// Where a ticket comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketVia {
    /// The `Doorward-Ticket` header of the upgrade request.
    Header,
    /// The subprotocol `ticket.doorward.<ticket>`, offered beside a real one: for browsers.
    Subprotocol,
    /// A message over the open socket.
    Message,
}
