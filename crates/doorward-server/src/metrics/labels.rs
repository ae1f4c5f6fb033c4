use doorward_types::{GateName, OwnerId};
use prometheus_client::encoding::EncodeLabelSet;

use crate::edge::{Full, Malformed};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Version {
    pub(super) version: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct AtGate {
    pub(super) owner: String,
    pub(super) gate: String,
}

impl AtGate {
    pub(super) fn of(owner: &OwnerId, gate: &GateName) -> Self {
        Self { owner: owner.to_string(), gate: gate.to_string() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Refused {
    pub(super) owner: String,
    pub(super) gate: String,
    /// The name of a layer, or the part of the server that refused.
    pub(super) layer: String,
    pub(super) reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct InState {
    pub(super) owner: String,
    pub(super) gate: String,
    pub(super) state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfIssuer {
    pub(super) owner: String,
    pub(super) issuer: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Fetched {
    owner: String,
    issuer: String,
    outcome: &'static str,
}

impl Fetched {
    pub(super) fn of(owner: &OwnerId, issuer: &str, successfully: bool) -> Self {
        let outcome = if successfully { "fetched" } else { "failed" };
        Self { owner: owner.to_string(), issuer: issuer.to_owned(), outcome }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Why {
    pub(super) reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Factor {
    pub(super) factor: &'static str,
}

/// Why somebody came to no gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TurnedAway {
    /// There is no room.
    NoRoom(Full),
    /// The node is going down.
    Draining,
    /// The request is no proper upgrade.
    Malformed(Malformed),
    /// There is no such gate.
    NoGate,
}

impl TurnedAway {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::NoRoom(Full::SourceClimbing) => "too_many_of_source_climbing",
            Self::NoRoom(Full::NodeClimbing) => "too_many_climbing",
            Self::NoRoom(Full::SourceSockets) => "too_many_sockets_of_source",
            Self::NoRoom(Full::NodeSockets) => "too_many_sockets",
            Self::Draining => "draining",
            Self::Malformed(Malformed::NotAnUpgrade) => "not_an_upgrade",
            Self::Malformed(Malformed::Version) => "version",
            Self::Malformed(_) => "malformed",
            Self::NoGate => "no_gate",
        }
    }
}

impl From<Full> for TurnedAway {
    fn from(full: Full) -> Self {
        Self::NoRoom(full)
    }
}

impl From<Malformed> for TurnedAway {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}
