//! The raw baselines: programs that do the least that could be done for a row, and nothing else.
//!
//! They speak frames without a handshake: no HTTP, no token, no JSON. Their figures are the floor (or the ceiling) of the
//! machine for the moment at which they are taken, which is why every row runs them alternately with Doorward.

mod fanout;
mod files;
mod hashing;
mod tasks;

use crate::{
    epoll::{self, Peers, Service},
    error::Result,
};
use std::{net::SocketAddr, time::Duration};

/// Which baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Mode {
    /// Every message of the publisher goes to every subscriber, one send per delivery.
    Fanout,
    /// The same, but all the messages of one read go to a subscriber in one send.
    FanoutBatch,
    /// Accept a connection, read one message, write one message.
    Connect,
    /// Compare the password that a message is with a hash of it, one after another.
    Hashing,
    /// Answer each request of 9P with as many bytes as a file server would.
    Files,
    /// A tokio task per connection that holds the stream and waits.
    IdleTokio,
    /// A TCP relay: tokio's `copy_bidirectional` with buffers of 8 KiB.
    Relay,
}

/// First message of a subscriber in the fan-out modes.
pub(crate) const SUBSCRIBER: &[u8] = b"S";
/// First message of the publisher in the fan-out modes.
pub(crate) const PUBLISHER: &[u8] = b"P";

/// Runs one baseline until `life` is over.
pub(crate) fn run(mode: Mode, upstream: Option<SocketAddr>, life: Duration) -> Result<()> {
    match mode {
        Mode::Fanout => epoll::serve(&mut fanout::Fanout::one_by_one(), life),
        Mode::FanoutBatch => epoll::serve(&mut fanout::Fanout::batched(), life),
        Mode::Connect => epoll::serve(&mut Mirror, life),
        Mode::Hashing => epoll::serve(&mut hashing::Hasher::new()?, life),
        Mode::Files => epoll::serve(&mut files::Files::default(), life),
        Mode::IdleTokio => tasks::idle(life),
        Mode::Relay => tasks::relay(upstream, life),
    }
}

/// Answers every read with the same bytes.
struct Mirror;

impl Service for Mirror {
    fn heard(&mut self, from: usize, bytes: &mut [u8], peers: &mut Peers) -> Result<usize> {
        peers.send(from, bytes);
        Ok(bytes.len())
    }
}
