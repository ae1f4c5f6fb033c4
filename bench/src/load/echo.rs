//! Round trips through a relay, `depth` of them under way on each connection.

use super::{PATIENCE, crowd::Crowd, frames, peer::Phase, raw};
use crate::{
    args::Load,
    clock,
    error::{Error, Result},
    spoken::MASK,
};
use serde_json::{Value, json};
use std::time::Duration;

/// The figure counts messages in both directions (two per round trip) per second of the server's processor time.
pub(super) fn run(load: &Load, connections: usize, depth: usize, bytes: usize, time: Duration) -> Result<Value> {
    let mut crowd = Crowd::towards(load.target)?;
    crowd.open(connections, load.script(&raw(b"S"))?, |peer| peer.phase == Phase::Ready, PATIENCE)?;
    let message = frames::encode(frames::BINARY, Some(MASK), &vec![b'x'; bytes]);
    let batch = message.repeat(depth);
    for number in 0..connections {
        crowd.send(number, &batch);
    }
    let mut echo = Echo { message, bytes, partial: vec![0; connections], back: 0 };
    echo.run_for(&mut crowd, time / 5)?;
    let (begun, before, done) = (clock::now(), load.server().cpu()?, echo.back);
    echo.run_for(&mut crowd, time)?;
    let cpu = load.server().cpu()?.since(before).as_secs_f64();
    let wall = (clock::now() - begun).as_secs_f64();
    let messages = 2 * (echo.back - done);
    if messages == 0 {
        return Err(Error::Server("echoed nothing".into()));
    }
    Ok(json!({
        "value": messages as f64 / cpu,
        "bytes_per_cpu_s": messages as f64 * bytes as f64 / cpu,
        "messages": messages,
        "cpu_s": cpu,
        "wall_s": wall,
    }))
}

struct Echo {
    /// The client's frame, masked once.
    message: Vec<u8>,
    bytes: usize,
    /// Bytes of the message that each connection is in the middle of: a relay may cut a message into several frames.
    partial: Vec<usize>,
    /// Messages that have come back.
    back: u64,
}

impl Echo {
    fn run_for(&mut self, crowd: &mut Crowd, time: Duration) -> Result<()> {
        let end = clock::now() + time;
        while clock::now() < end {
            let Self { message, bytes, partial, back } = self;
            crowd.turn(Duration::from_millis(100), |number, heard, out| {
                let Some(total) = partial.get_mut(number) else { return Ok(()) };
                *total += heard.payload.len();
                if heard.fin {
                    if *total != *bytes {
                        return Err(Error::Server(format!("echoed {total} of {bytes} bytes")));
                    }
                    *total = 0;
                    *back += 1;
                    out.extend_from_slice(message);
                }
                Ok(())
            })?;
        }
        crowd.all_there()
    }
}
