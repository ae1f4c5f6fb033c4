//! The gates of a node and their owners: a configuration become one table, which is swapped as a whole.

mod assemble;
mod backing;
mod owners;
mod renewal;
mod socketio;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use doorward_auth::{
    Fault, Ladder, Refusal,
    layers::handshake::{
        origin,
        path::{PathTable, RequestPath, query_variables},
    },
};
use doorward_session::{Fail, SocketPolicy};
use doorward_types::{GateName, OwnerId};

use crate::{
    answer::Visit,
    config::{self, RefuseConfig},
    edge::Head,
    transports::{
        Voice,
        json::Json,
        socketio::{Query, Way},
    },
};

pub(crate) use assemble::Next;
pub use assemble::{AssembleError, AssembleErrors, Part, Tools, Unassembled, owner_of};
pub use backing::{Ahead, Backing, Passing};
pub(crate) use owners::Owners;
pub(crate) use socketio::SocketIo;

/// A protected WebSocket endpoint of an owner.
pub struct Gate {
    /// Whose it is.
    pub owner: OwnerId,
    /// Its name.
    pub name: GateName,
    /// Who gets in.
    pub ladder: Arc<Ladder>,
    /// What stands behind it.
    pub backing: Backing,
    /// The largest message before the admission, in bytes.
    pub bytes_before: usize,
    /// How long a user has to choose between alternatives.
    pub choose_within: Duration,
    policy: Arc<SocketPolicy>,
    /// Where it speaks Socket.IO.
    pub(crate) socketio: Option<SocketIo>,
    /// As the configuration has it, and the limits that hold for it: what a later configuration is compared with.
    settings: config::Gate,
    limits: config::Limits,
    /// For a path that ends in `/*`: how many parts it has before that.
    tail_after: Option<usize>,
}

impl Gate {
    /// What its sockets may do after their admission.
    pub fn policy(&self) -> Arc<SocketPolicy> {
        Arc::clone(&self.policy)
    }

    /// How a visitor is spoken to, and what its socket may do; `None` where it speaks a revision of Engine.IO that nobody here does.
    pub(crate) fn voice(&self, query: Option<&Query>, visit: &Visit) -> Option<(Box<dyn Voice>, Arc<SocketPolicy>)> {
        let (Some(wire), Some(query)) = (&self.socketio, query) else {
            return Some((Box::new(Json { speaks: self.speaks_json() }), self.policy()));
        };
        let revision = query.revision.filter(|_| query.transport == Some(Way::WebSocket))?;
        Some((Box::new(wire.talk_over_websocket(revision, visit)), wire.policy(revision)))
    }

    /// Its host, where it has one of its own or its owner has.
    pub(crate) fn host(&self) -> Option<&str> {
        self.settings.host.as_ref().map(config::Host::as_str)
    }

    /// Its path, as it is configured.
    pub(crate) fn path(&self) -> &str {
        &self.settings.path
    }

    fn tail_of(&self, path: &str, query: Option<&str>) -> Option<String> {
        let parts = self.tail_after?;
        let mut tail = path.splitn(parts + 2, '/').nth(parts + 1).unwrap_or_default().to_owned();
        if let Some(query) = query {
            tail.push('?');
            tail.push_str(query);
        }
        Some(tail)
    }

    /// Whether the user is spoken to in JSON: the ladder talks, or the backend does. What is behind an upstream or an echo
    /// gate that is decided at the handshake knows nothing of Doorward.
    pub fn speaks_json(&self) -> bool {
        matches!(self.backing, Backing::Hub(_)) || !self.ladder.is_decided_at_handshake()
    }

    /// Whether this refusal of a handshake layer is told by a Close frame: a verdict on who came, and not of the layer that
    /// looks at the page they came from.
    pub(crate) fn refuses_by_frame(&self, refusal: &Refusal) -> bool {
        self.settings.refuse == RefuseConfig::Frame
            && matches!(refusal.fault, Fault::Credential | Fault::NotAllowed)
            && refusal.layer != origin::NAME
    }

    fn change_since(&self, before: Option<&Arc<Self>>) -> Change {
        match before {
            None => Change::Added,
            Some(before)
                if before.settings.backend != self.settings.backend
                    || before.settings.transport != self.settings.transport =>
            {
                Change::Backend
            }
            Some(before) if before.settings != self.settings || before.limits != self.limits => Change::Entrance,
            Some(_) => Change::None,
        }
    }
}

/// What a request's host and path led to.
pub struct Found {
    /// The gate.
    pub gate: Arc<Gate>,
    /// The path's variables and the query, as `path.NAME` and `query.NAME`.
    pub variables: BTreeMap<String, String>,
    /// For a gate whose path ends in `/*`: what followed, as it came, with the query.
    pub tail: Option<String>,
}

/// The gates of a node, found by host and path, and the owners that it has gates for.
pub struct Gates {
    table: PathTable<Arc<Gate>>,
    by_name: BTreeMap<(OwnerId, GateName), Arc<Gate>>,
    owners: Owners,
}

/// What became of a gate from one configuration to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is as it was.
    None,
    /// It was not there before.
    Added,
    /// Something of it, but what stands behind it: whoever is in may stay.
    Entrance,
    /// What stands behind it. The rules of a hub do not count: the hub stays.
    Backend,
    /// It is not there any more.
    Removed,
}

/// Why there is no file tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoTree {
    /// None has that name, or more than one.
    Unnamed,
    /// This layer of its ladder looks at a web request.
    OverWebSocketAlone(&'static str),
}

impl Gates {
    fn none_of(owners: Owners) -> Self {
        Self { table: PathTable::default(), by_name: BTreeMap::new(), owners }
    }

    /// Whose the gates are, and the pages beside them.
    pub(crate) fn owners(&self) -> &Owners {
        &self.owners
    }

    /// The gate that a request is for. The same steps are taken whether there is one or not.
    pub fn find(&self, head: &Head) -> Option<Found> {
        let path = RequestPath::read(&head.path).ok()?;
        let query = query_variables(head.query.as_deref().unwrap_or_default()).ok()?;
        let found = self.table.find(head.host_name(), &path)?;
        // Where tickets are made nobody connects.
        if path.asks_for_ticket() {
            return None;
        }
        let mut variables = found.variables;
        variables.extend(query);
        let tail = found.entry.tail_of(&head.path, head.query.as_deref());
        Some(Found { gate: Arc::clone(found.entry), variables, tail })
    }

    /// The gate at that host (without port) and path.
    pub(crate) fn at(&self, host: &str, path: &RequestPath) -> Option<Arc<Gate>> {
        self.table.find(host, path).map(|found| Arc::clone(found.entry))
    }

    /// The gate of that owner and name.
    pub(crate) fn named(&self, owner: &OwnerId, name: &GateName) -> Option<&Arc<Gate>> {
        self.by_name.get(&(owner.clone(), name.clone()))
    }

    /// The gate before a file tree for whoever sends no web request, by its name or its path; without either the only one that
    /// there is.
    ///
    /// # Errors
    /// [`NoTree`].
    pub(crate) fn file_tree(&self, aname: &str) -> Result<Arc<Gate>, NoTree> {
        let is_meant = |gate: &&Arc<Gate>| aname.is_empty() || gate.name.as_str() == aname || gate.path() == aname;
        let mut none = NoTree::Unnamed;
        let mut meant = Vec::new();
        for gate in self.file_trees().filter(is_meant) {
            match gate.ladder.only_from_a_request() {
                Some(layer) => none = NoTree::OverWebSocketAlone(layer),
                None => meant.push(gate),
            }
        }
        match meant.as_slice() {
            [only] => Ok(Arc::clone(only)),
            [] => Err(none),
            _ => Err(NoTree::Unnamed),
        }
    }

    /// The largest message that every gate before a file tree takes, in bytes.
    pub(crate) fn message_of_file_trees(&self) -> Option<usize> {
        self.file_trees().map(|gate| gate.policy.limits.message).min()
    }

    fn file_trees(&self) -> impl Iterator<Item = &Arc<Gate>> {
        self.by_name.values().filter(|gate| matches!(gate.backing, Backing::Ninep(..)))
    }

    /// All of them, by owner and name.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Gate> {
        self.by_name.values().map(Arc::as_ref)
    }

    /// Those whose sockets go on while nobody knows whether their logins have ended (`fail = "open"`).
    pub(crate) fn failing_open(&self) -> impl Iterator<Item = &Gate> {
        self.all().filter(|gate| gate.policy.fail == Fail::Open)
    }

    /// What became of the gates that were there before, and of those that are there now.
    pub(crate) fn changes_since<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = (&'a Gate, Change)> {
        let removed = before.by_name.iter().filter(|(name, _)| !self.by_name.contains_key(name));
        let removed = removed.map(|(_, gate)| (&**gate, Change::Removed));
        let here = self.by_name.iter().map(|(name, gate)| (&**gate, gate.change_since(before.by_name.get(name))));
        here.chain(removed)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }
}
