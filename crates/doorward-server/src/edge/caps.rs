use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use doorward_auth::{ports::Rng, throttle::network_of};
use tokio::sync::Notify;

/// How many connections there may be.
#[derive(Clone, Copy, Debug)]
pub struct CapsLimits {
    /// Not yet admitted, of one source.
    pub climbing_per_source: usize,
    /// Not yet admitted, on this node.
    pub climbing_per_node: usize,
    /// From how many not yet admitted on a share of new ones is dropped, growing from 30 % to all.
    pub climbing_early_drop: usize,
    /// Live ones of one source.
    pub sockets_per_source: usize,
    /// Live ones on this node.
    pub sockets_per_node: usize,
}

/// Why there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// Too many of this source climb at once.
    #[error("too many connections of this source are not admitted yet")]
    SourceClimbing,
    /// Too many climb on this node, or the early drop took this one.
    #[error("too many connections of this node are not admitted yet")]
    NodeClimbing,
    /// This source has too many sockets.
    #[error("this source has too many sockets")]
    SourceSockets,
    /// This node has too many sockets.
    #[error("this node has too many sockets")]
    NodeSockets,
}

/// Counts connections by source and on the node, before and after admission.
///
/// A source is an IPv4 address, or the /64 network of an IPv6 address.
pub struct Caps {
    limits: CapsLimits,
    rng: Arc<dyn Rng>,
    counts: Mutex<Counts>,
    /// Told when nobody is left whose request has come and who is not admitted, and when nobody is left at all.
    idle: Notify,
}

#[derive(Default)]
struct Counts {
    climbing: usize,
    /// Of those who climb, those whose request has come.
    heard: usize,
    sockets: usize,
    sources: HashMap<IpAddr, PerSource>,
}

#[derive(Default)]
struct PerSource {
    climbing: usize,
    sockets: usize,
}

/// A place among those who climb; given back when it is dropped.
pub struct Pass {
    caps: Arc<Caps>,
    source: Option<IpAddr>,
    heard: bool,
    admitted: bool,
}

impl Caps {
    /// With these limits. The random numbers are for the early drop.
    pub fn new(limits: CapsLimits, rng: Arc<dyn Rng>) -> Arc<Self> {
        Arc::new(Self { limits, rng, counts: Mutex::default(), idle: Notify::new() })
    }

    /// A place among those who climb, counted for the node alone: the source is not known yet.
    pub fn enter(self: &Arc<Self>) -> Result<Pass, Full> {
        let mut counts = self.lock();
        if counts.climbing >= self.limits.climbing_per_node || self.drops_early(counts.climbing) {
            return Err(Full::NodeClimbing);
        }
        counts.climbing += 1;
        Ok(Pass { caps: Arc::clone(self), source: None, heard: false, admitted: false })
    }

    /// Live sockets and climbs on this node.
    pub fn counts(&self) -> (usize, usize) {
        let counts = self.lock();
        (counts.sockets, counts.climbing)
    }

    /// Waits until nobody climbs whose request has come. Who has said nothing yet is not waited for.
    pub async fn none_climbs(&self) {
        self.until(|counts| counts.heard == 0).await;
    }

    /// Waits until nobody is here: every place has been given back.
    pub async fn none_is_here(&self) {
        self.until(|counts| counts.climbing == 0 && counts.sockets == 0).await;
    }

    async fn until(&self, holds: impl Fn(&Counts) -> bool) {
        loop {
            let idle = self.idle.notified();
            if holds(&self.lock()) {
                return;
            }
            idle.await;
        }
    }

    /// From the early limit on 30 % are dropped, and linearly more up to all of them at the node's limit.
    fn drops_early(&self, climbing: usize) -> bool {
        let (from, to) = (self.limits.climbing_early_drop, self.limits.climbing_per_node);
        if climbing < from || to <= from {
            return false;
        }
        let share = 30 + 70 * (climbing - from) / (to - from);
        let mut byte = [0; 2];
        self.rng.fill(&mut byte);
        usize::from(u16::from_be_bytes(byte)) % 100 < share
    }

    /// One who climbs no more, or is gone.
    fn leave(&self, counts: &mut Counts, was_heard: bool) {
        counts.heard -= usize::from(was_heard);
        if (was_heard && counts.heard == 0) || (counts.climbing == 0 && counts.sockets == 0) {
            self.idle.notify_waiters();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass {
    /// Its request has come: from here on it has something to lose.
    pub fn heard(&mut self) {
        if !self.heard {
            self.caps.lock().heard += 1;
            self.heard = true;
        }
    }

    /// Counts this place for its source too, once that is known, and looks whether the source may have a socket more.
    pub fn of_source(&mut self, source: IpAddr) -> Result<(), Full> {
        self.count_for(source, true)
    }

    /// Counts this place for its source, which may have as many sockets as it has.
    pub(super) fn climbs_from(&mut self, source: IpAddr) -> Result<(), Full> {
        self.count_for(source, false)
    }

    fn count_for(&mut self, source: IpAddr, wants_socket: bool) -> Result<(), Full> {
        let source = network_of(source);
        let mut counts = self.caps.lock();
        let of_source = counts.sources.entry(source).or_default();
        if self.source.is_none() && of_source.climbing >= self.caps.limits.climbing_per_source {
            return Err(Full::SourceClimbing);
        }
        if wants_socket && of_source.sockets >= self.caps.limits.sockets_per_source {
            return Err(Full::SourceSockets);
        }
        if self.source.is_none() {
            of_source.climbing += 1;
            self.source = Some(source);
        }
        Ok(())
    }

    /// Turns a place among those who climb into one among the sockets.
    pub fn admit(&mut self) -> Result<(), Full> {
        let mut counts = self.caps.lock();
        if counts.sockets >= self.caps.limits.sockets_per_node {
            return Err(Full::NodeSockets);
        }
        if let Some(source) = self.source {
            let of_source = counts.sources.entry(source).or_default();
            if of_source.sockets >= self.caps.limits.sockets_per_source {
                return Err(Full::SourceSockets);
            }
            of_source.climbing -= 1;
            of_source.sockets += 1;
        }
        counts.climbing -= 1;
        counts.sockets += 1;
        self.caps.leave(&mut counts, std::mem::take(&mut self.heard));
        drop(counts);
        self.admitted = true;
        Ok(())
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut counts = self.caps.lock();
        *if self.admitted { &mut counts.sockets } else { &mut counts.climbing } -= 1;
        self.caps.leave(&mut counts, self.heard);
        let Some(source) = self.source else { return };
        if let Some(of_source) = counts.sources.get_mut(&source) {
            *if self.admitted { &mut of_source.sockets } else { &mut of_source.climbing } -= 1;
            if of_source.climbing == 0 && of_source.sockets == 0 {
                counts.sources.remove(&source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Random numbers that are always the highest: the early drop takes nobody but at its limit.
    struct Highest;

    impl Rng for Highest {
        fn fill(&self, bytes: &mut [u8]) {
            // 0xFFFF % 100 = 35: dropped as soon as the share is over 35 %.
            bytes.fill(0xFF);
        }
    }

    fn caps(limits: CapsLimits) -> Arc<Caps> {
        Caps::new(limits, Arc::new(Highest))
    }

    const ROOMY: CapsLimits = CapsLimits {
        climbing_per_source: 100,
        climbing_per_node: 100,
        climbing_early_drop: 100,
        sockets_per_source: 100,
        sockets_per_node: 100,
    };

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn a_source_may_climb_only_so_often_at_once_and_others_still_may() {
        let caps = caps(CapsLimits { climbing_per_source: 2, ..ROOMY });
        let held: Vec<_> = (0..2)
            .map(|_| {
                let mut pass = caps.enter().unwrap();
                pass.of_source(HERE).unwrap();
                pass
            })
            .collect();
        assert_eq!(caps.enter().unwrap().of_source(HERE), Err(Full::SourceClimbing));
        assert_eq!(caps.enter().unwrap().of_source(IpAddr::from([127, 0, 0, 2])), Ok(()));
        drop(held);
        assert_eq!(caps.enter().unwrap().of_source(HERE), Ok(()));
    }

    #[test]
    fn a_source_that_has_all_its_sockets_may_come_to_one_of_them_but_not_too_often_at_once() {
        let caps = caps(CapsLimits { climbing_per_source: 1, sockets_per_source: 1, ..ROOMY });
        let mut socket = caps.enter().unwrap();
        socket.of_source(HERE).unwrap();
        socket.admit().unwrap();
        let mut request = caps.enter().unwrap();
        assert_eq!(request.of_source(HERE), Err(Full::SourceSockets));
        assert_eq!(request.climbs_from(HERE), Ok(()));
        assert_eq!(request.of_source(HERE), Err(Full::SourceSockets), "and is none of them");
        assert_eq!(caps.enter().unwrap().climbs_from(HERE), Err(Full::SourceClimbing));
        drop((request, socket));
        assert!(caps.lock().sources.is_empty());
    }

    #[test]
    fn neighbours_in_one_ipv6_network_are_one_source() {
        let caps = caps(CapsLimits { climbing_per_source: 1, ..ROOMY });
        let mut first = caps.enter().unwrap();
        first.of_source("2001:db8::1".parse().unwrap()).unwrap();
        assert_eq!(caps.enter().unwrap().of_source("2001:db8::2".parse().unwrap()), Err(Full::SourceClimbing));
        assert_eq!(caps.enter().unwrap().of_source("2001:db8:0:1::1".parse().unwrap()), Ok(()));
    }

    #[test]
    fn an_admitted_one_makes_room_among_those_who_climb() {
        let caps = caps(CapsLimits { climbing_per_source: 1, sockets_per_node: 1, ..ROOMY });
        let mut first = caps.enter().unwrap();
        first.of_source(HERE).unwrap();
        first.admit().unwrap();
        let mut second = caps.enter().unwrap();
        second.of_source(HERE).unwrap();
        assert_eq!(second.admit(), Err(Full::NodeSockets));
        drop(first);
        assert_eq!(second.admit(), Ok(()));
        drop(second);
        assert_eq!(caps.counts(), (0, 0));
        assert!(caps.lock().sources.is_empty());
    }

    #[tokio::test]
    async fn who_has_said_nothing_is_not_waited_for_and_who_has_is_until_it_is_admitted_or_gone() {
        use futures_util::FutureExt;
        let caps = caps(ROOMY);
        let _silent = caps.enter().unwrap();
        let [mut climbing, mut admitted] = [(); 2].map(|()| caps.enter().unwrap());
        assert!(caps.none_climbs().now_or_never().is_some());
        climbing.heard();
        climbing.heard();
        admitted.heard();
        let none_climbs = caps.none_climbs();
        tokio::pin!(none_climbs);
        assert!(none_climbs.as_mut().now_or_never().is_none());
        admitted.admit().unwrap();
        assert!(none_climbs.as_mut().now_or_never().is_none());
        drop(climbing);
        assert!(none_climbs.now_or_never().is_some());
        drop(admitted);
        assert_eq!(caps.counts(), (0, 1));
    }

    #[test]
    fn the_early_drop_grows_up_to_all_at_the_limit() {
        let caps = caps(CapsLimits { climbing_early_drop: 10, climbing_per_node: 20, ..ROOMY });
        // 30 % at ten, 37 % at eleven: with the number 35 the eleventh passes and the twelfth does not.
        let held: Vec<_> = std::iter::from_fn(|| caps.enter().ok()).take(15).collect();
        assert_eq!(held.len(), 11);
    }
}
