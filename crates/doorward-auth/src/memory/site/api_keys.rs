use doorward_types::{OwnerId, Timestamp};

use super::MemorySite;
use crate::{
    BoxFuture,
    ports::{ApiKey, ApiKeys, PortError},
};

/// Keys to the HTTP API and the hashes of their texts, oldest first.
#[derive(Debug, Default)]
pub(super) struct KeyRing(Vec<([u8; 32], ApiKey)>);

fn is_of(owner: Option<&OwnerId>, key: &ApiKey) -> bool {
    owner.is_none_or(|owner| key.owner.as_ref() == Some(owner))
}

impl ApiKeys for MemorySite {
    fn add<'a>(&'a self, hash: [u8; 32], key: ApiKey) -> BoxFuture<'a, Result<(), PortError>> {
        self.answer(move |state| {
            let keys = &mut state.api_keys.0;
            if keys.iter().all(|(known, _)| *known != hash) {
                let place = keys.partition_point(|(_, known)| known.created_at <= key.created_at);
                keys.insert(place, (hash, key));
            }
        })
    }

    fn find<'a>(&'a self, hash: [u8; 32], now: Timestamp) -> BoxFuture<'a, Result<Option<ApiKey>, PortError>> {
        self.answer(move |state| {
            let (_, key) = state.api_keys.0.iter().find(|(known, _)| *known == hash)?;
            let holds = key.revoked_at.is_none() && key.expires_at.is_none_or(|at| now < at);
            holds.then(|| key.clone())
        })
    }

    fn list<'a>(&'a self, owner: Option<&'a OwnerId>) -> BoxFuture<'a, Result<Vec<ApiKey>, PortError>> {
        self.answer(move |state| {
            let keys = state.api_keys.0.iter().map(|(_, key)| key);
            keys.filter(|key| is_of(owner, key)).cloned().collect()
        })
    }

    fn revoke<'a>(
        &'a self,
        owner: Option<&'a OwnerId>,
        id: &'a str,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, PortError>> {
        self.answer(move |state| {
            let mut keys = state.api_keys.0.iter_mut().map(|(_, key)| key);
            let live = keys.find(|key| key.id == id && is_of(owner, key) && key.revoked_at.is_none());
            live.map(|key| key.revoked_at = Some(now)).is_some()
        })
    }
}
