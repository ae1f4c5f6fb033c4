//! Layers that are answered from the upgrade request alone.

pub mod bearer;
pub mod host;
pub mod origin;
pub mod path;
pub mod session;
pub mod ticket;
