use std::time::Duration;

use tokio::time::Instant;

/// Time that goes forward whatever is done to the wall clock. What a registry measures, it measures with it: a lease must run
/// out while the machine sleeps, so a program gives one that goes on meanwhile (`CLOCK_BOOTTIME`).
pub trait Steady: Send + Sync {
    /// The time since a point that does not move.
    fn elapsed(&self) -> Duration;
}

/// tokio's clock, which stands still while the machine sleeps, and in tests goes as they say.
#[derive(Debug)]
pub struct TokioTime(Instant);

impl TokioTime {
    /// Counts from this moment on.
    pub fn from_now() -> Self {
        Self(Instant::now())
    }
}

impl Steady for TokioTime {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
