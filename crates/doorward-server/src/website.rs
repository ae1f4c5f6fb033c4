//! What the built-in site and the HTTP API ask of the node: its live sockets, its gates, and its signature.

use std::sync::Arc;

use arc_swap::ArcSwap;
use doorward_auth::{
    BoxFuture,
    account::{Hashing, PasswordRules},
    layers::{SiteTools, handshake::path::RequestPath},
    ports::{Audit, Ending, PortError},
};
use doorward_backends::upstream::SigningKey;
use doorward_session::{Follower, Selection, SocketInfo, SocketState, Sockets, Target};
use doorward_types::{CloseReason, GateName, OwnerId, SocketId};
use doorward_web::{
    GateInfo, Journal, Site, SiteConfig, SiteParts,
    live::{self, Emission, Live, NodeReceipt, NotEmitted, SocketQuery, SocketView},
    manage::{Api, ApiParts},
};
use doorward_wire::socketio::{Emitted, Malformed, Namespace};

use crate::{
    config::{self, Config, in_memory},
    gates::{Gate, Gates, Tools},
    metrics::Metrics,
    own_tokens::OwnTokens,
};

/// A part of a path that is as long as this and all letters and digits is a secret, and shown to nobody.
const LOOKS_SECRET: usize = 22;

/// The node, as the site and the HTTP API have it.
pub(crate) struct NodeView {
    pub(crate) sockets: Arc<Sockets>,
    pub(crate) follower: Arc<Follower>,
    pub(crate) gates: Arc<ArcSwap<Gates>>,
    pub(crate) metrics: Arc<Metrics>,
}

/// Opens the site, where there is one, and the HTTP API, which knows the site's own tokens.
pub(crate) fn open(
    config: &Config,
    tools: &Tools,
    view: NodeView,
    hashing: Arc<Hashing>,
    audit: &Arc<dyn Audit>,
    key: &Arc<SigningKey>,
) -> (Option<Arc<Site>>, Arc<Api>) {
    let ports = tools.ports.clone();
    let journal = Journal::new(Arc::clone(audit), Arc::clone(&ports.clock), Arc::clone(&ports.rng));
    let signer = Arc::new(OwnTokens::new(Arc::clone(key)));
    let view = Arc::new(view);
    let api = Api::new(ApiParts {
        ports: ports.site.clone(),
        tickets: Arc::clone(&ports.tickets),
        app_keys: Arc::clone(&ports.app_keys),
        audit: Arc::clone(audit),
        journal: journal.clone(),
        clock: Arc::clone(&ports.clock),
        rng: Arc::clone(&ports.rng),
        node: Arc::clone(&view) as _,
        gates: Arc::clone(&view) as _,
        hashing: Arc::clone(&hashing),
        signer: Arc::clone(&signer) as _,
    });
    let site = |tools: SiteTools| {
        Site::new(SiteParts {
            config: site_config(&config.site),
            ports,
            journal,
            tools,
            node: Arc::clone(&view) as _,
            gates: view,
            signer,
        })
    };
    (tools.site.clone().map(site).map(Arc::new), Arc::new(api))
}

fn site_config(site: &config::Site) -> SiteConfig {
    SiteConfig {
        name: site.name.clone(),
        url: site.url.clone(),
        register: site.register,
        cookie_domain: site.cookie_domain.as_ref().map(ToString::to_string),
        session_idle: site.session_idle.duration(),
        session_longest: site.session_longest.duration(),
        sessions_per_account: in_memory(site.sessions_per_account),
    }
}

impl NodeView {
    /// Does something with all sockets where it keeps nobody waiting.
    async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<Sockets>) -> T + Send + 'static,
    ) -> Result<T, PortError> {
        let sockets = Arc::clone(&self.sockets);
        let done = tokio::task::spawn_blocking(move || work(&sockets)).await;
        done.map_err(|error| PortError { port: "live sockets", detail: error.to_string() })
    }

    async fn end_target(
        &self,
        owner: Option<&OwnerId>,
        target: Target,
    ) -> Result<doorward_session::Receipt, PortError> {
        let owner = owner.cloned();
        let end = move |sockets: &Arc<Sockets>| sockets.end(owner.as_ref(), &target, CloseReason::SessionEnded);
        Ok(self.apart(end).await?.await)
    }
}

impl doorward_web::Gates for NodeView {
    fn owner_of(&self, host: &str) -> OwnerId {
        self.gates.load().owners().at(host).clone()
    }

    fn address_of(&self, owner: &OwnerId) -> Option<String> {
        self.gates.load().owners().address_of(owner)
    }

    fn rules_of(&self, owner: &OwnerId) -> PasswordRules {
        self.gates.load().owners().rules_of(owner)
    }

    fn find(&self, host: &str, path: &str) -> Option<GateInfo> {
        let path = RequestPath::read(path).ok()?;
        self.gates.load().at(host, &path).map(|gate| gate_info(&gate))
    }

    fn list(&self, owner: Option<&OwnerId>) -> Vec<GateInfo> {
        let gates = self.gates.load();
        let own = gates.all().filter(|gate| owner.is_none_or(|owner| *owner == gate.owner));
        own.map(gate_info).collect()
    }
}

fn gate_info(gate: &Gate) -> GateInfo {
    let path = gate.path();
    let secret = |part: &str| part.len() >= LOOKS_SECRET && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    GateInfo {
        owner: gate.owner.clone(),
        name: gate.name.clone(),
        host: gate.host().map(str::to_owned),
        path: (!path.split('/').any(secret)).then(|| path.to_owned()),
        ladder: gate.ladder.in_words(),
        backend: gate.backing.name().to_owned(),
        is_socketio: gate.socketio.is_some(),
    }
}

impl live::Node for NodeView {
    fn sockets(&self, query: SocketQuery) -> BoxFuture<'_, Result<Vec<SocketView>, PortError>> {
        Box::pin(self.apart(move |sockets| {
            let found = sockets.select(&selection(query));
            found.iter().map(|socket| view(socket.info())).collect()
        }))
    }

    fn socket<'a>(
        &'a self,
        owner: Option<&'a OwnerId>,
        id: SocketId,
    ) -> BoxFuture<'a, Result<Option<SocketView>, PortError>> {
        Box::pin(async move { Ok(self.sockets.find(owner, id).map(view)) })
    }

    fn end_live<'a>(
        &'a self,
        owner: Option<&'a OwnerId>,
        live: Live,
    ) -> BoxFuture<'a, Result<live::Receipt, PortError>> {
        let target = match live {
            Live::Socket(id) => Target::Socket(id),
            Live::On(rest) => Target::Rest(rest),
        };
        Box::pin(async move { Ok(said(self.end_target(owner, target).await?)) })
    }

    fn end(&self, ending: Ending) -> BoxFuture<'_, Result<live::Receipt, PortError>> {
        Box::pin(async move { Ok(said(self.follower.end(ending).await?)) })
    }

    fn emit(&self, emission: Emission) -> BoxFuture<'_, Result<usize, NotEmitted>> {
        let gate = self.gates.load().named(&emission.owner, &emission.gate).cloned();
        Box::pin(async move {
            let gate = gate.filter(|gate| gate.socketio.is_some()).ok_or(NotEmitted::Gate)?;
            let (owner, name) = (gate.owner.clone(), gate.name.clone());
            let emitted = self.apart(move |sockets| put_out(sockets, &gate, &emission)).await;
            let sockets = emitted.map_err(NotEmitted::Port)??;
            self.metrics.emitted(&owner, &name);
            Ok(sockets)
        })
    }

    fn owners(&self) -> Vec<OwnerId> {
        self.gates.load().owners().all().cloned().collect()
    }

    fn has_gate(&self, owner: &OwnerId, gate: &GateName) -> bool {
        self.gates.load().all().any(|known| known.owner == *owner && known.name == *gate)
    }
}

/// Puts an event out at a gate that speaks Socket.IO.
fn put_out(sockets: &Sockets, gate: &Gate, emission: &Emission) -> Result<usize, NotEmitted> {
    let wire = gate.socketio.as_ref().ok_or(NotEmitted::Gate)?;
    let known = || NotEmitted::Namespace(wire.namespaces.iter().map(|name| name.to_string()).collect());
    let namespace = Namespace::new(&emission.namespace).ok().and_then(|name| wire.namespaces.get(name));
    let namespace = namespace.ok_or_else(known)?;
    let unfit = |why: Malformed| match why {
        Malformed::BadEventName | Malformed::ReservedEventName | Malformed::GatesOwnEventName => {
            NotEmitted::Event(why.to_string())
        }
        _ => NotEmitted::Arguments(why.to_string()),
    };
    let arguments =
        serde_json::value::to_raw_value(&emission.arguments).map_err(|why| NotEmitted::Arguments(why.to_string()))?;
    let event = Emitted::new(&emission.event, &arguments).map_err(unfit)?;
    let at = (&gate.owner, &gate.name);
    Ok(wire.hub.emit(sockets, at, (namespace, emission.room.as_deref()), &event))
}

fn selection(query: SocketQuery) -> Selection {
    let SocketQuery { owner, gate, subject, sid, state, after, newest_first, at_most } = query;
    let suspended = state.map(|state| state == live::SocketState::Suspended);
    Selection { owner, gate, subject, sid, suspended, after, newest_first, at_most }
}

fn view(info: SocketInfo) -> SocketView {
    SocketView {
        id: info.id,
        owner: info.owner,
        gate: info.gate,
        state: match info.state {
            SocketState::Active => live::SocketState::Active,
            SocketState::Suspended(_) => live::SocketState::Suspended,
        },
        subject: info.subject,
        sid: info.sid,
        layers: info.layers.into_iter().map(str::to_owned).collect(),
        backend: info.backend.to_owned(),
        source: info.source,
        trace: info.trace,
        since: info.since,
        last_seen: info.last_seen,
        expires_at: info.expires_at,
    }
}

fn said(receipt: doorward_session::Receipt) -> live::Receipt {
    let node = NodeReceipt { node: receipt.node.to_string(), ended: receipt.sockets.len(), within: receipt.within };
    let is_silent = receipt.silent.contains(&receipt.node);
    live::Receipt {
        ended: receipt.sockets,
        suspended: receipt.suspended,
        reset: receipt.reset,
        within: receipt.within,
        nodes: if is_silent { Vec::new() } else { vec![node] },
        not_answering: receipt.silent.iter().map(ToString::to_string).collect(),
    }
}

#[cfg(test)]
mod tests;
