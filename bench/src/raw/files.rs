//! Writes and reads of a file, with no file and nothing around it, on one thread.
//!
//! user   -> server  a frame: a request of 9P
//! server -> user    a frame: an answer as long as a file server's

use crate::{
    epoll::{Peers, Service},
    error::{Error, Result},
    frames, ninep,
};

/// What is being answered, kept for the memory that it has.
#[derive(Default)]
pub(super) struct Files {
    answer: Vec<u8>,
    framed: Vec<u8>,
}

impl Service for Files {
    fn heard(&mut self, from: usize, bytes: &mut [u8], peers: &mut Peers) -> Result<usize> {
        let mut done = 0;
        while let Some(left) = bytes.get(done..) {
            let Some(frame) = frames::first(left)? else { break };
            let request = left.get(frame.start..frame.end);
            let request = request.ok_or_else(|| Error::Usage("frame out of its buffer".into()))?;
            self.answer.clear();
            self.framed.clear();
            ninep::least_answer(request, &mut self.answer)?;
            frames::append(&mut self.framed, frames::BINARY, None, &self.answer);
            peers.send(from, &self.framed);
            done += frame.end;
        }
        Ok(done)
    }
}
