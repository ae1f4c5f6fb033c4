//! Offer: the user knows what to send, and sends all of it without being asked; there is one verdict at the end.
//!
//! user   -> socket    send every part
//! socket              require every part
//!
//! Nothing is said before the verdict. All parts are looked at, whatever comes out of the first; what was wrong is known to
//! the log alone.

use std::{sync::Arc, time::Duration};

use doorward_types::Answer;
use serde::Deserialize;

use crate::{BoxFuture, Claimant, Conversation, Fault, Layer, Refusal, layers::RungConfig, settings::Span};

const REQUIRE: &str = "socket requires every part";

/// `{ offer = { of = [...] } }`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferConfig {
    /// The layers, in the order in which their answers come. Each must need no prompt: `jwt`, or `app_key` with `plain`.
    pub of: Vec<RungConfig>,
    /// How long all parts together are waited for.
    #[serde(default = "crate::layers::machine")]
    pub timeout: Span,
}

/// The layer.
pub struct Offer {
    parts: Vec<(Arc<dyn Layer>, usize)>,
    timeout: Duration,
}

impl Offer {
    /// Of these parts, whose answers come in this order, all within `timeout`.
    ///
    /// Gives back the name of a layer that needs a prompt: it cannot be a part.
    pub fn new(parts: Vec<Arc<dyn Layer>>, timeout: Duration) -> Result<Self, &'static str> {
        let counted = |part: Arc<dyn Layer>| match part.unprompted_answers() {
            Some(answers) => Ok((part, answers)),
            None => Err(part.name()),
        };
        Ok(Self { parts: parts.into_iter().map(counted).collect::<Result<_, _>>()?, timeout })
    }

    /// Evaluates every part. The claimant changes only where all of them hold.
    async fn evaluate(
        &self,
        mut answers: Vec<Answer>,
        conversation: &mut Conversation,
        claimant: &mut Claimant,
    ) -> Result<(), Refusal> {
        let mut proven = claimant.clone();
        let mut failed: Option<Refusal> = None;
        for (part, count) in &self.parts {
            let rest = answers.split_off(answers.len().min(*count));
            let given = std::mem::replace(&mut answers, rest);
            if let Err(refusal) = conversation.evaluate(part.as_ref(), given, &mut proven).await {
                // That something is down says nothing about the parts, and is what the user has to know.
                let down = refusal.is_ours();
                if failed.is_none() || down {
                    let fault = if down { Fault::Dependency } else { Fault::Credential };
                    failed = Some(Refusal::new(fault, REQUIRE, format!("{}: {}", part.name(), refusal.detail)));
                }
            }
        }
        match failed {
            Some(refusal) => Err(refusal),
            None => {
                *claimant = proven;
                Ok(())
            }
        }
    }
}

impl Layer for Offer {
    fn name(&self) -> &'static str {
        "offer"
    }

    fn gives_identity(&self) -> bool {
        self.parts.iter().any(|(part, _)| part.gives_identity())
    }

    fn needs_identity(&self) -> bool {
        let before_it_is_known = self.parts.iter().take_while(|(part, _)| !part.gives_identity());
        before_it_is_known.into_iter().any(|(part, _)| part.needs_identity())
    }

    fn verify<'a>(
        &'a self,
        conversation: &'a mut Conversation,
        claimant: &'a mut Claimant,
    ) -> BoxFuture<'a, Result<(), Refusal>> {
        Box::pin(async move {
            let expected = self.parts.iter().map(|(_, count)| count).sum();
            let answers = conversation.hear_all("user sends every part", expected, self.timeout).await?;
            let verdict = if answers.len() < expected {
                let detail = format!("{} of {expected} answers came within {:?}", answers.len(), self.timeout);
                Err(Refusal::credential(REQUIRE, detail))
            } else {
                self.evaluate(answers, conversation, claimant).await
            };
            let verdict = match verdict {
                Ok(()) if conversation.has_more() => {
                    Err(Refusal::credential(REQUIRE, format!("more than {expected} answers came")))
                }
                verdict => verdict,
            };
            conversation.hold(REQUIRE, verdict)
        })
    }
}
