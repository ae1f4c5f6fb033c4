use std::sync::Arc;

use doorward_types::{Rest, Secret, Timestamp};

use crate::{
    Claimant, Level, OnExpiry, Proof, Refusal,
    ports::{Bounded, Clock, Ports, Sessions, UsedTokens},
    token::{Issuer, Token},
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
        let now = self.clock.now();
        let token = self.issuer.verify(token, now).map_err(|broken| Refusal::credential(step, broken))?;
        if let Some(used) = &self.used {
            let Some(id) = &token.id else {
                return Err(Refusal::credential(step, "a token that may be used once needs a `jti`"));
            };
            let (owner, issuer) = (self.issuer.owner(), self.issuer.issuer());
            if !used.ask(step, |used| used.use_once(owner, issuer, id, token.forgettable_at())).await? {
                return Err(Refusal::credential(step, "the token has been used before"));
            }
        }
        let issued_at = match &self.sessions {
            Some(sessions) => self.logged_in_at(step, &token, sessions, now).await?,
            None => token.issued_at,
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
            issued_at: Some(issued_at),
            only_one: None,
            browser: None,
        };
        claimant.prove(layer, now, proof)
    }

    /// When the login began that a token comes from. One that has ended since the token was made is not there any more.
    async fn logged_in_at(
        &self,
        step: &'static str,
        token: &Token,
        sessions: &Bounded<dyn Sessions>,
        now: Timestamp,
    ) -> Result<Timestamp, Refusal> {
        let Some(sid) = token.login() else {
            return Err(Refusal::credential(step, "the token names no login"));
        };
        let session = sessions.ask(step, |sessions| sessions.find_by_id(self.issuer.owner(), sid, now)).await?;
        match session.filter(|session| session.subject().same_as(&token.subject)) {
            Some(session) => Ok(session.created_at),
            None => Err(Refusal::credential(step, "the login that the token comes from has ended")),
        }
    }
}
