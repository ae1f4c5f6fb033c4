use super::NAMES;

/// A message that is not what its type asks for: what is wrong, and where. It never holds what the peer sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// A type that means nothing here.
    #[error("message type {0} is not one that is taken here")]
    Type(u8),
    /// The message is over before it has all its fields.
    #[error("the message ends within `{field}`")]
    EndsWithin {
        /// The field that is not whole.
        field: &'static str,
    },
    /// Something stands behind the last field.
    #[error("{bytes} bytes stand behind the last field")]
    TooLong {
        /// How many.
        bytes: usize,
    },
    /// A text that is not UTF-8.
    #[error("`{field}` is not UTF-8")]
    NotText {
        /// The field.
        field: &'static str,
    },
    /// A text with a zero byte in it.
    #[error("`{field}` has a NUL in it")]
    Nul {
        /// The field.
        field: &'static str,
    },
    /// More names than a walk can have.
    #[error("a walk of {count} names; {NAMES} are the most")]
    TooManyNames {
        /// How many were announced.
        count: u16,
    },
    /// The size in a stat record is not that of the record.
    #[error("a stat record says that it has {said} bytes and has {there}")]
    StatSize {
        /// What it says.
        said: usize,
        /// What is there.
        there: usize,
    },
}
