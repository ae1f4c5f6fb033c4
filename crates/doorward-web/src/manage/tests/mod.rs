//! The API with everything behind it in memory. Whatever it answers is held against its own description.

mod accounts;
mod audit;
mod description;
mod endings;
mod events;
mod keys;
mod requests;
mod sessions;
mod sockets;
mod world;

use world::{Answer, World};
