use std::{future::poll_fn, task::Poll, time::Duration};

use doorward_auth::{Admission, Climb, ClimbEvent, Refusal, trail::RungTrail};
use doorward_types::{Answer, Prompt, Shown};
use serde_json::Value;

/// Something that a peer heard.
#[derive(Debug)]
pub struct Heard {
    /// In one line: `ask jwt: user sends token`, `choose jwt | ticket`, `admitted member:7`, `refused not_authenticated`.
    pub line: String,
    /// What was shown with it.
    pub shows: Shown,
    /// How long an answer is waited for.
    pub expires_in: Option<Duration>,
    /// The admission, where this was one.
    pub admission: Option<Admission>,
    /// The refusal, where this was one.
    pub refusal: Option<Refusal>,
}

impl Heard {
    /// What was shown under that name.
    pub fn shown(&self, name: &str) -> &str {
        self.shows.iter().find(|(shown, _)| *shown == name).map_or("", |(_, value)| value)
    }

    fn line(line: String) -> Self {
        Self { line, shows: Vec::new(), expires_in: None, admission: None, refusal: None }
    }
}

impl From<ClimbEvent> for Heard {
    fn from(event: ClimbEvent) -> Self {
        match event {
            ClimbEvent::Say(Prompt::Ask { layer, step, shows, expires_in, .. }) => {
                Self { shows, expires_in: Some(expires_in), ..Self::line(format!("ask {layer}: {step}")) }
            }
            ClimbEvent::Say(Prompt::Choose { of, optional, expires_in }) => {
                let skip = if optional { " | skip" } else { "" };
                Self { expires_in: Some(expires_in), ..Self::line(format!("choose {}{skip}", of.join(" | "))) }
            }
            ClimbEvent::Say(Prompt::Tell { layer, step, shows }) => {
                Self { shows, ..Self::line(format!("tell {layer}: {step}")) }
            }
            ClimbEvent::Say(Prompt::Wait { layer, step, shows, expires_in }) => {
                Self { shows, expires_in: Some(expires_in), ..Self::line(format!("wait {layer}: {step}")) }
            }
            ClimbEvent::Admitted(admission) => {
                let subject = admission.subject().map_or("nobody".to_owned(), ToString::to_string);
                Self { admission: Some(*admission), ..Self::line(format!("admitted {subject}")) }
            }
            ClimbEvent::Refused(refusal) => {
                let line = format!("refused {}", refusal.close_reason().name());
                Self { refusal: Some(refusal), ..Self::line(line) }
            }
        }
    }
}

/// Somebody who stands before a climb and talks with it. The test has tokio's clock paused.
pub struct Peer {
    climb: Climb,
}

impl Peer {
    /// A peer before that climb.
    pub fn before(climb: Climb) -> Self {
        Self { climb }
    }

    /// What comes next. Where the climb waits for the peer, time runs on until the step's limit.
    pub async fn hear(&mut self) -> Heard {
        self.climb.next().await.into()
    }

    /// Whether the climb has nothing to say now.
    pub async fn hears_nothing(&mut self) -> bool {
        poll_fn(|context| Poll::Ready(self.climb.poll_event(context).is_pending())).await
    }

    /// Leaves an answer. Panics where the last one was not heard yet.
    #[expect(clippy::panic, reason = "a test tells by a panic that something does not hold")]
    pub fn say(&self, answer: Answer) {
        if self.climb.answer(answer).is_err() {
            panic!("the last answer was not heard yet");
        }
    }

    /// Plays a talk of lines, and gives the last thing heard.
    ///
    /// `< ask jwt: user sends token` has to be heard next; `> {"kind":"jwt","token":"..."}` is said; empty lines do not count.
    /// Panics at the first line that does not hold.
    #[expect(clippy::panic, reason = "a test tells by a panic that something does not hold")]
    pub async fn play(&mut self, talk: &str) -> Option<Heard> {
        let mut last = None;
        for line in talk.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match line.split_at_checked(2) {
                Some(("< ", expected)) => {
                    let heard = self.hear().await;
                    assert_eq!(heard.line, expected, "{:#?}", self.climb.progress().trail());
                    last = Some(heard);
                }
                Some(("> ", said)) => self.say(answer(said)),
                _ => panic!("a line begins with `< ` or `> `, not as `{line}`"),
            }
        }
        last
    }

    /// The steps that were recorded so far, over all rungs.
    pub fn steps(&self) -> Vec<String> {
        self.climb
            .progress()
            .trail()
            .into_iter()
            .flat_map(|rung| rung.steps)
            .map(|step| step.step.into_owned())
            .collect()
    }

    /// What happened so far.
    pub fn trail(&self) -> Vec<RungTrail> {
        self.climb.progress().trail()
    }

    /// The climb itself.
    pub fn climb(&mut self) -> &mut Climb {
        &mut self.climb
    }
}

/// Reads `{"kind":"jwt","token":"..."}`. Panics where it is not a flat object of texts.
#[expect(clippy::panic, reason = "a test tells by a panic that something does not hold")]
fn answer(json: &str) -> Answer {
    let Ok(Value::Object(fields)) = serde_json::from_str(json) else { panic!("not a JSON object: {json}") };
    let kind = fields.get("kind").and_then(Value::as_str);
    let answer = kind.map_or_else(Answer::new, Answer::to_layer);
    fields.iter().filter(|(name, _)| *name != "kind").fold(answer, |answer, (name, value)| match value.as_str() {
        Some(text) => answer.with_text(name.as_str(), text),
        None => panic!("the field {name} is not a text: {json}"),
    })
}
