//! Sockets from their admission to their end, over TCP and over a pipe in memory.

mod support;

mod connections;
mod endings;
mod fan_out;
mod lines;
mod races;
mod registry;
mod time;
