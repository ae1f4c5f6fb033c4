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
use doorward_session::{Follower, SocketInfo, SocketState, Sockets, Target};
use doorward_types::{CloseReason, GateName, OwnerId, SocketId, Subject};
use doorward_web::{
    GateInfo, Journal, LiveSocket, LiveSockets, Site, SiteConfig, SiteParts,
    manage::{self, Api, ApiParts, Live, NodeReceipt, SocketQuery, SocketView},
};

use crate::{
    config::{self, Config, in_memory},
    gates::{Gate, Gates, Tools},
    own_tokens::OwnTokens,
};

/// A part of a path that is as long as this and all letters and digits is a secret, and shown to nobody.
const LOOKS_SECRET: usize = 22;

/// The node, as the site and the HTTP API have it.
pub(crate) struct NodeView {
    pub(crate) sockets: Arc<Sockets>,
    pub(crate) follower: Arc<Follower>,
    pub(crate) gates: Arc<ArcSwap<Gates>>,
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
    let host = config.site.url.as_deref().and_then(|url| url.split("://").nth(1)).unwrap_or_default();
    let api = Api::new(ApiParts {
        ports: ports.site.clone(),
        tickets: Arc::clone(&ports.tickets),
        app_keys: Arc::clone(&ports.app_keys),
        audit: Arc::clone(audit),
        journal: journal.clone(),
        clock: Arc::clone(&ports.clock),
        rng: Arc::clone(&ports.rng),
        node: Arc::clone(&view) as _,
        hashing: Arc::clone(&hashing),
        rules: PasswordRules::of_site(&config.site.name, host),
        signer: Arc::clone(&signer) as _,
    });
    let site = |tools: SiteTools| {
        Site::new(SiteParts {
            config: site_config(&config.site),
            ports,
            journal,
            tools,
            sockets: Arc::clone(&view) as _,
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

    async fn one(&self, owner: Option<&OwnerId>, id: SocketId) -> Result<Option<SocketInfo>, PortError> {
        let owner = owner.cloned();
        self.apart(move |sockets| sockets.list(owner.as_ref(), usize::MAX).into_iter().find(|info| info.id == id)).await
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

impl LiveSockets for NodeView {
    fn of(&self, owner: &OwnerId, subject: &Subject, at_most: usize) -> Vec<LiveSocket> {
        let found = self.sockets.list_on(Some(owner), &subject.rest());
        found.into_iter().rev().take(at_most).map(shown).collect()
    }

    fn find<'a>(&'a self, owner: &'a OwnerId, id: SocketId) -> BoxFuture<'a, Result<Option<LiveSocket>, PortError>> {
        Box::pin(async move { Ok(self.one(Some(owner), id).await?.map(shown)) })
    }

    fn newest<'a>(
        &'a self,
        owner: Option<&'a OwnerId>,
        at_most: usize,
    ) -> BoxFuture<'a, Result<Vec<LiveSocket>, PortError>> {
        let owner = owner.cloned();
        Box::pin(self.apart(move |sockets| {
            let found = sockets.list(owner.as_ref(), usize::MAX);
            found.into_iter().rev().take(at_most).map(shown).collect()
        }))
    }

    fn end<'a>(&'a self, owner: &'a OwnerId, id: SocketId) -> BoxFuture<'a, Result<bool, PortError>> {
        Box::pin(async move {
            let receipt = self.end_target(Some(owner), Target::Socket(id)).await?;
            Ok(!receipt.sockets.is_empty())
        })
    }
}

fn shown(info: SocketInfo) -> LiveSocket {
    LiveSocket {
        id: info.id,
        owner: info.owner,
        gate: info.gate,
        subject: info.subject,
        sid: info.sid.and_then(|sid| sid.parse().ok()),
        layers: info.layers.into_iter().map(str::to_owned).collect(),
        source: info.source,
        since: info.since,
        last_seen: info.last_seen,
    }
}

impl doorward_web::Gates for NodeView {
    fn owner_of(&self, host: &str) -> OwnerId {
        self.gates.load().owners().at(host).clone()
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
        enabled: true,
    }
}

impl manage::Node for NodeView {
    fn sockets(&self, query: SocketQuery) -> BoxFuture<'_, Result<Vec<SocketView>, PortError>> {
        Box::pin(self.apart(move |sockets| {
            let views = sockets.list(query.owner.as_ref(), usize::MAX).into_iter().map(view);
            views.filter(|view| is_asked_for(view, &query)).take(query.at_most).collect()
        }))
    }

    fn socket<'a>(
        &'a self,
        owner: Option<&'a OwnerId>,
        id: SocketId,
    ) -> BoxFuture<'a, Result<Option<SocketView>, PortError>> {
        Box::pin(async move { Ok(self.one(owner, id).await?.map(view)) })
    }

    fn end_live<'a>(
        &'a self,
        owner: Option<&'a OwnerId>,
        live: Live,
    ) -> BoxFuture<'a, Result<manage::Receipt, PortError>> {
        let target = match live {
            Live::Socket(id) => Target::Socket(id),
            Live::On(rest) => Target::Rest(rest),
        };
        Box::pin(async move { Ok(said(self.end_target(owner, target).await?)) })
    }

    fn end(&self, ending: Ending) -> BoxFuture<'_, Result<manage::Receipt, PortError>> {
        Box::pin(async move { Ok(said(self.follower.end(ending).await?)) })
    }

    fn owners(&self) -> Vec<OwnerId> {
        self.gates.load().owners().all().cloned().collect()
    }

    fn has_gate(&self, owner: &OwnerId, gate: &GateName) -> bool {
        self.gates.load().all().any(|known| known.owner == *owner && known.name == *gate)
    }
}

fn is_asked_for(view: &SocketView, query: &SocketQuery) -> bool {
    query.gate.as_ref().is_none_or(|gate| *gate == view.gate)
        && query
            .subject
            .as_ref()
            .is_none_or(|subject| view.subject.as_ref().is_some_and(|known| known.same_as(subject)))
        && query.sid.as_ref().is_none_or(|sid| view.sid.as_ref() == Some(sid))
        && query.state.is_none_or(|state| state == view.state)
        && query.after.is_none_or(|after| (view.since, view.id) > after)
}

fn view(info: SocketInfo) -> SocketView {
    SocketView {
        id: info.id,
        owner: info.owner,
        gate: info.gate,
        state: match info.state {
            SocketState::Active => manage::SocketState::Active,
            SocketState::Suspended(_) => manage::SocketState::Suspended,
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

fn said(receipt: doorward_session::Receipt) -> manage::Receipt {
    let node = NodeReceipt { node: receipt.node.to_string(), ended: receipt.sockets.len(), within: receipt.within };
    let is_silent = receipt.silent.contains(&receipt.node);
    manage::Receipt {
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
