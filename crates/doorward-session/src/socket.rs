use std::{
    fmt,
    future::Future,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use doorward_auth::Admission;
use doorward_types::{CloseReason, SocketId, Timestamp};

use crate::{
    Admitted, SocketPolicy, Sockets, Suspension, Transport,
    ended::Ended,
    ending::Tally,
    index::Place,
    lanes::Full,
    lock::lock,
    moment::{LastMoment, Moment},
    outbox::{Outbox, Phase},
    rate::Rate,
    standing::Standing,
    wheel::{Turn, Turns},
};

/// Whose words a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    Application,
    /// Of the suspension, or of what brings the socket back.
    Gate,
}

/// How long the peer has to answer a Close frame that the kernel has accepted.
pub(crate) const LINGER: Duration = Duration::from_secs(1);

/// An admitted, live connection.
///
/// Whoever holds it can send to it and end it, from any task. It ends once; after that nothing of the application is written
/// to it but the rest of a frame that had been begun, then the Close frame, then FIN.
pub struct Socket {
    id: SocketId,
    admission: Mutex<Arc<Admitted>>,
    policy: Arc<SocketPolicy>,
    sockets: Arc<Sockets>,
    /// Its place in the registry, in two fields that fit beside the two after them.
    shard: u8,
    slot: u32,
    standing: Standing,
    turn: Turn,
    /// When it was registered.
    began: Moment,
    /// When anything was heard last: a pong will do.
    heard: LastMoment,
    /// When a message came last.
    traffic: LastMoment,
    rate: Rate,
    outbox: Mutex<Outbox>,
}

impl Socket {
    pub(crate) fn new(
        id: SocketId,
        admission: Admission,
        policy: Arc<SocketPolicy>,
        transport: Arc<dyn Transport>,
        sockets: Arc<Sockets>,
        place: Place,
    ) -> Self {
        let began = Moment::after(sockets.elapsed());
        Self {
            id,
            admission: Mutex::new(Arc::new(Admitted::at_first(admission, (began, sockets.now())))),
            policy,
            sockets,
            shard: place.shard,
            slot: place.slot,
            standing: Standing::default(),
            turn: Turn::default(),
            began,
            heard: LastMoment::at(began),
            traffic: LastMoment::at(began),
            rate: Rate::default(),
            outbox: Mutex::new(Outbox::new(transport)),
        }
    }

    /// Its public id.
    pub fn id(&self) -> SocketId {
        self.id
    }

    /// What lets it be here now. It is another one after the socket was [readmitted](Sockets::readmit), of the same owner, gate
    /// and subject.
    pub fn admission(&self) -> Arc<Admitted> {
        Arc::clone(&lock(&self.admission))
    }

    /// Gives the admission that it had.
    pub(crate) fn change_admission(&self, admission: Admission) -> Arc<Admitted> {
        let given = (self.sockets.moment(), self.sockets.now());
        let mut held = lock(&self.admission);
        let after = Arc::new(held.then(admission, given));
        std::mem::replace(&mut held, after)
    }

    /// The time by which it expires ([`Admitted::time`]).
    pub(crate) fn time(&self) -> Timestamp {
        self.admission().time(self.sockets.moment(), self.sockets.now())
    }

    /// What its gate decided about it.
    pub fn policy(&self) -> &SocketPolicy {
        &self.policy
    }

    /// The registry that it is in.
    pub fn sockets(&self) -> &Arc<Sockets> {
        &self.sockets
    }

    /// Puts a whole server frame (`doorward_wire::websocket::frame`) on the application lane. It is shared, not copied.
    ///
    /// Gives whether it was taken: an ended or suspended socket takes nothing. One that cannot take it because too much waits already is
    /// ended with `slow_consumer`.
    pub fn send(self: &Arc<Self>, frame: Bytes) -> bool {
        self.send_as(frame, Says::Application)
    }

    /// As [`send`](Self::send), for what the gate itself has to say: a suspended socket takes it too.
    pub fn tell(self: &Arc<Self>, frame: Bytes) -> bool {
        self.send_as(frame, Says::Gate)
    }

    fn send_as(self: &Arc<Self>, frame: Bytes, says: Says) -> bool {
        let (taken, dirty) = self.put(Arc::new(frame), says);
        if dirty {
            self.sockets.flush_soon(Arc::clone(self));
        }
        taken
    }

    /// Puts a frame on the application lane: whether it was taken, and whether the flusher has to be told.
    pub(crate) fn put(self: &Arc<Self>, frame: Arc<Bytes>, says: Says) -> (bool, bool) {
        let mut outbox = lock(&self.outbox);
        match (outbox.phase, says) {
            (Phase::Open, _) | (Phase::Suspended(_), Says::Gate) => {}
            (Phase::Suspended(_), Says::Application) => {
                outbox.missed = true;
                return (false, false);
            }
            _ => return (false, false),
        }
        let Err((Full, frame)) = outbox.lanes.push(frame, &self.policy.limits) else {
            return (true, outbox.becomes_dirty());
        };
        // It counts as slow when the stream takes no more, not when the flusher has not come round yet.
        let now = self.sockets.moment();
        if !self.is_confirmed(now) && self.suspend_locked(&mut outbox, Suspension::Unconfirmed, now) {
            outbox.missed = true;
            return (false, outbox.becomes_dirty());
        }
        outbox.flush(now);
        if outbox.phase.is_live() && outbox.lanes.push(frame, &self.policy.limits).is_ok() {
            return (true, outbox.becomes_dirty());
        }
        drop(outbox);
        self.end(CloseReason::SlowConsumer);
        (false, false)
    }

    /// Ends it: what waits for it is dropped. Nothing happens to one that has ended already.
    pub fn end(self: &Arc<Self>, reason: CloseReason) {
        self.end_as(Ended::For(reason), true, None);
    }

    /// Ends it after what waits for it has gone out: for the answer that goes before a polite ending.
    pub fn end_politely(self: &Arc<Self>, reason: CloseReason) {
        self.end_as(Ended::For(reason), false, None);
    }

    /// Ends it, in one step with looking whether it has ended before; gives whether it is this call that did.
    pub(crate) fn end_as(self: &Arc<Self>, ended: Ended, cut: bool, tally: Option<&Arc<Tally>>) -> bool {
        let now = self.sockets.moment();
        let mut outbox = lock(&self.outbox);
        let ends = outbox.end(ended, || self.policy.framing.farewell(ended), cut, now);
        if ends {
            if let Some(tally) = tally {
                outbox.count_in(tally);
            }
            self.standing.end();
            outbox.wake();
        }
        drop(outbox);
        if ends {
            self.sockets.one_less(ended);
            self.sockets.look_at(self, now.plus(self.policy.end_within.min(LINGER)));
            tracing::debug!(socket = %self.id, reason = %ended.reason(), "socket ends");
        }
        ends
    }

    /// Why it has ended; `None` while it lives.
    pub fn ended(&self) -> Option<CloseReason> {
        if self.is_open() {
            return None;
        }
        lock(&self.outbox).ended.map(Ended::reason)
    }

    /// Whether it lives: it has not ended, suspended or not.
    pub fn is_open(&self) -> bool {
        self.standing.is_open()
    }

    /// Why nothing of the application may go in or out just now; `None` where it may, or where the socket has ended.
    pub fn suspension(&self) -> Option<Suspension> {
        match lock(&self.outbox).phase {
            Phase::Suspended(why) => Some(why),
            Phase::Open if !self.is_confirmed(self.sockets.moment()) => Some(Suspension::Unconfirmed),
            _ => None,
        }
    }

    /// For a relay, which asks before it moves anything: whether nothing may pass just now. The task that
    /// [polls for the end](Self::poll_ended) is woken when that changes.
    pub fn must_wait(&self) -> bool {
        self.look_at_the_lease(self.sockets.moment());
        self.is_suspended()
    }

    /// Whether it has been suspended, seen without a lock.
    pub(crate) fn is_suspended(&self) -> bool {
        self.standing.is_suspended()
    }

    /// Whether a proof has expired for which the user is to be [asked again](Self::climb_again).
    pub fn is_expiring(&self) -> bool {
        self.standing.is_expiring()
    }

    /// Gives what was noted before.
    pub(crate) fn note_expiring(&self, is: bool) -> bool {
        self.standing.expire(is)
    }

    /// To be said under the outbox's lock.
    pub(crate) fn note_suspended(&self) {
        self.standing.suspend(true);
    }

    /// To be said under the outbox's lock.
    pub(crate) fn note_open(&self) {
        self.standing.suspend(false);
    }

    /// Waits until it has ended.
    pub fn until_ended(&self) -> impl Future<Output = CloseReason> + Send + '_ {
        std::future::poll_fn(|context| self.ended_or(|outbox| outbox.await_end(context)))
    }

    /// Ready when it has ended. For the task of a relay, which then has to say so to both sides and call
    /// [`close_accepted`](Self::close_accepted): of several tasks that poll, the last is woken.
    pub fn poll_ended(&self, context: &mut Context<'_>) -> Poll<CloseReason> {
        self.ended_or(|outbox| outbox.belongs_to(context))
    }

    fn ended_or(&self, wait: impl FnOnce(&mut Outbox)) -> Poll<CloseReason> {
        if self.is_open() {
            let mut outbox = lock(&self.outbox);
            if outbox.phase.is_live() {
                wait(&mut outbox);
                return Poll::Pending;
            }
        }
        Poll::Ready(self.ended().unwrap_or(CloseReason::Normal))
    }

    /// For a relay: its Close frame was accepted by the kernel, so the receipt of the ending can be given.
    pub fn close_accepted(&self) {
        let now = self.sockets.moment();
        let mut outbox = lock(&self.outbox);
        if outbox.phase == Phase::Closing {
            outbox.farewell_accepted(now);
        }
    }

    /// Notes that something was heard, and counts the frames in it: for a backend that takes bytes. `data` says whether any of it
    /// was of a message: a ping or a pong shows that somebody is there, but is no traffic.
    ///
    /// # Errors
    /// [`CloseReason::TooFast`] where that was more than its limits allow. The caller ends it.
    pub fn heard_frames(&self, frames: u32, data: bool) -> Result<(), CloseReason> {
        let now = self.sockets.elapsed();
        self.heard(now);
        self.counts(frames, now, data)
    }

    /// Notes that anything at all was heard at `now`.
    pub(crate) fn heard(&self, now: Duration) {
        self.heard.set(Moment::after(now));
    }

    /// Counts frames at `now`; `data` says whether any of them was of a message.
    pub(crate) fn counts(&self, frames: u32, now: Duration, data: bool) -> Result<(), CloseReason> {
        if data {
            self.traffic.set(Moment::after(now));
        }
        if self.rate.takes(frames, now, &self.policy.limits) { Ok(()) } else { Err(CloseReason::TooFast) }
    }

    pub(crate) fn outbox(&self) -> &Mutex<Outbox> {
        &self.outbox
    }

    pub(crate) fn place(&self) -> Place {
        Place { shard: self.shard, slot: self.slot }
    }

    pub(crate) fn began(&self) -> Moment {
        self.began
    }

    pub(crate) fn last_heard(&self) -> Moment {
        self.heard.get()
    }

    pub(crate) fn last_traffic(&self) -> Moment {
        self.traffic.get()
    }

    /// Writes what waits, as far as the stream takes it now: the flusher's call.
    pub(crate) fn flush(&self, now: Moment) {
        self.lock_to_write(now).flush(now);
    }

    /// The connection is over, whatever it was that ended it.
    pub(crate) fn leave(self: &Arc<Self>, ended: Ended) -> Ended {
        let ended = {
            let mut outbox = lock(&self.outbox);
            outbox.leave(ended);
            outbox.ended.unwrap_or(ended)
        };
        if self.standing.end() {
            self.sockets.one_less(ended);
        }
        ended
    }
}

impl Turns for Socket {
    fn turn(&self) -> &Turn {
        &self.turn
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.sockets.forget(self);
        lock(&self.outbox).leave(Ended::HungUp);
        if self.standing.end() {
            self.sockets.one_less(Ended::HungUp);
        }
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("id", &self.id).field("ended", &self.ended()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_and_its_counts_fit_into_256_bytes() {
        assert!(size_of::<Socket>() <= 256 - 2 * size_of::<usize>(), "{} bytes", size_of::<Socket>());
    }
}
