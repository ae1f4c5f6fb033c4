//! Who sees how live sockets end, and how they are let in once more: the one is counted, the other is written down.

use std::{sync::Arc, time::Duration};

use doorward_auth::ports::{Audit, AuditRecord};
use doorward_session::{Ended, Observer};

use crate::metrics::Metrics;

/// Counts in the metrics of a node, and writes into its audit log.
pub struct Witness {
    /// Where endings are counted.
    pub metrics: Arc<Metrics>,
    /// Where decisions are written down.
    pub audit: Arc<dyn Audit>,
}

impl Observer for Witness {
    fn ended(&self, how: Ended) {
        self.metrics.ended(how);
    }

    fn landed(&self, within: Duration) {
        self.metrics.landed(within);
    }

    fn decided(&self, row: AuditRecord) -> bool {
        let trace = row.trace;
        tracing::debug!(%trace, verdict = row.outcome.verdict().as_str(), "a live socket was asked again");
        let taken = self.audit.record(row);
        if let Err(error) = &taken {
            tracing::error!(%trace, %error, "the audit log takes no rows, so no socket is let in once more");
            self.metrics.row_refused();
        }
        taken.is_ok()
    }
}
