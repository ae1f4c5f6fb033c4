//! What time does to a socket: expiry, the longest session, pings, and the bound of an ending.

use std::{sync::Arc, time::Duration};

use doorward_types::CloseReason;

use crate::{Ended, Socket, Sockets, Suspension, lock::lock, moment::Moment, outbox::Phase, socket::LINGER};

/// A socket of which nothing is expected is looked at this often all the same.
const AT_LEAST_EVERY: Duration = Duration::from_secs(60);

impl Sockets {
    /// Looks at a socket whose time may have come, and has it looked at again when something may be due.
    pub(crate) fn look(&self, socket: &Arc<Socket>, now: Moment) {
        if socket.is_open() {
            if self.is_expired(socket, now) {
                socket.end(CloseReason::Expired);
            } else if has_waited_too_long(socket, now) {
                socket.end(CloseReason::SessionEnded);
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
    pub(crate) fn next_look(&self, socket: &Socket, now: Moment) -> Option<Moment> {
        let policy = socket.policy();
        let outbox = lock(socket.outbox());
        match outbox.phase {
            Phase::Open | Phase::Suspended(_) => {
                let regularly = policy.framing.pings_regularly();
                let ping = policy.ping_every.map(|every| match outbox.pinged {
                    Some(at) if regularly && socket.last_heard() >= at => at.plus(every),
                    Some(at) => at.plus(policy.pong_within),
                    None if outbox.attached => socket.last_heard().plus(every),
                    None => now.plus(every),
                });
                let longest = policy.max_session.map(|most| socket.began().plus(most));
                let time = socket.time();
                let expiry = socket.admission().expires_at().filter(|at| *at > time).or(socket.expires_at(time));
                let expiry = expiry.map(|at| now.plus(at.since(time)));
                let wait = (outbox.phase == Phase::Suspended(Suspension::LoggedOut))
                    .then(|| outbox.since.plus(policy.suspended_at_most));
                [ping, longest, expiry, wait].into_iter().flatten().chain([now.plus(AT_LEAST_EVERY)]).min()
            }
            Phase::Closing => Some(outbox.since.plus(policy.end_within)),
            Phase::Lingering => Some(outbox.since.plus(LINGER)),
            Phase::Gone => None,
        }
    }

    fn is_expired(&self, socket: &Socket, now: Moment) -> bool {
        let time = socket.time();
        socket.see_to_renewal(time);
        socket.expires_at(time).is_some_and(|at| at <= time)
            || socket.policy().max_session.is_some_and(|most| now >= socket.began().plus(most))
    }

    /// Sends the ping that is due. Gives whether an earlier one was answered by nothing at all for too long.
    fn is_silent(&self, socket: &Arc<Socket>, now: Moment) -> bool {
        let Some(every) = socket.policy().ping_every else { return false };
        let heard = socket.last_heard();
        let mut outbox = lock(socket.outbox());
        outbox.lanes.rest();
        let framing = &socket.policy().framing;
        let regularly = framing.pings_regularly();
        if let Some(at) = outbox.pinged.filter(|at| heard < *at) {
            return now >= at.plus(socket.policy().pong_within);
        }
        // The peer has been heard since it was asked.
        let since = if regularly { outbox.pinged.unwrap_or(socket.began()) } else { heard };
        if !regularly {
            outbox.pinged = None;
        }
        if outbox.attached && now >= since.plus(every) {
            outbox.pinged = Some(now);
            outbox.lanes.control(&framing.ping());
            if outbox.becomes_dirty() {
                drop(outbox);
                self.flush_soon(Arc::clone(socket));
            }
        }
        false
    }
}

/// Whether its login has not come back in time. How long nobody knows what has ended is the lease's business.
fn has_waited_too_long(socket: &Socket, now: Moment) -> bool {
    let outbox = lock(socket.outbox());
    outbox.phase == Phase::Suspended(Suspension::LoggedOut)
        && now >= outbox.since.plus(socket.policy().suspended_at_most)
}

/// Resets a peer that has not taken its Close frame in time; lets one go that has not answered it.
fn hold_to_the_bound(socket: &Socket, now: Moment) {
    let mut outbox = lock(socket.outbox());
    match outbox.phase {
        Phase::Closing if now >= outbox.since.plus(socket.policy().end_within) => {
            outbox.reset();
            outbox.leave(Ended::HungUp);
        }
        Phase::Lingering if now >= outbox.since.plus(LINGER) => outbox.leave(Ended::HungUp),
        _ => {}
    }
}
