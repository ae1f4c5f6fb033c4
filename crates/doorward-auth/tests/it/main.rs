//! Climbs from end to end, with peers that keep to a script; and tokens good and forged.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test tells by a panic that something does not hold")]

mod alternatives;
mod app_key;
mod assert_login;
mod authenticator;
mod build;
mod cancel;
mod challenge;
mod compile_fail;
mod handshake;
mod ident;
mod issuer;
mod jwt;
mod key_entry;
mod key_ring;
mod ladder;
mod memory;
mod offer;
mod own_tokens;
mod password;
mod ports;
mod resume;
mod session;
mod site;
mod support;
mod ticket;
mod token;
mod totp;
mod unwell;
mod verdicts;
mod work;
