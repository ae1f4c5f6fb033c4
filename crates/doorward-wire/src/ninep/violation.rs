use doorward_types::CloseReason;

use super::SMALLEST;

/// A size that no message has. What comes behind it cannot be found: the connection cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// Less than a header.
    #[error("a 9P message of {size} bytes was announced; the smallest has {SMALLEST}")]
    TooSmall {
        /// What was announced.
        size: u32,
    },
    /// More than was agreed on, told by the size alone.
    #[error("a 9P message of {size} bytes was announced, and {msize} are allowed")]
    TooBig {
        /// What was announced.
        size: u32,
        /// The most that was allowed.
        msize: u32,
    },
}

impl Violation {
    /// With which close reason to answer: 1009 for too big, 4400 for too small.
    pub const fn close_reason(&self) -> CloseReason {
        match self {
            Self::TooSmall { .. } => CloseReason::Malformed,
            Self::TooBig { .. } => CloseReason::TooBig,
        }
    }
}
