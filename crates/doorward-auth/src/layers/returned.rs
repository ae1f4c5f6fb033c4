//! A login that has come back: nobody is asked, the store knows.
//!
//! log    -> socket    somebody has logged in again in the same browser
//! socket              look login up

use std::sync::Arc;

use doorward_types::SessionId;

use crate::{
    BoxFuture, Claimant, Conversation, Layer, Refusal,
    layers::site::proof_of,
    ports::{Bounded, Clock, Ports, Sessions},
};

const STEP: &str = "socket looks login up";

/// Proves a login in the place of the one that has ended, for a socket that waits for it.
pub struct LoginReturned {
    name: &'static str,
    sid: SessionId,
    sessions: Bounded<dyn Sessions>,
    clock: Arc<dyn Clock>,
}

impl LoginReturned {
    /// In the place of the layer `of`, by the login `sid`.
    pub fn new(of: &'static str, sid: SessionId, ports: &Ports) -> Self {
        let sessions = ports.bounded("sessions", &ports.site.sessions);
        Self { name: of, sid, sessions, clock: Arc::clone(&ports.clock) }
    }
}

impl Layer for LoginReturned {
    fn name(&self) -> &'static str {
        self.name
    }

    fn gives_identity(&self) -> bool {
        true
    }

    fn verify<'a>(
        &'a self,
        _conversation: &'a mut Conversation,
        claimant: &'a mut Claimant,
    ) -> BoxFuture<'a, Result<(), Refusal>> {
        Box::pin(async move {
            let now = self.clock.now();
            let owner = claimant.owner().clone();
            let found = self.sessions.ask(STEP, |sessions| sessions.find_by_id(&owner, self.sid, now)).await?;
            let session = found
                .filter(|session| session.is_live(now))
                .ok_or_else(|| Refusal::credential(STEP, "there is no such login, or not any more"))?;
            claimant.prove(self.name, now, proof_of(session))
        })
    }
}
