use std::sync::{Arc, Mutex};

use doorward_auth::{
    BoxFuture,
    memory::MemorySite,
    ports::{PortError, Revocations},
};
use doorward_types::Cursor;

use super::{
    lock,
    log::{Actor, Event, Log},
};

/// The one store of all nodes, and who reads along what it commits.
pub(super) struct Store {
    site: Arc<MemorySite>,
    log: Arc<Log>,
    seen: Mutex<Cursor>,
}

impl Store {
    pub(super) fn new(log: Arc<Log>) -> Self {
        Self { site: Arc::new(MemorySite::default()), log, seen: Mutex::default() }
    }

    /// Does one act, which is done when it is polled, and notes what it has written into the revocation log.
    pub(super) async fn act<T>(
        &self,
        act: impl FnOnce(Arc<MemorySite>) -> BoxFuture<'static, Result<T, PortError>>,
    ) -> Result<T, PortError> {
        let done = act(Arc::clone(&self.site)).await;
        let seen = *lock(&self.seen);
        let written = self.site.read_after(seen, usize::MAX).await?;
        for entry in written.entries {
            *lock(&self.seen) = entry.cursor;
            self.log.note(Actor::Store, Event::Committed(entry));
        }
        done
    }
}
