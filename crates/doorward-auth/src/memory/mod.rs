//! Every port in memory: for tests, for the demo, and for applications that need no store.
//!
//! What is here is gone when the process ends; so a ticket that was not redeemed is worthless then, and a token that may be
//! used once could be used once more after a restart. Accounts are gone too, and nobody is locked out any more.

mod app_keys;
mod audit;
mod carts;
mod clock;
mod site;
mod tickets;
mod used_tokens;

pub use app_keys::MemoryAppKeys;
pub use audit::MemoryAudit;
pub use carts::MemoryCarts;
pub use clock::ManualClock;
pub use site::MemorySite;
pub use tickets::MemoryTickets;
pub use used_tokens::MemoryUsedTokens;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// No code that can panic runs under the locks of this module; were one poisoned all the same, its data is still whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
