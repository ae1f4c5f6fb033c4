use std::{collections::BTreeMap, net::IpAddr};

use doorward_types::{Cursor, GateName, OwnerId, Rest, Subject, Timestamp, TraceId};

use crate::{Claimant, Evidence, Level, OnlyOne};

/// The value that only a climbed [`Ladder`](crate::Ladder) yields; without it no backend can be reached.
///
/// It cannot be made in any other way: its fields are private and it is neither `Clone` nor `Default`.
#[derive(Debug)]
pub struct Admission {
    claimant: Claimant,
    trace: TraceId,
    as_of: Cursor,
    at: Timestamp,
}

impl Admission {
    /// Only the end of a climb calls this.
    pub(crate) fn of(claimant: Claimant, trace: TraceId, as_of: Cursor, at: Timestamp) -> Self {
        Self { claimant, trace, as_of, at }
    }

    /// The owner of the gate.
    pub fn owner(&self) -> &OwnerId {
        self.claimant.owner()
    }

    /// The gate.
    pub fn gate(&self) -> &GateName {
        self.claimant.gate()
    }

    /// Who was proven, where a layer proved somebody.
    pub fn subject(&self) -> Option<&Subject> {
        self.claimant.subject()
    }

    /// What was proven, by which layer, when.
    pub fn evidence(&self) -> &[Evidence] {
        &self.claimant.evidence
    }

    /// The highest level that a layer reached.
    pub fn level(&self) -> Level {
        self.evidence().iter().map(|evidence| evidence.level).max().unwrap_or_default()
    }

    /// What the proofs rest on: when one of these ends, so does the socket.
    pub fn rests_on(&self) -> &[Rest] {
        &self.claimant.rests_on
    }

    /// When the first of the proofs expires.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.claimant.expires_at
    }

    /// The claims that rules name.
    pub fn claims(&self) -> &BTreeMap<String, Vec<String>> {
        &self.claimant.claims
    }

    /// Whether the subject may have one socket only.
    pub fn only_one(&self) -> Option<OnlyOne> {
        self.claimant.only_one
    }

    /// Path and query, as `path.NAME` and `query.NAME`. They prove nothing by themselves.
    pub fn variables(&self) -> &BTreeMap<String, String> {
        self.claimant.variables()
    }

    /// Where the connection comes from.
    pub fn source(&self) -> IpAddr {
        self.claimant.source()
    }

    /// The decision's trace id.
    pub fn trace(&self) -> TraceId {
        self.trace
    }

    /// Where the revocation log stood when the climb began: what ended since then has to be looked at again.
    pub fn as_of(&self) -> Cursor {
        self.as_of
    }

    /// When the climb ended.
    pub fn at(&self) -> Timestamp {
        self.at
    }
}
