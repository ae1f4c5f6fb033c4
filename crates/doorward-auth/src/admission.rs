use std::{collections::BTreeMap, net::IpAddr};

use doorward_types::{Cursor, GateName, OwnerId, Rest, Subject, Timestamp, TraceId};

use crate::{Claimant, Evidence, Level, OnlyOne};

/// The value that only a climbed [`Ladder`](crate::Ladder) yields; without it no backend can be reached.
///
/// It cannot be made in any other way: its fields are private and it is neither `Clone` nor `Default`. It lives as long as its
/// socket, so it holds what endings and backends ask for and nothing of the climb, in lists without room to spare.
#[derive(Debug)]
pub struct Admission {
    owner: OwnerId,
    gate: GateName,
    source: IpAddr,
    subject: Option<Subject>,
    evidence: Box<[Evidence]>,
    rests_on: Box<[Rest]>,
    expires_at: Option<Timestamp>,
    claims: BTreeMap<String, Vec<String>>,
    variables: BTreeMap<String, String>,
    only_one: Option<OnlyOne>,
    trace: TraceId,
    as_of: Cursor,
    at: Timestamp,
}

impl Admission {
    /// Only the end of a climb calls this.
    pub(crate) fn of(claimant: Claimant, trace: TraceId, as_of: Cursor, at: Timestamp) -> Self {
        let Claimant {
            owner, gate, source, subject, evidence, rests_on, expires_at, claims, variables, only_one, ..
        } = claimant;
        let (evidence, rests_on) = (evidence.into(), rests_on.into());
        Self {
            owner,
            gate,
            source,
            subject,
            evidence,
            rests_on,
            expires_at,
            claims,
            variables,
            only_one,
            trace,
            as_of,
            at,
        }
    }

    /// The owner of the gate.
    pub fn owner(&self) -> &OwnerId {
        &self.owner
    }

    /// The gate.
    pub fn gate(&self) -> &GateName {
        &self.gate
    }

    /// Who was proven, where a layer proved somebody.
    pub fn subject(&self) -> Option<&Subject> {
        self.subject.as_ref()
    }

    /// What was proven, by which layer, when.
    pub fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }

    /// The highest level that a layer reached.
    pub fn level(&self) -> Level {
        self.evidence().iter().map(|evidence| evidence.level).max().unwrap_or_default()
    }

    /// What the proofs rest on: when one of these ends, so does the socket.
    pub fn rests_on(&self) -> &[Rest] {
        &self.rests_on
    }

    /// When the first of the proofs expires.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// The claims that rules name.
    pub fn claims(&self) -> &BTreeMap<String, Vec<String>> {
        &self.claims
    }

    /// Whether the subject may have one socket only.
    pub fn only_one(&self) -> Option<OnlyOne> {
        self.only_one
    }

    /// Path and query, as `path.NAME` and `query.NAME`. They prove nothing by themselves.
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// Where the connection comes from.
    pub fn source(&self) -> IpAddr {
        self.source
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lives_as_long_as_a_socket_is_small() {
        // An idle socket of a hub has 2,000 bytes in all; with a proof and what it rests on this is less than half of them.
        assert!(size_of::<Admission>() <= 256, "{} bytes", size_of::<Admission>());
        assert!(size_of::<Evidence>() <= 48, "{} bytes", size_of::<Evidence>());
        assert!(size_of::<Rest>() <= 40, "{} bytes", size_of::<Rest>());
    }
}
