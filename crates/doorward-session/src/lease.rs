//! Until when a node may act on what it knows of endings.
//!
//! ```text
//!   asked ──── lasts ────▶ run out ──── grace ────▶ lost
//!     │                      │                        │
//!     confirmed anew         sockets are suspended    they are closed, 1013
//!     at any time:           (unconfirmed)
//!     they go on
//! ```
//!
//! It is read before each write, and before each message is handed over: one load. What a write finds run out it suspends
//! itself, so that nothing depends on when the wheel comes round; the wheel sees to those that write nothing. Gates with
//! [`Fail::Open`] go on through all of it. A registry that nobody holds a lease for never runs out.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use doorward_types::CloseReason;
use tokio::sync::Notify;

use crate::{Ended, Fail, Socket, Sockets, Suspension, Target, lock::lock, moment::Moment, outbox::Phase};

/// When somebody asked whether anything has ended: a lease counts from the question, not from the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked(Moment);

pub(crate) struct Lease {
    /// The moment at which it runs out.
    until: AtomicU64,
    /// The moment of the question that renewed it last; zero before the first.
    asked: AtomicU64,
    grace: OnceLock<Duration>,
    /// Sockets were suspended for it since it was last renewed.
    has_suspended: AtomicBool,
    renewed: Notify,
}

/// How far the wheel has acted on a lease.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Held,
    RunOut,
    Lost,
}

impl Lease {
    /// One that never runs out.
    pub(crate) fn without_end() -> Self {
        let (grace, has_suspended) = (OnceLock::new(), AtomicBool::new(false));
        Self { until: AtomicU64::new(u64::MAX), asked: AtomicU64::new(0), grace, has_suspended, renewed: Notify::new() }
    }

    pub(crate) fn holds(&self, now: Moment) -> bool {
        now.as_millis() < self.until.load(Ordering::Relaxed)
    }

    fn is_lost(&self, now: Moment) -> bool {
        let grace = self.grace.get().copied().unwrap_or_default();
        let grace = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        now.as_millis() >= self.until.load(Ordering::Relaxed).saturating_add(grace)
    }

    pub(crate) fn has_suspended(&self) {
        self.has_suspended.store(true, Ordering::Release);
    }

    pub(crate) async fn renewed(&self) {
        self.renewed.notified().await;
    }
}

impl Sockets {
    /// From here on sockets need a lease, which has run out until it is first [confirmed](Self::confirm). `grace` is how long
    /// suspended sockets are kept after that.
    pub fn need_a_lease(&self, grace: Duration) {
        let _set_before = self.lease.grace.set(grace);
        self.lease.until.store(self.moment().as_millis(), Ordering::Relaxed);
    }

    /// Now somebody asks whether anything has ended.
    pub fn ask(&self) -> Asked {
        Asked(self.moment())
    }

    /// All that had ended when that was asked is known, and has been carried out: the lease holds for so long from then on. A
    /// late answer to an early question takes nothing away.
    pub fn confirm(&self, Asked(at): Asked, lasts: Duration) {
        self.lease.until.fetch_max(at.plus(lasts).as_millis(), Ordering::Relaxed);
        self.lease.asked.fetch_max(at.as_millis(), Ordering::Relaxed);
        self.lease.renewed.notify_one();
    }

    /// The climbs that have begun do not know what has ended since: they may come again at once.
    pub(crate) fn turn_back_climbs(&self) {
        self.revocations.append(None, &Target::Everything, CloseReason::GoingAway, None);
    }

    /// Nobody knows any more what has ended: sockets whose gates fail closed end, and so do the climbs that have begun. All of
    /// them may come again, and are let in when the lease is confirmed anew: what is read until then leaves marks alone, and
    /// would not end them.
    pub(crate) fn lose_track(&self) {
        self.lease.until.store(self.moment().as_millis(), Ordering::Relaxed);
        self.revocations.lose_places();
        self.turn_back_climbs();
        for shard in &self.shards {
            let all = lock(shard).all();
            for socket in &all {
                // The log that is read next may be another one: what stays has to be found by all that it says.
                socket.admission().lose_place();
                if socket.policy().fail == Fail::Closed {
                    socket.end_as(Ended::For(CloseReason::GoingAway), true, None);
                }
            }
        }
    }

    /// How long ago it was asked what has ended, where an answer came; `None` before the first.
    pub fn lease_age(&self) -> Option<Duration> {
        let asked = self.lease.asked.load(Ordering::Relaxed);
        (asked > 0).then(|| Duration::from_millis(self.moment().as_millis().saturating_sub(asked)))
    }

    /// Whether the lease holds.
    pub fn is_confirmed(&self) -> bool {
        self.lease.holds(self.moment())
    }

    /// Does what follows from how the lease stands, once.
    pub(crate) async fn tend_the_lease(&self, stage: &mut Stage) {
        let now = self.moment();
        match (*stage, self.lease.holds(now)) {
            (before, true) => {
                *stage = Stage::Held;
                if self.lease.has_suspended.swap(false, Ordering::Acquire) || before != Stage::Held {
                    self.each(|socket| {
                        socket.resume(|why| why == Suspension::Unconfirmed);
                    })
                    .await;
                }
            }
            (Stage::Held, false) => {
                *stage = Stage::RunOut;
                tracing::warn!("nobody has confirmed what has ended: sockets are suspended");
                self.each(|socket| {
                    socket.suspend_if(Suspension::Unconfirmed, |socket, now| !socket.is_confirmed(now));
                })
                .await;
            }
            (Stage::RunOut, false) if self.lease.is_lost(now) => {
                *stage = Stage::Lost;
                tracing::warn!("it was not confirmed in time: sockets are closed");
                self.each(|socket| {
                    if socket.policy().fail == Fail::Closed && self.lease.is_lost(self.moment()) {
                        socket.end_as(Ended::For(CloseReason::TryLater), true, None);
                    }
                })
                .await;
            }
            (Stage::RunOut | Stage::Lost, false) => {}
        }
    }

    /// Does something with every socket, and lets others have their turn in between.
    async fn each(&self, act: impl Fn(&Arc<Socket>)) {
        for shard in &self.shards {
            let all = lock(shard).all();
            for some in all.chunks(128) {
                some.iter().for_each(&act);
                tokio::task::yield_now().await;
            }
        }
    }
}

impl Socket {
    /// Whether the lease lets it go on: one atomic load.
    pub(crate) fn is_confirmed(&self, now: Moment) -> bool {
        self.sockets().lease.holds(now) || self.policy().fail == Fail::Open
    }

    /// Looks whether the lease lets it go on, and suspends it where not. For its own task, which then says so to the peer.
    pub(crate) fn look_at_the_lease(&self, now: Moment) {
        if !self.is_confirmed(now) {
            drop(self.lock_to_write(now));
        }
    }

    /// The outbox, for a write at `now`: where the lease has run out there is nothing of the application in it.
    pub(crate) fn lock_to_write(&self, now: Moment) -> std::sync::MutexGuard<'_, crate::outbox::Outbox> {
        let mut outbox = lock(self.outbox());
        if outbox.phase == Phase::Open && !self.is_confirmed(now) {
            self.suspend_locked(&mut outbox, Suspension::Unconfirmed, now);
        }
        outbox
    }

    /// Suspends under the outbox's lock, and says so to the peer.
    pub(crate) fn suspend_locked(&self, outbox: &mut crate::outbox::Outbox, why: Suspension, now: Moment) -> bool {
        let suspends = outbox.suspend(why, self.policy().notices.as_ref(), now);
        if suspends {
            self.note_suspended();
            if why == Suspension::Unconfirmed {
                self.sockets().lease.has_suspended();
            }
        }
        suspends
    }
}
