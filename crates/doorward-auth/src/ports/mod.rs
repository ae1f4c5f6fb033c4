//! What the layers need from the world, as traits: a store, a clock, a source of random numbers.
//!
//! Every verb is one atomic act (`consume`, `use_once`): there is no begin and commit in a signature. Not found is
//! `Ok(None)`; an `Err` means that the world is down, and whoever depends on it refuses. Silence means the same: layers wait
//! for a port no longer than [`Ports::answer_within`].

mod accounts;
mod api_keys;
mod app_keys;
mod audit;
mod authenticator;
mod bounded;
mod carts;
mod clock;
mod factors;
mod issuer_keys;
mod key_entries;
mod refreshes;
mod revocations;
mod rng;
mod sessions;
mod threads;
mod throttle;
mod tickets;
mod tokens;

pub use accounts::{Account, Accounts, Created, Invitation, NewAccount, Reset, Role};
pub use api_keys::{ApiKey, ApiKeys};
pub use app_keys::{AppKey, AppKeys};
pub use audit::{Audit, AuditQuery, AuditRecord, Outcome, Verdict};
pub use authenticator::{Authenticator, Identity};
pub use carts::{Added, CART_ENTRIES, CartOf, Carts, MOST_OF_ONE, Quantity, Sku, UnfitSku};
pub use clock::Clock;
pub use factors::{Factors, Totp};
pub use issuer_keys::IssuerKeys;
pub use key_entries::{Entered, KeyEntries, KeyEntry, WRONG_TRIES};
pub use refreshes::{Refresh, Refreshes, Rotated};
pub use revocations::{Change, Ending, LogEntry, Page, Revocations, What, Why};
pub use rng::{Rng, SystemRng};
pub use sessions::{NewSession, Session, Sessions};
pub use threads::{BlockingThreads, Threads};
pub use throttle::{Attempt, AttemptId, Reserved, Throttle};
pub use tickets::{Ticket, TicketBinding, Tickets};
pub use tokens::UsedTokens;

pub(crate) use bounded::Bounded;

use std::{sync::Arc, time::Duration};

use crate::{Fault, Refusal, settings::Span};

/// How long a port may take to answer a layer, where nobody says otherwise.
pub const ANSWER_WITHIN: Span = Span::from_secs(3);

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
    pub clock: Arc<dyn Clock>,
    /// Random numbers for nonces.
    pub rng: Arc<dyn Rng>,
    /// One-time tickets.
    pub tickets: Arc<dyn Tickets>,
    /// Public halves of app keys.
    pub app_keys: Arc<dyn AppKeys>,
    /// Ids of tokens that may be used once.
    pub used_tokens: Arc<dyn UsedTokens>,
    /// What the built-in site keeps.
    pub site: SitePorts,
    /// How long each of them, and an application's authenticator, may take to answer a layer: one that takes longer is down.
    pub answer_within: Duration,
}

impl Ports {
    pub(crate) fn bounded<P: ?Sized>(&self, name: &'static str, port: &Arc<P>) -> Bounded<P> {
        Bounded::new(name, Arc::clone(port), self.answer_within)
    }
}

/// What the built-in site keeps: its accounts, their logins, and how those end. Cheap to clone.
#[derive(Clone)]
pub struct SitePorts {
    /// Accounts.
    pub accounts: Arc<dyn Accounts>,
    /// Logins.
    pub sessions: Arc<dyn Sessions>,
    /// How they end.
    pub revocations: Arc<dyn Revocations>,
    /// How often somebody may guess.
    pub throttle: Arc<dyn Throttle>,
    /// Authenticator apps and recovery codes.
    pub factors: Arc<dyn Factors>,
    /// Keys that are typed into a socket.
    pub key_entries: Arc<dyn KeyEntries>,
    /// Refresh tokens.
    pub refreshes: Arc<dyn Refreshes>,
    /// Keys to the HTTP API.
    pub api_keys: Arc<dyn ApiKeys>,
}

impl SitePorts {
    /// All of them in one place, which they have to be: what ends a login ends what rests on it in the same act.
    pub fn of<S>(store: &Arc<S>) -> Self
    where
        S: Accounts + Sessions + Revocations + Throttle + Factors + KeyEntries + Refreshes + ApiKeys + 'static,
    {
        Self {
            accounts: Arc::clone(store) as _,
            sessions: Arc::clone(store) as _,
            revocations: Arc::clone(store) as _,
            throttle: Arc::clone(store) as _,
            factors: Arc::clone(store) as _,
            key_entries: Arc::clone(store) as _,
            refreshes: Arc::clone(store) as _,
            api_keys: Arc::clone(store) as _,
        }
    }
}
