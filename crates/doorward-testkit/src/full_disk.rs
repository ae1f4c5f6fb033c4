use std::sync::atomic::{AtomicBool, Ordering};

use doorward_auth::{
    BoxFuture,
    memory::MemoryAudit,
    ports::{Audit, AuditQuery, AuditRecord, PortError},
};
use doorward_types::TraceId;

/// An audit log in memory that can be made to take nothing, as on a full disk.
#[derive(Debug)]
pub struct FullDisk {
    rows: MemoryAudit,
    full: AtomicBool,
}

impl Default for FullDisk {
    /// With room.
    fn default() -> Self {
        Self { rows: MemoryAudit::keeping(10_000), full: AtomicBool::new(false) }
    }
}

impl FullDisk {
    /// From here on no row is taken.
    pub fn fill(&self) {
        self.full.store(true, Ordering::SeqCst);
    }
}

impl Audit for FullDisk {
    fn record(&self, record: AuditRecord) -> Result<(), PortError> {
        self.is_taking()?;
        self.rows.record(record)
    }

    fn is_taking(&self) -> Result<(), PortError> {
        match self.full.load(Ordering::SeqCst) {
            true => Err(PortError { port: "audit", detail: "the disk is full".into() }),
            false => Ok(()),
        }
    }

    fn flush<'a>(&'a self) -> BoxFuture<'a, Result<(), PortError>> {
        self.rows.flush()
    }

    fn find<'a>(&'a self, trace: TraceId) -> BoxFuture<'a, Result<Option<AuditRecord>, PortError>> {
        self.rows.find(trace)
    }

    fn search<'a>(&'a self, query: AuditQuery) -> BoxFuture<'a, Result<Vec<AuditRecord>, PortError>> {
        self.rows.search(query)
    }
}
