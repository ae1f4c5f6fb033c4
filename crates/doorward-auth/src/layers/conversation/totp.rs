//! TOTP: the user sends the code that their phone shows (RFC 6238).
//!
//! user   -> socket    send code
//! socket              require code
//!
//! Whose phone it is a layer above has proven. A code is taken once, and none of an earlier moment after it; a recovery code
//! may stand in for it, in the same field. An account without a phone is refused like a wrong code.

use std::{sync::Arc, time::Duration};

use doorward_types::{Answer, Secret};
use serde::Deserialize;

use crate::{
    Ask, BoxFuture, Claimant, Conversation, Layer, Level, Proof, Refusal,
    account::{Checks, SecondFactor},
    layers::{
        PERSON,
        site::{SiteTools, trier},
    },
    ports::{Clock, Ports},
    settings::Span,
};

const REQUIRE: &str = "socket requires code";

/// `{ totp = { ... } }`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TotpConfig {
    /// How long the code is waited for.
    pub timeout: Span,
}

impl Default for TotpConfig {
    fn default() -> Self {
        Self { timeout: PERSON }
    }
}

/// The layer.
pub struct TotpLayer {
    checks: Checks,
    timeout: Duration,
    clock: Arc<dyn Clock>,
}

impl TotpLayer {
    /// Looks authenticator apps up at that site.
    pub fn new(config: &TotpConfig, ports: &Ports, site: &SiteTools) -> Self {
        Self { checks: site.checks(ports), timeout: config.timeout.duration(), clock: Arc::clone(&ports.clock) }
    }

    async fn prove(&self, answer: &Answer, claimant: &mut Claimant) -> Result<(), Refusal> {
        let nothing = Secret::from_text("");
        let Some(whose) = claimant.subject() else {
            return Err(Refusal::credential(REQUIRE, "nobody was proven before"));
        };
        let shown = self.checks.code(&trier(claimant), whose, answer.field("code").unwrap_or(&nothing)).await;
        let amr: &[&str] = match shown.map_err(|not_right| not_right.refuse(REQUIRE))? {
            SecondFactor::Totp => const { &[SecondFactor::Totp.method()] },
            SecondFactor::RecoveryCode => const { &[SecondFactor::RecoveryCode.method()] },
        };
        // The layer above has proven the subject; that it is the same one needs no second word.
        claimant.prove(self.name(), self.clock.now(), Proof { amr, level: Level::Low, ..Proof::default() })
    }
}

impl Layer for TotpLayer {
    fn name(&self) -> &'static str {
        "totp"
    }

    fn needs_identity(&self) -> bool {
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
        Box::pin(async move {
            let answer = conversation.ask("user sends code", Ask::for_fields(&["code"], self.timeout)).await?;
            let proven = self.prove(&answer, claimant).await;
            conversation.hold(REQUIRE, proven)
        })
    }
}
