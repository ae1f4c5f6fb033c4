use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
    time::Duration,
};

use doorward_types::SocketId;
use tokio::time::Instant;

use crate::{Observer, lock::lock, observer::Unobserved};

/// What came of an ending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The sockets that it ended. One that had ended before is not among them.
    pub sockets: Vec<SocketId>,
    /// The sockets that it suspended: they wait for the login to come back.
    pub suspended: Vec<SocketId>,
    /// How many of those that ended did not take their Close frame in time and were reset, or broke.
    pub reset: usize,
    /// From the ending until the kernel had accepted the last Close frame, or the last socket was reset.
    pub within: Duration,
    /// The name of this node, where it has one.
    pub node: Arc<str>,
    /// The nodes that did not answer: what has ended may live on there, until their lease runs out.
    pub silent: Vec<Arc<str>>,
}

/// Sockets that are ending. It need not be awaited: they end all the same.
#[derive(Debug)]
pub struct Ending {
    sockets: Vec<SocketId>,
    suspended: Vec<SocketId>,
    tally: Arc<Tally>,
}

impl Ending {
    pub(crate) fn begin(observer: Arc<dyn Observer>) -> Self {
        let count = Count { left: 1, reset: 0, last: None, waker: None };
        Self {
            sockets: Vec::new(),
            suspended: Vec::new(),
            tally: Arc::new(Tally { began: Instant::now(), count: Mutex::new(count), observer }),
        }
    }

    /// One of whose end nobody is told.
    pub(crate) fn unobserved() -> Self {
        Self::begin(Arc::new(Unobserved))
    }

    /// One that has ended nothing.
    pub(crate) fn of_nothing() -> Self {
        Self::unobserved().begun()
    }

    pub(crate) fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    pub(crate) fn add(&mut self, socket: SocketId) {
        self.sockets.push(socket);
    }

    pub(crate) fn add_suspended(&mut self, socket: SocketId) {
        self.suspended.push(socket);
    }

    /// Nothing more will be added.
    pub(crate) fn begun(self) -> Self {
        self.tally.forget_the_first();
        self
    }

    /// The sockets that are ending.
    pub fn sockets(&self) -> &[SocketId] {
        &self.sockets
    }
}

impl Future for Ending {
    type Output = Receipt;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Receipt> {
        let (reset, within) = {
            let mut count = lock(&self.tally.count);
            if count.left > 0 {
                count.waker = Some(context.waker().clone());
                return Poll::Pending;
            }
            (count.reset, count.last.unwrap_or_default())
        };
        let (sockets, suspended) = (std::mem::take(&mut self.sockets), std::mem::take(&mut self.suspended));
        Poll::Ready(Receipt { sockets, suspended, reset, within, node: Arc::from(""), silent: Vec::new() })
    }
}

/// Counts the sockets of one ending that are not done. Each of them holds it until it is.
pub(crate) struct Tally {
    began: Instant,
    count: Mutex<Count>,
    observer: Arc<dyn Observer>,
}

#[derive(Debug)]
struct Count {
    /// One for each socket, and one while sockets are still being added.
    left: usize,
    reset: usize,
    /// How long after the ending the last of those that are done was.
    last: Option<Duration>,
    waker: Option<Waker>,
}

impl Tally {
    pub(crate) fn expect_one(&self) {
        lock(&self.count).left += 1;
    }

    /// A socket is done: its Close frame was accepted, or not.
    pub(crate) fn done(&self, accepted: bool) {
        let mut count = lock(&self.count);
        count.reset += usize::from(!accepted);
        count.last = Some(self.began.elapsed());
        self.less_one(count);
    }

    fn forget_the_first(&self) {
        self.less_one(lock(&self.count));
    }

    fn less_one(&self, mut count: MutexGuard<'_, Count>) {
        count.left = count.left.saturating_sub(1);
        if count.left > 0 {
            return;
        }
        if let Some(waker) = &count.waker {
            waker.wake_by_ref();
        }
        if let Some(within) = count.last {
            self.observer.landed(within);
        }
    }
}

impl fmt::Debug for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tally").field("count", &self.count).finish_non_exhaustive()
    }
}
