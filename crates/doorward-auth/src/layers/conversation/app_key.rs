//! App key: the user proves to hold a key, and does not show it.
//!
//! user   -> socket    send key
//! user   -> socket    send proof
//! socket              require proof

use serde::Deserialize;

use crate::{layers::MACHINE, settings::Span};

/// `{ app_key = { ... } }`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AppKeyConfig {
    /// Whether the whole key may be sent instead of a proof, over a secure line. Whoever sees it then has the key.
    pub plain: bool,
    /// How long each of the two answers is waited for.
    pub timeout: Span,
}

impl Default for AppKeyConfig {
    fn default() -> Self {
        Self { plain: false, timeout: MACHINE }
    }
}
