use std::fmt::Display;

use doorward_client::{Abort, Answers, Ask, BoxFuture, Choose, Chosen, Tell, Wait};
use doorward_types::Answer;

use crate::cli::{Failure, say};

/// Fields whose values are shown: the others are credentials, and only their beginning is.
const SHOWN: [&str; 3] = ["accept", "partial", "answer"];

/// How much of what is said fits on a line of 120 columns.
const WIDTH: usize = 100;

/// Prints the transcript and counts what did not go as told.
#[derive(Default)]
pub(super) struct Narrator {
    steps: usize,
    wrong: Vec<String>,
}

impl Narrator {
    /// Begins a scene.
    pub(super) fn scene(&mut self, title: &str) {
        say(format_args!("\n== {title}"));
    }

    /// Says something beside the transcript.
    pub(super) fn line(&self, text: impl Display) {
        say(format_args!("   {text}"));
    }

    /// Says that one side sends something to the other; what is too long for a line is cut.
    pub(super) fn sends(&self, from: &str, to: &str, what: impl Display) {
        let mut what = what.to_string();
        if let Some((end, _)) = what.char_indices().nth(WIDTH) {
            what.truncate(end);
            what.push('…');
        }
        say(format_args!("   {from:>5} -> {to:<5}  {what}"));
    }

    /// A step that has to go as told.
    pub(super) fn expect(&mut self, what: impl Display, holds: bool) {
        self.steps += 1;
        if holds {
            say(format_args!("   ok: {what}"));
        } else {
            say(format_args!("   WRONG: {what}"));
            self.wrong.push(what.to_string());
        }
    }

    /// A step that gives a value; what went wrong is told, and `None` comes back.
    pub(super) fn expect_ok<T, E: Display>(&mut self, what: impl Display, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(value) => {
                self.expect(what, true);
                Some(value)
            }
            Err(error) => {
                self.expect(format_args!("{what}: {error}"), false);
                None
            }
        }
    }

    /// How it all came out.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        if self.wrong.is_empty() {
            say(format_args!("\nall {} steps went as told", self.steps));
            return Ok(());
        }
        Err(Failure::new(format!(
            "{} of {} steps went wrong:\n  {}",
            self.wrong.len(),
            self.steps,
            self.wrong.join("\n  ")
        )))
    }
}

/// Prints what a ladder asks and what is answered, and lets somebody else answer.
pub(super) struct Told<'n, A> {
    narrator: &'n Narrator,
    answers: A,
}

impl<'n, A: Answers> Told<'n, A> {
    pub(super) fn by(narrator: &'n Narrator, answers: A) -> Self {
        Self { narrator, answers }
    }
}

impl<A: Answers> Answers for Told<'_, A> {
    fn unprompted(&mut self) -> Vec<Answer> {
        let offers = self.answers.unprompted();
        for offer in &offers {
            self.narrator.sends("user", "gate", describe(offer));
        }
        offers
    }

    fn ask<'a>(&'a mut self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, Abort>> {
        Box::pin(async move {
            let Ask { layer, step, fields, shows, expires_in } = ask;
            let shown = shown(shows);
            self.narrator.sends(
                "gate",
                "user",
                format_args!("ask {layer}: {step} [{}]{shown} ({expires_in:?})", fields.join(", ")),
            );
            let answer = self.answers.ask(ask).await?;
            self.narrator.sends("user", "gate", describe(&answer));
            Ok(answer)
        })
    }

    fn choose<'a>(&'a mut self, choose: &'a Choose) -> BoxFuture<'a, Result<Chosen, Abort>> {
        Box::pin(async move {
            self.narrator.sends("gate", "user", format_args!("choose one of {}", choose.of.join(", ")));
            let chosen = self.answers.choose(choose).await?;
            match &chosen {
                Chosen::Take(answer) => self.narrator.sends("user", "gate", describe(answer)),
                Chosen::Skip => self.narrator.sends("user", "gate", "skip"),
            }
            Ok(chosen)
        })
    }

    fn tell(&mut self, tell: &Tell) -> Result<(), Abort> {
        self.narrator.sends("gate", "user", format_args!("tell {}: {}{}", tell.layer, tell.step, shown(&tell.shows)));
        self.answers.tell(tell)
    }

    fn wait(&mut self, wait: &Wait) -> Result<(), Abort> {
        self.narrator.sends("gate", "user", format_args!("wait {}: {}{}", wait.layer, wait.step, shown(&wait.shows)));
        self.answers.wait(wait)
    }
}

fn shown(shows: &[(String, String)]) -> String {
    shows.iter().map(|(name, value)| format!(" {name}={}", shortened(value))).collect()
}

fn describe(answer: &Answer) -> String {
    let mut text = format!("answer {}:", answer.kind().unwrap_or("to what was asked"));
    for name in answer.names() {
        let value = answer.text(name, "the demo shows its own users' answers").unwrap_or_default();
        let value = if SHOWN.contains(&name) { value.to_owned() } else { shortened(value) };
        text.push_str(&format!(" {name}={value}"));
    }
    text
}

/// The beginning of something long.
fn shortened(value: &str) -> String {
    match value.char_indices().nth(24) {
        Some((end, _)) => format!("{}...", value.get(..end).unwrap_or_default()),
        None => value.to_owned(),
    }
}
