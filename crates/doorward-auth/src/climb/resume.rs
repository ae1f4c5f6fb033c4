//! A climb on an open socket: some layers are asked again, and the rest of what was proven stands.
//!
//! ```text
//! what happened                  which layers are asked        by what                        until
//! its login has come back        the one that proved it        one that knows of the login    the wait of a suspended socket
//! a proof has expired            those that expired            themselves, over the socket    the grace
//! the user asks for more         one that is to be added       itself, over the socket        the layer's own time
//!
//! socket   take back        the former proofs of those layers, with what they alone rested on
//! socket   ask again        each layer, in order
//! socket   require          every one of them has proven something anew, and the subject is the same
//! socket   put in place     each new proof where the former one was
//! ```
//!
//! What comes of it is an admission as any other, which the registry takes in the place of the former one
//! (`doorward_session::Sockets::readmit`).

use std::sync::Arc;

use doorward_types::{Cursor, Subject, TraceId};

use super::Climb;
use crate::{
    Admission, Claimant, Conversation, Fault, Layer, Refusal,
    conversation::Desk,
    ports::Clock,
    trail::{Outcome, RungTrail},
};

/// A layer that is asked on an open socket.
pub struct Again {
    /// The layer whose former proof it replaces; one that has proven nothing so far is added.
    pub of: &'static str,
    /// Who proves it now. A login that was proven by a cookie is proven again by whoever knows of the new login.
    pub by: Arc<dyn Layer>,
}

/// What a climb on an open socket begins with.
pub struct Resume {
    /// The decision's trace id: another one than the first decision had.
    pub trace: TraceId,
    /// What is asked, in this order.
    pub again: Vec<Again>,
    /// Where the revocation log stands now.
    pub as_of: Cursor,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
}

impl Climb {
    /// A climb that begins with what an admission was made of, but for what is asked again.
    ///
    /// Whoever was proven stays who they are: a climb that proves somebody else, or nobody any more, is refused.
    pub fn resume(admission: &Admission, resume: Resume) -> Self {
        let Resume { trace, again, as_of, clock } = resume;
        let outline = again.iter().map(|again| RungTrail {
            rung: again.by.name().to_owned(),
            outcome: Outcome::NotReached,
            steps: Vec::new(),
        });
        let desk = Arc::new(Desk::new(outline.collect()));
        let (talking, before) = (Arc::clone(&desk), admission.subject().cloned());
        let claimant = admission.claimant();
        let running = async move {
            let claimant = ask_again(&talking, claimant, &again, before).await?;
            Ok(Admission::of(claimant, trace, as_of, clock.now()))
        };
        Self { desk, trace, running: Some(Box::pin(running)) }
    }
}

async fn ask_again(
    desk: &Arc<Desk>,
    mut claimant: Claimant,
    again: &[Again],
    before: Option<Subject>,
) -> Result<Claimant, Refusal> {
    let layers: Vec<_> = claimant.evidence.iter().map(|evidence| evidence.layer).collect();
    claimant.take_back(&again.iter().map(|again| again.of).collect::<Vec<_>>());
    let mut conversation = Conversation::new(Arc::clone(desk));
    for (rung, Again { by, .. }) in again.iter().enumerate() {
        desk.reach(rung);
        let proofs = claimant.evidence.len();
        let verdict = super::run::talk(by.as_ref(), &mut conversation, &mut claimant).await;
        let verdict = verdict.and_then(|()| match claimant.evidence.len() > proofs {
            true => Ok(()),
            // It passed without a proof: what was taken back would be gone unnoticed.
            false => Err(Refusal::new(Fault::Internal, "prove again", "the layer has proven nothing")),
        });
        desk.know(claimant.subject());
        desk.finish_rung(rung, if verdict.is_ok() { Outcome::Hit } else { Outcome::Miss });
        verdict.map_err(|refusal| Refusal { layer: by.name(), ..refusal })?;
        conversation.forget_given();
    }
    claimant.order_by(&layers);
    let same = match (&before, claimant.subject()) {
        (Some(before), Some(now)) => before.same_as(now),
        (None, None) => true,
        _ => false,
    };
    if same {
        Ok(claimant)
    } else {
        Err(Refusal::credential("same subject as before", "somebody else was proven, or nobody"))
    }
}
