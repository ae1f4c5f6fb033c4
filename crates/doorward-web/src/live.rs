use std::net::IpAddr;

use doorward_auth::{BoxFuture, ports::PortError};
use doorward_types::{GateName, OwnerId, SessionId, SocketId, Subject, Timestamp};

/// A live socket, as its user and its owner see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveSocket {
    /// Its id.
    pub id: SocketId,
    /// Whose gate it came through.
    pub owner: OwnerId,
    /// The gate.
    pub gate: GateName,
    /// Who was proven, if anybody.
    pub subject: Option<Subject>,
    /// The login that it rests on, if any.
    pub sid: Option<SessionId>,
    /// The layers that it has passed, in their order.
    pub layers: Vec<String>,
    /// Where it comes from.
    pub source: IpAddr,
    /// When it was admitted.
    pub since: Timestamp,
    /// When a message came last; pings do not count.
    pub last_seen: Timestamp,
}

/// The live sockets, as the site lists and ends them. Ending a login does not come here: the sockets follow the revocation log.
pub trait LiveSockets: Send + Sync {
    /// The sockets of a subject, the newest first, at most so many. They are found, not looked for among all.
    fn of(&self, owner: &OwnerId, subject: &Subject, at_most: usize) -> Vec<LiveSocket>;

    /// One socket of the owner. All are looked through, where that keeps nobody else waiting.
    fn find<'a>(&'a self, owner: &'a OwnerId, id: SocketId) -> BoxFuture<'a, Result<Option<LiveSocket>, PortError>>;

    /// The newest sockets of the owner, or of everybody for `None`, at most so many. There may be many to choose from, so they are
    /// looked through where that keeps nobody else waiting.
    fn newest<'a>(
        &'a self,
        owner: Option<&'a OwnerId>,
        at_most: usize,
    ) -> BoxFuture<'a, Result<Vec<LiveSocket>, PortError>>;

    /// Ends one socket of the owner. Answers `false` where there is none (any more).
    fn end<'a>(&'a self, owner: &'a OwnerId, id: SocketId) -> BoxFuture<'a, Result<bool, PortError>>;
}
