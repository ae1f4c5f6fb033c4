//! The live sockets of a test's node.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use doorward_auth::{
    BoxFuture,
    ports::{Ending, PortError, Revocations},
};
use doorward_types::{AccountId, GateName, OwnerId, SessionId, SocketId, Subject, TraceId};
use doorward_web::live::{
    Emission, Live, Node, NodeReceipt, NotEmitted, Receipt, SocketQuery, SocketState, SocketView,
};

/// Live sockets, of whom those end that rest on what was ended.
pub(crate) struct Sockets {
    pub(crate) live: Mutex<Vec<SocketView>>,
    /// Where endings are written down.
    log: Arc<dyn Revocations>,
    /// What has ended.
    pub(crate) landed: Mutex<Vec<Ending>>,
    /// What was to be emitted.
    pub(crate) emitted: Mutex<Vec<Emission>>,
    /// Another node, which does not answer.
    pub(crate) silent: Mutex<Vec<String>>,
}

impl Sockets {
    /// None yet; endings are written into that log.
    pub(crate) fn over(log: Arc<dyn Revocations>) -> Self {
        Self {
            live: Mutex::default(),
            log,
            landed: Mutex::default(),
            emitted: Mutex::default(),
            silent: Mutex::default(),
        }
    }

    /// A socket of an account of `acme`, which rests on that login.
    pub(crate) fn add(&self, number: u8, account: AccountId, name: &str, sid: Option<SessionId>) -> SocketId {
        let socket = SocketView {
            subject: Some(account.subject(name)),
            sid: sid.map(|sid| sid.to_string()),
            layers: vec!["session".into(), "totp".into(), "ident".into()],
            source: IpAddr::from([198, 51, 100, 20]),
            ..socket("acme", number)
        };
        let id = socket.id;
        self.live.lock().unwrap().push(socket);
        id
    }

    pub(crate) fn ids(&self) -> Vec<SocketId> {
        self.live.lock().unwrap().iter().map(|socket| socket.id).collect()
    }

    /// Somebody is at the gate `chat` of that owner.
    pub(crate) fn admit(&self, owner: &str, number: u8, subject: &str) -> String {
        let (kind, pk) = subject.split_once(':').unwrap();
        let subject = Some(Subject { kind: kind.into(), pk: pk.into(), uuid: "bob".into() });
        let socket = SocketView { subject, ..socket(owner, number) };
        let id = socket.id.to_string();
        self.live.lock().unwrap().push(socket);
        id
    }

    fn let_go(&self, is_meant: impl Fn(&SocketView) -> bool) -> Receipt {
        let mut live = self.live.lock().unwrap();
        let ended: Vec<_> = live.iter().filter(|socket| is_meant(socket)).map(|socket| socket.id).collect();
        live.retain(|socket| !is_meant(socket));
        let within = Duration::from_millis(3);
        let nodes = vec![NodeReceipt { node: "here".into(), ended: ended.len(), within }];
        Receipt { ended, within, nodes, not_answering: self.silent.lock().unwrap().clone(), ..Receipt::default() }
    }
}

impl Node for Sockets {
    fn sockets(&self, query: SocketQuery) -> BoxFuture<'_, Result<Vec<SocketView>, PortError>> {
        let asked = |socket: &&SocketView| {
            query.owner.as_ref().is_none_or(|owner| *owner == socket.owner)
                && query.gate.as_ref().is_none_or(|gate| *gate == socket.gate)
                && query.subject.as_ref().is_none_or(|asked| socket.subject.as_ref().unwrap().same_as(asked))
                && query.sid.as_ref().is_none_or(|sid| socket.sid.as_ref() == Some(sid))
                && query.state.is_none_or(|state| state == socket.state)
                && query.after.is_none_or(|after| (socket.since, socket.id) > after)
        };
        let live = self.live.lock().unwrap();
        let mut found: Vec<_> = live.iter().filter(asked).cloned().collect();
        if query.newest_first {
            found.reverse();
        }
        found.truncate(query.at_most);
        Box::pin(async { Ok(found) })
    }

    fn socket<'a>(
        &'a self,
        owner: Option<&'a OwnerId>,
        id: SocketId,
    ) -> BoxFuture<'a, Result<Option<SocketView>, PortError>> {
        let is_meant = |socket: &&SocketView| socket.id == id && owner.is_none_or(|owner| *owner == socket.owner);
        let found = self.live.lock().unwrap().iter().find(is_meant).cloned();
        Box::pin(async { Ok(found) })
    }

    fn end_live<'a>(&'a self, owner: Option<&'a OwnerId>, live: Live) -> BoxFuture<'a, Result<Receipt, PortError>> {
        let receipt = self.let_go(|socket| {
            owner.is_none_or(|owner| *owner == socket.owner)
                && match &live {
                    Live::Socket(id) => *id == socket.id,
                    Live::On(rest) => rest.kind == "gate" && *rest.value == *socket.gate.as_str(),
                }
        });
        Box::pin(async { Ok(receipt) })
    }

    fn end(&self, ending: Ending) -> BoxFuture<'_, Result<Receipt, PortError>> {
        let receipt = self.let_go(|socket| {
            let rests = [socket.subject.as_ref().unwrap().rest()];
            ending.owner.as_ref().is_none_or(|owner| *owner == socket.owner)
                && ending.what.ends(socket.subject.as_ref(), &rests, socket.since, ending.at)
        });
        self.landed.lock().unwrap().push(ending.clone());
        Box::pin(async move { self.log.end(ending).await.map(|_| receipt) })
    }

    /// The gate `chat` has the namespace `/`, where every live socket of the owner hears what is not bad.
    fn emit(&self, emission: Emission) -> BoxFuture<'_, Result<usize, NotEmitted>> {
        let hears = |socket: &&SocketView| socket.owner == emission.owner && socket.gate == emission.gate;
        let heard = match (emission.gate.as_str(), &*emission.namespace, &*emission.event) {
            ("chat", "/", "connect") => Err(NotEmitted::Event("it is reserved".into())),
            ("chat", "/", _) if emission.arguments.contains(&"bad".into()) => {
                Err(NotEmitted::Arguments("it is bad".into()))
            }
            ("chat", "/", _) => Ok(self.live.lock().unwrap().iter().filter(hears).count()),
            ("chat", ..) => Err(NotEmitted::Namespace(vec!["/".into()])),
            _ => Err(NotEmitted::Gate),
        };
        self.emitted.lock().unwrap().push(emission);
        Box::pin(async { heard })
    }

    fn owners(&self) -> Vec<OwnerId> {
        vec![OwnerId::new("acme"), OwnerId::new("globex")]
    }

    fn has_gate(&self, _owner: &OwnerId, gate: &GateName) -> bool {
        gate.as_str() == "chat"
    }
}

/// At the gate `chat` of that owner, with that number in everything.
fn socket(owner: &str, number: u8) -> SocketView {
    let now = doorward_testkit::World::NOW;
    SocketView {
        id: SocketId::from_bytes([number; 16]),
        owner: OwnerId::new(owner),
        gate: GateName::new("chat"),
        state: if number.is_multiple_of(2) { SocketState::Active } else { SocketState::Suspended },
        subject: None,
        sid: Some(format!("s{number}")),
        layers: vec!["origin".into(), "session".into()],
        backend: "hub".into(),
        source: IpAddr::from([192, 0, 2, 7]),
        trace: TraceId::from_bytes([number; 16]),
        since: now.plus(Duration::from_millis(number.into())),
        last_seen: now.plus(Duration::from_secs(1)),
        expires_at: None,
    }
}
