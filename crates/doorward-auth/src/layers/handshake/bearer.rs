//! Bearer: the upgrade request carries a signed token.
//!
//! user   -> website   get token
//! user   -> edge      show token in the upgrade request
//! socket              check token

use serde::Deserialize;

use crate::OnExpiry;

/// `{ bearer = { ... } }`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BearerConfig {
    /// The name of the `[[issuer]]` whose tokens are taken; may be left out where the owner has one issuer only.
    pub issuer: Option<String>,
    /// What happens when the token expires: `close` ends the socket, `keep` lets it live up to the gate's longest session.
    pub on_expiry: OnExpiry,
}
