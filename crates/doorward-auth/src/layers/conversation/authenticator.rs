//! Authenticator: a record of the embedding application looks at what the user sent.
//!
//! user   -> socket    send credentials
//! socket              require identity

use std::{sync::Arc, time::Duration};

use serde::Deserialize;

use crate::{
    Ask, BoxFuture, Claimant, Conversation, Layer, Level, Proof, Refusal,
    ports::{Authenticator, Bounded, Clock, Identity, Ports},
    settings::Span,
};

/// `{ authenticator = { kind = "terminal" } }`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthenticatorConfig {
    /// The kind of the authenticator, as the embedding application registered it.
    pub kind: String,
    /// How long the answer is waited for.
    #[serde(default = "crate::layers::machine")]
    pub timeout: Span,
}

/// The layer. It goes by the authenticator's kind.
pub struct Authenticated {
    kind: &'static str,
    fields: &'static [&'static str],
    authenticator: Bounded<dyn Authenticator>,
    timeout: Duration,
    clock: Arc<dyn Clock>,
}

impl Authenticated {
    /// Asks for the authenticator's fields and lets it look.
    pub fn new(authenticator: Arc<dyn Authenticator>, timeout: Duration, ports: &Ports) -> Self {
        let (kind, fields) = (authenticator.kind(), authenticator.fields());
        let authenticator = ports.bounded(kind, &authenticator);
        Self { kind, fields, authenticator, timeout, clock: Arc::clone(&ports.clock) }
    }

    fn prove(&self, identity: Identity, claimant: &mut Claimant) -> Result<(), Refusal> {
        let proof = Proof {
            subject: Some(identity.subject),
            level: Level::Low,
            claims: identity.claims,
            only_one: identity.only_one,
            ..Proof::default()
        };
        claimant.prove(self.name(), self.clock.now(), proof)
    }
}

impl Layer for Authenticated {
    fn name(&self) -> &'static str {
        self.kind
    }

    fn gives_identity(&self) -> bool {
        true
    }

    fn verify<'a>(
        &'a self,
        conversation: &'a mut Conversation,
        claimant: &'a mut Claimant,
    ) -> BoxFuture<'a, Result<(), Refusal>> {
        const REQUIRE: &str = "socket requires identity";
        Box::pin(async move {
            let ask = Ask::for_fields(self.fields, self.timeout);
            let answer = conversation.ask("user sends credentials", ask).await?;
            let proven = match self.authenticator.ask(REQUIRE, |records| records.authenticate(&answer)).await {
                Ok(Some(identity)) => self.prove(identity, claimant),
                Ok(None) => Err(Refusal::credential(REQUIRE, "the authenticator recognises nobody")),
                Err(down) => Err(down),
            };
            conversation.hold(REQUIRE, proven)
        })
    }
}
