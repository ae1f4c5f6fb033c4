use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use doorward_types::{Cursor, GateName, KeyText, OwnerId, Rest, Secret, Subject, Timestamp};
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
    /// The layer is asked again over the open socket, which ends where it is not satisfied in time. For layers that talk, and
    /// gates whose users can be asked after their admission; elsewhere it is `Close`.
    Reauth,
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
    /// When what it was made of was issued: a token, a login. A proof that was made on the spot was issued then.
    pub issued_at: Timestamp,
    /// When it expires; [`NEVER`] where it does not.
    until: Timestamp,
    pub(crate) on_expiry: OnExpiry,
    /// Which of the things that the claimant rests on are this proof's, a bit for each in their order.
    rests: u32,
}

/// When the first of several proofs expires.
pub(crate) fn expires_at(evidence: &[Evidence]) -> Option<Timestamp> {
    evidence.iter().filter_map(Evidence::expires_at).min()
}

/// The expiry of what does not expire. It is in every proof of every live socket, so it has no room for an `Option`.
const NEVER: Timestamp = Timestamp::from_millis(u64::MAX);

impl Evidence {
    /// When it expires, where that matters to a socket.
    pub fn expires_at(&self) -> Option<Timestamp> {
        (self.until < NEVER).then_some(self.until)
    }

    /// Whether it proves somebody, or rests on something.
    pub(crate) fn is_of_somebody(&self) -> bool {
        self.rests != 0
    }

    /// Whether it rests on the thing at this place in the claimant's list. Of what is further behind than a proof can tell,
    /// nobody knows.
    pub(crate) fn rests_on_place(&self, place: usize) -> bool {
        bit(place) & self.rests != 0
    }
}

fn bit(place: usize) -> u32 {
    u32::try_from(place).ok().and_then(|place| 1_u32.checked_shl(place)).unwrap_or(0)
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
    /// Up to where the revocation log means what is older than this: where it stands that the login began of which the proof is made.
    /// Before the first entry where that is not known.
    pub newer_than: Cursor,
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
    pub(crate) secure: bool,
    came: Arc<Came>,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) subject: Option<Subject>,
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) rests_on: Vec<Rest>,
    pub(crate) claims: BTreeMap<String, Vec<String>>,
    /// Which proof, by its place, has brought which of the claims.
    pub(crate) brought: BTreeMap<String, u8>,
    pub(crate) browser: Option<[u8; 32]>,
    pub(crate) only_one: Option<OnlyOne>,
    /// Up to where the revocation log means what is older than all that was proven of anybody; `None` where nothing was.
    pub(crate) newer_than: Option<Cursor>,
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
            claims: BTreeMap::new(),
            brought: BTreeMap::new(),
            browser: None,
            only_one: None,
            newer_than: None,
        }
    }

    /// Adds what `layer` has proven at the time `now`. Refuses where an earlier layer has proven somebody else.
    pub fn prove(&mut self, layer: &'static str, now: Timestamp, proof: Proof) -> Result<(), Refusal> {
        const STEP: &str = "same subject as before";
        let (mut rests, newer_than) = (0, self.newer_with(&proof));
        if let Some(subject) = proof.subject {
            if let Some(before) = &self.subject
                && !before.same_as(&subject)
            {
                return Err(Refusal::credential(STEP, format!("proves {subject}, but {before} was proven before")));
            }
            rests |= self.rest_on(subject.rest());
            self.subject = Some(subject);
        }
        for rest in proof.rests_on {
            rests |= self.rest_on(rest);
        }
        let place = u8::try_from(self.evidence.len()).unwrap_or(u8::MAX);
        self.brought.extend(proof.claims.keys().map(|name| (name.clone(), place)));
        self.claims.extend(proof.claims);
        self.only_one = proof.only_one.or(self.only_one);
        self.browser = proof.browser.or(self.browser);
        self.newer_than = newer_than;
        self.evidence.push(Evidence {
            layer,
            at: now,
            amr: proof.amr,
            level: proof.level,
            // Clocks differ: what says to be of the future is of now, or what ends by its age would not end it.
            issued_at: proof.issued_at.map_or(now, |at| at.min(now)),
            until: proof.expires_at.filter(|_| proof.on_expiry != OnExpiry::Keep).unwrap_or(NEVER),
            on_expiry: proof.on_expiry,
            rests,
        });
        Ok(())
    }

    /// Up to where the log means what is older, with one proof more. All of them have to be newer than an entry which is to mean none
    /// of them: one that is made on the spot is as new as those before it, and one that proves nobody and rests on nothing can be
    /// as old as it likes.
    fn newer_with(&self, proof: &Proof) -> Option<Cursor> {
        if proof.subject.is_none() && proof.rests_on.is_empty() {
            return self.newer_than;
        }
        let is_made_here = proof.issued_at.is_none() && proof.newer_than == Cursor::default();
        let of_it = self.newer_than.filter(|_| is_made_here).unwrap_or(proof.newer_than);
        Some(self.newer_than.map_or(of_it, |before| before.min(of_it)))
    }

    /// Rests on one thing more, once; the bit that stands for it.
    fn rest_on(&mut self, rest: Rest) -> u32 {
        let place = self.rests_on.iter().position(|known| *known == rest).unwrap_or_else(|| {
            self.rests_on.push(rest);
            self.rests_on.len() - 1
        });
        bit(place)
    }

    /// Puts the proofs into that order of their layers, and those of other layers behind them.
    pub(crate) fn order_by(&mut self, layers: &[&str]) {
        let rank =
            |evidence: &Evidence| layers.iter().position(|layer| *layer == evidence.layer).unwrap_or(layers.len());
        let mut ordered: Vec<_> = std::mem::take(&mut self.evidence).into_iter().enumerate().collect();
        ordered.sort_by_key(|(_, evidence)| rank(evidence));
        for by in self.brought.values_mut() {
            let place = ordered.iter().position(|(before, _)| *before == usize::from(*by));
            *by = place.and_then(|place| u8::try_from(place).ok()).unwrap_or(u8::MAX);
        }
        self.evidence = ordered.into_iter().map(|(_, evidence)| evidence).collect();
    }

    /// Takes back every proof of these layers: what they alone rested on and the claims that they brought go with them. Whom
    /// nobody proves any more is not proven.
    pub(crate) fn take_back(&mut self, layers: &[&str]) {
        let goes: Vec<bool> = self.evidence.iter().map(|evidence| layers.contains(&evidence.layer)).collect();
        let goes_at = |place: usize| goes.get(place).copied().unwrap_or(false);
        let is_left = |rest: usize| {
            let mut of =
                self.evidence.iter().enumerate().filter(|(_, evidence)| evidence.rests_on_place(rest)).peekable();
            // What no proof has brought, as the gate, stays.
            of.peek().is_none() || of.any(|(place, _)| !goes_at(place))
        };
        let left: Vec<usize> = (0..self.rests_on.len()).filter(|place| is_left(*place)).collect();
        let moved = |rests: u32| {
            let bits = left.iter().enumerate().filter(|(_, before)| bit(**before) & rests != 0);
            bits.fold(0, |moved, (after, _)| moved | bit(after))
        };
        let places: Vec<usize> = (0..self.evidence.len()).filter(|place| !goes_at(*place)).collect();
        let evidence = places.iter().filter_map(|place| self.evidence.get(*place));
        let evidence = evidence.map(|evidence| Evidence { rests: moved(evidence.rests), ..evidence.clone() }).collect();
        self.brought = std::mem::take(&mut self.brought)
            .into_iter()
            .filter_map(|(name, by)| {
                let place = places.iter().position(|place| *place == usize::from(by))?;
                Some((name, u8::try_from(place).unwrap_or(u8::MAX)))
            })
            .collect();
        self.claims.retain(|name, _| self.brought.contains_key(name));
        self.rests_on = left.iter().filter_map(|place| self.rests_on.get(*place).cloned()).collect();
        self.evidence = evidence;
        if !self.evidence.iter().any(Evidence::is_of_somebody) {
            self.newer_than = None;
        }
        self.subject.take_if(|subject| !self.rests_on.contains(&subject.rest()));
    }

    /// Forgets who was proven: with [`crate::Verdict::End`] a failed claimant climbs on as nobody.
    pub(crate) fn become_nobody(&mut self) {
        (self.subject, self.newer_than) = (None, None);
        self.evidence.clear();
        self.claims.clear();
        self.brought.clear();
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
        assert_eq!(expires_at(&claimant.evidence), Some(Timestamp::from_secs(7)));
    }

    #[test]
    fn what_is_taken_back_goes_with_what_it_alone_rested_on_and_what_it_brought() {
        let resting = |on: &[&'static str], claim: &str| Proof {
            rests_on: on.iter().map(|value| Rest::on("sid", *value)).collect(),
            claims: BTreeMap::from([(claim.to_owned(), vec!["x".to_owned()])]),
            ..Proof::default()
        };
        let mut claimant = somebody();
        claimant.prove("jwt", Timestamp::default(), proof_of("bob")).unwrap();
        claimant.prove("a", Timestamp::default(), resting(&["first", "both"], "from a")).unwrap();
        claimant.prove("b", Timestamp::default(), resting(&["both", "second"], "from b")).unwrap();
        claimant.take_back(&["a"]);
        let rests = [Rest::on("gate", "fancy"), Rest::on("subject", "member:bob")];
        let sids = [Rest::on("sid", "both"), Rest::on("sid", "second")];
        assert_eq!(claimant.rests_on, [rests.as_slice(), &sids].concat());
        assert_eq!(claimant.claims.keys().collect::<Vec<_>>(), ["from b"]);
        assert!(claimant.subject.is_some());
        claimant.take_back(&["b"]);
        assert_eq!(claimant.rests_on, rests, "the places were counted anew after the first");
        assert!(claimant.claims.is_empty());
        claimant.take_back(&["jwt"]);
        assert_eq!((claimant.subject, claimant.rests_on), (None, vec![Rest::on("gate", "fancy")]));
    }

    #[test]
    fn what_says_to_be_of_the_future_was_issued_when_it_was_proven() {
        let mut claimant = somebody();
        let issued = |secs| Proof { issued_at: Some(Timestamp::from_secs(secs)), ..Proof::default() };
        claimant.prove("a", Timestamp::from_secs(10), issued(12)).unwrap();
        claimant.prove("b", Timestamp::from_secs(10), issued(8)).unwrap();
        claimant.prove("c", Timestamp::from_secs(10), Proof::default()).unwrap();
        let times: Vec<_> = claimant.evidence.iter().map(|evidence| evidence.issued_at.as_secs()).collect();
        assert_eq!(times, [10, 8, 10]);
    }

    #[test]
    fn what_was_proven_is_as_new_as_the_oldest_proof_of_somebody() {
        let newer = |newer_than| Proof { newer_than: Cursor(newer_than), ..proof_of("bob") };
        let issued = Proof { issued_at: Some(Timestamp::default()), ..proof_of("bob") };
        for (proofs, expected) in [
            (vec![newer(7)], 7),
            (vec![newer(7), newer(9)], 7),
            (vec![newer(9), newer(7)], 7),
            (vec![newer(7), proof_of("bob")], 7),
            (vec![proof_of("bob"), newer(7)], 0),
            (vec![newer(7), issued], 0),
            (vec![Proof::default(), newer(7), Proof::default()], 7),
            (vec![], 0),
        ] {
            let mut claimant = somebody();
            for (place, proof) in proofs.into_iter().enumerate() {
                claimant.prove(["a", "b", "c"][place], Timestamp::default(), proof).unwrap();
            }
            assert_eq!(claimant.newer_than.unwrap_or_default(), Cursor(expected), "{:?}", claimant.evidence);
        }
        let mut again = somebody();
        again.prove("a", Timestamp::default(), newer(7)).unwrap();
        again.prove("ident", Timestamp::default(), Proof::default()).unwrap();
        again.take_back(&["a"]);
        again.prove("a", Timestamp::default(), newer(9)).unwrap();
        assert_eq!(again.newer_than, Some(Cursor(9)), "what was taken back is no matter any more");
    }

    #[test]
    fn a_socket_rests_on_its_gate_and_on_whom_was_proven() {
        let mut claimant = somebody();
        claimant.prove("jwt", Timestamp::default(), proof_of("bob")).unwrap();
        assert_eq!(claimant.rests_on, [Rest::on("gate", "fancy"), Rest::on("subject", "member:bob")]);
    }
}
