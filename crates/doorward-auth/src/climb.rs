use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use doorward_types::{Answer, Cursor, Prompt, Subject, TraceId};

use tokio::time::Instant;

use crate::{
    Admission, BoxFuture, Claimant, Conversation, Fault, Handshake, Ladder, Layer, Refusal, Rung, Step, Verdict,
    conversation::Desk,
    ports::Clock,
    trail::{Outcome, RungTrail, Verb},
};

/// What a climb begins with.
pub struct Start {
    /// The decision's trace id.
    pub trace: TraceId,
    /// The upgrade request.
    pub handshake: Handshake,
    /// Whoever comes: owner, gate and source are known, nothing is proven.
    pub claimant: Claimant,
    /// Where the revocation log stands now.
    pub as_of: Cursor,
    /// How long the user has to choose between alternatives.
    pub choose_within: Duration,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
}

/// What a climb wants of its driver, or how it ended.
#[derive(Debug)]
pub enum ClimbEvent {
    /// Say this to the user.
    Say(Prompt),
    /// The ladder is climbed.
    Admitted(Box<Admission>),
    /// The ladder is not climbed.
    Refused(Refusal),
}

/// One run of a ladder. It does nothing by itself: its driver polls it, brings it the user's answers and carries its prompts.
///
/// To drop it is to end it: hang-up, shutdown and revocation need no path of their own. After the verdict the future that
/// held the conversation is gone.
///
/// ```text
///            Start                 Answer
///   edge ───────────▶ Climb ◀──────────────── driver ◀──── user
///                       └──── Say(Prompt) ──▶ driver ────▶ user
///                       └──── Admitted | Refused
/// ```
pub struct Climb {
    desk: Arc<Desk>,
    running: Option<BoxFuture<'static, Result<Admission, Refusal>>>,
}

/// A climb whose handshake layers look at the request; awaited, it is the climb, or the refusal that falls before the 101.
#[must_use = "nothing is looked at before it is awaited"]
pub struct Beginning {
    desk: Arc<Desk>,
    begun: BoxFuture<'static, Result<Climb, Refusal>>,
}

impl Beginning {
    /// How far the climb has come, whatever becomes of it.
    pub fn progress(&self) -> Progress {
        Progress(Arc::clone(&self.desk))
    }
}

impl Future for Beginning {
    type Output = Result<Climb, Refusal>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.begun.as_mut().poll(context)
    }
}

/// How far a climb has come, for the log alone. It stays when the climb is refused, or dropped on its way.
#[derive(Clone, Debug)]
pub struct Progress(Arc<Desk>);

impl Progress {
    /// Who has been proven, also where a later layer refused.
    pub fn subject(&self) -> Option<Subject> {
        self.0.subject()
    }

    /// What happened so far, rung by rung.
    pub fn trail(&self) -> Vec<RungTrail> {
        self.0.trail()
    }
}

impl Climb {
    /// Runs the handshake layers. The climb that comes back waits for the user, or has its verdict at the first poll.
    pub fn begin(ladder: Arc<Ladder>, start: Start) -> Beginning {
        let desk = Arc::new(Desk::new(ladder.outline()));
        let begun = Self::handshake(Arc::clone(&desk), ladder, start);
        Beginning { desk, begun: Box::pin(begun) }
    }

    async fn handshake(desk: Arc<Desk>, ladder: Arc<Ladder>, start: Start) -> Result<Self, Refusal> {
        let Start { trace, handshake, mut claimant, as_of, choose_within, clock } = start;
        claimant.came_from(handshake.origin.as_deref());
        let mut run = Run { desk: Arc::clone(&desk), claimant, verdict: ladder.verdict(), failed: None, choose_within };
        let ahead = run.handshake(&ladder, &handshake).await?;
        let running = async move {
            let claimant = run.converse(ahead).await?;
            Ok(Admission::of(claimant, trace, as_of, clock.now()))
        };
        Ok(Self { desk, running: Some(Box::pin(running)) })
    }

    /// Brings the climb what the user said. Gives it back where the last answer was not heard yet: one at a time.
    pub fn answer(&self, answer: Answer) -> Result<(), Answer> {
        self.desk.leave(answer)
    }

    /// The next thing to do. After `Admitted` or `Refused` there is nothing more.
    pub fn poll_event(&mut self, context: &mut Context<'_>) -> Poll<ClimbEvent> {
        if let Some(prompt) = self.desk.next_prompt() {
            return Poll::Ready(ClimbEvent::Say(prompt));
        }
        let Some(running) = &mut self.running else {
            return Poll::Pending;
        };
        let verdict = running.as_mut().poll(context);
        // What was said on the way to a verdict is said before it.
        if let Some(prompt) = self.desk.next_prompt() {
            if let Poll::Ready(verdict) = verdict {
                self.running = Some(Box::pin(std::future::ready(verdict)));
            }
            return Poll::Ready(ClimbEvent::Say(prompt));
        }
        verdict.map(|verdict| {
            self.running = None;
            match verdict {
                Ok(admission) => ClimbEvent::Admitted(Box::new(admission)),
                Err(refusal) => ClimbEvent::Refused(refusal),
            }
        })
    }

    /// The next thing to do, awaited.
    pub async fn next(&mut self) -> ClimbEvent {
        std::future::poll_fn(|context| self.poll_event(context)).await
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        Progress(Arc::clone(&self.desk))
    }
}

/// The state of one run, moved into the climb's future.
struct Run {
    desk: Arc<Desk>,
    claimant: Claimant,
    verdict: Verdict,
    /// The first failure of a ladder whose verdict falls at the end.
    failed: Option<Refusal>,
    choose_within: Duration,
}

/// A rung that the handshake has left to the conversation.
struct Ahead {
    rung: usize,
    what: Talk,
}

/// What is left of a rung.
enum Talk {
    One(Arc<dyn Layer>),
    Any(Open),
    Optional(Vec<Arc<dyn Layer>>),
}

/// Alternatives that the request alone has not settled.
struct Open {
    /// Those that are left.
    branches: Vec<Branch>,
    /// Of an alternative that could not be looked at, because something of ours is down: it may have been satisfied.
    down: Option<Refusal>,
}

/// A branch whose handshake layers have passed.
struct Branch {
    /// What its handshake layers proved, on top of what was proven above. A ladder has such a branch only above the layers
    /// that talk, so nothing can have been proven since.
    claimant: Option<Claimant>,
    layers: Vec<Arc<dyn Layer>>,
}

impl Run {
    /// Climbs the rungs as far as the request alone leads, and gives those that are left.
    async fn handshake(&mut self, ladder: &Ladder, handshake: &Handshake) -> Result<Vec<Ahead>, Refusal> {
        let mut ahead = Vec::new();
        for (rung, what) in ladder.rungs().iter().enumerate() {
            self.desk.reach(rung);
            let verdict = match what {
                Rung::One(Step::Handshake(layer)) => {
                    check(&self.desk, layer.as_ref(), handshake, &mut self.claimant).await.map(|()| None)
                }
                Rung::One(Step::Conversation(layer)) => Ok(Some(Talk::One(Arc::clone(layer)))),
                Rung::Any(branches) => self.any_handshake(branches, handshake).await.map(|open| open.map(Talk::Any)),
                Rung::Optional(layers) => Ok(Some(Talk::Optional(layers.clone()))),
            };
            match self.weigh(rung, verdict)? {
                Some(Some(what)) => ahead.push(Ahead { rung, what }),
                Some(None) => self.desk.finish_rung(rung, Outcome::Hit),
                None => {}
            }
        }
        // With the verdict at the end, a ladder without conversation ends here.
        match self.failed.take() {
            Some(refusal) if ladder.is_decided_at_handshake() => Err(refusal),
            failed => {
                self.failed = failed;
                Ok(ahead)
            }
        }
    }

    /// Tries the handshake layers of every branch. Settled (`None`) where a branch has no others and passed.
    async fn any_handshake(&mut self, branches: &[Vec<Step>], handshake: &Handshake) -> Result<Option<Open>, Refusal> {
        let mut open = Open { branches: Vec::new(), down: None };
        let mut last = None;
        for branch in branches {
            let mut claimant = self.claimant.clone();
            let mut layers = Vec::new();
            let mut verdict = Ok(());
            for step in branch {
                match step {
                    Step::Handshake(layer) => {
                        verdict = check(&self.desk, layer.as_ref(), handshake, &mut claimant).await;
                        if verdict.is_err() {
                            break;
                        }
                    }
                    Step::Conversation(layer) => layers.push(Arc::clone(layer)),
                }
            }
            match verdict {
                Ok(()) if layers.is_empty() => {
                    self.claimant = claimant;
                    return Ok(None);
                }
                Ok(()) => {
                    let looked = branch.iter().any(Step::is_handshake);
                    open.branches.push(Branch { claimant: looked.then_some(claimant), layers });
                }
                Err(refusal) if refusal.is_ours() => open.down = open.down.or(Some(refusal)),
                Err(refusal) => last = Some(refusal),
            }
        }
        match (open.branches.is_empty(), open.down.take().or(last)) {
            (true, Some(refusal)) => Err(refusal),
            // A refusal of ours is kept for the case that the others fail too.
            (_, refusal) => Ok(Some(Open { down: refusal.filter(Refusal::is_ours), ..open })),
        }
    }

    async fn converse(mut self, ahead: Vec<Ahead>) -> Result<Claimant, Refusal> {
        let mut conversation = Conversation::new(Arc::clone(&self.desk));
        for Ahead { rung, what } in ahead {
            self.desk.reach(rung);
            let verdict = match what {
                Talk::One(layer) => {
                    talk(layer.as_ref(), &mut conversation, &mut self.claimant).await.map(|()| Outcome::Hit)
                }
                Talk::Any(open) => self.any(open, &mut conversation).await.map(|()| Outcome::Hit),
                Talk::Optional(layers) => self.optional(&layers, &mut conversation).await,
            };
            if let Some(outcome) = self.weigh(rung, verdict)? {
                self.desk.finish_rung(rung, outcome);
            }
            conversation.forget_given();
        }
        match self.failed {
            Some(refusal) => Err(refusal),
            None => {
                self.desk.know_exactly(self.claimant.subject());
                Ok(self.claimant)
            }
        }
    }

    async fn any(&mut self, open: Open, conversation: &mut Conversation) -> Result<(), Refusal> {
        let Open { branches, down } = open;
        self.one_of(branches, conversation).await.map_err(|refusal| match down {
            // What could not be looked at may have been satisfied, whatever the user missed here.
            Some(down) if refusal.is_the_users() => down,
            _ => refusal,
        })
    }

    async fn one_of(&mut self, branches: Vec<Branch>, conversation: &mut Conversation) -> Result<(), Refusal> {
        let branch = match <[Branch; 1]>::try_from(branches) {
            // Where one alternative is left there is nothing to choose.
            Ok([only]) => only,
            Err(branches) => self.chosen(branches, conversation).await?,
        };
        if let Some(claimant) = branch.claimant {
            self.claimant = claimant;
        }
        for layer in &branch.layers {
            talk(layer.as_ref(), conversation, &mut self.claimant).await?;
        }
        Ok(())
    }

    /// The branch that the user names; what names it also answers the branch's first ask, where it has fields.
    async fn chosen(&self, branches: Vec<Branch>, conversation: &mut Conversation) -> Result<Branch, Refusal> {
        let first = |branch: &Branch| branch.layers.first().map_or("", |layer| layer.name());
        let answer = self.choose(branches.iter().map(first).collect(), false, conversation).await?;
        let kind = answer.kind().unwrap_or_default();
        match branches.into_iter().find(|branch| first(branch) == kind) {
            Some(branch) => {
                give(conversation, answer);
                Ok(branch)
            }
            None => Err(self.missed("choose", format!("`{}` is none of the alternatives", kind.escape_debug()))),
        }
    }

    async fn optional(
        &mut self,
        layers: &[Arc<dyn Layer>],
        conversation: &mut Conversation,
    ) -> Result<Outcome, Refusal> {
        let mut left: Vec<_> = layers.iter().collect();
        while !left.is_empty() {
            let of = left.iter().map(|layer| layer.name()).collect();
            let chosen = self.choose(of, true, conversation).await?;
            let kind = chosen.kind().unwrap_or_default().to_owned();
            if kind == "skip" {
                break;
            }
            let Some(place) = left.iter().position(|layer| layer.name() == kind) else {
                return Err(self.missed("choose", format!("`{}` is none of the choices", kind.escape_debug())));
            };
            let layer = left.remove(place);
            give(conversation, chosen);
            talk(layer.as_ref(), conversation, &mut self.claimant).await?;
        }
        Ok(if left.len() == layers.len() { Outcome::Skipped } else { Outcome::Hit })
    }

    async fn choose(
        &self,
        of: Vec<&'static str>,
        optional: bool,
        conversation: &Conversation,
    ) -> Result<Answer, Refusal> {
        conversation.say(Prompt::Choose { of, optional, expires_in: self.choose_within });
        match conversation.desk().hear_until(Instant::now() + self.choose_within).await {
            Some(answer) => {
                self.desk.record("ladder", "choose", Verb::Ask, Outcome::Hit, None);
                Ok(answer)
            }
            None => {
                let refusal = self.missed("choose", format!("nothing came within {:?}", self.choose_within));
                Err(Refusal { fault: Fault::TooSlow, ..refusal })
            }
        }
    }

    fn missed(&self, step: &'static str, detail: String) -> Refusal {
        self.desk.record("ladder", step, Verb::Ask, Outcome::Miss, Some(detail.clone()));
        Refusal { layer: "ladder", ..Refusal::credential(step, detail) }
    }

    /// Ends the climb on a failure, or remembers it and goes on as nobody, as the ladder has it.
    fn weigh<T>(&mut self, rung: usize, verdict: Result<T, Refusal>) -> Result<Option<T>, Refusal> {
        self.desk.know(self.claimant.subject());
        match verdict {
            Ok(value) => Ok(Some(value)),
            Err(refusal) => {
                self.desk.finish_rung(rung, Outcome::Miss);
                if self.verdict == Verdict::Each || !refusal.lets_climb_on() {
                    return Err(refusal);
                }
                self.claimant.become_nobody();
                self.failed.get_or_insert(refusal);
                Ok(None)
            }
        }
    }
}

/// Takes what chose a layer as the answer to its first ask. One without fields only chose: a layer that shows something before
/// it asks cannot be answered yet.
fn give(conversation: &mut Conversation, chosen: Answer) {
    if !chosen.has_exactly(&[]) {
        conversation.give(chosen);
    }
}

async fn check(
    desk: &Desk,
    layer: &dyn crate::HandshakeLayer,
    handshake: &Handshake,
    claimant: &mut Claimant,
) -> Result<(), Refusal> {
    let verdict = layer.verify(handshake, claimant).await;
    desk.know(claimant.subject());
    match verdict {
        Ok(()) => {
            desk.record(layer.name(), layer.step(), Verb::Check, Outcome::Hit, None);
            Ok(())
        }
        Err(refusal) => {
            let refusal = Refusal { layer: layer.name(), step: layer.step(), ..refusal };
            desk.record(refusal.layer, refusal.step, Verb::Check, Outcome::Miss, Some(refusal.detail.clone()));
            Err(refusal)
        }
    }
}

async fn talk(layer: &dyn Layer, conversation: &mut Conversation, claimant: &mut Claimant) -> Result<(), Refusal> {
    conversation.enter(layer.name());
    layer.verify(conversation, claimant).await.map_err(|refusal| Refusal { layer: layer.name(), ..refusal })
}
