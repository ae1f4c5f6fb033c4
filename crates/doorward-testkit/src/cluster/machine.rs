//! What a node runs on: its clocks, its sleep, and its end.

use std::{
    future::poll_fn,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use doorward_auth::ports::Clock;
use doorward_session::Steady;
use doorward_types::Timestamp;
use tokio::time::Instant;

use super::lock;
use crate::World;

/// The world's own time, which no node can set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time(Instant);

impl Time {
    pub(super) fn begins() -> Self {
        Self(Instant::now())
    }

    pub(super) fn now(self) -> Duration {
        self.0.elapsed()
    }

    pub(super) fn wall(self) -> Timestamp {
        World::NOW.plus(self.now())
    }
}

/// A machine outlives the lives of its node: it sleeps and wakes, and its wall clock is set.
pub(super) struct Machine {
    time: Time,
    /// Whether the monotonic clock stands still while the machine sleeps: it must not.
    naps: bool,
    sleep: Mutex<Sleep>,
}

#[derive(Default)]
struct Sleep {
    since: Option<Duration>,
    slept: Duration,
    /// Milliseconds by which the wall clock is wrong.
    wrong: i64,
    waiting: Vec<Waker>,
}

impl Machine {
    pub(super) fn new(time: Time, naps: bool) -> Arc<Self> {
        Arc::new(Self { time, naps, sleep: Mutex::default() })
    }

    pub(super) fn fall_asleep(&self) {
        lock(&self.sleep).since.get_or_insert_with(|| self.time.now());
    }

    pub(super) fn wake(&self) {
        let waiting = {
            let mut sleep = lock(&self.sleep);
            let since = sleep.since.take();
            sleep.slept += since.map_or(Duration::ZERO, |since| self.time.now().saturating_sub(since));
            std::mem::take(&mut sleep.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    pub(super) fn step_the_clock(&self, millis: i64) {
        lock(&self.sleep).wrong += millis;
    }

    pub(super) fn is_asleep(&self) -> bool {
        lock(&self.sleep).since.is_some()
    }

    /// Ready while it is awake.
    pub(super) fn poll_awake(&self, context: &Context<'_>) -> Poll<()> {
        let mut sleep = lock(&self.sleep);
        if sleep.since.is_none() {
            return Poll::Ready(());
        }
        sleep.waiting.push(context.waker().clone());
        Poll::Pending
    }

    pub(super) async fn until_awake(&self) {
        poll_fn(|context| self.poll_awake(context)).await;
    }
}

impl Steady for Machine {
    fn elapsed(&self) -> Duration {
        let sleep = lock(&self.sleep);
        let now = sleep.since.unwrap_or_else(|| self.time.now());
        if self.naps { now.saturating_sub(sleep.slept) } else { now }
    }
}

impl Clock for Machine {
    fn now(&self) -> Timestamp {
        let wrong = lock(&self.sleep).wrong;
        Timestamp::from_millis(self.time.wall().as_millis().saturating_add_signed(wrong))
    }
}

/// One life of a node, from its start to its crash: what it holds of the machine's kernel dies with it.
#[derive(Debug, Default)]
pub(super) struct Life(AtomicBool);

impl Life {
    pub(super) fn end(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_over(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
