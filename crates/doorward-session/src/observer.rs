use std::time::Duration;

use doorward_auth::ports::AuditRecord;

use crate::Ended;

/// Is told how the sockets of a registry end, and how they are let in once more: whoever counts, and writes it down. Once for each
/// socket, ending or decision, never for a message.
///
/// It is called in the middle of other work, so it must not wait.
pub trait Observer: Send + Sync {
    /// A socket has ended, and how.
    fn ended(&self, how: Ended);

    /// The last of the sockets that one ending has ended is done: how long after the ending the kernel had accepted its Close
    /// frame, or it was reset. An ending that has found no socket is not told.
    fn landed(&self, within: Duration);

    /// A live socket was asked again, and this is how that came out: a row of the audit log, as an admission has one. Answers
    /// whether it is written down. Where it is not, the socket is not let in once more.
    fn decided(&self, row: AuditRecord) -> bool;
}

/// Nobody counts.
pub(crate) struct Unobserved;

impl Observer for Unobserved {
    fn ended(&self, _how: Ended) {}

    fn landed(&self, _within: Duration) {}

    fn decided(&self, _row: AuditRecord) -> bool {
        true
    }
}
