use std::{
    collections::VecDeque,
    future::Future,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use doorward_types::{Answer, Prompt, Shown, Subject};
use tokio::time::Instant;

use crate::{
    Claimant, Fault, Layer, Refusal,
    trail::{Outcome, RungTrail, Step, Verb},
};

/// How a layer talks to the user, whatever the transport: four verbs, each with the name of a step of the layer's script.
///
/// * [`tell`](Self::tell): the socket says something; nothing is expected.
/// * [`ask`](Self::ask): the user is heard, with a prompt or ([`Ask::unprompted`]) without, within a time limit.
/// * [`wait`](Self::wait): something elsewhere has to happen, within a time limit.
/// * [`require`](Self::require): it holds, or out.
///
/// The name of the step is the line in the log, the place of a refusal, and the line in the script at the head of the
/// layer's file; a test compares the three.
pub struct Conversation {
    desk: Arc<Desk>,
    layer: &'static str,
    /// Answers that are there before they are asked for: the message that chose an alternative also answers its first ask.
    given: VecDeque<Answer>,
    /// While a layer is evaluated as a part of another one: nothing is said, and nothing is heard but what is given.
    part: Option<Part>,
}

/// A layer within another.
struct Part {
    of: &'static str,
    /// The first answer that was not there, or was another one. The layer goes on to its end with one that says nothing, so
    /// that what it looks up does not tell how far the answers fitted.
    missed: Option<Refusal>,
}

/// What [`Conversation::ask`] asks for.
#[derive(Clone, Debug)]
pub struct Ask {
    fields: &'static [&'static str],
    shows: Shown,
    within: Duration,
    prompted: bool,
}

impl Ask {
    /// For an answer with these fields, waited for that long.
    pub fn for_fields(fields: &'static [&'static str], within: Duration) -> Self {
        Self { fields, shows: Vec::new(), within, prompted: true }
    }

    /// Shows something with the prompt: a nonce, a statement, a question.
    #[must_use]
    pub fn showing(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.shows.push((name, value.into()));
        self
    }

    /// Says nothing: the user has to know.
    #[must_use]
    pub fn unprompted(mut self) -> Self {
        self.prompted = false;
        self
    }
}

/// A wait that has begun.
#[derive(Debug)]
#[must_use = "a wait has an end"]
pub struct Waiting {
    step: &'static str,
    within: Duration,
    until: Instant,
}

/// Why [`Conversation::listen`] came back.
#[derive(Debug)]
pub enum Woken {
    /// It is time to look again.
    BySignal,
    /// The user has said something.
    ByUser(Answer),
}

impl Conversation {
    pub(crate) fn new(desk: Arc<Desk>) -> Self {
        Self { desk, layer: "", given: VecDeque::new(), part: None }
    }

    /// Says something to the user.
    pub fn tell(&mut self, step: &'static str, shows: Shown) {
        self.say(Prompt::Tell { layer: self.layer, step, shows });
        self.desk.record(self.layer, step, Verb::Tell, Outcome::Hit, None);
    }

    /// Hears from the user. Refuses when nothing comes in time, and when the answer names another layer.
    pub async fn ask(&mut self, step: &'static str, ask: Ask) -> Result<Answer, Refusal> {
        if self.part.is_some() {
            return Ok(self.given_to_part(step, ask.fields));
        }
        if let Some(answer) = self.given.pop_front() {
            return self.heard(step, answer);
        }
        if ask.prompted {
            let Ask { fields, shows, within, .. } = ask;
            self.say(Prompt::Ask { layer: self.layer, step, fields, shows, expires_in: within });
        }
        match self.desk.hear_until(Instant::now() + ask.within).await {
            Some(answer) => self.heard(step, answer),
            None => Err(self.missed(step, Verb::Ask, Fault::TooSlow, format!("nothing came within {:?}", ask.within))),
        }
    }

    /// The answer that a part is given; one that says nothing where that does not fit.
    fn given_to_part(&mut self, step: &'static str, fields: &[&str]) -> Answer {
        let heard = match self.given.pop_front() {
            Some(answer) if answer.has_exactly(fields) => self.heard(step, answer),
            Some(_) => Err(self.missed(step, Verb::Ask, Fault::Credential, "the fields are others".to_owned())),
            None => Err(self.missed(step, Verb::Ask, Fault::Credential, "no answer was given".to_owned())),
        };
        heard.unwrap_or_else(|refusal| {
            if let Some(part) = &mut self.part {
                part.missed.get_or_insert(refusal);
            }
            Answer::new()
        })
    }

    fn heard(&self, step: &'static str, answer: Answer) -> Result<Answer, Refusal> {
        match answer.kind() {
            Some(kind) if kind != self.layer && Some(kind) != self.part.as_ref().map(|part| part.of) => {
                let detail = format!("the answer is for `{}`, not for `{}`", kind.escape_debug(), self.layer);
                Err(self.missed(step, Verb::Ask, Fault::Credential, detail))
            }
            _ => {
                self.desk.record(self.layer, step, Verb::Ask, Outcome::Hit, None);
                Ok(answer)
            }
        }
    }

    /// Waits for something elsewhere (a website, a mailbox, a phone) and tells the user so.
    pub async fn wait<T>(
        &mut self,
        step: &'static str,
        shows: Shown,
        within: Duration,
        what: impl Future<Output = T> + Send,
    ) -> Result<T, Refusal> {
        self.say(Prompt::Wait { layer: self.layer, step, shows, expires_in: within });
        match tokio::time::timeout(within, what).await {
            Ok(value) => {
                self.desk.record(self.layer, step, Verb::Wait, Outcome::Hit, None);
                Ok(value)
            }
            Err(_) => Err(self.missed(step, Verb::Wait, Fault::TooSlow, format!("nothing happened within {within:?}"))),
        }
    }

    /// Begins to wait for something elsewhere with an open ear: tells the user so, and hears what is said meanwhile by
    /// [`listen`](Self::listen). [`has_waited`](Self::has_waited) is its end.
    pub fn begin_to_wait(&mut self, step: &'static str, shows: Shown, within: Duration) -> Waiting {
        self.say(Prompt::Wait { layer: self.layer, step, shows, expires_in: within });
        Waiting { step, within, until: Instant::now() + within }
    }

    /// What comes first: `signal`, something that the user says, at the step `hear`, or the end of the wait, which refuses.
    pub async fn listen(
        &mut self,
        waiting: &Waiting,
        hear: &'static str,
        signal: impl Future<Output = ()> + Send,
    ) -> Result<Woken, Refusal> {
        let mut signal = pin!(signal);
        let mut answer = pin!(self.desk.hear_until(waiting.until));
        let woken = std::future::poll_fn(|context| match answer.as_mut().poll(context) {
            Poll::Ready(answer) => Poll::Ready(Err(answer)),
            Poll::Pending => signal.as_mut().poll(context).map(Ok),
        });
        match woken.await {
            Ok(()) => Ok(Woken::BySignal),
            Err(Some(answer)) => self.heard(hear, answer).map(Woken::ByUser),
            Err(None) => {
                let detail = format!("nothing happened within {:?}", waiting.within);
                Err(self.missed(waiting.step, Verb::Wait, Fault::TooSlow, detail))
            }
        }
    }

    /// What was waited for has happened.
    pub fn has_waited(&mut self, waiting: Waiting) {
        self.desk.record(self.layer, waiting.step, Verb::Wait, Outcome::Hit, None);
    }

    /// Goes on where `holds`; refuses a wrong credential where not. `otherwise` is the precise reason, for the log alone.
    pub fn require(&mut self, step: &'static str, holds: bool, otherwise: &str) -> Result<(), Refusal> {
        let verdict = if holds { Ok(()) } else { Err(Refusal::credential(step, otherwise)) };
        self.hold(step, verdict)
    }

    /// Like [`require`](Self::require), where the check is a value or a refusal of its own.
    pub fn hold<T>(&mut self, step: &'static str, checked: Result<T, Refusal>) -> Result<T, Refusal> {
        match checked {
            Ok(value) => {
                self.desk.record(self.layer, step, Verb::Require, Outcome::Hit, None);
                Ok(value)
            }
            Err(refusal) => Err(self.missed(step, Verb::Require, refusal.fault, refusal.detail)),
        }
    }

    fn missed(&self, step: &'static str, verb: Verb, fault: Fault, detail: String) -> Refusal {
        self.desk.record(self.layer, step, verb, Outcome::Miss, Some(detail.clone()));
        Refusal { fault, layer: self.layer, step, detail }
    }

    /// Lets `layer` speak from here on.
    pub(crate) fn enter(&mut self, layer: &'static str) {
        self.layer = layer;
    }

    /// Puts an answer before the next ask.
    pub(crate) fn give(&mut self, answer: Answer) {
        self.given.push_back(answer);
    }

    /// Forgets answers that nobody asked for.
    pub(crate) fn forget_given(&mut self) {
        self.given.clear();
    }

    /// Hears `count` answers in a row without a prompt, whatever layers they name; fewer where time runs out before.
    /// Refuses only when nothing came at all.
    pub(crate) async fn hear_all(
        &mut self,
        step: &'static str,
        count: usize,
        within: Duration,
    ) -> Result<Vec<Answer>, Refusal> {
        let until = Instant::now() + within;
        let mut heard = Vec::new();
        while heard.len() < count {
            match self.given.pop_front() {
                Some(answer) => heard.push(answer),
                None => match self.desk.hear_until(until).await {
                    Some(answer) => heard.push(answer),
                    None => break,
                },
            }
        }
        if heard.is_empty() {
            return Err(self.missed(step, Verb::Ask, Fault::TooSlow, format!("nothing came within {within:?}")));
        }
        self.desk.record(self.layer, step, Verb::Ask, Outcome::Hit, None);
        Ok(heard)
    }

    /// Lets `layer` look at these answers and no others, as a part of the layer that speaks now.
    pub(crate) async fn evaluate(
        &mut self,
        layer: &dyn Layer,
        answers: Vec<Answer>,
        claimant: &mut Claimant,
    ) -> Result<(), Refusal> {
        let whole = std::mem::replace(&mut self.layer, layer.name());
        self.part = Some(Part { of: whole, missed: None });
        self.given = answers.into();
        let verdict = layer.verify(self, claimant).await;
        self.layer = whole;
        self.given.clear();
        match (verdict, self.part.take().and_then(|part| part.missed)) {
            (Err(down), _) if down.is_ours() => Err(down),
            (_, Some(missed)) => Err(missed),
            (verdict, None) => verdict,
        }
    }

    /// Whether an answer has come that nobody has heard yet.
    pub(crate) fn has_more(&self) -> bool {
        !self.given.is_empty() || self.desk.lock().inbox.is_some()
    }

    pub(crate) fn say(&self, prompt: Prompt) {
        if self.part.is_none() {
            self.desk.say(prompt);
        }
    }

    pub(crate) fn desk(&self) -> &Desk {
        &self.desk
    }
}

/// Where a climb and its driver meet: what is to be said, what was heard, and the trail of steps.
#[derive(Debug)]
pub(crate) struct Desk {
    inner: Mutex<Inner>,
    since: Instant,
}

#[derive(Debug, Default)]
struct Inner {
    outbox: VecDeque<Prompt>,
    inbox: Option<(Answer, Instant)>,
    listener: Option<Waker>,
    rungs: Vec<RungTrail>,
    rung: usize,
    subject: Option<Subject>,
}

impl Desk {
    pub(crate) fn new(rungs: Vec<RungTrail>) -> Self {
        Self { inner: Mutex::new(Inner { rungs, ..Inner::default() }), since: Instant::now() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No code that can panic runs under this lock; were it poisoned all the same, the data is still whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves an answer; gives it back where the last one was not heard yet.
    pub(crate) fn leave(&self, answer: Answer) -> Result<(), Answer> {
        let now = Instant::now();
        let mut inner = self.lock();
        if inner.inbox.is_some() {
            return Err(answer);
        }
        inner.inbox = Some((answer, now));
        let listener = inner.listener.take();
        drop(inner);
        if let Some(listener) = listener {
            listener.wake();
        }
        Ok(())
    }

    /// The next answer, and when it was left.
    async fn next_answer(&self) -> (Answer, Instant) {
        std::future::poll_fn(|context: &mut Context<'_>| {
            let mut inner = self.lock();
            match inner.inbox.take() {
                Some(left) => Poll::Ready(left),
                None => {
                    inner.listener = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// The next answer to anything, where it is left by then. What counts is when it was left, not when it is looked at.
    pub(crate) async fn hear_until(&self, until: Instant) -> Option<Answer> {
        let (answer, at) = tokio::time::timeout_at(until, self.next_answer()).await.ok()?;
        (at <= until).then_some(answer)
    }

    fn say(&self, prompt: Prompt) {
        self.lock().outbox.push_back(prompt);
    }

    pub(crate) fn next_prompt(&self) -> Option<Prompt> {
        self.lock().outbox.pop_front()
    }

    /// The steps that follow belong to this rung.
    pub(crate) fn reach(&self, rung: usize) {
        self.lock().rung = rung;
    }

    pub(crate) fn finish_rung(&self, rung: usize, outcome: Outcome) {
        if let Some(trail) = self.lock().rungs.get_mut(rung) {
            trail.outcome = outcome;
        }
    }

    pub(crate) fn record(
        &self,
        layer: &'static str,
        step: &'static str,
        verb: Verb,
        outcome: Outcome,
        detail: Option<String>,
    ) {
        let after = self.since.elapsed();
        let mut inner = self.lock();
        let rung = inner.rung;
        if let Some(trail) = inner.rungs.get_mut(rung) {
            // A rung has a step or two.
            trail.steps.reserve_exact(1);
            trail.steps.push(Step {
                layer: layer.into(),
                step: step.into(),
                verb,
                outcome,
                after_ms: u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
                detail,
            });
        }
    }

    /// Remembers who was proven, for the log.
    pub(crate) fn know(&self, subject: Option<&Subject>) {
        if let Some(subject) = subject {
            self.lock().subject = Some(subject.clone());
        }
    }

    /// Puts right who was proven, where the climb is done: of alternatives one counts, and another may have proven somebody.
    pub(crate) fn know_exactly(&self, subject: Option<&Subject>) {
        self.lock().subject = subject.cloned();
    }

    pub(crate) fn subject(&self) -> Option<Subject> {
        self.lock().subject.clone()
    }

    pub(crate) fn trail(&self) -> Vec<RungTrail> {
        self.lock().rungs.clone()
    }
}
