//! The client against a peer in memory.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a peer or a file that fails fails the test")]

mod climb;
mod peer;
mod replay;
mod talk;
mod upgrade;
