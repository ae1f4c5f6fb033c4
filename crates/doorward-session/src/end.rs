//! How an ending finds its sockets, and what it does to them.
//!
//! ```text
//!   end     an owner or the operator ends something here    the socket closes
//!   apply   an entry of the revocation log                  the socket closes, or waits where its login may come back
//!
//!   view     the tail, for climbs that have begun; a mark, for what does not come back
//!   shards   each socket that rests on it, found by its key and compared
//! ```

use std::sync::Arc;

use doorward_auth::ports::{LogEntry, What};
use doorward_types::{CloseReason, Cursor, OwnerId, Timestamp};

use crate::{Ended, Ending, OnLogout, Socket, Sockets, Suspension, Target, lock::lock};

/// An ending as the registry carries it out.
struct Order<'a> {
    owner: Option<&'a OwnerId>,
    what: &'a Target,
    reason: CloseReason,
    /// The login may come back, so that a socket may wait for it where its gate says so.
    may_return: bool,
    /// What ends does not come back, whatever its kind.
    for_ever: bool,
    at: Timestamp,
    /// Where it stands in the log: what is newer is not meant. `None` for one that is not there, and means all that there is.
    entry: Option<Cursor>,
}

impl Order<'_> {
    fn means(&self, socket: &Socket, now: Timestamp) -> bool {
        let is_older = || self.entry.is_some_and(|entry| self.what.is_older_than(entry, &socket.admission()));
        (self.what.means(self.owner, socket) || self.what.means_what_is_ahead_of(now, self.owner, socket))
            && !is_older()
    }
}

impl Sockets {
    /// Ends sockets: those that are here, and those whose climbs have begun and that will come. They close, whatever their
    /// gates say of logouts.
    ///
    /// `owner` says whose; `None` is for the operator, who means everybody's.
    pub fn end(&self, owner: Option<&OwnerId>, what: &Target, reason: CloseReason) -> Ending {
        self.carry_out(&Order { owner, what, reason, may_return: false, for_ever: false, at: self.now(), entry: None })
    }

    /// Does what an entry of the revocation log says. One that ends nothing ends nothing.
    pub fn apply(&self, entry: &LogEntry) -> Ending {
        let Some(what) = Target::of(&entry.what) else { return Ending::of_nothing() };
        self.carry_out(&Order {
            owner: entry.owner.as_ref(),
            what: &what,
            reason: entry.why.close_reason(),
            may_return: entry.why.may_return() && !matches!(what, Target::NotBefore { .. }),
            for_ever: is_for_ever(entry),
            at: entry.at,
            entry: Some(entry.cursor),
        })
    }

    /// Sets the mark that an entry of the revocation log leaves, and ends nothing: for what was written before anybody was
    /// let in.
    pub fn remember(&self, entry: &LogEntry) {
        if let Some(what) = Target::of(&entry.what) {
            let (owner, place) = (entry.owner.as_ref(), Some(entry.cursor));
            self.revocations.mark(owner, &what, is_for_ever(entry), entry.at, place);
        }
    }

    fn carry_out(&self, order: &Order<'_>) -> Ending {
        let mut ending = Ending::begin(Arc::clone(&self.observer));
        self.revocations.append(order.owner, order.what, order.reason, order.entry);
        self.revocations.mark(order.owner, order.what, order.for_ever, order.at, order.entry);
        let key = match order.what {
            Target::Socket(id) => Some(self.key_of_id(*id)),
            what => what.rest().map(|rest| self.key_of_rest(&rest)),
        };
        let now = self.now();
        for shard in &self.shards {
            let found = {
                let shard = lock(shard);
                key.map_or_else(|| shard.all(), |key| shard.find(key))
            };
            for socket in found.iter().filter(|socket| order.means(socket, now)) {
                if order.may_return && socket.policy().on_logout == OnLogout::Suspend {
                    if socket.suspend(Suspension::LoggedOut) {
                        ending.add_suspended(socket.id());
                    }
                } else if socket.end_as(Ended::For(order.reason), true, Some(ending.tally())) {
                    ending.add(socket.id());
                }
            }
        }
        ending.begun()
    }
}

/// Of some kinds every ending is for ever, and of keys one that is in the log: there it was revoked.
fn is_for_ever(entry: &LogEntry) -> bool {
    matches!(&entry.what, What::Rest(rest) if rest.kind == "key")
}
