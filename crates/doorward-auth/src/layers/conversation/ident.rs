//! Ident: the gate shows who it is, and the user agrees or leaves.
//!
//! socket -> user      show glyph
//! user   -> socket    accept glyph
//! socket              require consent
//!
//! With a question, also:
//!
//! user   -> socket    answer question
//! socket              require answer
//!
//! A glyph is a help for people, not a control: a stranger's gate can copy it. TLS and app keys tell gates apart.

use std::{sync::Arc, time::Duration};

use doorward_types::Secret;
use serde::Deserialize;

use crate::{
    Ask, BoxFuture, Claimant, Conversation, Fault, Layer, Level, Proof, Refusal,
    layers::PERSON,
    ports::Clock,
    settings::{SecretText, Span},
};

/// `{ ident = { ... } }`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentConfig {
    /// What the gate shows of itself, for the user to recognise.
    pub glyph: String,
    /// A question that the user has to answer, where recognising the glyph is not enough.
    #[serde(default)]
    pub question: Option<String>,
    /// The answers that are taken; case and space around them do not count.
    #[serde(default)]
    pub answers: Vec<SecretText>,
    /// How long each answer is waited for.
    #[serde(default = "person")]
    pub timeout: Span,
}

const fn person() -> Span {
    PERSON
}

/// The layer.
pub struct Ident {
    glyph: String,
    question: Option<(String, Vec<Secret>)>,
    timeout: Duration,
    clock: Arc<dyn Clock>,
}

impl Ident {
    /// Shows that glyph, and asks that question where there is one.
    pub fn new(config: &IdentConfig, clock: Arc<dyn Clock>) -> Self {
        let answers = || config.answers.iter().map(|answer| folded(answer.secret())).collect();
        Self {
            glyph: config.glyph.clone(),
            question: config.question.clone().map(|question| (question, answers())),
            timeout: config.timeout.duration(),
            clock,
        }
    }
}

/// Without case, and without space around it.
fn folded(answer: &Secret) -> Secret {
    Secret::from_text(answer.reveal_text("to compare it without case").unwrap_or_default().trim().to_lowercase())
}

impl Layer for Ident {
    fn name(&self) -> &'static str {
        "ident"
    }

    fn verify<'a>(
        &'a self,
        conversation: &'a mut Conversation,
        claimant: &'a mut Claimant,
    ) -> BoxFuture<'a, Result<(), Refusal>> {
        Box::pin(async move {
            conversation.tell("socket shows glyph", vec![("glyph", self.glyph.clone())]);
            let answer = conversation.ask("user accepts glyph", Ask::for_fields(&["accept"], self.timeout)).await?;
            let consent = match answer.text("accept", "yes or no").unwrap_or_default() {
                "yes" | "true" => Ok(()),
                "no" | "false" => Err((Fault::Declined, "the user does not recognise the gate")),
                _ => Err((Fault::Credential, "the answer is neither yes nor no")),
            };
            const CONSENT: &str = "socket requires consent";
            conversation.hold(CONSENT, consent.map_err(|(fault, detail)| Refusal::new(fault, CONSENT, detail)))?;
            let mut amr: &[&str] = &[];
            if let Some((question, answers)) = &self.question {
                let ask = Ask::for_fields(&["answer"], self.timeout).showing("question", question.as_str());
                let answer = conversation.ask("user answers question", ask).await?;
                let given = answer.field("answer").map(folded).unwrap_or_else(|| Secret::from_text(""));
                // All are compared: how many there are before the right one does not show.
                let right = answers.iter().fold(false, |right, known| right | (*known == given));
                conversation.require("socket requires answer", right, "the answer is none of those that are taken")?;
                amr = &["kba"];
            }
            claimant.prove(self.name(), self.clock.now(), Proof { amr, level: Level::None, ..Proof::default() })
        })
    }
}
