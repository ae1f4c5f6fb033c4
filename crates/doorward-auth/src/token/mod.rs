//! Signed tokens (JWT, RFC 7519): who issues them, and how strictly they are read (RFC 8725).

mod config;

pub use config::{Algorithm, IssuerConfig, Profile};
