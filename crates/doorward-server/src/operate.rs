//! What the operator asks of a running door.

use std::{fmt, sync::Arc};

use doorward_session::{Receipt, Selection, SocketInfo, Sockets, Target};
use doorward_types::{CloseReason, Cursor, OwnerId, Rest, SocketId, Subject, TraceId};
use doorward_web::{By, Event, Happening};
use serde_json::{Value, json};

use crate::{control::Request, door::Door, report};

/// What the operator is told: a document, one list of which may be long and is made while it is read.
pub struct Answer {
    document: Value,
    list: Option<List>,
}

/// A list of a document.
pub(crate) struct List {
    pub(crate) name: &'static str,
    pub(crate) items: Box<dyn Iterator<Item = Value> + Send>,
}

impl Answer {
    fn with_list(mut document: Value, name: &'static str, items: impl Iterator<Item = Value> + Send + 'static) -> Self {
        document[name] = json!([]);
        Self { document, list: Some(List { name, items: Box::new(items) }) }
    }

    /// The document with all that is in its list.
    pub fn whole(self) -> Value {
        let (mut document, list) = self.parts();
        if let Some(List { name, items }) = list {
            document[name] = items.collect();
        }
        document
    }

    /// The document with an empty list, and what is in that.
    pub(crate) fn parts(self) -> (Value, Option<List>) {
        (self.document, self.list)
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("document", &self.document).finish_non_exhaustive()
    }
}

impl From<Value> for Answer {
    fn from(document: Value) -> Self {
        Self { document, list: None }
    }
}

impl From<Receipt> for Answer {
    fn from(receipt: Receipt) -> Self {
        let document = json!({
            "ended": receipt.sockets.len(),
            "suspended": receipt.suspended.len(),
            "reset": receipt.reset,
            "within_ms": u64::try_from(receipt.within.as_millis()).unwrap_or(u64::MAX),
            "node": &*receipt.node,
            "silent": receipt.silent.iter().map(|node| &**node).collect::<Vec<_>>(),
        });
        Self::with_list(document, "sockets", receipt.sockets.into_iter().map(|id| json!(id.to_string())))
    }
}

/// Whether a door lets people in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does.
    Works,
    /// The audit log takes no rows, so it lets nobody in.
    Fails,
    /// The file of its store is not there any more, or another is in its place: what it writes is gone when it ends.
    Astray,
    /// It is going down.
    Draining,
}

impl Standing {
    /// The word for it, in `/health` and `doorward health`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Works => "ok",
            Self::Fails => "failing",
            Self::Astray => "astray",
            Self::Draining => "draining",
        }
    }
}

impl Door {
    /// Does what the command line asks. The error is one clear line.
    pub async fn operate(&self, request: Request) -> Result<Answer, String> {
        match request {
            Request::Health {} => Ok(self.health().into()),
            Request::ListSockets { owner, at_most } => self.list(owner, at_most).await,
            Request::EndSockets { owner, what } => self.end(owner, &what).await,
            Request::Receipt { entry } => self.receipt(Cursor(entry)).await,
            Request::Why { owner, trace } => self.why(owner.as_deref(), &trace).await.map(Answer::from),
            Request::History { owner, subject, socket, at_most } => {
                let query = report::history_of(owner.as_deref(), subject.as_deref(), socket.as_deref(), at_most)?;
                self.audit.flush().await.map_err(|error| error.to_string())?;
                let records = self.audit.search(query).await.map_err(|error| error.to_string())?;
                Ok(report::history(&records).into())
            }
        }
    }

    /// Whether it lets people in.
    pub fn standing(&self) -> Standing {
        match self.audit.is_taking() {
            _ if self.is_draining() => Standing::Draining,
            _ if self.store.as_ref().is_some_and(|store| !store.is_there()) => Standing::Astray,
            Ok(()) => Standing::Works,
            Err(_) => Standing::Fails,
        }
    }

    /// What it holds.
    pub fn health(&self) -> Value {
        let (_, climbing) = self.caps.counts();
        json!({
            "status": self.standing().name(),
            "sockets": self.sockets.len(),
            "climbing": climbing,
            "gates": self.gates.load().len(),
            "failing_open": self.failing_open(None),
            "version": env!("CARGO_PKG_VERSION"),
        })
    }

    /// The gates, of an owner or of all, whose sockets go on while nobody knows whether their logins have ended: `OWNER/GATE`.
    pub(crate) fn failing_open(&self, owner: Option<&OwnerId>) -> Vec<String> {
        let gates = self.gates.load();
        let own = gates.failing_open().filter(|gate| owner.is_none_or(|owner| *owner == gate.owner));
        own.map(|gate| format!("{}/{}", gate.owner, gate.name)).collect()
    }

    /// The total is the owner's own, where an owner asks.
    async fn list(&self, owner: Option<String>, at_most: usize) -> Result<Answer, String> {
        let owner = owner.map(OwnerId::new);
        let failing_open = self.failing_open(owner.as_ref());
        let count_and_list = move |sockets: &Sockets| {
            let listed = sockets.select(&Selection { owner: owner.clone(), at_most, ..Selection::default() });
            let counts = sockets.count_by_gate().into_iter();
            let own = counts.filter(|((of, _), _)| owner.as_ref().is_none_or(|owner| owner == of));
            let total = own.map(|(_, count)| count).sum::<usize>();
            // Some may have left between the list and the count.
            (total.max(listed.len()), listed)
        };
        let (total, listed) = self.apart(count_and_list).await?;
        // What there is to say of one is put together when it is written, and nothing of one that has ended meanwhile.
        let live = listed.into_iter().filter(|socket| socket.is_open());
        let sockets = live.map(|socket| socket_json(&socket.info()));
        Ok(Answer::with_list(json!({ "total": total, "failing_open": failing_open }), "sockets", sockets))
    }

    async fn end(&self, owner: Option<String>, what: &str) -> Result<Answer, String> {
        let (target, happened) = meant(what)?;
        let (owner, meant) = (owner.map(OwnerId::new), target.clone());
        let begin = move |sockets: &Sockets| {
            let about = About::of(sockets, owner.as_ref(), &meant);
            (about, sockets.end(owner.as_ref(), &meant, CloseReason::SessionEnded))
        };
        let (About { owner, whose }, ending) = self.apart(begin).await?;
        if !ending.sockets().is_empty() {
            self.journal.done(Event { owner, whose, source: None, by: By::CommandLine, what: happened });
        }
        let receipt = ending.await;
        // The layers of an application may rest on more: what has ended something is known.
        if let Target::Rest(Rest { kind, .. }) = &target
            && receipt.sockets.is_empty()
            && !Rest::KINDS.contains(&kind.as_ref())
        {
            return Err(format!("no socket rests on a `{kind}`; the kinds are {}", kinds()));
        }
        Ok(receipt.into())
    }

    async fn receipt(&self, entry: Cursor) -> Result<Answer, String> {
        Ok(self.follower.receipt_of(entry).await.into())
    }

    /// Does something with all sockets where it keeps nobody waiting.
    async fn apart<T: Send + 'static>(&self, work: impl FnOnce(&Sockets) -> T + Send + 'static) -> Result<T, String> {
        let sockets = Arc::clone(&self.sockets);
        tokio::task::spawn_blocking(move || work(&sockets)).await.map_err(|error| error.to_string())
    }

    async fn why(&self, owner: Option<&str>, trace: &str) -> Result<Value, String> {
        let trace: TraceId = trace.parse().map_err(|error| format!("`{trace}`: {error}"))?;
        self.audit.flush().await.map_err(|error| error.to_string())?;
        let record = self.audit.find(trace).await.map_err(|error| error.to_string())?;
        report::decision(record.as_ref(), owner).ok_or_else(|| report::unknown_trace(trace))
    }
}

/// What is to end, and what the audit log says of that.
fn meant(what: &str) -> Result<(Target, Happening), String> {
    match (what.parse::<SocketId>(), what.parse::<Rest>()) {
        (_, Ok(rest)) if &*rest.kind == "subject" && !rest.value.contains(':') => {
            Err(format!("`{}` is no subject; write `kind:pk`, such as `subject=member:{}`", rest.value, rest.value))
        }
        (Ok(socket), _) => Ok((Target::Socket(socket), Happening::SocketEnded(socket))),
        (_, Ok(rest)) => Ok((Target::Rest(rest.clone()), Happening::RestEnded(rest.to_string()))),
        (Err(_), Err(error)) => {
            let rest = format!("{error}, and the kind is one of {}", kinds());
            Err(format!("`{what}` is neither a socket id nor what sockets rest on: {rest}"))
        }
    }
}

fn kinds() -> String {
    Rest::KINDS.iter().map(|kind| format!("`{kind}`")).collect::<Vec<_>>().join(", ")
}

/// Whom an ending is about, where that is one.
struct About {
    owner: Option<OwnerId>,
    whose: Option<Subject>,
}

impl About {
    fn of(sockets: &Sockets, owner: Option<&OwnerId>, target: &Target) -> Self {
        let found = match target {
            Target::Socket(id) => sockets.find(owner, *id).into_iter().collect(),
            Target::Rest(rest) => sockets.list_on(owner, rest),
            _ => Vec::new(),
        };
        let is_whose = |whose: &Subject| {
            found.iter().all(|info| info.subject.as_ref().is_some_and(|subject| subject.same_as(whose)))
        };
        let first = found.first();
        let of = first.map(|info| &info.owner).filter(|of| found.iter().all(|info| info.owner == **of));
        Self {
            owner: owner.or(of).cloned(),
            whose: first.and_then(|info| info.subject.as_ref()).filter(|whose| is_whose(whose)).cloned(),
        }
    }
}

fn socket_json(info: &SocketInfo) -> Value {
    json!({
        "socket": info.id.to_string(),
        "owner": info.owner.as_str(),
        "gate": info.gate.as_str(),
        "subject": info.subject.as_ref().map(ToString::to_string),
        "backend": info.backend,
        "since": info.since.to_string(),
        "last_seen": info.last_seen.to_string(),
        "expires_at": info.expires_at.map(|at| at.to_string()),
        "state": info.state.name(),
        "layers": info.layers,
        "sid": info.sid,
        "source": info.source.to_string(),
        "trace": info.trace.to_string(),
    })
}
