use std::{net::IpAddr, time::Duration};

use doorward_auth::{
    ports::{Attempt, AttemptId, Reserved, Throttle},
    throttle::{DISABLED_AFTER, FORGOTTEN_AFTER},
};
use doorward_types::Timestamp;

use super::{
    acme, all, globex,
    site::{NOW, after, unique},
};

/// Everything that [`Throttle`] promises.
pub async fn throttle(port: &dyn Throttle) {
    c33_of_a_hundred_tries_at_once_five_may_be_made(port).await;
    the_waits_rise_with_the_failures(port).await;
    a_right_try_forgets_the_failures_and_its_source_has_its_cost_back(port).await;
    c34_a_known_device_is_not_locked_out_by_what_others_fail(port).await;
    c34_a_known_device_is_not_kept_out_by_what_strangers_at_its_address_fail(port).await;
    a_hundred_registrations_that_fail_leave_the_next_to_time(port).await;
    c35_a_right_password_leaves_the_failures_of_the_codes(port).await;
    c36_after_a_hundred_failures_a_factor_is_disabled_until_it_is_recovered(port).await;
    of_codes_there_are_twenty_a_day_whatever_comes_between(port).await;
    a_source_is_refused_whomever_it_tries_and_time_heals_it(port).await;
    a_subject_of_one_owner_is_not_one_of_another(port).await;
    a_clock_that_was_ahead_locks_nobody_out(port).await;
}

/// A try of a new subject's password, each from a source of its own: what is looked at here is the subject.
struct Guesses {
    of: Attempt,
    from: u32,
}

impl Guesses {
    fn of(factor: &'static str) -> Self {
        let [subject, network] = [unique(), unique()];
        let source = IpAddr::from([10, network[13], network[14], network[15]]);
        Self { of: Attempt { owner: acme(), factor, subject, device: None, source, at: NOW }, from: 0 }
    }

    /// The next one, from somewhere else.
    fn next(&mut self, at: Timestamp) -> Attempt {
        self.from += 1;
        let [a, b, c, d] = self.from.to_be_bytes();
        let net = u16::from_be_bytes([self.of.subject[14], self.of.subject[15]]);
        let source =
            IpAddr::from([0x2001, 0xdb8, net, u16::from_be_bytes([c, d]), 0, 0, 0, u16::from_be_bytes([a, b])]);
        Attempt { source, at, ..self.of.clone() }
    }

    /// Fails so often at a time, which has to be allowed.
    async fn fail(&mut self, port: &dyn Throttle, times: u32, at: Timestamp) {
        for time in 0..times {
            go(port, self.next(at)).await.unwrap_or_else(|said| panic!("try {time} was told {said:?}"));
        }
    }
}

/// The number of the try, or what was said instead.
async fn go(port: &dyn Throttle, attempt: Attempt) -> Result<AttemptId, Reserved> {
    match port.reserve(attempt).await.unwrap() {
        Reserved::Go(id) => Ok(id),
        said => Err(said),
    }
}

async fn c33_of_a_hundred_tries_at_once_five_may_be_made(port: &dyn Throttle) {
    for at_once in [false, true] {
        let mut guesses = Guesses::of("password");
        let tries: Vec<_> = (0..100).map(|_| guesses.next(NOW)).collect();
        let reserved = if at_once {
            all(tries.into_iter().map(|attempt| port.reserve(attempt))).await
        } else {
            let mut reserved = vec![];
            for attempt in tries {
                reserved.push(port.reserve(attempt).await);
            }
            reserved
        };
        let may = reserved.into_iter().filter(|reserved| matches!(reserved, Ok(Reserved::Go(_)))).count();
        assert_eq!(may, 5, "at once: {at_once}");
    }
}

async fn the_waits_rise_with_the_failures(port: &dyn Throttle) {
    let mut guesses = Guesses::of("password");
    guesses.fail(port, 5, NOW).await;
    let mut now = NOW;
    for wait in [30, 60, 120, 300, 900, 3600, 3600] {
        let until = now.plus(Duration::from_secs(wait));
        let just_before = Timestamp::from_millis(until.as_millis() - 1);
        assert_eq!(go(port, guesses.next(just_before)).await, Err(Reserved::Wait(until)), "after a wait of {wait} s");
        guesses.fail(port, 1, until).await;
        now = until;
    }
}

async fn a_right_try_forgets_the_failures_and_its_source_has_its_cost_back(port: &dyn Throttle) {
    let mut guesses = Guesses::of("password");
    guesses.fail(port, 4, NOW).await;
    let right = go(port, guesses.next(NOW)).await.unwrap();
    port.was_right(right).await.unwrap();
    guesses.fail(port, 4, NOW).await;
    port.was_right(right).await.unwrap();
    guesses.fail(port, 1, NOW).await;
    let waits = go(port, guesses.next(NOW)).await;
    assert!(matches!(waits, Err(Reserved::Wait(_))), "what was right once counted twice: {waits:?}");
    // One source, many subjects, all of them right.
    let from = Guesses::of("password").of.source;
    for _ in 0..20 {
        let id = go(port, Attempt { source: from, ..Guesses::of("password").of }).await.unwrap();
        port.was_right(id).await.unwrap();
    }
    port.was_right(AttemptId(u64::MAX >> 1)).await.unwrap();
}

async fn c34_a_known_device_is_not_locked_out_by_what_others_fail(port: &dyn Throttle) {
    let mut guesses = Guesses::of("password");
    guesses.fail(port, 5, NOW).await;
    assert!(go(port, guesses.next(NOW)).await.is_err());
    let own = |guesses: &mut Guesses| Attempt { device: Some([7; 32]), ..guesses.next(NOW) };
    for number in 0..5 {
        assert!(go(port, own(&mut guesses)).await.is_ok(), "try {number} on the known device");
    }
    assert!(go(port, own(&mut guesses)).await.is_err(), "a device has a count of its own, not none");
    let (owner, factor, subject) = (guesses.of.owner.clone(), guesses.of.factor, guesses.of.subject);
    port.forgive(&owner, factor, subject).await.unwrap();
    assert!(go(port, own(&mut guesses)).await.is_ok(), "a recovery is one on all devices");
    assert!(go(port, guesses.next(NOW)).await.is_ok());
}

/// Somebody behind the same router, or on the same machine.
async fn c34_a_known_device_is_not_kept_out_by_what_strangers_at_its_address_fail(port: &dyn Throttle) {
    let source = Guesses::of("password").of.source;
    let from_there = || Attempt { source, ..Guesses::of("password").of };
    for _ in 0..3 {
        assert!(go(port, from_there()).await.is_ok());
    }
    assert!(matches!(go(port, from_there()).await, Err(Reserved::Wait(_))), "the address has failed often enough");
    assert!(go(port, Attempt { device: Some([7; 32]), ..from_there() }).await.is_ok());
}

async fn a_hundred_registrations_that_fail_leave_the_next_to_time(port: &dyn Throttle) {
    let mut guesses = Guesses::of("register");
    for hour in 0..101 {
        assert!(go(port, guesses.next(after(3600 * hour))).await.is_ok(), "try {hour}");
    }
    assert!(matches!(go(port, guesses.next(after(3600 * 100))).await, Err(Reserved::Wait(_))));
}

async fn c35_a_right_password_leaves_the_failures_of_the_codes(port: &dyn Throttle) {
    let mut guesses = Guesses::of("totp");
    for _ in 0..5 {
        let password = Attempt { factor: "password", ..guesses.next(NOW) };
        let id = go(port, password).await.unwrap();
        port.was_right(id).await.unwrap();
        guesses.fail(port, 1, NOW).await;
    }
    assert!(go(port, guesses.next(NOW)).await.is_err(), "right passwords bought tries of the code");
}

async fn c36_after_a_hundred_failures_a_factor_is_disabled_until_it_is_recovered(port: &dyn Throttle) {
    let mut guesses = Guesses::of("password");
    let mut now = NOW;
    for _ in 0..DISABLED_AFTER {
        guesses.fail(port, 1, now).await;
        now = now.plus(Duration::from_hours(1));
    }
    assert_eq!(go(port, guesses.next(now)).await, Err(Reserved::Disabled));
    let much_later = now.plus(FORGOTTEN_AFTER * 2);
    assert_eq!(go(port, guesses.next(much_later)).await, Err(Reserved::Disabled), "time recovered a factor");
    let other = Attempt { factor: "key_entry", ..guesses.next(now) };
    assert!(go(port, other).await.is_ok(), "another factor was disabled with it");
    let Attempt { owner, factor, subject, .. } = guesses.next(now);
    port.forgive(&globex(), factor, subject).await.unwrap();
    assert_eq!(go(port, guesses.next(now)).await, Err(Reserved::Disabled), "another owner recovered it");
    port.forgive(&owner, factor, subject).await.unwrap();
    assert!(go(port, guesses.next(now)).await.is_ok());
}

async fn of_codes_there_are_twenty_a_day_whatever_comes_between(port: &dyn Throttle) {
    let mut guesses = Guesses::of("totp");
    for _ in 0..5 {
        guesses.fail(port, 4, NOW).await;
        // The user's own code comes between, and is right.
        if guesses.from < 24 {
            let right = go(port, guesses.next(NOW)).await.unwrap();
            port.was_right(right).await.unwrap();
        }
    }
    let day = Duration::from_hours(24);
    assert_eq!(go(port, guesses.next(after(3600))).await, Err(Reserved::Wait(NOW.plus(day))));
    guesses.fail(port, 1, NOW.plus(day)).await;
}

async fn a_source_is_refused_whomever_it_tries_and_time_heals_it(port: &dyn Throttle) {
    let source: IpAddr = "2001:db8:ffff:1::1".parse().unwrap();
    let neighbour: IpAddr = "2001:db8:ffff:1:2::9".parse().unwrap();
    let stranger: IpAddr = "2001:db8:ffff:2::1".parse().unwrap();
    let from = |source, at| Attempt { source, at, ..Guesses::of("password").of };
    for _ in 0..3 {
        assert!(go(port, from(source, NOW)).await.is_ok());
    }
    assert!(matches!(go(port, from(source, NOW)).await, Err(Reserved::Wait(_))), "fifteen seconds of penalty");
    assert!(go(port, from(neighbour, NOW)).await.is_err(), "a /64 is one source");
    assert!(go(port, from(stranger, NOW)).await.is_ok(), "another network is another source");
    assert!(go(port, from(source, after(1))).await.is_ok(), "it passes with time");
    assert!(go(port, from(source, after(1))).await.is_err());
    for _ in 0..3 {
        assert!(go(port, from(source, after(700))).await.is_ok(), "it is over after ten minutes at the latest");
    }
}

async fn a_subject_of_one_owner_is_not_one_of_another(port: &dyn Throttle) {
    let mut guesses = Guesses::of("password");
    guesses.fail(port, 5, NOW).await;
    let theirs = Attempt { owner: globex(), ..guesses.next(NOW) };
    assert!(go(port, theirs).await.is_ok(), "a count crossed to another owner");
}

async fn a_clock_that_was_ahead_locks_nobody_out(port: &dyn Throttle) {
    let ahead = NOW.plus(Duration::from_hours(24 * 365));
    for factor in ["password", "totp"] {
        let mut guesses = Guesses::of(factor);
        guesses.fail(port, 5, ahead).await;
        assert_eq!(go(port, guesses.next(NOW)).await, Err(Reserved::Wait(after(30))));
        guesses.fail(port, 1, after(30)).await;
    }
}
