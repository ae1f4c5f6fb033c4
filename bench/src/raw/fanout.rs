//! Fan-out with nothing around it.
//!
//! subscriber -> server      frame "S"
//! server     -> subscriber  frame "S"
//! publisher  -> server      frame "P"
//! server     -> publisher   frame "P"
//! publisher  -> server      message (a whole frame, unmasked)
//! server     -> subscriber  the same bytes, to each

use super::{PUBLISHER, SUBSCRIBER};
use crate::{
    epoll::{Peers, Service},
    error::{Error, Result},
    frames,
};

/// Subscribers are those who said so; the publisher is whoever sends messages.
pub(super) struct Fanout {
    subscribers: Vec<usize>,
    batched: bool,
}

impl Fanout {
    /// One send per delivery.
    pub(super) fn one_by_one() -> Self {
        Self { subscribers: Vec::new(), batched: false }
    }

    /// One send per subscriber and read.
    pub(super) fn batched() -> Self {
        Self { subscribers: Vec::new(), batched: true }
    }

    fn deliver(&self, messages: &[u8], peers: &mut Peers) {
        if !messages.is_empty() {
            for subscriber in &self.subscribers {
                peers.send(*subscriber, messages);
            }
        }
    }
}

impl Service for Fanout {
    fn heard(&mut self, from: usize, bytes: &mut [u8], peers: &mut Peers) -> Result<usize> {
        let mut done = 0;
        let mut batch = 0;
        while let Some(left) = bytes.get(done..) {
            let Some(frame) = frames::first(left)? else { break };
            let whole = left.get(..frame.end).ok_or_else(|| Error::Usage("frame out of its buffer".into()))?;
            let greeting = left.get(frame.start..frame.end).filter(|word| *word == SUBSCRIBER || *word == PUBLISHER);
            done += frame.end;
            match greeting {
                Some(word) => {
                    if word == SUBSCRIBER {
                        self.subscribers.push(from);
                    }
                    peers.send(from, whole);
                    batch = done;
                }
                None if self.batched => {}
                None => self.deliver(whole, peers),
            }
        }
        if self.batched {
            self.deliver(bytes.get(batch..done).unwrap_or_default(), peers);
        }
        Ok(done)
    }
}
