use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use doorward_auth::{
    Ladder, LadderError, Rung, Step,
    layers::{
        BuildContext, BuildError,
        handshake::{
            origin::{Origin, OriginError, Origins},
            path::{PathError, PathPattern},
        },
    },
    ports::Ports,
    token::{Issuer, IssuerError},
};
use doorward_backends::{
    echo::Echo,
    hub::{Hub, UnfitName},
    upstream::{Signer, Upstream},
};
use doorward_session::{Limits, SocketPolicy};
use doorward_types::{GateName, OwnerId};

use super::{Backing, Gate, Gates};
use crate::{
    config::{self, BackendConfig, Config, secret_reader},
    node::Extensions,
};

/// What gates are put together with.
pub struct Tools {
    /// What layers need from the world.
    pub ports: Ports,
    /// The signature under what upstreams are told.
    pub signer: Signer,
    /// What an embedding application brings along.
    pub extensions: Extensions,
    /// The folder that paths in the configuration are relative to.
    pub base: PathBuf,
}

/// Why a gate cannot be put together.
#[derive(Debug, thiserror::Error)]
#[error("gate `{gate}`: {why}")]
pub struct AssembleError {
    /// The gate's name; the issuer's where that is at fault.
    pub gate: String,
    /// Why.
    pub why: Unassembled,
}

/// What is wrong with a gate.
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
    /// The path cannot be used.
    #[error(transparent)]
    Path(#[from] PathError),
}

/// The issuers of tokens by owner and name: names are an owner's own.
type Issuers = BTreeMap<OwnerId, BTreeMap<String, Arc<Issuer>>>;

impl Gates {
    /// Puts together all gates of a configuration that are enabled, or none.
    pub fn assemble(config: &Config, tools: &Tools) -> Result<Self, AssembleError> {
        let read = secret_reader(&tools.base);
        let mut issuers = Issuers::new();
        for issuer in &config.issuers {
            let owner = owner_of(config, issuer.owner.as_deref());
            let built = Issuer::build(issuer, &owner, &read)
                .map_err(|why| AssembleError { gate: issuer.name.clone(), why: why.into() })?;
            issuers.entry(owner).or_default().insert(issuer.name.clone(), Arc::new(built));
        }
        let mut gates = Self::default();
        for gate in config.gates.iter().filter(|gate| gate.enabled) {
            gates.add(config, gate, tools, &issuers).map_err(|why| AssembleError { gate: gate.name.clone(), why })?;
        }
        Ok(gates)
    }

    fn add(
        &mut self,
        config: &Config,
        gate: &config::Gate,
        tools: &Tools,
        issuers: &Issuers,
    ) -> Result<(), Unassembled> {
        let owner = owner_of(config, gate.owner.as_deref());
        let host = gate.host.as_ref().map(ToString::to_string);
        let pattern: PathPattern = gate.path.parse()?;
        let built = Gate {
            ladder: Arc::new(ladder(gate, &owner, tools, issuers)?),
            backing: backing(config, gate, tools)?,
            policy: Arc::new(policy(config, gate)),
            bytes_before: config.limits.of_gate(&gate.limits).message_bytes_before.len(),
            choose_within: config.limits.of_gate(&gate.limits).step_person.duration(),
            tail_after: gate.path.strip_suffix("/*").map(|before| before.matches('/').count()),
            name: GateName::new(gate.name.as_str()),
            owner,
        };
        if built.ladder.is_open() {
            tracing::warn!(gate = %built.name, "the gate is open: everybody gets in");
        }
        self.table.insert(host.as_deref(), pattern, Arc::new(built))?;
        self.count += 1;
        Ok(())
    }
}

/// An owner as gates and issuers name it; the only one where they name none.
pub fn owner_of(config: &Config, name: Option<&str>) -> OwnerId {
    let only = config.owners.first().map_or("default", |owner| owner.name.as_str());
    OwnerId::new(name.unwrap_or(only))
}

/// The layers of a gate, the origin check on top of them. An open gate checks the origin only where it lists some.
fn ladder(gate: &config::Gate, owner: &OwnerId, tools: &Tools, issuers: &Issuers) -> Result<Ladder, Unassembled> {
    let origins = Origins::read(gate.origins.as_deref())?;
    if gate.open && gate.origins.is_none() {
        return Ok(Ladder::open_to_everyone());
    }
    let none = BTreeMap::new();
    let context = BuildContext {
        owner: owner.clone(),
        ports: tools.ports.clone(),
        issuers: issuers.get(owner).unwrap_or(&none),
        kept_claims: gate.named_claims().into(),
        authenticators: &tools.extensions.authenticators,
        read_secret: &secret_reader(&tools.base),
    };
    let mut rungs = vec![Rung::One(Step::handshake(Origin(origins)))];
    for rung in &gate.ladder {
        rungs.push(rung.build(&context)?);
    }
    Ok(Ladder::new(rungs)?.with_verdict(gate.verdict.into()))
}

fn backing(config: &Config, gate: &config::Gate, tools: &Tools) -> Result<Backing, Unassembled> {
    Ok(match &gate.backend {
        BackendConfig::Hub(_) => {
            let most = config.limits.of_gate(&gate.limits).channels_per_socket;
            let mut hub = Hub::new(gate.hub()?).with_at_most(usize::try_from(most).unwrap_or(usize::MAX));
            // The application's own models go before the rules of the configuration.
            for channel in &gate.channel {
                if let Some(model) = tools.extensions.models.get(&channel.name) {
                    hub = hub.with_channel(channel.name.parse()?, Arc::clone(model));
                }
            }
            Backing::Json(Arc::new(hub))
        }
        BackendConfig::Upstream(upstream) => {
            let (clock, rng) = (Arc::clone(&tools.ports.clock), Arc::clone(&tools.ports.rng));
            Backing::Upstream(Arc::new(Upstream::new(upstream.clone(), tools.signer.clone(), clock, rng)))
        }
        BackendConfig::Echo(_) => Backing::Echo(Arc::new(Echo)),
    })
}

fn policy(config: &Config, gate: &config::Gate) -> SocketPolicy {
    let limits = config.limits.of_gate(&gate.limits);
    let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    SocketPolicy {
        backend: gate.backend.name(),
        limits: Limits {
            message: limits.message_bytes.len(),
            messages_per_second: limits.messages_per_second,
            burst: limits.message_burst,
            outbox_messages: count(limits.outbox_messages),
            outbox_bytes: limits.outbox_bytes.len(),
        },
        ping_every: Some(limits.ping_interval.duration()),
        pong_within: limits.pong_timeout.duration(),
        max_session: gate.max_session.map(doorward_auth::settings::Span::duration),
        end_within: limits.end_within.duration(),
        per_subject: Some(count(limits.sockets_per_subject)),
    }
}
