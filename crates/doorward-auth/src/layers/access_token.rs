use std::sync::Arc;

use doorward_types::{Rest, Secret};

use crate::{
    Claimant, Level, OnExpiry, Proof, Refusal,
    ports::{Bounded, Clock, UsedTokens},
    token::Issuer,
};

/// What `bearer` and `jwt` share: whose tokens are taken, and what they prove.
#[derive(Clone)]
pub(crate) struct AccessTokens {
    pub(crate) issuer: Arc<Issuer>,
    pub(crate) clock: Arc<dyn Clock>,
    /// The claims that rules name.
    pub(crate) kept_claims: Arc<[String]>,
    pub(crate) on_expiry: OnExpiry,
    /// Where used tokens are marked, when a token may be used once.
    pub(crate) used: Option<Bounded<dyn UsedTokens>>,
}

impl AccessTokens {
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
            browser: None,
        };
        claimant.prove(layer, now, proof)
    }
}
