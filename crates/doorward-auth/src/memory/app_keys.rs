use std::{future::ready, sync::Mutex};

use doorward_types::{KeyId, OwnerId, Timestamp};

use super::lock;
use crate::{
    BoxFuture,
    ports::{AppKey, AppKeys, PortError},
};

/// [`AppKeys`] in memory, oldest first.
#[derive(Debug, Default)]
pub struct MemoryAppKeys(Mutex<Vec<AppKey>>);

impl MemoryAppKeys {
    /// Without any key.
    pub fn new() -> Self {
        Self::default()
    }

    /// Revokes the key with that id, of that owner or of anybody for `None`.
    pub(super) fn revoke_of(&self, owner: Option<&OwnerId>, id: &KeyId, now: Timestamp) {
        for key in lock(&self.0).iter_mut() {
            if key.id == *id && owner.is_none_or(|owner| key.owner == *owner) {
                key.revoked_at.get_or_insert(now);
            }
        }
    }
}

impl AppKeys for MemoryAppKeys {
    fn add<'a>(&'a self, key: AppKey) -> BoxFuture<'a, Result<bool, PortError>> {
        Box::pin(async move {
            let mut keys = lock(&self.0);
            let is_new = !keys.iter().any(|known| known.owner == key.owner && known.id == key.id);
            if is_new {
                let place = keys.partition_point(|known| known.created_at <= key.created_at);
                keys.insert(place, key);
            }
            Ok(is_new)
        })
    }

    fn find<'a>(&'a self, owner: &'a OwnerId, id: &'a KeyId) -> BoxFuture<'a, Result<Option<AppKey>, PortError>> {
        let found = lock(&self.0).iter().find(|key| key.owner == *owner && key.id == *id).cloned();
        Box::pin(ready(Ok(found)))
    }

    fn list<'a>(&'a self, owner: &'a OwnerId) -> BoxFuture<'a, Result<Vec<AppKey>, PortError>> {
        let keys = lock(&self.0).iter().filter(|key| key.owner == *owner).cloned().collect();
        Box::pin(ready(Ok(keys)))
    }

    fn revoke<'a>(
        &'a self,
        owner: &'a OwnerId,
        id: &'a KeyId,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, PortError>> {
        Box::pin(async move {
            let mut keys = lock(&self.0);
            let live = keys.iter_mut().find(|key| key.owner == *owner && key.id == *id && key.revoked_at.is_none());
            Ok(live.map(|key| key.revoked_at = Some(now)).is_some())
        })
    }
}
