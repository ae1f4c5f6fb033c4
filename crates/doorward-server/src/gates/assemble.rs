use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc, time::Duration};

use doorward_auth::{
    Ladder, LadderError, Rung, Step,
    layers::{
        BuildContext, BuildError, SiteTools,
        handshake::{
            origin::{Origin, OriginError, Origins},
            path::{PathError, PathPattern},
        },
    },
    ports::{Carts, Ports},
    token::{Issuer, IssuerError},
};
use doorward_backends::{
    echo::Echo,
    hub::{self, Hub, UnfitName},
    ninep::{Ninep, trees},
    upstream::{Signer, Upstream},
};
use doorward_session::{Limits, Renewal, SocketPolicy};
use doorward_types::{GateName, OwnerId};
use doorward_wire::socketio::{Namespaces, UnfitNamespaces};

use super::{
    Backing, Gate, Gates, Owners, SocketIo,
    renewal::{AskAgain, GRACE},
};
use crate::{
    config::{self, BackendConfig, Config, FailConfig, TransportConfig, in_memory, secret_reader},
    issuer_keys::KeyRings,
    node::Extensions,
};

/// What gates are put together with.
pub struct Tools {
    /// What layers need from the world.
    pub ports: Ports,
    /// The keys that issuers publish. Whoever has it also runs it ([`KeyRings::run`]).
    pub keys: Arc<KeyRings>,
    /// What users have put into their carts.
    pub carts: Arc<dyn Carts>,
    /// The signature under what upstreams are told.
    pub signer: Signer,
    /// What the layers of the built-in site are built with, where there is one.
    pub site: Option<SiteTools>,
    /// What an embedding application brings along.
    pub extensions: Extensions,
    /// The folder that paths in the configuration are relative to.
    pub base: PathBuf,
}

/// What of a configuration cannot be put together: everything that is wrong, a line for each.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct AssembleErrors(pub Vec<AssembleError>);

/// A part of a configuration that cannot be put together, and why.
#[derive(Debug, thiserror::Error)]
#[error("{part}: {why}")]
pub struct AssembleError {
    /// What it is.
    pub part: Part,
    /// Why.
    pub why: Unassembled,
}

/// A part of a configuration that has a name, unique with its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A gate.
    Gate(OwnerId, GateName),
    /// An issuer of tokens.
    Issuer(OwnerId, String),
    /// What an embedding application puts behind a channel.
    Model(String),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gate(owner, name) => write!(f, "gate `{name}` of `{owner}`"),
            Self::Issuer(owner, name) => write!(f, "issuer `{name}` of `{owner}`"),
            Self::Model(channel) => write!(f, "model for the channel `{channel}`"),
        }
    }
}

/// What is wrong with a gate, an issuer or a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unassembled {
    /// An issuer's keys cannot be read.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// A layer cannot be built.
    #[error(transparent)]
    Layer(#[from] BuildError),
    /// The layers do not make a ladder.
    #[error(transparent)]
    Ladder(#[from] LadderError),
    /// The list of origins cannot be used.
    #[error(transparent)]
    Origins(#[from] OriginError),
    /// The name of a channel cannot be used.
    #[error(transparent)]
    Channel(#[from] UnfitName),
    /// The namespaces cannot be used.
    #[error(transparent)]
    Namespaces(#[from] UnfitNamespaces),
    /// The path cannot be used.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A model would never be asked.
    #[error("no gate has that channel; add it to a gate with a hub, as a `[[gate.channel]]` of that name")]
    NoSuchChannel,
}

/// The issuers of tokens by owner and name: names are an owner's own.
type Issuers = BTreeMap<OwnerId, BTreeMap<String, Arc<Issuer>>>;

/// The gates of a configuration, and what has to be done to the hubs that they keep before they are taken.
pub(crate) struct Next {
    pub(crate) gates: Gates,
    /// Hubs that were there before, each with its new rules.
    pub(crate) rules: Vec<(Arc<Hub>, Hub)>,
}

impl Gates {
    /// Puts together all gates of a configuration that are enabled, or none.
    ///
    /// # Errors
    /// Everything that cannot be put together. The gates of an owner with an issuer that cannot are not looked at.
    pub fn assemble(config: &Config, tools: &Tools) -> Result<Self, AssembleErrors> {
        Ok(Self::none_of(Owners::of(config)).next(config, tools)?.gates)
    }

    /// Puts together the gates that come after these. A gate that stays keeps its hub: who is there and who comes hear each
    /// other.
    ///
    /// # Errors
    /// As [`assemble`](Self::assemble).
    pub(crate) fn next(&self, config: &Config, tools: &Tools) -> Result<Next, AssembleErrors> {
        let (issuers, mut errors) = issuers(config, tools);
        let next = Next { gates: Self::none_of(Owners::of(config)), rules: Vec::new() };
        let mut assembly = Assembly { config, tools, issuers, before: self, next };
        for gate in config.gates.iter().filter(|gate| gate.enabled) {
            let owner = owner_of(config, gate.owner.as_deref());
            let lacks_issuer = |error: &AssembleError| matches!(&error.part, Part::Issuer(of, _) if *of == owner);
            if errors.iter().any(lacks_issuer) {
                continue;
            }
            let name = GateName::new(gate.name.as_str());
            if let Err(why) = assembly.add(owner.clone(), name.clone(), gate) {
                errors.push(AssembleError { part: Part::Gate(owner, name), why });
            }
        }
        errors.extend(unheard(config, tools));
        if errors.is_empty() { Ok(assembly.next) } else { Err(AssembleErrors(errors)) }
    }
}

/// A configuration on its way to a table of gates.
struct Assembly<'a> {
    config: &'a Config,
    tools: &'a Tools,
    issuers: Issuers,
    before: &'a Gates,
    next: Next,
}

impl Assembly<'_> {
    fn add(&mut self, owner: OwnerId, name: GateName, gate: &config::Gate) -> Result<(), Unassembled> {
        let host = gate.host.as_ref().map(ToString::to_string);
        let pattern: PathPattern = gate.path.parse()?;
        let limits = self.config.limits.of_gate(&gate.limits);
        let ladder = Arc::new(self.ladder(gate, &owner)?);
        let backing = match &gate.backend {
            BackendConfig::Hub(_) => Backing::Hub(self.hub(&owner, &name, gate, &limits)?),
            BackendConfig::Upstream(upstream) => {
                let Ports { clock, rng, .. } = &self.tools.ports;
                let (clock, rng, signer) = (Arc::clone(clock), Arc::clone(rng), self.tools.signer.clone());
                Backing::Upstream(Arc::new(Upstream::new(upstream.clone(), signer, clock, rng)))
            }
            BackendConfig::Echo(_) => Backing::Echo(Arc::new(Echo)),
            BackendConfig::Ninep(_) => {
                let hub = self.hub(&owner, &name, gate, &limits)?;
                Backing::Ninep(Arc::new(Ninep::new(self.tree(&hub))), hub)
            }
        };
        let policy = SocketPolicy { renewal: self.renewal(gate, &ladder), ..policy(gate, &limits, self.config) };
        let socketio = match (&gate.transport, &backing) {
            (TransportConfig::Socketio(socketio), Backing::Hub(hub)) => {
                let origins = Origins::read(gate.origins.as_deref())?;
                let namespaces = Namespaces::new(&socketio.namespaces)?;
                Some(SocketIo::new(Arc::clone(hub), namespaces, origins, &policy))
            }
            _ => None,
        };
        let built = Arc::new(Gate {
            policy: Arc::new(policy),
            socketio,
            ladder,
            backing,
            bytes_before: limits.message_bytes_before.len(),
            choose_within: limits.step_person.duration(),
            tail_after: gate.path.strip_suffix("/*").map(|before| before.matches('/').count()),
            settings: gate.clone(),
            limits,
            name: name.clone(),
            owner: owner.clone(),
        });
        if gate.fail == FailConfig::Open {
            tracing::warn!(gate = %built.name, "its sockets go on while nobody knows whether their logins have ended");
        }
        if self.config.ninep.listen.is_some()
            && matches!(built.backing, Backing::Ninep(..))
            && let Some(layer) = built.ladder.only_from_a_request()
        {
            tracing::info!(gate = %built.name, layer, "the file tree is there over a WebSocket alone: a layer looks at a web request");
        }
        if built.ladder.is_open() {
            tracing::warn!(gate = %built.name, "the gate is open: everybody gets in");
        }
        self.next.gates.table.insert(host.as_deref(), pattern, Arc::clone(&built))?;
        self.next.gates.by_name.insert((owner, name), built);
        Ok(())
    }

    /// What is in a file tree.
    fn tree(&self, hub: &Arc<Hub>) -> trees::Root {
        trees::Root::default()
            .with("session", trees::Session)
            .with("cart", trees::Cart::kept_in(Arc::clone(&self.tools.carts)))
            .with("channels", trees::Channels::of(Arc::clone(hub)))
    }

    /// How users are asked again: those of a hub, who can be.
    fn renewal(&self, gate: &config::Gate, ladder: &Arc<Ladder>) -> Option<Renewal> {
        let Ports { clock, rng, .. } = &self.tools.ports;
        let by = AskAgain { ladder: Arc::clone(ladder), clock: Arc::clone(clock), rng: Arc::clone(rng) };
        matches!(gate.backend, BackendConfig::Hub(_)).then(|| Renewal { grace: GRACE, by: Arc::new(by) })
    }

    /// The layers of a gate, the origin check on top of them. An open gate checks the origin only where it lists some.
    fn ladder(&self, gate: &config::Gate, owner: &OwnerId) -> Result<Ladder, Unassembled> {
        let origins = Origins::read(gate.origins.as_deref())?;
        if gate.open && gate.origins.is_none() {
            return Ok(Ladder::open_to_everyone());
        }
        let none = BTreeMap::new();
        let context = BuildContext {
            owner: owner.clone(),
            ports: self.tools.ports.clone(),
            issuers: self.issuers.get(owner).unwrap_or(&none),
            kept_claims: gate.named_claims().into(),
            authenticators: &self.tools.extensions.authenticators,
            read_secret: &secret_reader(&self.tools.base),
            origins: &origins,
            on_expiry: gate.transport.on_expiry(),
            site: self.tools.site.as_ref(),
        };
        let mut rungs = vec![Rung::One(Step::handshake(Origin(origins.clone())))];
        for rung in &gate.ladder {
            rungs.push(rung.build(&context)?);
        }
        Ok(Ladder::new(rungs)?.with_verdict(gate.verdict.into()))
    }

    /// The hub of a gate: the one that it has, with new rules to come, or a new one.
    fn hub(
        &mut self,
        owner: &OwnerId,
        name: &GateName,
        gate: &config::Gate,
        limits: &config::Limits,
    ) -> Result<Arc<Hub>, Unassembled> {
        let mut hub = Hub::new(gate.hub()?).with_at_most(in_memory(limits.channels_per_socket));
        if let TransportConfig::Socketio(_) = gate.transport {
            hub = hub.of_events();
        }
        // The application's own models go before the rules of the configuration.
        for channel in &gate.channel {
            if let Some(model) = self.tools.extensions.models.get(&channel.name) {
                hub = hub.with_model(channel.name.parse()?, Arc::clone(model));
            }
        }
        let before = self.before.by_name.get(&(owner.clone(), name.clone()));
        match before.map(|gate| &gate.backing) {
            Some(Backing::Hub(stays) | Backing::Ninep(_, stays)) if stays.is_of_events() == hub.is_of_events() => {
                self.next.rules.push((Arc::clone(stays), hub));
                Ok(Arc::clone(stays))
            }
            _ => Ok(Arc::new(hub)),
        }
    }
}

/// The models that no gate has a channel for, not even one that is disabled.
fn unheard(config: &Config, tools: &Tools) -> impl Iterator<Item = AssembleError> {
    let has = |name: &str| config.gates.iter().flat_map(|gate| &gate.channel).any(|channel| channel.name == name);
    let models = tools.extensions.models.keys().filter(move |name| !has(name));
    models.map(|name| AssembleError { part: Part::Model(name.clone()), why: Unassembled::NoSuchChannel })
}

/// The issuers of tokens, with the server's own for every owner, and those that cannot be built.
fn issuers(config: &Config, tools: &Tools) -> (Issuers, Vec<AssembleError>) {
    let read = secret_reader(&tools.base);
    let (mut issuers, mut errors) = (Issuers::new(), Vec::new());
    for gate in &config.gates {
        let owner = owner_of(config, gate.owner.as_deref());
        let own = Issuer::own(&owner, tools.signer.key.public());
        issuers.entry(owner).or_default().insert(Issuer::OWN.to_owned(), Arc::new(own));
    }
    for issuer in &config.issuers {
        let owner = owner_of(config, issuer.owner.as_deref());
        match Issuer::build(issuer, &owner, &read) {
            Ok(built) => {
                let built = Arc::new(tools.keys.supply(built));
                issuers.entry(owner).or_default().insert(issuer.name.clone(), built);
            }
            Err(why) => {
                errors.push(AssembleError { part: Part::Issuer(owner, issuer.name.clone()), why: why.into() });
            }
        }
    }
    (issuers, errors)
}

/// An owner as gates and issuers name it; the only one where they name none.
pub fn owner_of(config: &Config, name: Option<&str>) -> OwnerId {
    let only = config.owners.first().map_or("default", |owner| owner.name.as_str());
    OwnerId::new(name.unwrap_or(only))
}

/// How long a socket lives at the most where its gate does not say it: with Socket.IO it outlives its token.
fn longest(gate: &config::Gate) -> Option<Duration> {
    matches!(gate.transport, TransportConfig::Socketio(_)).then_some(Duration::from_secs(12 * 60 * 60))
}

fn policy(gate: &config::Gate, limits: &config::Limits, config: &Config) -> SocketPolicy {
    // To read a file takes four messages, and to list a folder more.
    let is_said = gate.limits.messages_per_second.is_some() || gate.limits.message_burst.is_some();
    let rate = if matches!(gate.backend, BackendConfig::Ninep(_)) && !is_said { 50 } else { 1 };
    SocketPolicy {
        backend: gate.backend.name(),
        limits: Limits {
            message: limits.message_bytes.len(),
            messages_per_second: limits.messages_per_second * rate,
            burst: limits.message_burst * rate,
            outbox_messages: in_memory(limits.outbox_messages),
            outbox_bytes: limits.outbox_bytes.len(),
        },
        ping_every: Some(limits.ping_interval.duration()),
        pong_within: limits.pong_timeout.duration(),
        max_session: gate.max_session.map(doorward_auth::settings::Span::duration).or(longest(gate)),
        end_within: limits.end_within.duration(),
        per_subject: Some(in_memory(limits.sockets_per_subject)),
        // Whoever speaks with a hub can be told; what is behind an upstream or an echo is no word of ours.
        notices: matches!(gate.backend, BackendConfig::Hub(_)).then(hub::notices),
        on_logout: gate.on_logout.into(),
        suspended_at_most: config.site.session_idle.duration(),
        fail: gate.fail.into(),
        ..SocketPolicy::default()
    }
}
