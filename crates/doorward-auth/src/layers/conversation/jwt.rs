//! JWT: the user sends a signed token (RFC 7519).
//!
//! user   -> website   get token
//! user   -> socket    send token
//! socket              require token

use serde::Deserialize;

use crate::{OnExpiry, layers::MACHINE, settings::Span};

/// `{ jwt = { ... } }`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JwtConfig {
    /// The name of the `[[issuer]]` whose tokens are taken; may be left out where the owner has one issuer only.
    pub issuer: Option<String>,
    /// Whether a token opens one socket only; then it must have a `jti`.
    pub single_use: bool,
    /// What happens when the token expires: `close` ends the socket, `keep` lets it live up to the gate's longest session.
    pub on_expiry: OnExpiry,
    /// How long the token is waited for.
    pub timeout: Span,
}

impl Default for JwtConfig {
    fn default() -> Self {
        Self { issuer: None, single_use: false, on_expiry: OnExpiry::Close, timeout: MACHINE }
    }
}
