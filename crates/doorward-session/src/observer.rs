use std::time::Duration;

use crate::Ended;

/// Is told how the sockets of a registry end: whoever counts. Once for each socket and once for each ending, never for a message.
///
/// It is called in the middle of other work, so it must not wait.
pub trait Observer: Send + Sync {
    /// A socket has ended, and how.
    fn ended(&self, how: Ended);

    /// The last of the sockets that one ending has ended is done: how long after the ending the kernel had accepted its Close
    /// frame, or it was reset. An ending that has found no socket is not told.
    fn landed(&self, within: Duration);
}

/// Nobody counts.
pub(crate) struct Unobserved;

impl Observer for Unobserved {
    fn ended(&self, _how: Ended) {}

    fn landed(&self, _within: Duration) {}
}
