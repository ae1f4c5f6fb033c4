use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use doorward_types::{Answer, Cursor, Prompt, Subject, TraceId};

use self::run::Run;
use crate::{
    Admission, BoxFuture, Claimant, Handshake, Ladder, Refusal, conversation::Desk, ports::Clock, trail::RungTrail,
};

mod resume;
mod run;

pub use resume::{Again, Resume};

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
    trace: TraceId,
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
    /// The decision's trace id.
    pub fn trace(&self) -> TraceId {
        self.trace
    }

    /// Runs the handshake layers. The climb that comes back waits for the user, or has its verdict at the first poll.
    pub fn begin(ladder: Arc<Ladder>, start: Start) -> Beginning {
        let desk = Arc::new(Desk::new(ladder.outline()));
        let begun = Self::handshake(Arc::clone(&desk), ladder, start);
        Beginning { desk, begun: Box::pin(begun) }
    }

    async fn handshake(desk: Arc<Desk>, ladder: Arc<Ladder>, start: Start) -> Result<Self, Refusal> {
        let Start { trace, handshake, mut claimant, as_of, choose_within, clock } = start;
        claimant.came_with(&handshake);
        // In a box: thousands may climb at a time, and a future keeps room for each copy of what is handed on in it.
        let mut run = Box::new(Run::new(Arc::clone(&desk), claimant, ladder.verdict(), choose_within));
        let ahead = run.handshake(&ladder, &handshake).await?;
        let running = async move {
            let claimant = run.converse(ahead).await?;
            Ok(Admission::of(claimant, trace, as_of, clock.now()))
        };
        Ok(Self { desk, trace, running: Some(Box::pin(running)) })
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
