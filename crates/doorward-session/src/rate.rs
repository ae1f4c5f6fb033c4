use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::Limits;

/// A token bucket in one word: the time at which it would be full again (GCRA), in microseconds.
///
/// One task counts, so there is no loop around the store.
#[derive(Default)]
pub(crate) struct Rate(AtomicU64);

impl Rate {
    /// Takes `count` messages at the time `now`. Says no when that is more than the burst and the rate allow.
    pub(crate) fn takes(&self, count: u32, now: Duration, limits: &Limits) -> bool {
        let Some(interval) = 1_000_000_u64.checked_div(limits.messages_per_second.into()) else { return true };
        let now = u64::try_from(now.as_micros()).unwrap_or(u64::MAX);
        let full_at = self.0.load(Ordering::Relaxed).max(now).saturating_add(interval.saturating_mul(count.into()));
        self.0.store(full_at, Ordering::Relaxed);
        full_at - now <= interval.saturating_mul(limits.burst.max(1).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits =
        Limits { message: 0, messages_per_second: 20, burst: 60, outbox_messages: 0, outbox_bytes: 0 };

    #[test]
    fn a_burst_is_taken_and_one_more_is_not() {
        let rate = Rate::default();
        let now = Duration::from_secs(7);
        assert!((0..60).all(|_| rate.takes(1, now, &LIMITS)));
        assert!(!rate.takes(1, now, &LIMITS));
    }

    #[test]
    fn the_rate_can_be_kept_up_for_ever() {
        let rate = Rate::default();
        assert!((0..10_000).all(|at| rate.takes(1, Duration::from_millis(50 * at), &LIMITS)));
        assert!(rate.takes(59, Duration::from_millis(50 * 10_000), &LIMITS), "and the burst is still there");
    }

    #[test]
    fn a_little_more_than_the_rate_is_noticed_in_the_end() {
        let rate = Rate::default();
        assert!(!(0..10_000).all(|at| rate.takes(1, Duration::from_millis(49 * at), &LIMITS)));
    }

    #[test]
    fn a_rate_of_zero_is_none() {
        let unlimited = Limits { messages_per_second: 0, ..LIMITS };
        assert!(Rate::default().takes(u32::MAX, Duration::ZERO, &unlimited));
    }
}
