//! Layers that talk over the open socket.

pub mod app_key;
pub mod assert_login;
pub mod authenticator;
pub mod challenge;
pub mod ident;
pub mod jwt;
pub mod key_entry;
pub mod offer;
pub mod password;
pub mod ticket;
pub mod totp;
