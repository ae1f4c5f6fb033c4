//! Layers that are answered from the upgrade request alone.

pub mod bearer;
pub mod ticket;
