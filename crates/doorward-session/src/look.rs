//! What time does to a socket: expiry, the longest session, pings, and the bound of an ending.

use std::{sync::Arc, time::Duration};

use doorward_types::CloseReason;

use crate::{Ended, Socket, Sockets, lock::lock, outbox::Phase, socket::LINGER};

/// A socket of which nothing is expected is looked at this often all the same.
const AT_LEAST_EVERY: Duration = Duration::from_secs(60);

impl Sockets {
    /// Looks at a socket whose time may have come, and has it looked at again when something may be due.
    pub(crate) fn look(&self, socket: &Arc<Socket>, now: Duration) {
        if socket.is_open() {
            if self.is_expired(socket, now) {
                socket.end(CloseReason::Expired);
            } else if self.is_silent(socket, now) {
                socket.end(CloseReason::PingTimeout);
            }
        } else {
            hold_to_the_bound(socket, now);
        }
        if let Some(due) = self.next_look(socket, now) {
            self.look_at(socket, due);
        }
    }

    /// When something may be due. Pings are no traffic: they prolong nothing.
    pub(crate) fn next_look(&self, socket: &Socket, now: Duration) -> Option<Duration> {
        let policy = socket.policy();
        let outbox = lock(socket.outbox());
        match outbox.phase {
            Phase::Open => {
                let ping = policy.ping_every.map(|every| match outbox.pinged {
                    Some(at) => at + policy.pong_within,
                    None if outbox.attached => socket.last_heard() + every,
                    None => now + every,
                });
                let longest = policy.max_session.map(|most| socket.began() + most);
                let expiry = socket.admission().expires_at().map(|at| now + at.since(self.now()));
                [ping, longest, expiry].into_iter().flatten().chain([now + AT_LEAST_EVERY]).min()
            }
            Phase::Closing => Some(outbox.since + policy.end_within),
            Phase::Lingering => Some(outbox.since + LINGER),
            Phase::Gone => None,
        }
    }

    fn is_expired(&self, socket: &Socket, now: Duration) -> bool {
        socket.admission().expires_at().is_some_and(|at| at <= self.now())
            || socket.policy().max_session.is_some_and(|most| now >= socket.began() + most)
    }

    /// Sends the ping that is due. Gives whether an earlier one was answered by nothing at all for too long.
    fn is_silent(&self, socket: &Arc<Socket>, now: Duration) -> bool {
        let Some(every) = socket.policy().ping_every else { return false };
        let heard = socket.last_heard();
        let mut outbox = lock(socket.outbox());
        // What is heard is known to the millisecond, so the ping is as well.
        outbox.pinged.take_if(|at| heard >= *at);
        if let Some(at) = outbox.pinged {
            return now >= at + socket.policy().pong_within;
        }
        if outbox.attached && now >= heard + every {
            outbox.pinged = Some(Duration::from_millis(u64::try_from(now.as_millis()).unwrap_or(u64::MAX)));
            outbox.lanes.ping();
            if outbox.becomes_dirty() {
                drop(outbox);
                self.flush_soon(Arc::clone(socket));
            }
        }
        false
    }
}

/// Resets a peer that has not taken its Close frame in time; lets one go that has not answered it.
fn hold_to_the_bound(socket: &Socket, now: Duration) {
    let mut outbox = lock(socket.outbox());
    match outbox.phase {
        Phase::Closing if now >= outbox.since + socket.policy().end_within => {
            outbox.reset();
            outbox.leave(Ended::HungUp);
        }
        Phase::Lingering if now >= outbox.since + LINGER => outbox.leave(Ended::HungUp),
        _ => {}
    }
}
