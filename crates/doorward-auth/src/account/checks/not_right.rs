//! Why a check failed, and what the log is told of it.

use std::fmt;

use doorward_types::{Subject, Timestamp};

use crate::{account::HashingError, ports::PortError};

/// Why a check failed. What is wrong of it, and whose it would have been, is for the log alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRight {
    /// It is wrong.
    #[error("{why}")]
    Wrong {
        /// Of whose account; `None` where there is none of that name.
        whose: Option<Subject>,
        /// What of it is wrong.
        why: String,
    },
    /// It can be nothing of the kind, so it was not looked at, and counts as no try.
    #[error("it can be neither a code of an app nor a recovery code")]
    Unreadable,
    /// It was not looked at: there were too many wrong ones.
    #[error("locked: {factor} {lock}")]
    Locked {
        /// Of whose account; `None` where there is none of that name.
        whose: Option<Subject>,
        /// What may not be tried.
        factor: &'static str,
        /// For how long; the same for a name that nobody has.
        lock: Lock,
    },
    /// Too many passwords are being checked. To be told: try later.
    #[error(transparent)]
    Busy(HashingError),
    /// What it depends on is down. To be told: try later.
    #[error(transparent)]
    Down(#[from] PortError),
    /// What is kept of the account cannot be used, by our own fault.
    #[error("what is kept of it is unusable: {0}")]
    Unusable(String),
}

/// Until when something may not be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Not before then.
    Until(Timestamp),
    /// Not before it was recovered by another way.
    UntilRecovered,
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Until(at) => write!(f, "may be tried again at {at}"),
            Self::UntilRecovered => f.write_str("is disabled until it is recovered"),
        }
    }
}
