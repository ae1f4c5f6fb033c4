//! What the layers need from the world, as traits: a store, a clock, a source of random numbers.
//!
//! Every verb is one atomic act (`consume`, `use_once`): there is no begin and commit in a signature. Not found is
//! `Ok(None)`; an `Err` means that the world is down, and whoever depends on it refuses.

mod app_keys;
mod audit;
mod authenticator;
mod clock;
mod rng;
mod tickets;
mod tokens;

pub use app_keys::{AppKey, AppKeys};
pub use audit::{Audit, AuditRecord, Outcome};
pub use authenticator::{Authenticator, Identity};
pub use clock::Clock;
pub use rng::{Rng, SystemRng};
pub use tickets::{Ticket, TicketBinding, Tickets};
pub use tokens::UsedTokens;

use crate::{Fault, Refusal};

/// A port could not do its work: the world behind it is down. Says what, for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{port} is unavailable: {detail}")]
pub struct PortError {
    /// Which port: `tickets`, `app keys` ...
    pub port: &'static str,
    /// What went wrong.
    pub detail: String,
}

impl PortError {
    /// The refusal of a layer that depends on the port.
    pub fn refuse(self, step: &'static str) -> Refusal {
        Refusal::new(Fault::Dependency, step, self)
    }
}

/// What layers are built with. Cheap to clone.
#[derive(Clone)]
pub struct Ports {
    /// The wall clock.
    pub clock: std::sync::Arc<dyn Clock>,
    /// Random numbers for nonces.
    pub rng: std::sync::Arc<dyn Rng>,
    /// One-time tickets.
    pub tickets: std::sync::Arc<dyn Tickets>,
    /// Public halves of app keys.
    pub app_keys: std::sync::Arc<dyn AppKeys>,
    /// Ids of tokens that may be used once.
    pub used_tokens: std::sync::Arc<dyn UsedTokens>,
}
