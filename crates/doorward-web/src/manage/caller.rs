use std::collections::BTreeSet;

use doorward_auth::{
    Scope, hash_of_api_key,
    ports::{PortError, Role},
};
use doorward_types::{OwnerId, Secret, Timestamp};
use http::HeaderMap;

use super::{Api, Problem};
use crate::{AccessClaims, By, bearer};

/// Who asks.
pub(super) struct Caller {
    /// Whose things it sees; `None` sees all.
    pub(super) owner: Option<OwnerId>,
    /// Who it is, for the audit log.
    pub(super) by: By,
    scopes: BTreeSet<Scope>,
}

impl Caller {
    /// Somebody of whom nothing is asked.
    pub(super) fn nobody() -> Self {
        Self { owner: Some(OwnerId::new("")), by: By::Somebody, scopes: BTreeSet::new() }
    }

    /// Who shows an API key, or an access token, that is good for one of those scopes.
    pub(super) async fn of(api: &Api, headers: &HeaderMap, scopes: &[Scope], now: Timestamp) -> Result<Self, Problem> {
        let shown = bearer(headers).map_err(|_| Problem::not_authenticated(true))?;
        let shown = shown.ok_or_else(|| Problem::not_authenticated(false))?;
        let caller = match shown.reveal_text("to see what it is").and_then(hash_of_api_key) {
            Some(hash) => Self::of_key(api, hash, now).await?,
            None => Self::of_token(api, &shown, now).await?,
        };
        let caller = caller.ok_or_else(|| Problem::not_authenticated(true))?;
        if scopes.iter().any(|scope| caller.may(*scope)) { Ok(caller) } else { Err(Problem::lacks(scopes)) }
    }

    async fn of_key(api: &Api, hash: [u8; 32], now: Timestamp) -> Result<Option<Self>, PortError> {
        let found = api.parts.ports.api_keys.find(hash, now).await?;
        Ok(found.map(|key| Self {
            owner: key.owner,
            by: By::ApiKey(key.id),
            scopes: key.scopes.iter().filter_map(|scope| Scope::read(scope)).collect(),
        }))
    }

    /// An access token is as good as its login, and may do what its account's role may at this moment.
    async fn of_token(api: &Api, token: &Secret, now: Timestamp) -> Result<Option<Self>, PortError> {
        let Some(AccessClaims { owner, sid, .. }) = api.parts.signer.verify(token, now) else { return Ok(None) };
        let session = api.parts.ports.sessions.find_by_id(&owner, sid, now).await?;
        Ok(session.map(|session| {
            let (by, all) = (By::Account(session.subject()), || Scope::ALL.iter().copied().collect());
            match session.role {
                Role::User => Self { owner: Some(owner), by, scopes: BTreeSet::new() },
                Role::Owner => Self { owner: Some(owner), by, scopes: all() },
                Role::Operator => Self { owner: None, by, scopes: all() },
            }
        }))
    }

    pub(super) fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Whether it may do that, or why not.
    pub(super) fn must(&self, scope: Scope) -> Result<(), Problem> {
        if self.may(scope) { Ok(()) } else { Err(Problem::lacks(&[scope])) }
    }

    /// Whether it sees things of that owner.
    pub(super) fn sees(&self, owner: &OwnerId) -> bool {
        self.owner.as_ref().is_none_or(|own| own == owner)
    }

    /// Whether it is the operator.
    pub(super) fn is_operator(&self) -> bool {
        self.owner.is_none()
    }
}
