//! Layers that talk over the open socket.

pub mod app_key;
pub mod authenticator;
pub mod challenge;
pub mod ident;
pub mod jwt;
pub mod offer;
pub mod ticket;
