//! Ending an account: from the request to the HTTP API to the last of the account's sockets that has heard of it.
//!
//! load   -> api      make an account                  once
//! user   -> site     log in                           before each run: an ending ends the login, too
//! user   -> server   connect, showing the cookie      once for each socket
//! load   -> api      end the account's logins         the clock starts before the request is written
//! server -> user     Close 4410, on each              the last of them ends the run
//! api    -> load     receipt, in which each of them stands

use super::{
    PATIENCE,
    crowd::Crowd,
    ending::{SESSION_ENDED, all_ended, beside, told, within_of},
    exchange::runtime,
    peer::{Phase, Script},
    site::{Api, log_in},
};
use crate::{
    args::Load,
    error::{Error, Result},
    spoken::request_of_page,
    stats::percentile,
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const NAME: &str = "everywhere";

/// What one run took, in milliseconds from the request on.
struct Run {
    last: f64,
    receipt: f64,
    within: f64,
    /// Processor time of the server.
    cpu: f64,
    /// Every Close.
    closes: Vec<f64>,
}

/// The figure is that of the slowest run: milliseconds until the last of `count` sockets has heard that its login is over.
pub(super) fn run(load: &Load, count: usize, runs: u16) -> Result<Value> {
    let path = load.path.as_deref().ok_or_else(|| Error::Usage("an account's sockets need `--path`".into()))?;
    let api = Api::of(load)?;
    let account = api.account(NAME)?;
    let mut taken = Vec::new();
    for _ in 0..runs {
        taken.push(end_once(load, path, &api, &account, count)?);
    }
    let of_runs = |figure: fn(&Run) -> f64| taken.iter().map(figure).collect::<Vec<_>>();
    let (last, receipts, within) = (of_runs(|run| run.last), of_runs(|run| run.receipt), of_runs(|run| run.within));
    let closes: Vec<f64> = taken.iter().flat_map(|run| run.closes.iter().copied()).collect();
    Ok(json!({
        "value": percentile(&last, 1.0),
        "runs": runs,
        "p50_ms": percentile(&last, 0.5),
        "p99_ms": percentile(&last, 0.99),
        "max_ms": percentile(&last, 1.0),
        "close_p50_ms": percentile(&closes, 0.5),
        "close_p99_ms": percentile(&closes, 0.99),
        "receipt_p50_ms": percentile(&receipts, 0.5),
        "receipt_max_ms": percentile(&receipts, 1.0),
        "within_p50_ms": percentile(&within, 0.5),
        "within_max_ms": percentile(&within, 1.0),
        "cpu_p50_ms": percentile(&of_runs(|run| run.cpu), 0.5),
        "ended": count,
        "all_ms": last,
    }))
}

fn end_once(load: &Load, path: &str, api: &Api, account: &str, count: usize) -> Result<Run> {
    let cookie = runtime()?.block_on(log_in(None, load.target, NAME))?.answer;
    let script = Script::Climb { request: request_of_page(load.target, path, &cookie), answer: None };
    let mut crowd = Crowd::towards(load.target)?;
    crowd.open(count, |_| script.clone(), |peer| peer.phase == Phase::Ready, PATIENCE)?;
    crowd.turn(Duration::ZERO, |_, _, _| Ok(()))?;
    crowd.all_there()?;

    let (api, account, before) = (api.clone(), account.to_owned(), load.server().cpu()?);
    let answer = beside(move || api.end(&account));
    let (last, answered) = all_ended(&mut crowd, &answer)?;
    let cpu = load.server().cpu()?.since(before).as_secs_f64() * 1e3;
    told(&crowd.peers, Some(SESSION_ENDED))?;
    let within = within_of(&answered.answer, count)?;
    let since = |at: Instant| (at - answered.asked).as_secs_f64() * 1e3;
    let closes = crowd.peers.iter().filter_map(|peer| peer.closed_at).map(since).collect();
    Ok(Run { last: since(last), receipt: since(answered.heard), within, cpu, closes })
}
