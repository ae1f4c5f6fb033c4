//! The live sockets of the node, as the site and the HTTP API see and end them, and emit to them.

use std::{net::IpAddr, time::Duration};

use doorward_auth::{
    BoxFuture,
    ports::{Ending, PortError},
};
use doorward_types::{GateName, OwnerId, Rest, SocketId, Subject, Timestamp, TraceId};
use serde_json::{Value, json};

/// Whether a live socket lets anything through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SocketState {
    /// It does.
    Active,
    /// It waits for its login to come back.
    Suspended,
}

impl SocketState {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::Active, Self::Suspended];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }
}

/// A live socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketView {
    /// Its id.
    pub id: SocketId,
    /// Whose gate it came through.
    pub owner: OwnerId,
    /// The gate.
    pub gate: GateName,
    /// Whether anything gets through.
    pub state: SocketState,
    /// Who was proven, if anybody.
    pub subject: Option<Subject>,
    /// The login that it rests on, if any: here, or at another site.
    pub sid: Option<String>,
    /// The layers that it has passed, in their order.
    pub layers: Vec<String>,
    /// What serves it.
    pub backend: String,
    /// Where it comes from.
    pub source: IpAddr,
    /// The trace of the decision that let it in.
    pub trace: TraceId,
    /// When it was admitted.
    pub since: Timestamp,
    /// When a message came last; pings do not count.
    pub last_seen: Timestamp,
    /// When what let it in expires.
    pub expires_at: Option<Timestamp>,
}

impl SocketView {
    pub(crate) fn document(&self) -> Value {
        json!({
            "id": self.id.to_string(),
            "owner": self.owner.as_str(),
            "gate": self.gate.as_str(),
            "state": self.state.as_str(),
            "subject": self.subject.as_ref().map(ToString::to_string),
            "name": self.subject.as_ref().map(|subject| &subject.uuid),
            "sid": self.sid,
            "layers": self.layers,
            "backend": self.backend,
            "source": self.source.to_string(),
            "trace": self.trace.to_string(),
            "since": self.since.to_string(),
            "last_seen": self.last_seen.to_string(),
            "expires_at": self.expires_at.map(|at| at.to_string()),
        })
    }
}

/// Which live sockets; those for which all holds that is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SocketQuery {
    /// Of this owner.
    pub owner: Option<OwnerId>,
    /// At this gate.
    pub gate: Option<GateName>,
    /// Of this subject: of its kind and primary key.
    pub subject: Option<Subject>,
    /// Of this login.
    pub sid: Option<String>,
    /// In this state.
    pub state: Option<SocketState>,
    /// After this one by admission and id, in the order of the list; it need not live any more.
    pub after: Option<(Timestamp, SocketId)>,
    /// The newest first; otherwise the oldest.
    pub newest_first: bool,
    /// At most so many: the first.
    pub at_most: usize,
}

/// What is ended for the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Live {
    /// One socket.
    Socket(SocketId),
    /// Those that rest on something that goes on: a gate, an issuer.
    On(Rest),
}

/// What came of an ending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// The sockets that it has ended.
    pub ended: Vec<SocketId>,
    /// Those that wait for their login to come back instead.
    pub suspended: Vec<SocketId>,
    /// How many of the ended ones did not take their Close frame in time and were reset.
    pub reset: usize,
    /// From the ending until the last Close frame was accepted, on the slowest node.
    pub within: Duration,
    /// What each node says.
    pub nodes: Vec<NodeReceipt>,
    /// The nodes of which nothing was heard: sockets may live on there, until their leases are over.
    pub not_answering: Vec<String>,
}

/// What came of an ending on one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeReceipt {
    /// Its name.
    pub node: String,
    /// How many sockets it has ended.
    pub ended: usize,
    /// How long that took.
    pub within: Duration,
}

impl Receipt {
    pub(crate) fn document(&self) -> Value {
        let texts = |ids: &[SocketId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
        let nodes = self
            .nodes
            .iter()
            .map(|node| json!({ "node": node.node, "ended": node.ended, "within_ms": millis(node.within) }));
        json!({
            "ended": self.ended.len(),
            "sockets": texts(&self.ended),
            "suspended": texts(&self.suspended),
            "reset": self.reset,
            "within_ms": millis(self.within),
            "nodes": nodes.collect::<Vec<_>>(),
            "nodes_not_answering": self.not_answering,
        })
    }
}

/// An event of an application's own, for everybody at a gate who hears it there.
#[derive(Clone, Debug, PartialEq)]
pub struct Emission {
    /// Whose gate it is.
    pub owner: OwnerId,
    /// The gate.
    pub gate: GateName,
    /// The namespace in it.
    pub namespace: String,
    /// Only for those in this room of the namespace.
    pub room: Option<String>,
    /// What it is called.
    pub event: String,
    /// What it carries.
    pub arguments: Vec<Value>,
}

/// Why an event was not put out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotEmitted {
    /// There is no such gate that speaks by events.
    Gate,
    /// The gate has no such namespace: those that it has.
    Namespace(Vec<String>),
    /// An event cannot be called that: what is wrong with it.
    Event(String),
    /// An event cannot carry that: what is wrong with it.
    Arguments(String),
    /// The live sockets cannot be reached.
    Port(PortError),
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The live sockets, and what the configuration says of gates.
pub trait Node: Send + Sync {
    /// Live sockets. There may be many to choose from, so they are looked through where that keeps nobody else waiting; those of a
    /// subject or of a login are found, and not looked for.
    fn sockets(&self, query: SocketQuery) -> BoxFuture<'_, Result<Vec<SocketView>, PortError>>;

    /// One live socket of the owner's, or of anybody's for `None`. It is found, not looked for.
    fn socket<'a>(
        &'a self,
        owner: Option<&'a OwnerId>,
        id: SocketId,
    ) -> BoxFuture<'a, Result<Option<SocketView>, PortError>>;

    /// Ends sockets of the owner, or of anybody for `None`: those that live at this moment. Nothing is written down, so others
    /// like them may come again.
    fn end_live<'a>(&'a self, owner: Option<&'a OwnerId>, live: Live) -> BoxFuture<'a, Result<Receipt, PortError>>;

    /// Ends something for good: writes it into the revocation log, and waits until it has landed on the nodes, or they have
    /// been waited for long enough.
    ///
    /// # Errors
    /// It was not said to be written down. To end something twice does no harm.
    fn end(&self, ending: Ending) -> BoxFuture<'_, Result<Receipt, PortError>>;

    /// Puts an event out for all who hear it at this moment, on this node. Gives for how many sockets.
    fn emit(&self, emission: Emission) -> BoxFuture<'_, Result<usize, NotEmitted>>;

    /// The owners of the configuration.
    fn owners(&self) -> Vec<OwnerId>;

    /// Whether the owner has a gate of that name.
    fn has_gate(&self, owner: &OwnerId, gate: &GateName) -> bool;
}
