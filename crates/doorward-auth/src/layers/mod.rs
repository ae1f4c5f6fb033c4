//! The layers: one file each, with its script at the head.

pub mod conversation;
pub mod handshake;
