use std::sync::Arc;

use doorward_types::{Cursor, Rest, Secret, Timestamp};

use crate::{
    Claimant, Level, OnExpiry, Proof, Refusal,
    layers::site::proof_of,
    ports::{Bounded, Clock, Ports, Session, Sessions, UsedTokens},
    token::{Issuer, NotVerified, Token},
};

/// What `bearer` and `jwt` share: whose tokens are taken, and what they prove.
#[derive(Clone)]
pub(crate) struct AccessTokens {
    issuer: Arc<Issuer>,
    clock: Arc<dyn Clock>,
    /// The claims that rules name.
    kept_claims: Arc<[String]>,
    on_expiry: OnExpiry,
    /// Where used tokens are marked, when a token may be used once.
    used: Option<Bounded<dyn UsedTokens>>,
    /// Where the logins are that tokens of the built-in site come from.
    sessions: Option<Bounded<dyn Sessions>>,
}

impl AccessTokens {
    /// The tokens of that issuer. Those of the server's own are worth nothing without their logins.
    pub(crate) fn of(issuer: Arc<Issuer>, kept_claims: Arc<[String]>, on_expiry: OnExpiry, ports: &Ports) -> Self {
        let sessions = issuer.is_own().then(|| ports.bounded("sessions", &ports.site.sessions));
        Self { issuer, clock: Arc::clone(&ports.clock), kept_claims, on_expiry, used: None, sessions }
    }

    /// Each of them once.
    #[must_use]
    pub(crate) fn once(mut self, ports: &Ports) -> Self {
        self.used = Some(ports.bounded("used tokens", &ports.used_tokens));
        self
    }

    /// Verifies the token, uses it up where it may be used once, and proves its subject.
    pub(crate) async fn prove(
        &self,
        layer: &'static str,
        step: &'static str,
        token: Option<&Secret>,
        claimant: &mut Claimant,
    ) -> Result<(), Refusal> {
        let Some(token) = token else {
            return Err(Refusal::credential(step, "there is no token"));
        };
        // No time limit of the user's runs here: the token has been shown.
        let verified = self.issuer.verify_fetching(token, &*self.clock).await;
        let token = verified.map_err(|why| match why {
            NotVerified::Broken(broken) => Refusal::credential(step, broken),
            NotVerified::Unavailable(down) => down.refuse(step),
        })?;
        let now = self.clock.now();
        if let Some(used) = &self.used {
            let Some(id) = &token.id else {
                return Err(Refusal::credential(step, "a token that may be used once needs a `jti`"));
            };
            let (owner, issuer) = (self.issuer.owner(), self.issuer.issuer());
            if !used.ask(step, |used| used.use_once(owner, issuer, id, token.forgettable_at())).await? {
                return Err(Refusal::credential(step, "the token has been used before"));
            }
        }
        let login = match &self.sessions {
            Some(sessions) => Some(proof_of(self.login(step, &token, sessions, now).await?)),
            None => None,
        };
        let ids = [("jti", token.id.as_deref()), ("sid", token.sid.as_deref()), ("issuer", Some(self.issuer.name()))];
        let rests_on = ids.into_iter().filter_map(|(kind, id)| Some(Rest::on(kind, id?))).collect();
        let proof = Proof {
            claims: token.keep(self.kept_claims.iter().map(String::as_str)),
            expires_at: Some(token.proves_until(now)),
            subject: Some(token.subject),
            amr: &["jwt"],
            level: Level::Substantial,
            rests_on,
            on_expiry: self.on_expiry,
            issued_at: Some(token.issued_at),
            only_one: None,
            newer_than: Cursor::default(),
            browser: None,
        };
        // A token of the site is as good and as old as its login.
        let proof = match login {
            Some(Proof { amr, level, issued_at, newer_than, .. }) => {
                Proof { amr, level, issued_at, newer_than, ..proof }
            }
            None => proof,
        };
        claimant.prove(layer, now, proof)
    }

    /// The login that a token comes from. One that has ended since the token was made is not there any more.
    async fn login(
        &self,
        step: &'static str,
        token: &Token,
        sessions: &Bounded<dyn Sessions>,
        now: Timestamp,
    ) -> Result<Session, Refusal> {
        let Some(sid) = token.login() else {
            return Err(Refusal::credential(step, "the token names no login"));
        };
        let session = sessions.ask(step, |sessions| sessions.find_by_id(self.issuer.owner(), sid, now)).await?;
        let session = session.filter(|session| session.subject().same_as(&token.subject));
        session.ok_or_else(|| Refusal::credential(step, "the login that the token comes from has ended"))
    }
}
