use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use doorward_auth::{
    BoxFuture,
    ports::{Audit, AuditQuery, AuditRecord, PortError},
};
use doorward_types::TraceId;
use rusqlite::{OptionalExtension, params};

use super::{Store, audit_row};
use crate::StoreError;

const PORT: &str = "audit";

/// Audit rows that wait to be written with the writer's next transaction.
pub(super) struct AuditQueue {
    room: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    rows: Vec<AuditRecord>,
    /// The writer was told that there are rows, and has not looked yet.
    told: bool,
    /// Why the last rows could not be written. They are still in `rows`.
    failed: Option<StoreError>,
}

impl AuditQueue {
    pub(super) fn new(room: usize) -> Self {
        Self { room, state: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic runs under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a row. Answers whether the writer has to be told.
    ///
    /// While the last rows could not be written no row is taken, but the writer is told: it tries again.
    fn put(&self, row: AuditRecord) -> (Result<(), StoreError>, bool) {
        let mut state = self.lock();
        let taken = if let Some(error) = &state.failed {
            Err(error.clone())
        } else if state.rows.len() >= self.room {
            Err(StoreError::AuditFull { waiting: state.rows.len() })
        } else {
            state.rows.push(row);
            Ok(())
        };
        (taken, !std::mem::replace(&mut state.told, true))
    }

    /// Why no row is taken. Answers whether the writer has to be told to try again, too.
    fn failure(&self) -> Option<(StoreError, bool)> {
        let mut state = self.lock();
        let error = state.failed.clone()?;
        Some((error, !std::mem::replace(&mut state.told, true)))
    }

    /// The rows that wait.
    pub(super) fn take(&self) -> Vec<AuditRecord> {
        let mut state = self.lock();
        state.told = false;
        std::mem::take(&mut state.rows)
    }

    /// What came of the rows that were taken: those that could not be written wait again.
    pub(super) fn settle(&self, mut rows: Vec<AuditRecord>, written: &Result<(), StoreError>) {
        let mut state = self.lock();
        match written {
            Ok(()) => {
                if state.failed.take().is_some() {
                    tracing::info!("audit rows are written again");
                }
            }
            Err(error) => {
                if state.failed.is_none() {
                    tracing::error!(%error, "audit rows cannot be written, so nobody is let in");
                }
                rows.append(&mut state.rows);
                state.rows = rows;
                state.failed = Some(error.clone());
            }
        }
    }
}

/// Held by the one who writes: where that ends, also by a panic, the queue takes nothing any more. Otherwise rows would be taken
/// that nobody will ever write, and people let in on them.
pub(super) struct Writing(pub(super) Arc<AuditQueue>);

impl Drop for Writing {
    fn drop(&mut self) {
        self.0.lock().failed = Some(StoreError::Closed);
    }
}

impl Audit for Store {
    fn record(&self, record: AuditRecord) -> Result<(), PortError> {
        let (taken, tell) = self.inner.audit.put(record);
        let told = if tell { self.inner.writer.wake() } else { Ok(()) };
        taken.and(told).map_err(|error| error.of_port(PORT))
    }

    fn is_taking(&self) -> Result<(), PortError> {
        let Some((error, tell)) = self.inner.audit.failure() else { return Ok(()) };
        if tell {
            self.inner.writer.wake().map_err(|error| error.of_port(PORT))?;
        }
        Err(error.of_port(PORT))
    }

    fn waiting(&self) -> usize {
        self.inner.audit.lock().rows.len()
    }

    fn flush<'a>(&'a self) -> BoxFuture<'a, Result<(), PortError>> {
        Box::pin(async move { self.flush_audit().await.map_err(|error| error.of_port(PORT)) })
    }

    fn find<'a>(&'a self, trace: TraceId) -> BoxFuture<'a, Result<Option<AuditRecord>, PortError>> {
        let found = self.read(move |connection| {
            connection
                .prepare_cached("SELECT * FROM audit WHERE trace = ?1 ORDER BY id DESC LIMIT 1")?
                .query_row(params![trace.as_bytes()], audit_row::read)
                .optional()
        });
        Box::pin(async move { found.await.map_err(|error| error.of_port(PORT)) })
    }

    fn search<'a>(&'a self, query: AuditQuery) -> BoxFuture<'a, Result<Vec<AuditRecord>, PortError>> {
        let found = self.read(move |connection| audit_row::search(connection, &query));
        Box::pin(async move { found.await.map_err(|error| error.of_port(PORT)) })
    }
}
