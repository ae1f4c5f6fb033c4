//! Climbs from end to end, with peers that keep to a script; and tokens good and forged.
#![expect(clippy::unwrap_used, reason = "a test tells by a panic that something does not hold")]

mod compile_fail;
mod handshake;
mod jwt;
mod ladder;
mod support;
mod ticket;
mod token;
