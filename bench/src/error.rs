//! Why a measurement did not come about, by whose fault.

use std::{io, time::Duration};

pub(crate) type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The operating system refused something that the tools need.
    #[error("{what}: {source}")]
    Io { what: String, source: io::Error },
    /// The server under load did something else than it was asked for.
    #[error("the server {0}")]
    Server(String),
    /// Every wait has a limit; this one was reached.
    #[error("{what} took longer than {} s", limit.as_secs_f64())]
    TooSlow { what: String, limit: Duration },
    /// Deliveries that never came.
    #[error("{lost} of {expected} deliveries were lost")]
    Lost { lost: u64, expected: u64 },
    /// A process that the table started ended badly.
    #[error("`{program}` {what}")]
    Child { program: String, what: String },
    /// The command line asks for something that is not there.
    #[error("{0}")]
    Usage(String),
}

/// Names what was being tried when the operating system refused.
pub(crate) trait Trying<T> {
    fn trying(self, what: impl Into<String>) -> Result<T>;
}

impl<T> Trying<T> for io::Result<T> {
    fn trying(self, what: impl Into<String>) -> Result<T> {
        self.map_err(|source| Error::Io { what: what.into(), source })
    }
}
