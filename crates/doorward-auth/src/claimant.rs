use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use doorward_types::{GateName, KeyText, OwnerId, Rest, Secret, Subject, Timestamp};
use serde::Deserialize;

use crate::{Handshake, Refusal, crypto::sha256};

/// How much a proof is worth, after NIST SP 800-63: a coarse order, reported with the admission.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Routing, nuisance filters, server identification: proves nobody.
    #[default]
    None,
    /// A single factor that can be copied or replayed by whoever sees it.
    Low,
    /// Possession of a key or of a signed, short-lived token.
    Substantial,
}

/// What happens when the thing that let a socket in expires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnExpiry {
    /// The socket ends at the time the proof expires.
    #[default]
    Close,
    /// The socket lives on, up to the gate's longest session.
    Keep,
}

/// With [`Admission::only_one`](crate::Admission::only_one): who stays when a second connection of the same subject comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnlyOne {
    /// The newest stays, the others end.
    Newest,
    /// The oldest stays, the new one is refused.
    Oldest,
}

/// What one layer has proven, with the time of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The layer.
    pub layer: &'static str,
    /// When, by the wall clock.
    pub at: Timestamp,
    /// Authentication method references (RFC 8176), or Doorward's own words where that has none.
    pub amr: &'static [&'static str],
    /// How much it is worth.
    pub level: Level,
}

/// What a layer hands over when it is satisfied: [`Claimant::prove`] takes it.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    /// Who was proven, where the layer proves somebody.
    pub subject: Option<Subject>,
    /// Authentication method references (RFC 8176).
    pub amr: &'static [&'static str],
    /// How much it is worth.
    pub level: Level,
    /// What the proof rests on: when one of these ends, the socket ends.
    pub rests_on: Vec<Rest>,
    /// When what the proof is made of was issued: the time in a token, the beginning of a login. `None` where it was made on the
    /// spot.
    pub issued_at: Option<Timestamp>,
    /// When the proof expires.
    pub expires_at: Option<Timestamp>,
    /// The hash of the cookie of the browser that it was made in: the login may come back there.
    pub browser: Option<[u8; 32]>,
    /// Whether expiry ends the socket.
    pub on_expiry: OnExpiry,
    /// Claims that rules name: only those are kept.
    pub claims: BTreeMap<String, Vec<String>>,
    /// Whether the subject may have one socket only.
    pub only_one: Option<OnlyOne>,
}

/// The one whose identity is being verified, and what has been proven so far.
///
/// Once a layer has proven a subject, a layer that proves a different one refuses the whole ladder.
#[derive(Clone, Debug)]
pub struct Claimant {
    pub(crate) owner: OwnerId,
    pub(crate) gate: GateName,
    pub(crate) source: IpAddr,
    secure: bool,
    came: Arc<Came>,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) subject: Option<Subject>,
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) rests_on: Vec<Rest>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) claims: BTreeMap<String, Vec<String>>,
    pub(crate) only_one: Option<OnlyOne>,
}

/// What the upgrade request said of the browser. It proves nothing, and is gone after the climb.
#[derive(Debug, Default)]
pub(crate) struct Came {
    pub(crate) origin: Option<String>,
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    /// The hash of the cookie of a login.
    pub(crate) session: Option<[u8; 32]>,
    /// The hash of the cookie of the browser itself.
    pub(crate) browser: Option<[u8; 32]>,
}

impl Claimant {
    /// Somebody of whom nothing is known yet but how they came.
    ///
    /// `secure` says whether nobody but the peer can have read or changed the bytes: TLS, or loopback. `variables` are the
    /// path's and the query's, under the names `path.NAME` and `query.NAME`.
    pub fn new(
        owner: OwnerId,
        gate: GateName,
        source: IpAddr,
        secure: bool,
        variables: BTreeMap<String, String>,
    ) -> Self {
        let rests_on = vec![Rest::on("gate", gate.as_str())];
        Self {
            owner,
            gate,
            source,
            secure,
            came: Arc::default(),
            variables,
            subject: None,
            evidence: Vec::new(),
            rests_on,
            expires_at: None,
            claims: BTreeMap::new(),
            only_one: None,
        }
    }

    /// Adds what `layer` has proven at the time `now`. Refuses where an earlier layer has proven somebody else.
    pub fn prove(&mut self, layer: &'static str, now: Timestamp, proof: Proof) -> Result<(), Refusal> {
        const STEP: &str = "same subject as before";
        if let Some(subject) = proof.subject {
            if let Some(before) = &self.subject
                && !before.same_as(&subject)
            {
                return Err(Refusal::credential(STEP, format!("proves {subject}, but {before} was proven before")));
            }
            self.rest_on(Rest::on("subject", subject.to_string()));
            self.subject = Some(subject);
        }
        for rest in proof.rests_on {
            self.rest_on(rest);
        }
        if let (Some(at), OnExpiry::Close) = (proof.expires_at, proof.on_expiry) {
            self.expires_at = Some(self.expires_at.map_or(at, |earlier| earlier.min(at)));
        }
        self.claims.extend(proof.claims);
        self.only_one = proof.only_one.or(self.only_one);
        self.evidence.push(Evidence { layer, at: now, amr: proof.amr, level: proof.level });
        Ok(())
    }

    fn rest_on(&mut self, rest: Rest) {
        if !self.rests_on.contains(&rest) {
            self.rests_on.push(rest);
        }
    }

    /// Forgets who was proven: with [`crate::Verdict::End`] a failed claimant climbs on as nobody.
    pub(crate) fn become_nobody(&mut self) {
        self.subject = None;
        self.evidence.clear();
        self.claims.clear();
    }

    /// The owner of the gate.
    pub fn owner(&self) -> &OwnerId {
        &self.owner
    }

    /// The gate.
    pub fn gate(&self) -> &GateName {
        &self.gate
    }

    /// Where the connection comes from, as far as trusted proxies tell.
    pub fn source(&self) -> IpAddr {
        self.source
    }

    /// Whether nobody but the peer can have read or changed the bytes: TLS, or loopback.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The page that a browser opened the socket from; `None` for a program.
    pub fn origin(&self) -> Option<&str> {
        self.came.origin.as_deref()
    }

    /// Remembers what the upgrade request said.
    pub(crate) fn came_with(&mut self, handshake: &Handshake) {
        self.came = Arc::new(Came {
            origin: handshake.origin.as_deref().map(|origin| String::from_utf8_lossy(origin).into_owned()),
            host: handshake.host.clone(),
            port: handshake.port,
            session: handshake.session.as_ref().and_then(|text| cookie(KeyText::Session, text)),
            browser: handshake.browser.as_ref().and_then(|text| cookie(KeyText::Browser, text)),
        });
    }

    pub(crate) fn came(&self) -> &Came {
        &self.came
    }

    /// Who has been proven so far.
    pub fn subject(&self) -> Option<&Subject> {
        self.subject.as_ref()
    }

    /// Path and query, as `path.NAME` and `query.NAME`. They prove nothing by themselves.
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }
}

/// The hash under which the site keeps what that cookie says; `None` where the server never made such a one.
fn cookie(kind: KeyText, text: &Secret) -> Option<[u8; 32]> {
    kind.read(text.reveal_text("to see whether it is one of ours")?).ok()?;
    Some(sha256(&[text.reveal("to look it up by its hash")]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn somebody() -> Claimant {
        let source = IpAddr::from([127, 0, 0, 1]);
        Claimant::new(OwnerId::new("acme"), GateName::new("fancy"), source, true, BTreeMap::new())
    }

    fn proof_of(name: &str) -> Proof {
        let subject = Subject { kind: "member".into(), pk: name.into(), uuid: name.into() };
        Proof { subject: Some(subject), ..Proof::default() }
    }

    #[test]
    fn a_layer_that_proves_somebody_else_is_refused() {
        let mut claimant = somebody();
        claimant.prove("jwt", Timestamp::default(), proof_of("bob")).unwrap();
        claimant.prove("app_key", Timestamp::default(), proof_of("bob")).unwrap();
        let refusal = claimant.prove("totp", Timestamp::default(), proof_of("eve")).unwrap_err();
        assert_eq!(refusal.fault, crate::Fault::Credential);
        assert_eq!(claimant.subject().map(|subject| subject.pk.as_str()), Some("bob"));
    }

    #[test]
    fn the_earliest_expiry_counts_and_a_kept_one_does_not() {
        let mut claimant = somebody();
        let at =
            |secs, on_expiry| Proof { expires_at: Some(Timestamp::from_secs(secs)), on_expiry, ..Proof::default() };
        claimant.prove("a", Timestamp::default(), at(9, OnExpiry::Close)).unwrap();
        claimant.prove("b", Timestamp::default(), at(5, OnExpiry::Keep)).unwrap();
        claimant.prove("c", Timestamp::default(), at(7, OnExpiry::Close)).unwrap();
        assert_eq!(claimant.expires_at, Some(Timestamp::from_secs(7)));
    }

    #[test]
    fn a_socket_rests_on_its_gate_and_on_whom_was_proven() {
        let mut claimant = somebody();
        claimant.prove("jwt", Timestamp::default(), proof_of("bob")).unwrap();
        assert_eq!(claimant.rests_on, [Rest::on("gate", "fancy"), Rest::on("subject", "member:bob")]);
    }
}
