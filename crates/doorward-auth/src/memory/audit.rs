use std::{collections::VecDeque, future::ready, sync::Mutex};

use doorward_types::{OwnerId, TraceId};

use super::lock;
use crate::{
    BoxFuture,
    ports::{Audit, AuditRecord, PortError},
};

/// [`Audit`] in memory: the newest rows, up to a number.
#[derive(Debug)]
pub struct MemoryAudit {
    at_most: usize,
    rows: Mutex<VecDeque<AuditRecord>>,
}

impl MemoryAudit {
    /// Keeps the newest `at_most` rows.
    pub fn keeping(at_most: usize) -> Self {
        Self { at_most, rows: Mutex::default() }
    }
}

impl Audit for MemoryAudit {
    fn record(&self, record: AuditRecord) -> Result<(), PortError> {
        let mut rows = lock(&self.rows);
        rows.push_front(record);
        rows.truncate(self.at_most);
        Ok(())
    }

    fn flush<'a>(&'a self) -> BoxFuture<'a, Result<(), PortError>> {
        Box::pin(ready(Ok(())))
    }

    fn find<'a>(&'a self, trace: TraceId) -> BoxFuture<'a, Result<Option<AuditRecord>, PortError>> {
        let found = lock(&self.rows).iter().find(|row| row.trace == trace).cloned();
        Box::pin(ready(Ok(found)))
    }

    fn newest<'a>(
        &'a self,
        owner: Option<&'a OwnerId>,
        at_most: usize,
    ) -> BoxFuture<'a, Result<Vec<AuditRecord>, PortError>> {
        let of = |row: &&AuditRecord| owner.is_none_or(|owner| row.owner == *owner);
        let newest = lock(&self.rows).iter().filter(of).take(at_most).cloned().collect();
        Box::pin(ready(Ok(newest)))
    }
}
