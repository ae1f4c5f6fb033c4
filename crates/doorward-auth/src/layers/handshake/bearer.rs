//! Bearer: the upgrade request carries a signed token.
//!
//! user   -> website   get token
//! user   -> edge      show token in the upgrade request
//! socket              check token

use std::sync::Arc;

use serde::Deserialize;

use crate::{
    BoxFuture, Claimant, Handshake, HandshakeLayer, OnExpiry, Refusal, layers::access_token::AccessTokens,
    ports::Ports, token::Issuer,
};

/// `{ bearer = { ... } }`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BearerConfig {
    /// The name of the `[[issuer]]` whose tokens are taken, or `doorward` for those of the built-in site; may be left out where
    /// the owner has one `[[issuer]]` only.
    pub issuer: Option<String>,
    /// What happens when the token expires: `close` ends the socket, `keep` lets it live up to the gate's longest session.
    /// Where it is unset: `close`, and `keep` at a gate that speaks Socket.IO.
    pub on_expiry: Option<OnExpiry>,
}

const STEP: &str = "socket checks token";

/// The layer.
pub struct Bearer {
    tokens: AccessTokens,
}

impl Bearer {
    /// Takes the tokens of that issuer; of their claims only those named in `kept_claims` are kept.
    pub fn new(issuer: Arc<Issuer>, kept_claims: Arc<[String]>, on_expiry: OnExpiry, ports: &Ports) -> Self {
        Self { tokens: AccessTokens::of(issuer, kept_claims, on_expiry, ports) }
    }
}

impl HandshakeLayer for Bearer {
    fn name(&self) -> &'static str {
        "bearer"
    }

    fn step(&self) -> &'static str {
        STEP
    }

    fn gives_identity(&self) -> bool {
        true
    }

    fn verify<'a>(
        &'a self,
        handshake: &'a Handshake,
        claimant: &'a mut Claimant,
    ) -> BoxFuture<'a, Result<(), Refusal>> {
        Box::pin(self.tokens.prove(self.name(), STEP, handshake.bearer.as_ref(), claimant))
    }
}
