//! Logins in a closed loop: so many people at a time, each from an address of its own, who log in again and again.
//!
//! load -> api    make the accounts        before the clock starts
//! user -> site   connect, post name and password
//! site -> user   the cookie of a login    counted, and the next one comes
//!
//! The hash of a password is what a login must cost. A raw baseline hears the password in a frame, hashes it and answers.

use super::{
    exchange::{Answered, exchange, runtime, source},
    raw,
    site::{Api, PASSWORD, log_in},
};
use crate::{
    args::Load,
    clock,
    error::{Error, Result},
    frames,
    stats::percentile,
};
use serde_json::{Value, json};
use std::{
    net::{IpAddr, SocketAddr},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

/// A login that has come about.
#[derive(Clone, Copy)]
struct Done {
    at: Instant,
    took: Duration,
}

/// The figure is logins per second of the clock: of those that are done after a sixth of the time, from the first to the last.
pub(super) fn run(load: &Load, accounts: usize, at_once: u16, time: Duration) -> Result<Value> {
    let crowd = Crowd { target: load.target, names: names(load, accounts)?, next: AtomicUsize::new(0) };
    let (begun, before) = (clock::now(), load.server().cpu()?);
    let all = crowd.log_in_until(begun + time, at_once)?;
    let cpu = load.server().cpu()?.since(before).as_secs_f64();
    let counted: Vec<Done> = all.iter().copied().filter(|done| done.at > begun + time / 6).collect();
    let (Some(first), Some(last), true) = (counted.first(), counted.last(), counted.len() > 1) else {
        return Err(Error::TooSlow { what: "logging two people in".into(), limit: time });
    };
    let took: Vec<f64> = counted.iter().map(|done| done.took.as_secs_f64() * 1e3).collect();
    Ok(json!({
        "value": (counted.len() - 1) as f64 / (last.at - first.at).as_secs_f64(),
        "logins": counted.len(),
        "cpu_ms_each": cpu * 1e3 / all.len() as f64,
        "p50_ms": percentile(&took, 0.5),
        "p99_ms": percentile(&took, 0.99),
    }))
}

/// Makes the accounts; nobody has one at a baseline.
pub(super) fn names(load: &Load, accounts: usize) -> Result<Vec<String>> {
    if load.api.is_none() {
        return Ok(Vec::new());
    }
    let api = Api::of(load)?;
    let named = |number| {
        let name = format!("user-{number}");
        api.account(&name).map(|_| name)
    };
    (0..accounts).map(named).collect()
}

/// Everybody who has an account.
struct Crowd {
    target: SocketAddr,
    names: Vec<String>,
    next: AtomicUsize,
}

impl Crowd {
    /// All logins of so many at a time, in the order in which they came about.
    fn log_in_until(&self, end: Instant, at_once: u16) -> Result<Vec<Done>> {
        let lost = |_| Error::Usage("a thread was lost".into());
        let mut all = thread::scope(|scope| {
            let people: Vec<_> = (0..at_once).map(|place| scope.spawn(move || self.one_by_one(place, end))).collect();
            let done = people.into_iter().map(|person| person.join().map_err(lost)?);
            done.collect::<Result<Vec<_>>>()
        })?
        .concat();
        all.sort_by_key(|done| done.at);
        Ok(all)
    }

    fn one_by_one(&self, place: u16, end: Instant) -> Result<Vec<Done>> {
        let (runtime, from) = (runtime()?, source(place, self.target));
        let mut all = Vec::new();
        while clock::now() < end {
            let (asked, heard) = runtime.block_on(self.log_in(from))?;
            all.push(Done { at: heard, took: heard - asked });
        }
        Ok(all)
    }

    /// Whose turn it is logs in. The accounts take turns, so that none has two tries at a time.
    async fn log_in(&self, from: Option<IpAddr>) -> Result<(Instant, Instant)> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let Some(name) = number.checked_rem(self.names.len()).and_then(|number| self.names.get(number)) else {
            let Answered { asked, heard, .. } =
                exchange(from, self.target, &raw(PASSWORD.as_bytes()), frames::first).await?;
            return Ok((asked, heard));
        };
        let Answered { asked, heard, .. } = log_in(from, self.target, name).await?;
        Ok((asked, heard))
    }
}
