use std::net::IpAddr;

use doorward_types::{GateName, OwnerId, SocketId, Subject, Timestamp, TraceId};

/// A live socket, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketInfo {
    /// Its id.
    pub id: SocketId,
    /// Whose gate it came through.
    pub owner: OwnerId,
    /// The gate.
    pub gate: GateName,
    /// Who was proven, if anybody.
    pub subject: Option<Subject>,
    /// Where it comes from.
    pub source: IpAddr,
    /// What serves it.
    pub backend: &'static str,
    /// The trace of the decision that let it in.
    pub trace: TraceId,
    /// When it was admitted.
    pub since: Timestamp,
    /// When a message came last; pings do not count.
    pub last_seen: Timestamp,
    /// When what let it in expires.
    pub expires_at: Option<Timestamp>,
}
