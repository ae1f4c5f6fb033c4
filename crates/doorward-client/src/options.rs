use std::time::Duration;

use doorward_types::Secret;
use doorward_wire::json::SUBPROTOCOL;

use crate::Issuers;

/// How a connection is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Sent as `Authorization: Bearer ...`.
    pub bearer: Option<Secret>,
    /// Sent as `Doorward-Ticket: ...`.
    pub ticket: Option<Secret>,
    /// Sent as `Origin: ...`. Browsers send one, other clients need none.
    pub origin: Option<String>,
    /// More headers, such as cookies.
    pub headers: Vec<(String, Secret)>,
    /// Whose certificates are trusted for `wss://`. Default: those that this machine trusts.
    pub issuers: Option<Issuers>,
    /// The subprotocols that are offered, in the order of preference. Default: `doorward.v1`. In front of an unchanged server:
    /// what that server speaks.
    pub subprotocols: Vec<String>,
    /// How long connecting and upgrading may take together, and how long a goodbye may. Default: 10 s.
    pub timeout: Duration,
    /// The largest message that is taken, in bytes. Default: 1 MiB.
    pub message: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bearer: None,
            ticket: None,
            origin: None,
            headers: Vec::new(),
            issuers: None,
            subprotocols: vec![SUBPROTOCOL.to_owned()],
            timeout: Duration::from_secs(10),
            message: 1024 * 1024,
        }
    }
}
