use std::{
    io,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;

use crate::{Notices, Suspension, Transport, ended::Ended, ending::Tally, lanes::Lanes, moment::Moment};

/// Where a socket is on its way out.
///
/// ```text
///   Open ──────────end──▶ Closing ──Close accepted by the kernel──▶ Lingering ──peer's Close, FIN, or 1 s──▶ Gone
///    ▲▼                ▲     └───────────── not accepted within the bound: reset ────────────────────────────┘
///   Suspended ─────end─┘
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Everything goes.
    Open,
    /// Nothing of the application goes in or out, until something comes back.
    Suspended(Suspension),
    /// The Close frame is to be written; nothing is taken any more.
    Closing,
    /// The Close frame has been accepted; the peer has a second to answer it.
    Lingering,
    /// Over.
    Gone,
}

impl Phase {
    /// Whether the socket has not ended.
    pub(crate) fn is_live(self) -> bool {
        matches!(self, Self::Open | Self::Suspended(_))
    }
}

/// Everything about a socket that decides whether a byte may be written. It lives under one lock, and every write happens
/// under that lock: there is no moment between looking and writing.
pub(crate) struct Outbox {
    pub(crate) phase: Phase,
    pub(crate) ended: Option<Ended>,
    /// When the phase began.
    pub(crate) since: Moment,
    pub(crate) lanes: Lanes,
    transport: Option<Arc<dyn Transport>>,
    /// A connection runs and its bytes go out through here. Before that, and behind a relay, nothing is written.
    pub(crate) attached: bool,
    /// The kernel takes no more; the connection's task waits for room and writes.
    blocked: bool,
    /// The connection's task is working on a read, and writes when it is through.
    pub(crate) in_turn: bool,
    /// On the flusher's list.
    dirty: bool,
    /// Something that was for the peer was not delivered, since the socket was suspended.
    pub(crate) missed: bool,
    /// A ping has gone out at this time, and nothing was heard since.
    pub(crate) pinged: Option<Moment>,
    /// The connection's task.
    task: Option<Waker>,
    /// Who waits for the end.
    #[expect(clippy::box_collection, reason = "hardly ever does anybody wait, and every socket has the field")]
    waiting: Option<Box<Vec<Waker>>>,
    tally: Option<Arc<Tally>>,
}

impl Outbox {
    pub(crate) fn new(transport: Arc<dyn Transport>) -> Self {
        Self {
            phase: Phase::Open,
            ended: None,
            since: Moment::BEGINNING,
            lanes: Lanes::default(),
            transport: Some(transport),
            attached: false,
            blocked: false,
            in_turn: false,
            dirty: false,
            missed: false,
            pinged: None,
            task: None,
            waiting: None,
            tally: None,
        }
    }

    /// The connection's bytes go out through here; remembers whom to wake when it has something to do.
    pub(crate) fn attach(&mut self, context: &Context<'_>) {
        self.attached = true;
        self.belongs_to(context);
    }

    /// Remembers the connection's task, and no other that had been it before.
    pub(crate) fn belongs_to(&mut self, context: &Context<'_>) {
        if self.task.as_ref().is_none_or(|task| !task.will_wake(context.waker())) {
            self.task = Some(context.waker().clone());
        }
    }

    /// Remembers whom else to wake at the end.
    pub(crate) fn await_end(&mut self, context: &Context<'_>) {
        let waiting = self.waiting.get_or_insert_default();
        if !waiting.iter().any(|waiting| waiting.will_wake(context.waker())) {
            waiting.push(context.waker().clone());
        }
    }

    /// Whether the flusher has to be told, after something was put on a lane. It is told once.
    pub(crate) fn becomes_dirty(&mut self) -> bool {
        let becomes = self.attached && !self.in_turn && !self.blocked && !self.dirty;
        self.dirty |= becomes;
        becomes
    }

    /// Leaves [`Phase::Open`] for a while: what waits of the application is dropped. A logout counts more than not to know.
    pub(crate) fn suspend(&mut self, why: Suspension, notices: Option<&Notices>, now: Moment) -> bool {
        match (self.phase, why) {
            (Phase::Open, _) | (Phase::Suspended(Suspension::Unconfirmed), Suspension::LoggedOut) => {}
            _ => return false,
        }
        if self.phase == Phase::Open {
            self.missed = self.lanes.cut_the_application();
        }
        self.phase = Phase::Suspended(why);
        self.since = now;
        if let Some(notices) = notices {
            self.lanes.insist(notices.suspended(why));
        }
        true
    }

    /// Goes back to [`Phase::Open`].
    pub(crate) fn resume(&mut self, notices: Option<&Notices>, now: Moment) {
        self.phase = Phase::Open;
        self.since = now;
        let gap = std::mem::take(&mut self.missed);
        if let Some(notices) = notices {
            self.lanes.insist(notices.resumed(gap));
        }
    }

    /// Ends what lives. What is on the application lane goes out before the Close frame, unless it is cut.
    ///
    /// An ending that cuts does so to one that has begun without. Gives whether it is this one that ended the socket.
    pub(crate) fn end(&mut self, ended: Ended, farewell: impl FnOnce() -> Bytes, cut: bool, now: Moment) -> bool {
        if cut && (self.phase.is_live() || self.phase == Phase::Closing) {
            self.lanes.cut();
        }
        if !self.phase.is_live() {
            return false;
        }
        self.phase = Phase::Closing;
        self.since = now;
        self.ended = Some(ended);
        self.lanes.say_farewell(farewell());
        true
    }

    /// Counts the socket in an ending that has just begun.
    pub(crate) fn count_in(&mut self, tally: &Arc<Tally>) {
        tally.expect_one();
        self.tally = Some(Arc::clone(tally));
    }

    /// Wakes the connection's task, and those who wait for the end if it has come.
    pub(crate) fn wake(&mut self) {
        if let Some(task) = &self.task {
            task.wake_by_ref();
        }
        if !self.phase.is_live() {
            self.waiting.take().into_iter().flat_map(|waiting| *waiting).for_each(Waker::wake);
        }
    }

    /// Writes what the stream takes now, from any task. Where it blocks, the connection's task is woken and takes over.
    pub(crate) fn flush(&mut self, now: Moment) {
        self.dirty = false;
        if self.blocked || !self.attached {
            return;
        }
        let Some(transport) = &self.transport else { return };
        let written = self.lanes.write(|bytes| transport.try_write(bytes)).and_then(|()| transport.try_flush());
        let was_live = self.phase.is_live();
        if self.settle(written, now) == Poll::Pending || !was_live {
            self.wake();
        }
    }

    /// Writes what the stream takes, in the connection's own task; its waker stays where the stream blocks.
    pub(crate) fn poll_flush(&mut self, context: &mut Context<'_>, now: Moment) {
        let Some(transport) = &self.transport else { return };
        // A wire without last words has nothing to write at its end, and is through with it all the same.
        if self.lanes.is_empty() && !self.blocked && self.phase != Phase::Closing {
            return;
        }
        let mut written = self.lanes.write(|bytes| match transport.poll_write(context, bytes) {
            Poll::Ready(done) => done,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        });
        if written.is_ok() {
            written = match transport.poll_flush(context) {
                Poll::Ready(done) => done,
                Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
            };
        }
        let _ = self.settle(written, now);
    }

    /// What follows from a round of writing: `Pending` where the stream took no more.
    fn settle(&mut self, written: io::Result<()>, now: Moment) -> Poll<()> {
        self.blocked = false;
        match written {
            Ok(()) => {
                if self.phase == Phase::Closing {
                    self.farewell_accepted(now);
                }
                Poll::Ready(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.blocked = true;
                Poll::Pending
            }
            Err(_) => {
                self.leave(Ended::HungUp);
                Poll::Ready(())
            }
        }
    }

    /// The Close frame is with the kernel.
    pub(crate) fn farewell_accepted(&mut self, now: Moment) {
        self.phase = Phase::Lingering;
        self.since = now;
        if let Some(tally) = self.tally.take() {
            tally.done(true);
        }
    }

    /// Makes the stream reset when it is dropped.
    pub(crate) fn reset(&self) {
        if let Some(transport) = &self.transport {
            transport.reset();
        }
    }

    /// The last step: nothing is written any more, and the stream is let go. `ended` counts where nothing else has ended it.
    pub(crate) fn leave(&mut self, ended: Ended) {
        self.phase = Phase::Gone;
        self.ended.get_or_insert(ended);
        self.lanes.clear();
        self.transport = None;
        if let Some(tally) = self.tally.take() {
            tally.done(false);
        }
        self.wake();
    }
}
