//! Password: the user sends the name and the password of an account of the built-in site.
//!
//! user   -> socket    send username and password
//! socket              require password
//!
//! An unknown name, a disabled account, one that is locked and a wrong password take the same steps and get the same words; a
//! password is hashed for an unknown name too. A try is counted before it is looked at.

use std::{sync::Arc, time::Duration};

use doorward_types::{Answer, Secret};
use serde::Deserialize;

use crate::{
    Ask, BoxFuture, Claimant, Conversation, Layer, Level, Proof, Refusal,
    account::Checks,
    layers::{
        PERSON,
        site::{SiteTools, trier},
    },
    ports::{Clock, Ports},
    settings::Span,
};

const REQUIRE: &str = "socket requires password";

/// `{ password = { ... } }`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PasswordConfig {
    /// How long name and password are waited for.
    pub timeout: Span,
}

impl Default for PasswordConfig {
    fn default() -> Self {
        Self { timeout: PERSON }
    }
}

/// The layer.
pub struct PasswordLayer {
    checks: Checks,
    timeout: Duration,
    clock: Arc<dyn Clock>,
}

impl PasswordLayer {
    /// Looks accounts up at that site.
    pub fn new(config: &PasswordConfig, ports: &Ports, site: &SiteTools) -> Self {
        Self { checks: site.checks(ports), timeout: config.timeout.duration(), clock: Arc::clone(&ports.clock) }
    }

    async fn prove(&self, answer: &Answer, claimant: &mut Claimant) -> Result<(), Refusal> {
        let nothing = Secret::from_text("");
        let username = answer.text("username", "to look the account up").unwrap_or_default();
        let password = answer.field("password").unwrap_or(&nothing);
        let account = self.checks.password(&trier(claimant), username, password).await;
        let account = account.map_err(|not_right| not_right.refuse(REQUIRE))?;
        let proof = Proof { subject: Some(account.subject()), amr: &["pwd"], level: Level::Low, ..Proof::default() };
        claimant.prove(self.name(), self.clock.now(), proof)
    }
}

impl Layer for PasswordLayer {
    fn name(&self) -> &'static str {
        "password"
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
        Box::pin(async move {
            let ask = Ask::for_fields(&["username", "password"], self.timeout);
            let answer = conversation.ask("user sends username and password", ask).await?;
            let proven = self.prove(&answer, claimant).await;
            conversation.hold(REQUIRE, proven)
        })
    }
}
