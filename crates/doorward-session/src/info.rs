use std::net::IpAddr;

use crate::Suspension;
use doorward_types::{GateName, OwnerId, SocketId, Subject, Timestamp, TraceId};

/// Whether something of the application goes in and out of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketState {
    /// It does.
    Active,
    /// It does not.
    Suspended(Suspension),
}

impl SocketState {
    /// The word for it in lists.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended(_) => "suspended",
        }
    }
}

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
    /// Whether it is suspended.
    pub state: SocketState,
    /// The layers that it has passed, in the order of their proofs.
    pub layers: Vec<&'static str>,
    /// The login that it rests on, where it rests on one.
    pub sid: Option<String>,
    /// When it was admitted first.
    pub since: Timestamp,
    /// When a message came last; pings do not count.
    pub last_seen: Timestamp,
    /// When what let it in expires.
    pub expires_at: Option<Timestamp>,
}
