//! A file of 9P that is written and read in turns, one request under way on each connection.
//!
//! peer -> server  Twalk, Topen     the file of an object of a channel, each peer's own
//! peer -> server  Twrite           publishes as many bytes
//! peer -> server  Tread            the same bytes: the next message since the file was opened

use super::{
    PATIENCE,
    crowd::Crowd,
    frames,
    peer::{Heard, Phase},
    raw,
};
use crate::{
    args::Load,
    clock,
    error::{Error, Result},
    ninep::{self, OPEN, READ, WALK, WRITE},
    spoken::MASK,
};
use serde_json::{Value, json};
use std::time::Duration;

/// The channel that the files are of.
const CHANNEL: [&str; 2] = ["channels", "bench"];

/// The figure counts reads and writes per second of the server's processor time.
pub(super) fn run(load: &Load, connections: usize, bytes: u32, time: Duration) -> Result<Value> {
    let mut crowd = Crowd::towards(load.target)?;
    crowd.open(connections, load.script(&raw(&ninep::version()))?, |peer| peer.phase == Phase::Ready, PATIENCE)?;
    // A baseline unmasks nothing.
    let mask = load.path.is_some().then_some(MASK);
    let frame = |message: &[u8]| frames::encode(frames::BINARY, mask, message);
    for number in 0..connections {
        let walk = ninep::walk(&[&CHANNEL[..], &[&number.to_string()]].concat());
        crowd.send(number, &[frame(&walk), frame(&ninep::open_to_read_and_write())].concat());
    }
    let write = frame(&ninep::write(&message(bytes)));
    let mut files = Files { bytes: bytes as usize, write, read: frame(&ninep::read(bytes)), done: 0 };
    files.run_for(&mut crowd, time / 5)?;
    let (begun, before, done) = (clock::now(), load.server().cpu()?, files.done);
    files.run_for(&mut crowd, time)?;
    let cpu = load.server().cpu()?.since(before).as_secs_f64();
    let wall = (clock::now() - begun).as_secs_f64();
    let requests = files.done - done;
    if requests == 0 {
        return Err(Error::Server("answered no read and no write".into()));
    }
    Ok(json!({
        "value": requests as f64 / cpu,
        "bytes_per_cpu_s": requests as f64 * f64::from(bytes) / cpu,
        "requests": requests,
        "cpu_s": cpu,
        "wall_s": wall,
    }))
}

/// What is published: JSON, and the newline with which it will be read.
fn message(bytes: u32) -> Vec<u8> {
    let filler = "x".repeat((bytes as usize).saturating_sub(3));
    format!("\"{filler}\"\n").into_bytes()
}

struct Files {
    bytes: usize,
    /// The two frames, masked once.
    write: Vec<u8>,
    read: Vec<u8>,
    /// Reads and writes that were answered.
    done: u64,
}

impl Files {
    fn run_for(&mut self, crowd: &mut Crowd, time: Duration) -> Result<()> {
        let end = clock::now() + time;
        while clock::now() < end {
            crowd.turn(Duration::from_millis(100), |_, heard, out| self.go_on(heard, out))?;
        }
        crowd.all_there()
    }

    fn go_on(&mut self, heard: Heard<'_>, out: &mut Vec<u8>) -> Result<()> {
        match ninep::answered(heard.payload)? {
            WALK => return Ok(()),
            OPEN => out.extend_from_slice(&self.write),
            WRITE => {
                self.done += 1;
                out.extend_from_slice(&self.read);
            }
            READ if ninep::data_in(heard.payload) == self.bytes => {
                self.done += 1;
                out.extend_from_slice(&self.write);
            }
            READ => {
                let length = ninep::data_in(heard.payload);
                return Err(Error::Server(format!("answered a read of {} bytes with {length}", self.bytes)));
            }
            other => return Err(Error::Server(format!("answered a request of type {other} that nobody made"))),
        }
        Ok(())
    }
}
