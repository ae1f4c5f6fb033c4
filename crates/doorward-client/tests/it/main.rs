//! The client against a peer in memory.

mod climb;
mod peer;
mod talk;
mod upgrade;
