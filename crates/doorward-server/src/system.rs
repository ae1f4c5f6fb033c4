//! Where the world comes in: the wall clock, and the one that only goes forward.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use doorward_auth::ports::{Clock, Rng, SystemRng};
use doorward_session::Steady;
use doorward_types::Timestamp;

/// The wall clock of the system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place where the wall clock is read")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// The time since the machine was started, that in which it slept counted: a lease runs out meanwhile. Where a system has no
/// such clock it is one that stands still while the machine sleeps.
#[derive(Clone, Copy, Debug, Default)]
pub struct BootTime;

impl Steady for BootTime {
    fn elapsed(&self) -> Duration {
        #[cfg(target_os = "linux")]
        const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Boottime;
        #[cfg(not(target_os = "linux"))]
        const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Monotonic;
        Duration::try_from(rustix::time::clock_gettime(CLOCK)).unwrap_or_default()
    }
}

/// 32 random bytes: a secret of 256 bits.
pub fn random() -> [u8; 32] {
    let rng: &dyn Rng = &SystemRng;
    rng.bytes32()
}
