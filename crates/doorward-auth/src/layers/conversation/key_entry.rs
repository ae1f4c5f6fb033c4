//! Key entry: the user takes a key from the website, where they are logged in, and types it into the socket.
//!
//! user   -> website   get key
//! user   -> socket    send key
//! socket              require key
//!
//! A wrong key is asked for again, five times in all; after ten wrong ones the account's key is void. A key lives two minutes,
//! opens one socket, and is void when the login ends in which it was made.

use std::{sync::Arc, time::Duration};

use doorward_types::{Answer, Rest, Secret};
use serde::Deserialize;

use crate::{
    Ask, BoxFuture, Claimant, Conversation, Layer, Level, Proof, Refusal,
    account::Checks,
    layers::site::{SiteTools, trier},
    ports::{Clock, Ports},
    settings::Span,
};

const REQUIRE: &str = "socket requires key";

/// How many tries one socket has.
pub const TRIES: u32 = 5;

/// `{ key_entry = { ... } }`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeyEntryConfig {
    /// How long each try is waited for. A key lives two minutes.
    pub timeout: Span,
}

impl Default for KeyEntryConfig {
    fn default() -> Self {
        Self { timeout: Span::from_secs(120) }
    }
}

/// The layer.
pub struct KeyEntryLayer {
    checks: Checks,
    timeout: Duration,
    clock: Arc<dyn Clock>,
}

impl KeyEntryLayer {
    /// Looks keys up at that site.
    pub fn new(config: &KeyEntryConfig, ports: &Ports, site: &SiteTools) -> Self {
        Self { checks: site.checks(ports), timeout: config.timeout.duration(), clock: Arc::clone(&ports.clock) }
    }

    async fn prove(&self, answer: &Answer, claimant: &mut Claimant) -> Result<(), Refusal> {
        let nothing = Secret::from_text("");
        let entered = self.checks.key_entry(&trier(claimant), answer.field("key").unwrap_or(&nothing)).await;
        let entry = entered.map_err(|not_right| not_right.refuse(REQUIRE))?;
        let proof = Proof {
            subject: Some(entry.account.subject(entry.username)),
            amr: &["key_entry"],
            level: Level::Low,
            rests_on: vec![Rest::on("sid", entry.sid.to_string())],
            ..Proof::default()
        };
        claimant.prove(self.name(), self.clock.now(), proof)
    }
}

impl Layer for KeyEntryLayer {
    fn name(&self) -> &'static str {
        "key_entry"
    }

    fn gives_identity(&self) -> bool {
        true
    }

    fn verify<'a>(
        &'a self,
        conversation: &'a mut Conversation,
        claimant: &'a mut Claimant,
    ) -> BoxFuture<'a, Result<(), Refusal>> {
        Box::pin(async move {
            let mut left = TRIES;
            loop {
                let ask = Ask::for_fields(&["key"], self.timeout).showing("tries", left.to_string());
                let answer = conversation.ask("user sends key", ask).await?;
                let proven = self.prove(&answer, claimant).await;
                left -= 1;
                match conversation.hold(REQUIRE, proven) {
                    Err(refusal) if refusal.lets_climb_on() && left > 0 => {}
                    verdict => return verdict,
                }
            }
        })
    }
}
