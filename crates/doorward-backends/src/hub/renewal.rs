//! A member who is asked again, over its open socket.
//!
//! ```text
//! hub  -> user   {"event":"ask","layer":"jwt", ...}         a proof has expired: within the grace
//! user -> hub    {"action":"auth","kind":"jwt", ...}        the answer; or unasked, what the user adds or renews
//! hub  -> user   {"event":"admitted", ...}                  from here on the socket rests on that
//!                {"event":"error","code":"not_authenticated"}   it was not enough: three times, and the socket ends
//! ```
//!
//! The same way leads a suspended socket back, whose user has a new login to show.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use doorward_auth::{Admission, Climb, ClimbEvent, Fault, Refusal, trail::RungTrail};
use doorward_session::Socket;
use doorward_types::{Answer, CloseReason};
use doorward_wire::json;

use super::voice::Voice;

/// After so many refusals the socket ends: what is guessed here is guessed no oftener than before the admission.
const MOST_REFUSED: u8 = 3;

/// What is asked of a member just now.
#[derive(Default)]
pub(super) struct Renewal {
    climb: Option<Box<Climb>>,
    refused: u8,
    /// Whether what has expired was asked for already. After that it is the user's to say it, until the grace is over.
    was_asked: bool,
}

/// Why an answer was not taken.
pub(super) enum NotTaken {
    /// Nothing of that sort can be asked here.
    NotSupported,
    /// The last answer was not heard yet.
    TooEarly,
}

impl Renewal {
    /// Brings an answer to what is asked; where nothing is, it begins with the layer that the answer names.
    pub(super) fn answer(&mut self, socket: &Arc<Socket>, answer: Answer) -> Result<(), NotTaken> {
        let climb = match &mut self.climb {
            Some(climb) => climb,
            none => {
                let by = socket.policy().renewal.as_ref().map(|renewal| &renewal.by);
                let climb = by.zip(answer.kind()).and_then(|(by, layer)| by.climb(socket, &[layer]));
                none.insert(Box::new(climb.ok_or(NotTaken::NotSupported)?))
            }
        };
        // One without fields only names the layer, which then asks.
        if answer.has_exactly(&[]) { Ok(()) } else { climb.answer(answer).map_err(|_| NotTaken::TooEarly) }
    }

    /// Goes on with what is asked. `before` is told of an admission before the socket has it. An `Err` ends the socket.
    pub(super) fn turn(
        &mut self,
        socket: &Arc<Socket>,
        context: &mut Context<'_>,
        voice: &Voice,
        mut before: impl FnMut(&Admission),
    ) -> Result<(), CloseReason> {
        if self.climb.is_none() && socket.is_expiring() && !self.was_asked {
            self.climb = socket.climb_again().map(Box::new);
            self.was_asked = true;
        }
        while let Some(climb) = &mut self.climb {
            let (trace, progress) = (climb.trace(), climb.progress());
            match climb.poll_event(context) {
                Poll::Pending => break,
                Poll::Ready(ClimbEvent::Say(prompt)) => voice.say(socket, &json::prompt(&prompt)),
                Poll::Ready(ClimbEvent::Admitted(admission)) => {
                    self.climb = None;
                    before(&admission);
                    self.readmit(socket, admission, progress.trail(), voice)?;
                }
                Poll::Ready(ClimbEvent::Refused(refusal)) => {
                    self.climb = None;
                    socket.sockets().not_readmitted(socket, trace, &refusal, &progress);
                    self.is_refused(socket, &refusal, voice)?;
                }
            }
        }
        Ok(())
    }

    fn readmit(
        &mut self,
        socket: &Arc<Socket>,
        admission: Box<Admission>,
        trail: Vec<RungTrail>,
        voice: &Voice,
    ) -> Result<(), CloseReason> {
        socket.sockets().readmit(socket, admission, trail)?;
        (self.refused, self.was_asked) = (0, false);
        voice.say_admitted(socket, socket.admission().expires_at());
        Ok(())
    }

    fn is_refused(&mut self, socket: &Arc<Socket>, refusal: &Refusal, voice: &Voice) -> Result<(), CloseReason> {
        let reason = refusal.close_reason();
        tracing::debug!(socket = %socket.id(), %refusal, "a member was asked again in vain");
        self.refused += u8::from(refusal.fault == Fault::Credential);
        if self.refused == MOST_REFUSED {
            return Err(reason);
        }
        voice.say_refused(socket, reason);
        Ok(())
    }
}
