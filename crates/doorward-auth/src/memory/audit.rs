use std::{collections::VecDeque, future::ready, sync::Mutex};

use doorward_types::TraceId;

use super::lock;
use crate::{
    BoxFuture,
    ports::{Audit, AuditQuery, AuditRecord, PortError},
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

    fn search<'a>(&'a self, query: AuditQuery) -> BoxFuture<'a, Result<Vec<AuditRecord>, PortError>> {
        let rows = lock(&self.rows);
        let first = match query.before {
            None => 0,
            Some(trace) => rows.iter().position(|row| row.trace == trace).map_or(rows.len(), |place| place + 1),
        };
        let found = rows.iter().skip(first).filter(|row| query.asks_for(row)).take(query.at_most).cloned().collect();
        Box::pin(ready(Ok(found)))
    }
}
