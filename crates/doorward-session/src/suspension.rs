//! A socket that waits: nothing of the application goes in or out, and nothing that waited comes later.
//!
//! ```text
//!   Open ──logout, where the gate says so──▶ Suspended(LoggedOut) ──its login returns──▶ Open
//!     │                                          └── nobody returns in time: Close 4410
//!     └──the lease runs out──▶ Suspended(Unconfirmed) ──the lease is renewed──▶ Open
//!                                                └── not renewed within the grace: Close 1013
//! ```
//!
//! Pings and pongs go on, the peer's Close is answered, expiry and the longest session hold. What the gate itself has to say
//! goes out ([`Socket::tell`]): that the socket is suspended, that it goes on, and what brings it back. A message that comes
//! meanwhile is handed to [`Incoming::suspended`](crate::Incoming::suspended), which may take an answer out of it and no more.

use std::sync::Arc;

use bytes::Bytes;
use doorward_types::{OwnerId, Subject};

use crate::{Socket, Sockets, lock::lock, moment::Moment, outbox::Phase};

/// Why a socket is suspended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Suspension {
    /// Its login has ended, and may come back.
    LoggedOut,
    /// The node does not know whether its login has ended.
    Unconfirmed,
}

impl Suspension {
    /// The word for it, on the wire and in lists.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LoggedOut => "logged_out",
            Self::Unconfirmed => "unconfirmed",
        }
    }
}

/// What the peer is told of a suspension: whole frames, in the words of its protocol, which is none of this crate's business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notices {
    /// Suspended, because the login has ended.
    pub logged_out: Bytes,
    /// Suspended, because nobody knows whether it has.
    pub unconfirmed: Bytes,
    /// It goes on, and nothing was missed.
    pub resumed: Bytes,
    /// It goes on, and something that was for the peer was not delivered.
    pub resumed_with_gap: Bytes,
}

impl Notices {
    pub(crate) fn suspended(&self, why: Suspension) -> Bytes {
        match why {
            Suspension::LoggedOut => self.logged_out.clone(),
            Suspension::Unconfirmed => self.unconfirmed.clone(),
        }
    }

    pub(crate) fn resumed(&self, gap: bool) -> Bytes {
        if gap { self.resumed_with_gap.clone() } else { self.resumed.clone() }
    }
}

impl Socket {
    /// Lets nothing of the application in or out from here on. Gives whether it is this call that did.
    pub(crate) fn suspend(self: &Arc<Self>, why: Suspension) -> bool {
        self.suspend_if(why, |_, _| true)
    }

    /// As [`suspend`](Self::suspend), where `holds` at the very moment.
    pub(crate) fn suspend_if(self: &Arc<Self>, why: Suspension, holds: impl FnOnce(&Self, Moment) -> bool) -> bool {
        let now = self.sockets().moment();
        let mut outbox = lock(self.outbox());
        let suspends = holds(self, now) && self.suspend_locked(&mut outbox, why, now);
        // The backend's task looks at it, and a relay stops.
        if suspends {
            outbox.wake();
        }
        let dirty = suspends && outbox.becomes_dirty();
        drop(outbox);
        if dirty {
            self.sockets().flush_soon(Arc::clone(self));
        }
        if suspends {
            self.sockets().look_at(self, now.plus(self.policy().suspended_at_most));
            tracing::debug!(socket = %self.id(), why = why.name(), "socket is suspended");
        }
        suspends
    }

    /// Lets the application go on, where `which` suspensions are over.
    pub(crate) fn resume(self: &Arc<Self>, which: impl FnOnce(Suspension) -> bool) -> bool {
        let now = self.sockets().moment();
        let mut outbox = lock(self.outbox());
        let Phase::Suspended(why) = outbox.phase else { return false };
        if !which(why) || (why == Suspension::Unconfirmed && !self.is_confirmed(now)) {
            return false;
        }
        outbox.resume(self.policy().notices.as_ref(), now);
        self.note_open();
        outbox.wake();
        let dirty = outbox.becomes_dirty();
        drop(outbox);
        if dirty {
            self.sockets().flush_soon(Arc::clone(self));
        }
        tracing::debug!(socket = %self.id(), "socket goes on");
        true
    }
}

impl Sockets {
    /// The suspended sockets of a subject whose login was made in that browser: those that a login there may bring back, the
    /// oldest first.
    pub fn waiting_for(&self, owner: &OwnerId, subject: &Subject, browser: &[u8; 32]) -> Vec<Arc<Socket>> {
        let key = self.key_of_rest(&subject.rest());
        let found = self.shards.iter().flat_map(|shard| lock(shard).find(key));
        let waits = |socket: &Arc<Socket>| {
            let admission = socket.admission();
            socket.suspension() == Some(Suspension::LoggedOut)
                && admission.owner() == owner
                && admission.subject().is_some_and(|proven| proven.same_as(subject))
                && admission.browser() == Some(browser)
        };
        let mut waiting: Vec<_> = found.filter(waits).collect();
        waiting.sort_by_key(|socket| (socket.began(), socket.id()));
        waiting
    }
}
