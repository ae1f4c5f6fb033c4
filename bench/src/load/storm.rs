//! Connects: what it costs the server to let one in, and what it costs to turn one away.

use super::{
    PATIENCE,
    crowd::Crowd,
    peer::{Peer, Phase, Script},
    raw,
};
use crate::{
    args::Load,
    clock,
    error::{Error, Result},
    spoken::{auth, request},
    token,
};
use serde_json::{Value, json};
use std::time::Duration;

/// How long strangers are sent.
const REFUSALS: Duration = Duration::from_secs(30);

/// `count` sockets are opened and stay. The figure counts them per second of the server's processor time, up to the
/// moment at which the server has nothing left to do.
pub(super) fn admitted(load: &Load, count: usize) -> Result<Value> {
    let mut crowd = Crowd::towards(load.target)?;
    let before = load.server().cpu()?;
    let begun = clock::now();
    // A baseline answers a message as long as a delivery of the fan-out rows.
    crowd.open(count, load.script(&raw(&[b'x'; 128]))?, |peer| peer.phase == Phase::Ready, PATIENCE)?;
    let wall = (clock::now() - begun).as_secs_f64();
    let cpu = load.server().quiet()?.since(before).as_secs_f64();
    crowd.all_there()?;
    Ok(json!({ "value": count as f64 / cpu, "us_each": cpu / count as f64 * 1e6, "cpu_s": cpu, "wall_s": wall }))
}

/// `count` strangers come with a token of another key and are turned away. The figure is processor time per refusal in
/// microseconds. Against a baseline (no path) the same strangers are simply answered.
pub(super) fn refused(load: &Load, count: usize) -> Result<Value> {
    let Some(path) = &load.path else {
        let mut result = admitted(load, count)?;
        let each = result.get("us_each").cloned().unwrap_or_default();
        result["value"] = each;
        return Ok(result);
    };
    let mut key = load.secret()?;
    key.reverse();
    key.push(0);
    let answer = auth(&token::sign(&key, "stranger", clock::unix_seconds()));
    let script = Script::Climb { request: request(load.target, path, None), answer: Some(answer) };
    let mut crowd = Crowd::towards(load.target)?;
    let before = load.server().cpu()?;
    let begun = clock::now();
    let there = |peer: &Peer| matches!(peer.phase, Phase::Ended | Phase::Ready);
    match crowd.open(count, |_| script.clone(), there, REFUSALS) {
        // A server may make strangers wait: then those count that it is done with.
        Ok(()) | Err(Error::TooSlow { .. }) => {}
        Err(error) => return Err(error),
    }
    if crowd.peers.iter().any(|peer| peer.phase == Phase::Ready) {
        return Err(Error::Server("admitted a stranger".into()));
    }
    let wall = (clock::now() - begun).as_secs_f64();
    let cpu = load.server().quiet()?.since(before).as_secs_f64();
    let sum = |what: fn(&Peer) -> u64| crowd.peers.iter().map(what).sum::<u64>();
    let refused = sum(|peer| u64::from(peer.phase == Phase::Ended));
    if refused == 0 {
        return Err(Error::TooSlow { what: "refusing the first stranger".into(), limit: REFUSALS });
    }
    Ok(json!({
        "value": cpu / refused as f64 * 1e6,
        "refused": refused,
        "unfinished": crowd.peers.len() as u64 - refused,
        "told": sum(|peer| u64::from(peer.refused)),
        "by_status": sum(|peer| u64::from(peer.status.is_some())),
        "bytes_each": sum(|peer| peer.received) as f64 / refused as f64,
        "cpu_s": cpu,
        "wall_s": wall,
    }))
}
