//! A live socket whose user is asked again, over the socket itself.
//!
//! ```text
//!   a proof expires     wheel ──wakes──▶ Connection ──turn──▶ Incoming: begins a climb of what has expired
//!   the user offers     peer ──{"action":"auth"}──▶ Incoming: begins a climb of that layer
//!
//!   Renews::climb ──▶ Climb ◀──polled at each turn── Incoming ──prompts, tell──▶ peer
//!                       │     ◀──────── answers, message or suspended ───────── peer
//!                       ├── Admitted ──▶ Sockets::readmit: the socket goes on, suspended or not
//!                       └── Refused  ──▶ the backend's own word; after the grace the socket expires
//! ```
//!
//! Who has the ladder says what may be asked ([`Renews`]); the backend, who speaks with the peer, asks. A backend that cannot
//! speak with its peers does nothing, and the socket ends when the grace is over; its gate had better have none.

use std::{fmt, sync::Arc, time::Duration};

use doorward_auth::Climb;
use doorward_types::Timestamp;

use crate::{Socket, lock::lock};

/// Knows what the user of a live socket may be asked again.
pub trait Renews: Send + Sync {
    /// A climb of these layers on an open socket; `None` where one of them is none that can be asked there.
    fn climb(&self, socket: &Arc<Socket>, layers: &[&str]) -> Option<Climb>;
}

/// That, and how, a gate's sockets are asked again.
#[derive(Clone)]
pub struct Renewal {
    /// How long a socket lives on after a proof has expired that may be asked again.
    pub grace: Duration,
    /// Who has the ladder.
    pub by: Arc<dyn Renews>,
}

impl fmt::Debug for Renewal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renewal").field("grace", &self.grace).finish_non_exhaustive()
    }
}

impl Socket {
    /// The climb of what has expired and may be asked again now; `None` where nothing has, or nothing may.
    pub fn climb_again(self: &Arc<Self>) -> Option<Climb> {
        if !self.is_expiring() {
            return None;
        }
        let layers = self.admission().to_ask_again(self.time())?;
        self.policy().renewal.as_ref()?.by.climb(self, &layers)
    }

    /// When it ends by the expiry of what it was let in by: with the grace, where all that has expired may be asked again.
    pub(crate) fn expires_at(&self, now: Timestamp) -> Option<Timestamp> {
        let admission = self.admission();
        let at = admission.expires_at()?;
        match &self.policy().renewal {
            Some(renewal) if admission.to_ask_again(now.max(at)).is_some() => Some(at.plus(renewal.grace)),
            _ => Some(at),
        }
    }

    /// Wakes the backend, where something has expired that may be asked again.
    pub(crate) fn see_to_renewal(&self, now: Timestamp) {
        if self.policy().renewal.is_some()
            && self.admission().expires_at().is_some_and(|at| at <= now)
            && !self.note_expiring(true)
        {
            lock(self.outbox()).wake();
        }
    }
}
