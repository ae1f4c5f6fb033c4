//! Properties of the codec over streams made at random: against itself in other splits, and against another implementation.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod oracle;
mod splits;
mod streams;
