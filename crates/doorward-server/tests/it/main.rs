//! The whole way of a socket, from the first byte of a connection to its last, with peers that keep to a script; and what the
//! command line and a node do when the world around them fails.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test tells by a panic that something does not hold")]

mod accounts;
mod application;
mod caps;
mod carrier;
mod commands;
mod edge;
mod endings;
mod events;
mod expiry;
mod issuer_keys;
mod ladders;
mod layering;
mod logins;
mod metrics;
mod ninep;
mod node;
mod operator;
mod outage;
mod peer;
mod polling;
mod polls;
mod prompts;
mod records;
mod refusing;
mod reload;
mod replay;
mod socketio;
mod suspended;
mod tickets;
mod tls;
mod upstream;
mod wires;
mod world;
