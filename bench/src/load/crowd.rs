//! Thousands of peers under one epoll.

use super::peer::{Heard, Peer, Phase, Script};
use crate::{
    clock,
    error::{Error, Result, Trying},
    spoken,
};
use mio::{Events, Interest, Poll, Token, net::TcpStream};
use std::{io::ErrorKind, net::SocketAddr, time::Duration};

/// Peers that may be on their way at once: less than the shortest listen queue that is to be expected.
const ON_THE_WAY: usize = 100;

pub(crate) struct Crowd {
    poll: Poll,
    events: Events,
    scratch: Vec<u8>,
    target: SocketAddr,
    pub(crate) peers: Vec<Peer>,
    /// Numbers of the peers that the last turn has served.
    touched: Vec<usize>,
}

impl Crowd {
    /// Nobody yet.
    pub(crate) fn towards(target: SocketAddr) -> Result<Self> {
        Ok(Self {
            poll: Poll::new().trying("epoll")?,
            events: Events::with_capacity(1024),
            scratch: vec![0; 64 * 1024],
            target,
            peers: Vec::new(),
            touched: Vec::new(),
        })
    }

    /// Connects `count` more peers, some at a time, and returns when all of them are where `there` wants them. A peer that
    /// ends elsewhere is an error. `script` gives each peer's, by its number.
    pub(crate) fn open(
        &mut self,
        count: usize,
        script: impl Fn(usize) -> Script,
        there: impl Fn(&Peer) -> bool,
        limit: Duration,
    ) -> Result<()> {
        let end = clock::now() + limit;
        let all = self.peers.len() + count;
        let mut arrived = vec![false; count];
        let (first, mut missing) = (self.peers.len(), count);
        while missing > 0 {
            while self.peers.len() < all && missing.saturating_sub(all - self.peers.len()) < ON_THE_WAY {
                self.connect(script(self.peers.len()))?;
            }
            if clock::now() > end {
                return Err(Error::TooSlow { what: format!("opening {count} sockets ({missing} missing)"), limit });
            }
            self.turn(Duration::from_millis(100), |_, _, _| Ok(()))?;
            for number in &self.touched {
                let Some(mark) = number.checked_sub(first).and_then(|index| arrived.get_mut(index)) else { continue };
                let Some(peer) = self.peers.get(*number).filter(|_| !*mark) else { continue };
                if there(peer) {
                    *mark = true;
                    missing -= 1;
                } else if peer.phase == Phase::Ended {
                    return Err(Error::Server(peer.epitaph()));
                }
            }
        }
        Ok(())
    }

    /// Sends the same frame to the first `count` peers and waits until each has heard that event in return.
    pub(crate) fn ask(&mut self, count: usize, frame: &[u8], event: &str, limit: Duration) -> Result<()> {
        let mut missing = count;
        let mut answered = vec![false; count];
        for number in 0..count {
            self.send(number, frame);
        }
        self.until(limit, &format!("waiting for {count} times `{event}`"), |crowd| {
            crowd.turn(Duration::from_millis(100), |number, heard, _| {
                match spoken::event(heard.payload).as_deref() {
                    Some(name) if name == event => {
                        if let Some(mark) = answered.get_mut(number).filter(|mark| !**mark) {
                            *mark = true;
                            missing -= 1;
                        }
                    }
                    Some("error") => {
                        let text = String::from_utf8_lossy(heard.payload).into_owned();
                        return Err(Error::Server(format!("answered {text}")));
                    }
                    _ => {}
                }
                Ok(())
            })?;
            Ok(missing == 0)
        })
    }

    /// Repeats until the step says that it is done, or the time is up.
    pub(crate) fn until(
        &mut self,
        limit: Duration,
        what: &str,
        mut step: impl FnMut(&mut Self) -> Result<bool>,
    ) -> Result<()> {
        let end = clock::now() + limit;
        while !step(self)? {
            if clock::now() > end {
                return Err(Error::TooSlow { what: what.to_owned(), limit });
            }
        }
        Ok(())
    }

    /// Sends bytes to the server through one peer.
    pub(crate) fn send(&mut self, number: usize, bytes: &[u8]) {
        if let Some(peer) = self.peers.get_mut(number) {
            peer.out.extend_from_slice(bytes);
            peer.flush();
        }
    }

    /// Waits for events and serves them. The handler gets the peer's number, what it heard, and its output.
    pub(crate) fn turn(
        &mut self,
        wait: Duration,
        mut heard: impl FnMut(usize, Heard<'_>, &mut Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        self.touched.clear();
        match self.poll.poll(&mut self.events, Some(wait)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            other => other.trying("epoll")?,
        }
        for event in &self.events {
            let number = event.token().0;
            let Some(peer) = self.peers.get_mut(number) else { continue };
            peer.serve(event, &mut self.scratch, |frame, out| heard(number, frame, out))?;
            self.touched.push(number);
        }
        Ok(())
    }

    /// How many peers the last turn has served, each by what had come for it since it was served before.
    pub(crate) fn served(&self) -> usize {
        self.touched.len()
    }

    /// An error if any peer is no longer there.
    pub(crate) fn all_there(&self) -> Result<()> {
        match self.peers.iter().find(|peer| peer.phase == Phase::Ended) {
            Some(peer) => Err(Error::Server(peer.epitaph())),
            None => Ok(()),
        }
    }

    fn connect(&mut self, script: Script) -> Result<()> {
        let mut stream = TcpStream::connect(self.target).trying(format!("connecting to {}", self.target))?;
        let token = Token(self.peers.len());
        let both = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut stream, token, both).trying("register")?;
        self.peers.push(Peer::new(stream, script));
        Ok(())
    }
}
