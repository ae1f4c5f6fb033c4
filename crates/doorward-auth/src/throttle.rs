//! How long somebody who guessed wrong has to wait: pure functions over what a [`Throttle`](crate::ports::Throttle) keeps.
//!
//! **What it is:** two counts, and what they say to the next try. Whoever keeps them takes a try by counting it as a failure
//! before it is looked at, so a hundred tries at once are a hundred failures.
//!
//! * [`Failures`] of one factor of one subject, in a row: four are free, after the fifth the waits rise to an hour, after a
//!   hundred the factor is disabled until it is recovered by another way (NIST SP 800-63B, section 3.2.2). A browser that the
//!   subject has logged in with has a count of its own, and no penalty keeps it out, so that strangers cannot lock the subject out of
//!   it, also where they come from the same address.
//! * the [`Penalty`] of one source, an IPv4 address or an IPv6 /64: five seconds for each failure, which pass with time. From
//!   fifteen on the source is refused (OpenSSH's `PerSourcePenalties`).
//!
//! Codes of an authenticator app are short, so of them there are so many a day besides, however often a right one comes between
//! ([`per_day`]).
//!
//! ```text
//!   failures in a row   1-4   5     6      7      8      9       10-99   100
//!   the next try        now   30 s  1 min  2 min  5 min  15 min  1 h     disabled
//! ```
//!
//! ```
//! use std::time::Duration;
//!
//! use doorward_auth::throttle::{Failures, Next};
//! use doorward_types::Timestamp;
//!
//! let now = Timestamp::from_secs(1_000);
//! let four = (0..4).fold(Failures::default(), |failures, _| failures.and_one(now));
//! assert_eq!(four.next(now), Next::Now);
//! assert_eq!(four.and_one(now).next(now), Next::NotBefore(now.plus(Duration::from_secs(30))));
//! ```

use std::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use doorward_types::Timestamp;

use crate::ports::Attempt;

/// After so many failures in a row a factor is disabled.
pub const DISABLED_AFTER: u32 = 100;

/// What a failure costs its source.
pub const PENALTY: Duration = Duration::from_secs(5);

/// From how much on a source is refused.
pub const REFUSED_FROM: Duration = Duration::from_secs(15);

/// The most that a source can have to wait out.
pub const AT_MOST: Duration = Duration::from_mins(10);

/// How long a try of a factor that has a limit a day is counted.
pub const DAY: Duration = Duration::from_hours(24);

/// How long the failures of a subject are remembered after the last of them, unless they have disabled the factor.
pub const FORGOTTEN_AFTER: Duration = Duration::from_hours(30 * 24);

/// How many wrong tries of a factor there may be within a day; `None` for as many as the waits leave room for.
pub fn per_day(factor: &str) -> Option<u32> {
    (factor == "totp").then_some(20)
}

/// Whether a hundred failures in a row disable a factor. They do not where nobody could recover it: registrations are counted by
/// their source.
fn can_be_disabled(factor: &str) -> bool {
    factor != "register"
}

/// When this try may be made, by all that is known of those who try: the failures of its factor and subject, the penalty of its source,
/// and when the try of the day was made that is so many ago ([`per_day`]).
pub fn next_of(attempt: &Attempt, failures: Failures, penalty: Penalty, so_many_ago: Option<Timestamp>) -> Next {
    let now = attempt.at;
    let of_subject = match failures.next(now) {
        Next::Disabled if !can_be_disabled(attempt.factor) => {
            not_before(failures.last.plus(wait_after(failures.count)), now)
        }
        next => next,
    };
    let of_source = if attempt.device.is_some() { Next::Now } else { penalty.next(now) };
    of_subject.max(of_source).max(next_of_day(so_many_ago, now))
}

/// What counts as one source: an IPv4 address (also one mapped into IPv6), or the /64 of an IPv6 address.
pub fn network_of(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address => address,
    }
}

/// When the next try may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Next {
    /// At once.
    Now,
    /// Not before then.
    NotBefore(Timestamp),
    /// Not until the factor is recovered by another way.
    Disabled,
}

/// How often in a row a factor of a subject was tried wrongly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// How often.
    pub count: u32,
    /// When last.
    pub last: Timestamp,
}

impl Failures {
    /// One more.
    #[must_use]
    pub fn and_one(self, now: Timestamp) -> Self {
        Self { count: self.count.saturating_add(1), last: now }
    }

    /// The same by a clock that may have been set back since: what it says has not happened yet has happened now. Keep it, or
    /// a clock that was ahead for a moment locks people out for as long as it was ahead.
    #[must_use]
    pub fn by(self, now: Timestamp) -> Self {
        Self { last: self.last.min(now), ..self }
    }

    /// When the next try may be made.
    pub fn next(self, now: Timestamp) -> Next {
        if self.count >= DISABLED_AFTER {
            return Next::Disabled;
        }
        not_before(self.last.plus(wait_after(self.count)), now)
    }

    /// Whether it is as good as never having been.
    pub fn is_forgotten(self, now: Timestamp) -> bool {
        self.count < DISABLED_AFTER && now.since(self.last) >= FORGOTTEN_AFTER
    }
}

/// How long the next try has to wait after so many failures in a row.
pub fn wait_after(failures: u32) -> Duration {
    match failures {
        0..5 => Duration::ZERO,
        5 => Duration::from_secs(30),
        6 => Duration::from_mins(1),
        7 => Duration::from_mins(2),
        8 => Duration::from_mins(5),
        9 => Duration::from_mins(15),
        10.. => Duration::from_hours(1),
    }
}

/// What a source has to wait out, as the time at which it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Penalty {
    /// When nothing is left of it.
    pub until: Timestamp,
}

impl Penalty {
    /// One failure more.
    #[must_use]
    pub fn and_one(self, now: Timestamp) -> Self {
        Self { until: now.plus((self.until.since(now) + PENALTY).min(AT_MOST)) }
    }

    /// One failure less: it was none.
    #[must_use]
    pub fn less_one(self) -> Self {
        let penalty = Timestamp::default().plus(PENALTY);
        Self { until: Timestamp::default().plus(self.until.since(penalty)) }
    }

    /// The same by a clock that may have been set back since.
    #[must_use]
    pub fn by(self, now: Timestamp) -> Self {
        Self { until: self.until.min(now.plus(AT_MOST)) }
    }

    /// When the next try may be made.
    pub fn next(self, now: Timestamp) -> Next {
        match self.until.since(now).checked_sub(REFUSED_FROM) {
            None => Next::Now,
            // In a moment, when it is less than that: times here are whole milliseconds.
            Some(over) => Next::NotBefore(now.plus(over + Duration::from_millis(1))),
        }
    }
}

/// When the next try of a factor may be made that has a limit a day ([`per_day`]), where there is a try so many ago, made then.
fn next_of_day(so_many_ago: Option<Timestamp>, now: Timestamp) -> Next {
    so_many_ago.map_or(Next::Now, |first| not_before(first.min(now).plus(DAY), now))
}

fn not_before(time: Timestamp, now: Timestamp) -> Next {
    if time <= now { Next::Now } else { Next::NotBefore(time) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_000_000);

    fn failed(times: u32) -> Failures {
        (0..times).fold(Failures::default(), |failures, _| failures.and_one(NOW))
    }

    fn after(secs: u64) -> Timestamp {
        NOW.plus(Duration::from_secs(secs))
    }

    #[test]
    fn four_failures_are_free_then_the_waits_rise_and_the_hundredth_disables() {
        let waits = |times| match failed(times).next(NOW) {
            Next::Now => Some(0),
            Next::NotBefore(time) => Some(time.since(NOW).as_secs()),
            Next::Disabled => None,
        };
        let expected = [0, 0, 0, 0, 0, 30, 60, 120, 300, 900, 3600, 3600];
        assert_eq!(std::array::from_fn(|times| waits(times as u32)), expected.map(Some));
        assert_eq!(waits(99), Some(3600));
        assert_eq!(waits(100), None);
        assert_eq!(failed(5).next(after(29)), Next::NotBefore(after(30)));
        assert_eq!(failed(5).next(after(30)), Next::Now);
        assert_eq!(failed(100).next(after(1_000_000_000)), Next::Disabled, "time does not recover a factor");
    }

    #[test]
    fn failures_are_forgotten_after_thirty_days_but_those_that_disabled_a_factor_never_are() {
        let days = |days: u64| NOW.plus(DAY * u32::try_from(days).unwrap());
        assert!(!failed(99).is_forgotten(days(29)));
        assert!(failed(99).is_forgotten(days(30)));
        assert!(!failed(100).is_forgotten(days(3000)));
    }

    #[test]
    fn a_source_is_refused_from_fifteen_seconds_on_and_waits_ten_minutes_at_the_most() {
        let penalty = |times| (0..times).fold(Penalty::default(), |penalty, _| Penalty::and_one(penalty, NOW));
        assert_eq!(penalty(2).next(NOW), Next::Now);
        assert_eq!(penalty(3).next(NOW), Next::NotBefore(NOW.plus(Duration::from_millis(1))));
        assert_eq!(penalty(4).next(after(5)), Next::NotBefore(after(5).plus(Duration::from_millis(1))));
        assert_eq!(penalty(4).next(after(6)), Next::Now);
        assert_eq!(penalty(4).less_one().less_one().next(NOW), Next::Now);
        assert_eq!(penalty(1000).until, after(600));
        assert_eq!(Penalty::default().less_one(), Penalty::default());
    }

    #[test]
    fn a_clock_that_was_ahead_for_a_moment_locks_nobody_out_for_as_long() {
        let ahead = Timestamp::from_secs(9_000_000);
        let failures = (0..9).fold(Failures::default(), |failures, _| failures.and_one(ahead)).by(NOW);
        assert_eq!(failures.by(after(900)).next(after(900)), Next::Now);
        assert_eq!(Penalty::default().and_one(ahead).by(NOW).until, after(600));
        assert_eq!(next_of_day(Some(ahead), NOW), Next::NotBefore(NOW.plus(DAY)));
    }

    #[test]
    fn neighbours_in_one_ipv6_network_are_one_source_and_a_mapped_address_is_the_one_that_it_maps() {
        let of = |address: &str| network_of(address.parse().unwrap()).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::9"));
        assert_ne!(of("2001:db8:1:2::9"), of("2001:db8:1:3::9"));
        assert_eq!(of("::ffff:192.0.2.7"), "192.0.2.7");
    }
}
