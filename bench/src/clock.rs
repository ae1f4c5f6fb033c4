//! Real time, in one place: a benchmark is the program that must not pretend.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The monotonic clock.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Seconds since 1970, for the `iat` and `exp` of a token.
#[expect(clippy::disallowed_methods, reason = "a token for a real server carries the real time")]
pub(crate) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Waits. Only between two looks at another process, never inside a measured loop.
#[expect(clippy::disallowed_methods, reason = "the load generator has no runtime whose worker it could block")]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}
