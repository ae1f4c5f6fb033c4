//! JWT: the user sends a signed token (RFC 7519).
//!
//! user   -> website   get token
//! user   -> socket    send token
//! socket              require token

use std::{sync::Arc, time::Duration};

use serde::Deserialize;

use crate::{
    Ask, BoxFuture, Claimant, Conversation, Layer, OnExpiry, Refusal,
    layers::{MACHINE, access_token::AccessTokens},
    ports::Ports,
    settings::Span,
    token::Issuer,
};

/// `{ jwt = { ... } }`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JwtConfig {
    /// The name of the `[[issuer]]` whose tokens are taken, or `doorward` for those of the built-in site; may be left out where
    /// the owner has one `[[issuer]]` only.
    pub issuer: Option<String>,
    /// Whether a token opens one socket only; then it must have a `jti`.
    pub single_use: bool,
    /// What happens when the token expires: `close` ends the socket, `keep` lets it live up to the gate's longest session, and
    /// `reauth` asks for another token over the open socket and ends it after 30 seconds without one; behind a hub alone, whose
    /// users can be asked. Where it is unset: `close`, and `keep` at a gate that speaks Socket.IO.
    pub on_expiry: Option<OnExpiry>,
    /// How long the token is waited for.
    pub timeout: Span,
}

impl Default for JwtConfig {
    fn default() -> Self {
        Self { issuer: None, single_use: false, on_expiry: None, timeout: MACHINE }
    }
}

/// The layer.
pub struct Jwt {
    tokens: AccessTokens,
    timeout: Duration,
}

impl Jwt {
    /// Takes the tokens of that issuer; of their claims only those named in `kept_claims` are kept.
    pub fn new(config: &JwtConfig, issuer: Arc<Issuer>, kept_claims: Arc<[String]>, ports: &Ports) -> Self {
        let tokens = AccessTokens::of(issuer, kept_claims, config.on_expiry.unwrap_or_default(), ports);
        let tokens = if config.single_use { tokens.once(ports) } else { tokens };
        Self { tokens, timeout: config.timeout.duration() }
    }
}

impl Layer for Jwt {
    fn name(&self) -> &'static str {
        "jwt"
    }

    fn gives_identity(&self) -> bool {
        true
    }

    fn unprompted_answers(&self) -> Option<usize> {
        Some(1)
    }

    fn verify<'a>(
        &'a self,
        conversation: &'a mut Conversation,
        claimant: &'a mut Claimant,
    ) -> BoxFuture<'a, Result<(), Refusal>> {
        const REQUIRE: &str = "socket requires token";
        Box::pin(async move {
            let answer = conversation.ask("user sends token", Ask::for_fields(&["token"], self.timeout)).await?;
            let proven = self.tokens.prove(self.name(), REQUIRE, answer.field("token"), claimant).await;
            conversation.hold(REQUIRE, proven)
        })
    }
}
