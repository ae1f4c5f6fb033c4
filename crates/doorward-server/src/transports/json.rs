//! `doorward.v1`: text frames, one JSON object each.
//!
//! ```text
//! socket -> user     {"event":"ask", ...} | choose | tell | wait
//! user   -> socket   {"action":"auth","kind":"...", ...}
//! socket -> user     {"event":"admitted", ...} | {"event":"refused", ...} then Close
//! ```

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    task::Poll,
    time::Duration,
};

use doorward_auth::{Admission, Climb, ClimbEvent, Fault, Refusal};
use doorward_session::{Gone, Line, Received, Socket};
use doorward_types::{CloseReason, Secret, TraceId};
use doorward_wire::json;
use tokio::sync::watch;

/// The most messages that a user may send before admission.
const MESSAGES: usize = 32;

/// How long a prompt may take to be accepted by the peer's side.
pub(crate) const SAY: Duration = Duration::from_secs(5);

/// How a climb over a line ended.
pub(crate) enum ClimbEnd {
    /// The ladder is climbed.
    Admitted(Box<Admission>),
    /// The ladder is not climbed.
    Refused(Refusal),
    /// The user broke the WebSocket protocol or a size limit.
    Violated(CloseReason),
    /// The user is gone.
    HungUp,
    /// The server is going down.
    Closing,
}

enum Next {
    Climb(ClimbEvent),
    Heard(Received),
    Closing,
}

/// Drives a climb: carries its prompts to the user, and the user's answers to it.
///
/// One answer may wait for the climb; a second before the first was heard is malformed. Nothing else is taken before the
/// admission.
pub(crate) async fn climb(line: &mut Line, climb: &mut Climb, mut closing: watch::Receiver<bool>) -> ClimbEnd {
    let mut heard = 0;
    loop {
        let next = tokio::select! {
            biased;
            next = next(line, climb) => next,
            _ = closing.wait_for(|closing| *closing) => Next::Closing,
        };
        match next {
            Next::Climb(ClimbEvent::Admitted(admission)) => return ClimbEnd::Admitted(admission),
            Next::Climb(ClimbEvent::Refused(refusal)) => return ClimbEnd::Refused(refusal),
            Next::Climb(ClimbEvent::Say(prompt)) => {
                // Whoever reads nothing is not waited for.
                match tokio::time::timeout(SAY, line.say(&json::prompt(&prompt))).await {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) | Err(_) => return ClimbEnd::HungUp,
                }
            }
            Next::Heard(Received::Text(text)) => {
                heard += 1;
                if let Err(refusal) = hear(climb, &text, heard) {
                    return ClimbEnd::Refused(refusal);
                }
            }
            Next::Heard(Received::Binary(_)) => {
                return ClimbEnd::Refused(malformed("a binary message came where JSON text was expected"));
            }
            Next::Heard(Received::Gone(Gone::Violation(reason))) => return ClimbEnd::Violated(reason),
            Next::Heard(Received::Gone(_)) => return ClimbEnd::HungUp,
            Next::Closing => return ClimbEnd::Closing,
        }
    }
}

async fn next(line: &mut Line, climb: &mut Climb) -> Next {
    std::future::poll_fn(|context| {
        // A panic in a layer ends this climb alone.
        match catch_unwind(AssertUnwindSafe(|| climb.poll_event(context))) {
            Ok(Poll::Ready(event)) => Poll::Ready(Next::Climb(event)),
            Ok(Poll::Pending) => line.poll_receive(context).map(Next::Heard),
            Err(_) => {
                let refusal = Refusal::new(Fault::Internal, "panic", "the layer panicked");
                Poll::Ready(Next::Climb(ClimbEvent::Refused(refusal)))
            }
        }
    })
    .await
}

fn hear(climb: &Climb, text: &Secret, heard: usize) -> Result<(), Refusal> {
    if heard > MESSAGES {
        return Err(Refusal::new(Fault::TooFast, "read a message", format!("more than {MESSAGES} before admission")));
    }
    let answer = json::answer(text.reveal("the answer to the ladder is read out of it")).map_err(malformed)?;
    climb.answer(answer).map_err(|_| malformed("a second message came before the first was heard"))
}

fn malformed(why: impl std::fmt::Display) -> Refusal {
    Refusal::new(Fault::Malformed, "read a message", why)
}

/// What an admitted user is told.
pub(crate) fn admitted(socket: &Socket, backend: &str) -> String {
    let admission = socket.admission();
    json::admitted(socket.id(), admission.subject(), backend, admission.expires_at())
}

/// What a refused user is told: the number, when to come again, and nothing of the reason behind it.
pub(crate) fn refused(reason: CloseReason, trace: TraceId) -> String {
    json::refused(reason, reason.reconnect().after(), trace)
}
