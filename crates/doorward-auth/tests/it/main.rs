//! Climbs from end to end, with peers that keep to a script; and tokens good and forged.
#![expect(clippy::unwrap_used, reason = "a test tells by a panic that something does not hold")]

mod alternatives;
mod app_key;
mod authenticator;
mod build;
mod cancel;
mod challenge;
mod compile_fail;
mod handshake;
mod ident;
mod issuer;
mod jwt;
mod ladder;
mod memory;
mod offer;
mod own_tokens;
mod ports;
mod resume;
mod support;
mod ticket;
mod token;
mod unwell;
mod verdicts;
mod work;
