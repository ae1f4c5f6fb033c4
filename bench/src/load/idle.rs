//! Memory: how much larger the server is with many quiet sockets than before the first one.

use super::{
    PATIENCE,
    crowd::Crowd,
    frames,
    peer::{Phase, Script},
    raw,
};
use crate::{
    args::Load,
    error::{Error, Result},
    spoken::{MASK, auth, request},
};
use serde_json::{Value, json};
use std::time::Duration;

/// Opens `count` sockets and looks at the server's resident memory per socket.
///
/// With `carry` every socket first echoes one message of that many bytes. With `hold` all sockets stop in the middle of
/// their climb, before their answer, and are let in together once the last has come.
pub(super) fn run(load: &Load, count: usize, carry: Option<usize>, hold: bool) -> Result<Value> {
    let server = load.server();
    let before = server.settled()?;
    let per_socket = |bytes: u64| bytes.saturating_sub(before) as f64 / count as f64;
    let mut crowd = Crowd::towards(load.target)?;
    let mut climbing = None;
    match &load.path {
        Some(path) if hold => {
            let script = Script::Climb { request: request(load.target, path, None), answer: None };
            crowd.open(count, |_| script.clone(), |peer| peer.asked, PATIENCE)?;
            climbing = Some(per_socket(server.resident()?));
            let token = load.tokens()?;
            for number in 0..count {
                crowd.send(number, &auth(&token(number)));
            }
            crowd.until(PATIENCE, "admitting all climbs", |crowd| {
                crowd.turn(Duration::from_millis(100), |_, _, _| Ok(()))?;
                crowd.all_there()?;
                Ok(crowd.peers.iter().all(|peer| peer.phase == Phase::Ready))
            })?;
        }
        _ => crowd.open(count, load.script(&raw(b"S"))?, |peer| peer.phase == Phase::Ready, PATIENCE)?,
    }
    if let Some(bytes) = carry {
        echo_once(&mut crowd, bytes)?;
    }
    let at_once = server.resident()?;
    let after = server.settled()?;
    // Whatever ended meanwhile is only seen by looking.
    crowd.turn(Duration::ZERO, |_, _, _| Ok(()))?;
    crowd.all_there()?;
    Ok(json!({
        "value": per_socket(after),
        "at_once": per_socket(at_once),
        "climbing": climbing,
        "before_mb": before as f64 / 1e6,
        "after_mb": after as f64 / 1e6,
    }))
}

/// Sends one message through each peer, some peers at a time, and waits until all of it has come back.
fn echo_once(crowd: &mut Crowd, bytes: usize) -> Result<()> {
    const AT_ONCE: usize = 64;
    let message = frames::encode(frames::TEXT, Some(MASK), &vec![b'x'; bytes]);
    let count = crowd.peers.len();
    let (mut sent, mut back) = (0, 0);
    let mut heard_by = vec![0; count];
    crowd.until(PATIENCE, &format!("echoing {bytes} bytes on each socket"), |crowd| {
        while sent < count && sent - back < AT_ONCE {
            crowd.send(sent, &message);
            sent += 1;
        }
        crowd.turn(Duration::from_millis(100), |number, heard, _| {
            let Some(total) = heard_by.get_mut(number) else { return Ok(()) };
            *total += heard.payload.len();
            if heard.fin {
                back += 1;
                if *total != bytes {
                    return Err(Error::Server(format!("echoed {total} of {bytes} bytes")));
                }
            }
            Ok(())
        })?;
        Ok(back == count)
    })
}
