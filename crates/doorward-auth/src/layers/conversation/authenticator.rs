//! Authenticator: a record of the embedding application looks at what the user sent.
//!
//! user   -> socket    send credentials
//! socket              require identity

use serde::Deserialize;

use crate::{layers::MACHINE, settings::Span};

/// `{ authenticator = { kind = "terminal" } }`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthenticatorConfig {
    /// The kind of the authenticator, as the embedding application registered it.
    pub kind: String,
    /// How long the answer is waited for.
    #[serde(default = "machine")]
    pub timeout: Span,
}

const fn machine() -> Span {
    MACHINE
}
