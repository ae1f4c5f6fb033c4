//! The API with everything behind it in memory. Whatever it answers is held against its own description.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test tells by a panic that something does not hold")]

mod accounts;
mod audit;
mod description;
mod endings;
mod keys;
mod requests;
mod sessions;
mod sockets;
mod world;

use world::{Answer, World};
