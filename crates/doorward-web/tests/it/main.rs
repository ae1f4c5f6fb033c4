//! The site as browsers and programs meet it, from memory and with a clock that is moved by hand.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test tells by a panic that something does not hold")]

mod account;
mod api;
mod console;
mod edge;
mod journal;
mod login;
mod outage;
mod register;
mod reset;
#[expect(dead_code, reason = "the tests of the HTTP API use the rest of it")]
mod sockets;
mod totp;
mod world;
