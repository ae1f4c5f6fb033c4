//! Session: the browser shows the cookie of a login at the built-in site.
//!
//! user   -> website   log in
//! user   -> edge      show cookie in the upgrade request
//! socket              check session
//!
//! A browser sends its cookies whatever page asks it to. So the page is looked at first: its origin has to be there, and an
//! allowed one. A login that a foreign page shows is neither looked up nor seen to be used.

use std::sync::Arc;

use serde::Deserialize;

use super::origin::Origins;
use crate::{
    BoxFuture, Claimant, Fault, Handshake, HandshakeLayer, Refusal,
    layers::site::proof_of,
    ports::{Bounded, Clock, Ports, Sessions},
};

const STEP: &str = "socket checks session";

/// `{ session = {} }`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionConfig {}

/// The layer.
pub struct SessionInRequest {
    origins: Origins,
    sessions: Bounded<dyn Sessions>,
    clock: Arc<dyn Clock>,
}

impl SessionInRequest {
    /// Takes the cookies that pages of these origins bring.
    pub fn new(origins: Origins, ports: &Ports) -> Self {
        let sessions = ports.bounded("sessions", &ports.site.sessions);
        Self { origins, sessions, clock: Arc::clone(&ports.clock) }
    }

    async fn prove(&self, claimant: &mut Claimant) -> Result<(), Refusal> {
        self.origins.admit_cookies(claimant.came()).map_err(|why| Refusal::new(Fault::NotAllowed, STEP, why))?;
        let Some(hash) = claimant.came().session else {
            return Err(Refusal::credential(STEP, "there is no cookie of a login"));
        };
        let now = self.clock.now();
        let found = self.sessions.ask(STEP, |sessions| sessions.find(claimant.owner(), hash, now)).await?;
        let Some(session) = found.filter(|session| session.is_live(now)) else {
            return Err(Refusal::credential(STEP, "there is no such login, or not any more"));
        };
        self.sessions.ask(STEP, |sessions| sessions.seen(vec![(session.sid, now)])).await?;
        claimant.prove("session", now, proof_of(session))
    }
}

impl HandshakeLayer for SessionInRequest {
    fn name(&self) -> &'static str {
        "session"
    }

    fn step(&self) -> &'static str {
        STEP
    }

    fn gives_identity(&self) -> bool {
        true
    }

    fn verify<'a>(
        &'a self,
        handshake: &'a Handshake,
        claimant: &'a mut Claimant,
    ) -> BoxFuture<'a, Result<(), Refusal>> {
        Box::pin(async move {
            // Without a cookie nothing is at stake, and whoever has to log in is told so.
            if handshake.session.is_none() {
                return Err(Refusal::credential(STEP, "there is no cookie of a login"));
            }
            self.prove(claimant).await
        })
    }
}
