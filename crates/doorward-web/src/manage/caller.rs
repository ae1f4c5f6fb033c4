use std::collections::BTreeSet;

use doorward_auth::{
    Scope, hash_of_api_key,
    ports::{PortError, Role},
};
use doorward_types::{OwnerId, Secret, Timestamp};
use http::{HeaderMap, header::AUTHORIZATION};

use super::{Api, Problem};
use crate::{AccessClaims, By};

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

    /// Who shows an API key, or an access token, that is good for `scope`.
    pub(super) async fn of(api: &Api, headers: &HeaderMap, scope: Scope, now: Timestamp) -> Result<Self, Problem> {
        let Some(shown) = bearer(headers) else { return Err(Problem::not_authenticated(false)) };
        let caller = match hash_of_api_key(shown) {
            Some(hash) => Self::of_key(api, hash, now).await?,
            None => Self::of_token(api, &Secret::from_text(shown), now).await?,
        };
        let caller = caller.ok_or_else(|| Problem::not_authenticated(true))?;
        if caller.may(scope) { Ok(caller) } else { Err(Problem::lacks(scope)) }
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

    /// Whether it sees things of that owner.
    pub(super) fn sees(&self, owner: &OwnerId) -> bool {
        self.owner.as_ref().is_none_or(|own| own == owner)
    }

    /// Whether it is the operator.
    pub(super) fn is_operator(&self) -> bool {
        self.owner.is_none()
    }
}

/// The credential of `Authorization: Bearer ...` (RFC 6750, section 2.1), where there is exactly one.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (Some(only), None) = (all.next(), all.next()) else { return None };
    let (scheme, credential) = only.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(credential.trim())
}
