//! Round trips of live sockets while people log in beside them.
//!
//! load   -> api     make the accounts          before the clock starts
//! user   -> server  connect, climb             a few hundred
//! user   -> server  a message                  each at its own time, whether the last one is back or not
//! server -> user    the same                   timed from when it was sent
//! person -> site    connect, post name and password, all of them at once
//! site   -> person  the cookie of a login      the same person comes again at once
//!                   or 503 and `Retry-After`   the same person comes again when that is over, or up to as long after it

use super::{
    PATIENCE,
    crowd::Crowd,
    exchange::{runtime, source},
    frames,
    logins::names,
    peer::Phase,
    raw,
    site::{Tried, try_to_log_in},
};
use crate::{
    args::Load,
    clock,
    error::{Error, Result},
    spoken::MASK,
    stats::percentile,
};
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// How many have an account. More people than that share them.
const ACCOUNTS: usize = 50;

/// How long sockets carry messages before anything is timed.
const WARM_UP: Duration = Duration::from_secs(1);

/// How sockets are used, and for how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Use {
    pub(super) sockets: usize,
    /// From one message of a socket to its next.
    pub(super) every: Duration,
    pub(super) time: Duration,
}

/// The figure is the 99th percentile of the round trips, in milliseconds, while so many people log in.
pub(super) fn run(load: &Load, used: Use, people: u16) -> Result<Value> {
    let names = names(load, ACCOUNTS)?;
    let mut crowd = Crowd::towards(load.target)?;
    crowd.open(used.sockets, load.script(&raw(b"S"))?, |peer| peer.phase == Phase::Ready, PATIENCE)?;
    let mut sockets = Sockets::of(used);
    sockets.carry(&mut crowd, WARM_UP)?;
    sockets.took.clear();

    let cpu = load.server().cpu()?;
    let (target, end) = (load.target, clock::now() + used.time);
    let logging_in = thread::spawn(move || log_in_until(end, target, &names.into(), people));
    sockets.carry(&mut crowd, used.time)?;
    let cpu = load.server().cpu()?.since(cpu).as_secs_f64();
    let people = logging_in.join().map_err(|_| Error::Usage("a thread was lost".into()))??;
    let took = &sockets.took;
    Ok(json!({
        "value": percentile(took, 0.99),
        "p50_ms": percentile(took, 0.5),
        "p99_ms": percentile(took, 0.99),
        "max_ms": percentile(took, 1.0),
        "messages": took.len(),
        "logins": people.logged_in,
        "told_later": people.told_later,
        "cpu_share": cpu / used.time.as_secs_f64(),
        "peak_mb": load.server().peak()? as f64 / 1e6,
    }))
}

/// What goes to and fro over the sockets.
struct Sockets {
    used: Use,
    message: Vec<u8>,
    /// When the messages were sent that each socket waits for: they come back in their order.
    sent: Vec<VecDeque<Instant>>,
    /// The round trips, in milliseconds.
    took: Vec<f64>,
}

impl Sockets {
    fn of(used: Use) -> Self {
        let message = frames::encode(frames::TEXT, Some(MASK), &[b'x'; 128]);
        Self { used, message, sent: vec![VecDeque::new(); used.sockets], took: Vec::new() }
    }

    /// Sends each socket's messages at their times, and waits at the end for those that are not back.
    fn carry(&mut self, crowd: &mut Crowd, time: Duration) -> Result<()> {
        let (begun, between) = (clock::now(), self.used.every / u32::try_from(self.used.sockets).unwrap_or(u32::MAX));
        let (mut due, mut number) = (begun, 0);
        while due < begun + time {
            while due <= clock::now() {
                if let Some(sent) = self.sent.get_mut(number) {
                    sent.push_back(clock::now());
                    crowd.send(number, &self.message);
                }
                number = (number + 1) % self.used.sockets;
                due += between;
            }
            self.hear(crowd, due.saturating_duration_since(clock::now()))?;
        }
        crowd.until(PATIENCE, "the last messages that are not back", |crowd| {
            self.hear(crowd, Duration::from_millis(10))?;
            Ok(self.sent.iter().all(VecDeque::is_empty))
        })?;
        crowd.all_there()
    }

    fn hear(&mut self, crowd: &mut Crowd, wait: Duration) -> Result<()> {
        let Self { sent, took, .. } = self;
        crowd.turn(wait, |number, heard, _| {
            if let (true, Some(sent)) = (heard.fin, sent.get_mut(number).and_then(VecDeque::pop_front)) {
                took.push((clock::now() - sent).as_secs_f64() * 1e3);
            }
            Ok(())
        })
    }
}

/// How it went for those who wanted to log in.
#[derive(Default)]
struct People {
    logged_in: usize,
    told_later: usize,
}

/// Everybody has an address of their own, so that the throttle holds nobody back.
fn log_in_until(end: Instant, target: SocketAddr, names: &Arc<[String]>, people: u16) -> Result<People> {
    runtime()?.block_on(async {
        let mut all = JoinSet::new();
        for number in 0..people {
            all.spawn(log_in_again_and_again(end, target, Arc::clone(names), number));
        }
        let mut sum = People::default();
        while let Some(person) = all.join_next().await {
            let person = person.map_err(|_| Error::Usage("a task was lost".into()))??;
            sum.logged_in += person.logged_in;
            sum.told_later += person.told_later;
        }
        Ok(sum)
    })
}

async fn log_in_again_and_again(end: Instant, target: SocketAddr, names: Arc<[String]>, number: u16) -> Result<People> {
    let (from, mut done) = (source(number, target), People::default());
    let name = names.get(usize::from(number) % names.len().max(1));
    let name = name.ok_or_else(|| Error::Usage("nobody has an account".into()))?;
    while clock::now() < end {
        match try_to_log_in(from, target, name).await?.answer {
            Tried::LoggedIn(_) => done.logged_in += 1,
            Tried::Later(wait) => {
                done.told_later += 1;
                let wait = wait.mul_f64(1.0 + patience(number, done.told_later));
                tokio::time::sleep(wait.min(end.saturating_duration_since(clock::now()))).await;
            }
        }
    }
    Ok(done)
}

/// How much longer than it was told somebody waits, as a share of it from 0 to 1: people come again at no common moment. It is as good
/// as drawn, and the same in each run.
fn patience(person: u16, times: usize) -> f64 {
    // The golden ratio spreads whole numbers evenly.
    (f64::from(person) * 0.618_034 + times as f64 * 0.414_214).fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_are_told_at_once_to_come_later_come_again_spread_over_the_time() {
        for times in 1..4 {
            for tenth in 0..10 {
                let there = (0..500).map(|person| patience(person, times) * 10.0);
                let count = there.filter(|at| (f64::from(tenth)..f64::from(tenth + 1)).contains(at)).count();
                assert!((45..=55).contains(&count), "{count} in tenth {tenth} of time {times}");
            }
        }
    }
}
