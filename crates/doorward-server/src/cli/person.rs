use std::{future::pending, io::stdin, sync::Arc};

use doorward_client::{Abort, Answers, Ask, BoxFuture, Choose, Chosen, Tell, Wait};
use doorward_types::Answer;
use tokio::{
    io::{BufReader, Lines, Stdin},
    sync::Mutex,
};

use super::{say, unshown::Unshown};

/// The lines that are typed.
pub(super) type Typed = Lines<BufReader<Stdin>>;

/// Whoever sits at the terminal answers what the credentials cannot.
pub(super) struct Person(Arc<Mutex<Typed>>);

impl Person {
    /// Who types these lines.
    pub(super) fn at(lines: Arc<Mutex<Typed>>) -> Self {
        Self(lines)
    }

    /// Asks for what nobody who looks at the screen may read.
    async fn asked_unshown(&self, layer: &str, question: String) -> Result<String, Abort> {
        let unshown = Unshown::at(stdin());
        let note = if unshown.is_some() { " (what you type is not shown)" } else { "" };
        self.asked(layer, question + note).await
    }

    async fn asked(&self, layer: &str, question: String) -> Result<String, Abort> {
        say(question);
        match self.0.lock().await.next_line().await {
            Ok(Some(line)) => Ok(line.trim().to_owned()),
            Ok(None) | Err(_) => Err(Abort::new(match given_by(layer) {
                Some(given_by) => format!("nobody is there to answer `{layer}`; give it with {given_by}"),
                None => format!("nobody is there to answer `{layer}`"),
            })),
        }
    }
}

impl Person {
    /// A gate takes `yes` and `no` alone, and asks once. Here whoever types something else is asked again.
    async fn consent(&self, layer: &str, question: &str) -> Result<String, Abort> {
        loop {
            let typed = self.asked(layer, format!("{question} (yes/no)")).await?;
            match typed.to_lowercase().as_str() {
                "y" | "yes" => return Ok("yes".to_owned()),
                "n" | "no" => return Ok("no".to_owned()),
                _ => say("type `yes` if you know this gate by what it shows, `no` to leave"),
            }
        }
    }
}

/// How this command is given what a layer asks for.
fn given_by(layer: &str) -> Option<&'static str> {
    Some(match layer {
        "jwt" => "`--token-file` or `DOORWARD_TOKEN`",
        "app_key" => "`--key-file` or `DOORWARD_KEY`",
        "ticket" => "`--ticket-file` or `DOORWARD_TICKET`",
        "challenge" => "`--challenge-file` or `DOORWARD_CHALLENGE`",
        "ident" => "`--glyph`",
        _ => return None,
    })
}

/// Whether a program has to work it out of a secret; the id of a key is asked for in view of the signature.
fn is_signed(layer: &str, field: &str) -> bool {
    matches!((layer, field), ("app_key", "key" | "proof") | ("challenge", "partial" | "proof"))
}

/// What makes a layer that waits look at once.
const CHECK: &str = "check";

/// Whether a layer that waits can be had to look.
fn looks_when_asked(layer: &str) -> bool {
    layer == "assert_login"
}

/// Whether everybody may read it while it is typed. All that is not known to be so is taken for a secret.
fn may_be_seen(layer: &str, field: &str) -> bool {
    matches!((layer, field), (_, "username") | ("ident", _))
}

impl Answers for Person {
    fn ask<'a>(&'a mut self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, Abort>> {
        Box::pin(async move {
            for (name, value) in &ask.shows {
                say(format_args!("{}: {name}: {value}", ask.layer));
            }
            let mut answer = Answer::to_layer(ask.layer.as_str());
            for field in &ask.fields {
                let question = format!("{}: {}: {field}?", ask.layer, ask.step);
                if let Some(given_by) = given_by(&ask.layer).filter(|_| is_signed(&ask.layer, field)) {
                    let said =
                        format!("nobody can type the `{field}` of `{}`; give its secret with {given_by}", ask.layer);
                    return Err(Abort::new(said));
                }
                let typed = match (ask.layer.as_str(), field.as_str()) {
                    ("ident", "accept") => self.consent(&ask.layer, &question).await?,
                    (layer, field) if may_be_seen(layer, field) => self.asked(layer, question).await?,
                    (layer, _) => self.asked_unshown(layer, question).await?,
                };
                answer = answer.with_text(field.as_str(), typed);
            }
            Ok(answer)
        })
    }

    fn choose<'a>(&'a mut self, choose: &'a Choose) -> BoxFuture<'a, Result<Chosen, Abort>> {
        Box::pin(async move {
            let skip = if choose.optional { ", or an empty line to skip" } else { "" };
            let taken =
                self.asked(&choose.of.join("` or `"), format!("which one: {}{skip}?", choose.of.join(", "))).await?;
            if taken.is_empty() && choose.optional {
                Ok(Chosen::Skip)
            } else {
                Ok(Chosen::Take(Answer::to_layer(taken)))
            }
        })
    }

    fn tell(&mut self, tell: &Tell) -> Result<(), Abort> {
        for (name, value) in &tell.shows {
            say(format_args!("{}: {}: {name}: {value}", tell.layer, tell.step));
        }
        Ok(())
    }

    fn wait(&mut self, wait: &Wait) -> Result<(), Abort> {
        say(format_args!("{}: waiting: {} ({:?})", wait.layer, wait.step, wait.expires_in));
        if looks_when_asked(&wait.layer) {
            say(format_args!("{}: type `{CHECK}` to have it look now", wait.layer));
        }
        Ok(())
    }

    fn unasked<'a>(&'a mut self, wait: &'a Wait) -> BoxFuture<'a, Result<Answer, Abort>> {
        Box::pin(async move {
            while looks_when_asked(&wait.layer) {
                // Who has no more lines to type can wait all the same.
                let Ok(Some(line)) = self.0.lock().await.next_line().await else { break };
                match line.trim() {
                    "" => {}
                    CHECK => return Ok(Answer::to_layer(wait.layer.as_str()).with_text(CHECK, "true")),
                    _ => say(format_args!("{}: nothing is asked now; `{CHECK}` has it look", wait.layer)),
                }
            }
            pending().await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_be_seen_and_what_is_not_known_to_be_harmless_may_not() {
        for (layer, field) in [("password", "username"), ("terminal", "username"), ("ident", "answer")] {
            assert!(may_be_seen(layer, field), "{layer} {field}");
        }
        for (layer, field) in [
            ("password", "password"),
            ("totp", "code"),
            ("key_entry", "key"),
            ("jwt", "token"),
            ("ticket", "ticket"),
            ("challenge", "words"),
            ("terminal", "pin"),
        ] {
            assert!(!may_be_seen(layer, field), "{layer} {field}");
        }
    }
}
