//! One epoll loop on one thread: what the raw baselines and the echo upstream have in common.
//!
//! No runtime, no task, no timer, one read buffer for all: as near to the bare system calls as safe code gets.

use crate::{
    clock,
    error::{Result, Trying},
};
use mio::{
    Events, Interest, Poll, Token,
    net::{TcpListener, TcpStream},
};
use std::{
    io::{ErrorKind, Read, Write},
    net::SocketAddr,
    time::Duration,
};

/// What a server does with the bytes of its peers.
pub(crate) trait Service {
    /// Peer `from` has sent `bytes` (with what was left over before). Returns how many are done with; the rest comes
    /// again in front of the next ones. `Err` ends the peer.
    fn heard(&mut self, from: usize, bytes: &mut [u8], peers: &mut Peers) -> Result<usize>;
}

/// All connected peers, by number. A number is not given twice.
#[derive(Default)]
pub(crate) struct Peers {
    slots: Vec<Option<Peer>>,
}

struct Peer {
    stream: TcpStream,
    /// Received, but not yet a whole.
    rest: Vec<u8>,
    /// What the socket did not take.
    unsent: Vec<u8>,
}

impl Peers {
    /// Writes at once; only what the socket does not take is copied. A peer that is gone is passed over.
    pub(crate) fn send(&mut self, to: usize, bytes: &[u8]) {
        let Some(slot) = self.slots.get_mut(to) else { return };
        let Some(peer) = slot else { return };
        if !peer.unsent.is_empty() {
            peer.unsent.extend_from_slice(bytes);
            return;
        }
        match write(&mut peer.stream, bytes) {
            Ok(taken) => peer.unsent.extend_from_slice(bytes.get(taken..).unwrap_or_default()),
            Err(_) => *slot = None,
        }
    }
}

/// Listens on a free port of the loopback, says `listening on ADDR` on standard output and serves until `life` is over.
pub(crate) fn serve(service: &mut dyn Service, life: Duration) -> Result<()> {
    const LISTENER: Token = Token(usize::MAX);
    let mut poll = Poll::new().trying("epoll")?;
    let mut listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).trying("bind")?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE).trying("register")?;
    announce(listener.local_addr().trying("local address")?)?;
    let end = clock::now() + life;
    let mut events = Events::with_capacity(1024);
    let mut peers = Peers::default();
    let mut scratch = vec![0; 64 * 1024];
    loop {
        let left = end.saturating_duration_since(clock::now());
        if left.is_zero() {
            return Ok(());
        }
        match poll.poll(&mut events, Some(left)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            other => other.trying("epoll")?,
        }
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((mut stream, _)) = listener.accept() {
                    let _ = stream.set_nodelay(true);
                    let token = Token(peers.slots.len());
                    poll.registry()
                        .register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)
                        .trying("register")?;
                    peers.slots.push(Some(Peer { stream, rest: Vec::new(), unsent: Vec::new() }));
                }
                continue;
            }
            let number = event.token().0;
            if event.is_writable() {
                flush(&mut peers, number);
            }
            if (event.is_readable() || event.is_read_closed())
                && !hear(service, &mut peers, number, &mut scratch)
                && let Some(slot) = peers.slots.get_mut(number)
            {
                *slot = None;
            }
        }
    }
}

/// Says where a server listens, in the one line that whoever started it waits for.
pub(crate) fn announce(address: SocketAddr) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening on {address}").and_then(|()| out.flush()).trying("standard output")
}

fn flush(peers: &mut Peers, number: usize) {
    let Some(slot) = peers.slots.get_mut(number) else { return };
    let Some(peer) = slot else { return };
    if peer.unsent.is_empty() {
        return;
    }
    match write(&mut peer.stream, &peer.unsent) {
        Ok(taken) if taken == peer.unsent.len() => peer.unsent = Vec::new(),
        Ok(taken) => drop(peer.unsent.drain(..taken)),
        Err(_) => *slot = None,
    }
}

/// Reads until the socket has no more. `false` when the peer is done for.
fn hear(service: &mut dyn Service, peers: &mut Peers, number: usize, scratch: &mut [u8]) -> bool {
    loop {
        let Some(Some(peer)) = peers.slots.get_mut(number) else { return true };
        let count = match peer.stream.read(scratch) {
            Ok(0) => return false,
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return false,
        };
        let Some(bytes) = scratch.get_mut(..count) else { return false };
        if peer.rest.is_empty() {
            let Ok(done) = service.heard(number, bytes, peers) else { return false };
            if let (Some(Some(peer)), Some(left)) = (peers.slots.get_mut(number), bytes.get(done..)) {
                peer.rest.extend_from_slice(left);
            }
        } else {
            let mut rest = std::mem::take(&mut peer.rest);
            rest.extend_from_slice(bytes);
            let Ok(done) = service.heard(number, &mut rest, peers) else { return false };
            rest.drain(..done.min(rest.len()));
            if let (Some(Some(peer)), false) = (peers.slots.get_mut(number), rest.is_empty()) {
                peer.rest = rest;
            }
        }
        // A read that did not fill the buffer has emptied the socket; what comes later raises a new event.
        if count < scratch.len() {
            return true;
        }
    }
}

/// Writes as much as the socket takes now.
pub(crate) fn write(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<usize> {
    let mut taken = 0;
    while let Some(left) = bytes.get(taken..).filter(|left| !left.is_empty()) {
        match stream.write(left) {
            Ok(count) => taken += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(taken)
}
