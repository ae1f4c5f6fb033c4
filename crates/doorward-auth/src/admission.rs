use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering},
};

use doorward_types::{Cursor, GateName, OwnerId, Rest, Subject, Timestamp, TraceId};

use crate::{Claimant, Evidence, Level, OnExpiry, OnlyOne, claimant::expires_at};

/// The value that only a climbed [`Ladder`](crate::Ladder) yields; without it no backend can be reached.
///
/// It cannot be made in any other way: its fields are private and it is neither `Clone` nor `Default`. It lives as long as its
/// socket, so it holds what endings and backends ask for and nothing of the climb, in lists without room to spare.
#[derive(Debug)]
pub struct Admission {
    owner: OwnerId,
    gate: GateName,
    source: IpAddr,
    secure: bool,
    subject: Option<Subject>,
    evidence: Box<[Evidence]>,
    rests_on: Box<[Rest]>,
    named: Option<Box<Named>>,
    only_one: Option<OnlyOne>,
    trace: TraceId,
    as_of: Cursor,
    newer_than: AtomicU64,
    at: Timestamp,
}

/// What many admissions have nothing of.
#[derive(Debug)]
struct Named {
    claims: BTreeMap<String, Vec<String>>,
    /// For each of the claims, in their order, the place of the proof that has brought it.
    brought: Box<[u8]>,
    variables: BTreeMap<String, String>,
    browser: Option<[u8; 32]>,
}

static NO_CLAIMS: BTreeMap<String, Vec<String>> = BTreeMap::new();
static NO_VARIABLES: BTreeMap<String, String> = BTreeMap::new();

impl Admission {
    /// Only the end of a climb calls this.
    pub(crate) fn of(claimant: Claimant, trace: TraceId, as_of: Cursor, at: Timestamp) -> Self {
        let Claimant { owner, gate, source, secure, subject, evidence, rests_on, claims, variables, browser, .. } =
            claimant;
        let brought = claims.keys().map(|name| claimant.brought.get(name).copied().unwrap_or(u8::MAX)).collect();
        let has_names = !claims.is_empty() || !variables.is_empty() || browser.is_some();
        Self {
            owner,
            gate,
            source,
            secure,
            subject,
            evidence: evidence.into(),
            rests_on: rests_on.into(),
            named: has_names.then(|| Box::new(Named { claims, brought, variables, browser })),
            only_one: claimant.only_one,
            trace,
            as_of,
            newer_than: AtomicU64::new(claimant.newer_than.unwrap_or_default().0),
            at,
        }
    }

    /// The claimant that climbed, as far as its proofs go: how it came is known, what page it came from is not.
    pub(crate) fn claimant(&self) -> Claimant {
        let (owner, gate) = (self.owner.clone(), self.gate.clone());
        let mut claimant = Claimant::new(owner, gate, self.source, self.secure, self.variables().clone());
        claimant.subject = self.subject.clone();
        claimant.evidence = self.evidence.to_vec();
        claimant.rests_on = self.rests_on.to_vec();
        claimant.only_one = self.only_one;
        claimant.newer_than = self.evidence.iter().any(Evidence::is_of_somebody).then(|| self.newer_than());
        if let Some(named) = &self.named {
            claimant.claims = named.claims.clone();
            claimant.brought = named.claims.keys().cloned().zip(named.brought.iter().copied()).collect();
            claimant.browser = named.browser;
        }
        claimant
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
        expires_at(&self.evidence)
    }

    /// When the oldest of what it was let in by was issued: a token, a login; the end of the climb, where nothing was proven.
    pub fn issued_at(&self) -> Timestamp {
        self.evidence.iter().map(|evidence| evidence.issued_at).min().unwrap_or(self.at)
    }

    /// The layers whose proofs have expired at the time `now` and may be asked again; `None` where none has, or one of them may
    /// not.
    pub fn to_ask_again(&self, now: Timestamp) -> Option<Vec<&'static str>> {
        let expired = || self.evidence.iter().filter(|evidence| evidence.expires_at().is_some_and(|at| at <= now));
        let may_be_asked =
            expired().next().is_some() && expired().all(|evidence| evidence.on_expiry == OnExpiry::Reauth);
        may_be_asked.then(|| expired().map(|evidence| evidence.layer).collect())
    }

    /// The hash of the cookie of the browser in which its login was made, where that is known.
    pub fn browser(&self) -> Option<&[u8; 32]> {
        self.named.as_ref()?.browser.as_ref()
    }

    /// The claims that rules name.
    pub fn claims(&self) -> &BTreeMap<String, Vec<String>> {
        self.named.as_ref().map_or(&NO_CLAIMS, |named| &named.claims)
    }

    /// Whether the subject may have one socket only.
    pub fn only_one(&self) -> Option<OnlyOne> {
        self.only_one
    }

    /// Path and query, as `path.NAME` and `query.NAME`. They prove nothing by themselves.
    pub fn variables(&self) -> &BTreeMap<String, String> {
        self.named.as_ref().map_or(&NO_VARIABLES, |named| &named.variables)
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

    /// Up to where the revocation log means what is older than all that it was let in by: an entry that ends whatever somebody has
    /// does not end this where it stands there or before. It is about the log of the store that was asked on the climb.
    pub fn newer_than(&self) -> Cursor {
        Cursor(self.newer_than.load(Ordering::Relaxed))
    }

    /// The log is another one from here on, in which nobody knows what is older than this.
    pub fn lose_place(&self) {
        self.newer_than.store(0, Ordering::Relaxed);
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
        assert!(size_of::<Admission>() <= 208, "{} bytes", size_of::<Admission>());
        assert!(size_of::<Evidence>() <= 64, "{} bytes", size_of::<Evidence>());
        assert!(size_of::<Rest>() <= 40, "{} bytes", size_of::<Rest>());
    }
}
