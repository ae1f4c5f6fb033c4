use std::net::IpAddr;

use doorward_types::{CloseReason, GateName, OwnerId, SocketId, Subject, Timestamp, TraceId};

use super::PortError;
use crate::{BoxFuture, trail::RungTrail};

/// How a decision came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Let in, as this socket.
    Admitted(SocketId),
    /// Refused: what the peer was told, and what only the log knows.
    Refused {
        /// What the peer was told.
        reason: CloseReason,
        /// The layer that refused, or the part of the server that did before any layer.
        layer: String,
        /// The step of its script.
        step: String,
        /// The precise reason.
        detail: String,
    },
    /// The user left before a verdict.
    HungUp,
}

/// One decision of one ladder: a row in the audit log. It holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// The decision's trace id.
    pub trace: TraceId,
    /// When the climb ended.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Whose gate.
    pub owner: OwnerId,
    /// Which gate.
    pub gate: GateName,
    /// From where.
    pub source: IpAddr,
    /// Who was proven, also where a later layer refused.
    pub subject: Option<Subject>,
    /// How it came out.
    pub outcome: Outcome,
    /// What happened, rung by rung.
    pub trail: Vec<RungTrail>,
}

/// The audit log. Rows are written in batches; when they cannot be, nobody is let in.
pub trait Audit: Send + Sync {
    /// Takes a row without waiting for the disk. An error means that the log cannot take rows now.
    fn record(&self, record: AuditRecord) -> Result<(), PortError>;

    /// Whether rows are taken now. Where the last could not be written this brings a new try, so that whoever asks from time to
    /// time hears when they are taken again, also while nobody comes.
    fn is_taking(&self) -> Result<(), PortError> {
        Ok(())
    }

    /// How many rows have been taken and are not on disk yet.
    fn waiting(&self) -> usize {
        0
    }

    /// Waits until all that was taken before is on disk.
    fn flush<'a>(&'a self) -> BoxFuture<'a, Result<(), PortError>>;

    /// The decision with that trace id.
    fn find<'a>(&'a self, trace: TraceId) -> BoxFuture<'a, Result<Option<AuditRecord>, PortError>>;

    /// The newest decisions of an owner, newest first; of all owners for `None`.
    fn newest<'a>(
        &'a self,
        owner: Option<&'a OwnerId>,
        at_most: usize,
    ) -> BoxFuture<'a, Result<Vec<AuditRecord>, PortError>>;
}
