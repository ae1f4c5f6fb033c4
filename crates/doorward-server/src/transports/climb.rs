//! A climb over a line: what the ladder says goes out, what the user says goes in, in the words of the wire.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    task::Poll,
    time::Duration,
};

use doorward_auth::{Admission, Climb, ClimbEvent, Fault, Refusal};
use doorward_session::{Gone, Line, Received};
use doorward_types::CloseReason;
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval, timeout},
};

use super::{Heard, Voice};

/// The most messages that a user may send before admission.
pub(crate) const MESSAGES: usize = 32;

/// The most signs of life beside them, as many as a line takes of pings: one every twenty seconds can wait for twenty minutes.
const SIGNS_OF_LIFE: usize = 64;

/// How long a prompt may take to be accepted by the peer's side.
const SAY: Duration = Duration::from_secs(5);

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
    Ping,
    Closing,
}

/// Drives a climb: carries its prompts to the user, and the user's answers to it.
///
/// One answer may wait for the climb; a second before the first was heard is malformed. Nothing else is taken before the
/// admission.
pub(crate) async fn climb(
    line: &mut Line,
    voice: &mut dyn Voice,
    climb: &mut Climb,
    mut closing: watch::Receiver<bool>,
) -> ClimbEnd {
    let (mut messages, mut signs_of_life) = (0, 0);
    let pings = voice.ping();
    let mut due = pings.as_ref().map(|(every, _)| {
        let mut due = interval(*every);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        due.reset();
        due
    });
    loop {
        let pinging = async {
            match &mut due {
                Some(due) => drop(due.tick().await),
                None => std::future::pending().await,
            }
        };
        let next = tokio::select! {
            biased;
            next = next(line, climb) => next,
            () = pinging => Next::Ping,
            _ = closing.wait_for(|closing| *closing) => Next::Closing,
        };
        let says = match next {
            Next::Climb(ClimbEvent::Admitted(admission)) => return ClimbEnd::Admitted(admission),
            Next::Climb(ClimbEvent::Refused(refusal)) => return ClimbEnd::Refused(refusal),
            Next::Climb(ClimbEvent::Say(prompt)) => voice.prompt(&prompt),
            Next::Ping => pings.as_ref().map_or_else(Vec::new, |(_, ping)| ping.to_vec()),
            Next::Heard(Received::Gone(Gone::Violation(reason))) => return ClimbEnd::Violated(reason),
            Next::Heard(Received::Gone(_)) => return ClimbEnd::HungUp,
            Next::Heard(received) => {
                let heard = match voice.hear(&received) {
                    Ok(heard) => heard,
                    Err(refusal) => return ClimbEnd::Refused(refusal),
                };
                let (count, most) = match heard {
                    Heard::Alive(_) => (&mut signs_of_life, SIGNS_OF_LIFE),
                    _ => (&mut messages, MESSAGES),
                };
                *count += 1;
                if *count > most {
                    return ClimbEnd::Refused(too_many(most));
                }
                match heard {
                    Heard::Left => return ClimbEnd::HungUp,
                    Heard::Alive(says) | Heard::Said(says) => says,
                    Heard::Answered(answer, says) => match climb.answer(answer) {
                        Ok(()) => says,
                        Err(_) => {
                            return ClimbEnd::Refused(malformed("a second message came before the first was heard"));
                        }
                    },
                }
            }
            Next::Closing => return ClimbEnd::Closing,
        };
        if !says.is_empty() && !say(line, &says).await {
            return ClimbEnd::HungUp;
        }
    }
}

/// Says what is framed already. Whoever reads nothing is not waited for.
pub(crate) async fn say(line: &mut Line, frames: &[u8]) -> bool {
    matches!(timeout(SAY, line.send(frames)).await, Ok(Ok(())))
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

fn too_many(most: usize) -> Refusal {
    Refusal::new(Fault::TooFast, "read a message", format!("more than {most} before admission"))
}

/// What a user says that is not what the wire asks for.
pub(crate) fn malformed(why: impl std::fmt::Display) -> Refusal {
    Refusal::new(Fault::Malformed, "read a message", why)
}
