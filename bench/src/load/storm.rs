//! Connects: what it costs the server to let one in, and what it costs to turn one away.

use super::{PATIENCE, auth, crowd::Crowd, peer::Phase, peer::Script, raw, request};
use crate::{
    args::Load,
    clock,
    error::{Error, Result},
    token,
};
use serde_json::{Value, json};

/// `count` sockets are opened and stay. The figure counts them per second of the server's processor time, up to the
/// moment at which the server has nothing left to do.
pub(super) fn admitted(load: &Load, count: usize) -> Result<Value> {
    let mut crowd = Crowd::towards(load.target)?;
    let before = load.server().cpu()?;
    let begun = clock::now();
    // A baseline answers a message as long as a delivery of the fan-out rows.
    crowd.open(count, &load.script(&raw(&[b'x'; 128]))?, |peer| peer.phase == Phase::Ready, PATIENCE)?;
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
    crowd.open(count, &script, |peer| peer.phase == Phase::Ended, PATIENCE)?;
    let wall = (clock::now() - begun).as_secs_f64();
    let cpu = load.server().quiet()?.since(before).as_secs_f64();
    let sum = |what: fn(&super::peer::Peer) -> u64| crowd.peers.iter().map(what).sum::<u64>();
    let told = sum(|peer| u64::from(peer.refused));
    let by_status = sum(|peer| u64::from(peer.status.is_some()));
    let without_a_word = sum(|peer| u64::from(!peer.refused && peer.status.is_none() && peer.close_code.is_none()));
    if without_a_word > 0 {
        return Err(Error::Server(format!("hung up on {without_a_word} of {count} strangers without a word")));
    }
    Ok(json!({
        "value": cpu / count as f64 * 1e6,
        "refused": count,
        "told": told,
        "by_status": by_status,
        "bytes_each": sum(|peer| peer.received) as f64 / count as f64,
        "cpu_s": cpu,
        "wall_s": wall,
    }))
}
