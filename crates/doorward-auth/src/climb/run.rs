use std::{sync::Arc, time::Duration};

use doorward_types::{Answer, Prompt};
use tokio::time::Instant;

use crate::{
    Claimant, Conversation, Fault, Handshake, HandshakeLayer, Ladder, Layer, Refusal, Rung, Step, Verdict,
    conversation::Desk,
    trail::{Outcome, Verb},
};

/// The state of one run, moved into the climb's future.
pub(super) struct Run {
    desk: Arc<Desk>,
    claimant: Claimant,
    verdict: Verdict,
    /// The first failure of a ladder whose verdict falls at the end.
    failed: Option<Refusal>,
    choose_within: Duration,
}

/// A rung that the handshake has left to the conversation.
pub(super) struct Ahead {
    rung: usize,
    what: Talk,
}

/// What is left of a rung.
enum Talk {
    One(Arc<dyn Layer>),
    Any(Box<Open>),
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
    pub(super) fn new(desk: Arc<Desk>, claimant: Claimant, verdict: Verdict, choose_within: Duration) -> Self {
        Self { desk, claimant, verdict, failed: None, choose_within }
    }

    /// Climbs the rungs as far as the request alone leads, and gives those that are left.
    pub(super) async fn handshake(&mut self, ladder: &Ladder, handshake: &Handshake) -> Result<Vec<Ahead>, Refusal> {
        let mut ahead = Vec::new();
        for (rung, what) in ladder.rungs().iter().enumerate() {
            self.desk.reach(rung);
            let verdict = match what {
                Rung::One(Step::Handshake(layer)) => {
                    check(&self.desk, layer.as_ref(), handshake, &mut self.claimant).await.map(|()| None)
                }
                Rung::One(Step::Conversation(layer)) => Ok(Some(Talk::One(Arc::clone(layer)))),
                Rung::Any(branches) => {
                    self.any_handshake(branches, handshake).await.map(|open| open.map(|open| Talk::Any(Box::new(open))))
                }
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
        match open.down.take().or(last) {
            Some(refusal) if open.branches.is_empty() => Err(refusal),
            // What was down is kept for the case that the others fail too.
            refusal => Ok(Some(Open { down: refusal.filter(Refusal::is_ours), ..open })),
        }
    }

    /// Talks through the rungs that are left, to the end of the ladder.
    pub(super) async fn converse(mut self: Box<Self>, ahead: Vec<Ahead>) -> Result<Claimant, Refusal> {
        let mut conversation = Conversation::new(Arc::clone(&self.desk));
        for Ahead { rung, what } in ahead {
            self.desk.reach(rung);
            let verdict = match what {
                Talk::One(layer) => {
                    talk(layer.as_ref(), &mut conversation, &mut self.claimant).await.map(|()| Outcome::Hit)
                }
                // Most ladders have neither, and need no room for them.
                Talk::Any(open) => Box::pin(self.any(*open, &mut conversation)).await.map(|()| Outcome::Hit),
                Talk::Optional(layers) => Box::pin(self.optional(&layers, &mut conversation)).await,
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
    layer: &dyn HandshakeLayer,
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

pub(super) async fn talk(
    layer: &dyn Layer,
    conversation: &mut Conversation,
    claimant: &mut Claimant,
) -> Result<(), Refusal> {
    conversation.enter(layer.name());
    layer.verify(conversation, claimant).await.map_err(|refusal| Refusal { layer: layer.name(), ..refusal })
}
