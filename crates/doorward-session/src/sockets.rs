use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use doorward_auth::{
    Admission, OnlyOne,
    ports::{Clock, Rng},
};
use doorward_types::{CloseReason, Cursor, Rest, SocketId, Timestamp};
use tokio::{task::JoinSet, time::MissedTickBehavior};

use crate::{
    Ended, Fail, Observer, Revocations, Socket, SocketPolicy, Steady, Transport,
    flusher::Flusher,
    index::{Key, Shard},
    lease::{Lease, Stage},
    lock::lock,
    moment::Moment,
    observer::Unobserved,
    room::{at_the_same_gate, make_room, others_of},
    socket::Says,
    steady::TokioTime,
    wall::Wall,
    wheel::{TICK, Wheel},
};

const SHARDS: u8 = 16;
const MOST_FLUSHERS: usize = 8;

/// The live sockets of one node: a registry, indexed by their ids and by everything that their admissions rest on.
///
/// No schedule leaves a socket that no ending can reach. An ending is written into the revocation view first and then looks
/// into every shard; a registration looks into the view and enters its shard under one hold of the shard's lock. So either the
/// registration sees the ending, or the ending sees the socket.
pub struct Sockets {
    clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
    time: Arc<dyn Steady>,
    /// When the registry began: time zero of everything monotonic here.
    started: Duration,
    pub(crate) lease: Lease,
    pub(crate) revocations: Revocations,
    hasher: RandomState,
    pub(crate) shards: Vec<Mutex<Shard>>,
    live: AtomicUsize,
    pub(crate) draining: AtomicBool,
    flushers: Vec<Flusher>,
    wheel: Wheel<Socket>,
    pub(crate) observer: Arc<dyn Observer>,
}

impl Sockets {
    /// An empty registry. Nothing is flushed, pinged or expired until [`run`](Self::run) runs.
    pub fn new(clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Arc<Self> {
        Self::with_time(clock, Arc::new(TokioTime::from_now()), rng)
    }

    /// As [`new`](Self::new), with a clock of its own for all that it measures.
    pub fn with_time(clock: Arc<dyn Clock>, time: Arc<dyn Steady>, rng: Arc<dyn Rng>) -> Arc<Self> {
        Self::observed(clock, time, rng, Arc::new(Unobserved))
    }

    /// As [`with_time`](Self::with_time), with somebody who is told how its sockets end.
    pub fn observed(
        clock: Arc<dyn Clock>,
        time: Arc<dyn Steady>,
        rng: Arc<dyn Rng>,
        observer: Arc<dyn Observer>,
    ) -> Arc<Self> {
        let flushers = std::thread::available_parallelism().map_or(1, |cores| cores.get().min(MOST_FLUSHERS));
        Arc::new(Self {
            clock,
            rng,
            started: time.elapsed(),
            time,
            lease: Lease::without_end(),
            revocations: Revocations::default(),
            hasher: RandomState::new(),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            live: AtomicUsize::new(0),
            draining: AtomicBool::new(false),
            flushers: (0..flushers).map(|_| Flusher::default()).collect(),
            wheel: Wheel::new(),
            observer,
        })
    }

    /// The registry's own work, for ever: writing what was sent, and looking at sockets whose time has come. Spawn it once.
    pub fn run(self: &Arc<Self>) -> impl Future<Output = ()> + Send + 'static {
        let sockets = Arc::clone(self);
        async move {
            let mut flushers = JoinSet::new();
            for number in 0..sockets.flushers.len() {
                let sockets = Arc::clone(&sockets);
                flushers.spawn(async move {
                    if let Some(flusher) = sockets.flushers.get(number) {
                        flusher.run(|| sockets.moment()).await;
                    }
                });
            }
            sockets.turn_the_wheel().await;
        }
    }

    /// Where the revocation view stands: what a climb that begins now has to begin with.
    pub fn cursor(&self) -> Cursor {
        self.revocations.cursor()
    }

    /// Makes an admission a socket.
    ///
    /// # Errors
    /// The reason to close with: what the admission rests on has ended or expired, or was issued before the time from which on
    /// proofs count; its subject has a socket already and may have one only, or too many; the node is going down, or does not
    /// know what has ended. [`CloseReason::GoingAway`] asks the peer
    /// to come again at once: the climb took so long that nobody knows what has ended since.
    pub fn register(
        self: &Arc<Self>,
        admission: Box<Admission>,
        transport: Arc<dyn Transport>,
        policy: impl Into<Arc<SocketPolicy>>,
    ) -> Result<Arc<Socket>, CloseReason> {
        self.register_as(SocketId::from_bytes(self.rng.bytes16()), admission, transport, policy)
    }

    /// As [`register`](Self::register), for a socket that has had its id from its first byte on.
    ///
    /// # Errors
    /// As [`register`](Self::register).
    pub fn register_as(
        self: &Arc<Self>,
        id: SocketId,
        admission: Box<Admission>,
        transport: Arc<dyn Transport>,
        policy: impl Into<Arc<SocketPolicy>>,
    ) -> Result<Arc<Socket>, CloseReason> {
        let policy = policy.into();
        let number = self.shard_of(&admission, id);
        let Some(shard) = self.shards.get(usize::from(number)) else { return Err(CloseReason::InternalError) };
        if admission.expires_at().is_some_and(|at| at <= self.clock.now()) {
            return Err(CloseReason::Expired);
        }

        // Not one of these may be dropped under the lock: the last drop of a socket takes it.
        let found: Vec<Arc<Socket>>;
        let socket = {
            let mut shard = lock(shard);
            if self.draining.load(Ordering::Acquire) {
                return Err(CloseReason::Restart);
            }
            // Under the lock: whoever suspends and closes when it has run out finds everybody who came before.
            if policy.fail == Fail::Closed && !self.lease.holds(self.moment()) {
                return Err(CloseReason::TryLater);
            }
            match self.revocations.since(&admission) {
                Ok(None) => {}
                Ok(Some(reason)) => return Err(reason),
                Err(_) => return Err(CloseReason::GoingAway),
            }
            found = self.in_question(&shard, &admission, &policy);
            make_room(&admission, &policy, others_of(&found, &admission))?;
            let place = shard.next_place(number);
            let socket = Arc::new(Socket::new(id, *admission, policy, transport, Arc::clone(self), place));
            shard.insert(&socket, self.keys_of(id, &socket.admission()));
            self.live.fetch_add(1, Ordering::Relaxed);
            socket
        };
        if socket.admission().only_one() == Some(OnlyOne::Newest) {
            let same_gate = |other: &&Arc<Socket>| at_the_same_gate(other, &socket.admission()) && other.id() != id;
            others_of(&found, &socket.admission()).filter(same_gate).for_each(|other| other.end(CloseReason::Replaced));
        }
        if let Some(due) = self.next_look(&socket, self.moment()) {
            self.look_at(&socket, due);
        }
        Ok(socket)
    }

    /// Puts one frame into the outbox of each of `sockets`, and tells the flusher once.
    pub fn fan_out<'s>(&self, sockets: impl IntoIterator<Item = &'s Arc<Socket>>, frame: &Bytes) {
        let frame = Arc::new(frame.clone());
        let mut dirty: Vec<Vec<Arc<Socket>>> = vec![Vec::new(); self.flushers.len()];
        for socket in sockets {
            if let (_, true) = socket.put(Arc::clone(&frame), Says::Application)
                && let Some(dirty) = dirty.get_mut(self.flusher_of(socket))
            {
                dirty.push(Arc::clone(socket));
            }
        }
        for (flusher, dirty) in self.flushers.iter().zip(&mut dirty) {
            flusher.add_all(dirty);
        }
    }

    /// How many sockets live.
    pub fn len(&self) -> usize {
        self.live.load(Ordering::Relaxed)
    }

    /// Whether no socket lives.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The time since the registry began, on the monotonic clock.
    pub(crate) fn elapsed(&self) -> Duration {
        self.time.elapsed().saturating_sub(self.started)
    }

    pub(crate) fn moment(&self) -> Moment {
        Moment::after(self.elapsed())
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A socket has ended: each comes here once.
    pub(crate) fn one_less(&self, ended: Ended) {
        self.live.fetch_sub(1, Ordering::Relaxed);
        self.observer.ended(ended);
    }

    pub(crate) fn flush_soon(&self, socket: Arc<Socket>) {
        if let Some(flusher) = self.flushers.get(self.flusher_of(&socket)) {
            flusher.add(socket);
        }
    }

    pub(crate) fn look_at(&self, socket: &Arc<Socket>, due: Moment) {
        self.wheel.add(socket, due);
    }

    /// The last holder of a socket has let it go.
    pub(crate) fn forget(&self, socket: &Socket) {
        let place = socket.place();
        if let Some(shard) = self.shards.get(usize::from(place.shard)) {
            lock(shard).remove(place, self.keys_of(socket.id(), &socket.admission()));
        }
    }

    async fn turn_the_wheel(&self) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut wall = Wall::looked_at(self.moment(), self.clock.now());
        let mut stage = Stage::Held;
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.lease.renewed() => {}
            }
            self.tend_the_lease(&mut stage).await;
            let now = self.moment();
            let was_set_ahead = wall.was_set_ahead(now, self.clock.now());
            for (number, socket) in self.wheel.take(now, was_set_ahead).into_iter().enumerate() {
                self.look(&socket, now);
                if number % 128 == 127 {
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    /// The sockets that decide whether there is room for this admission: those of its subject, and perhaps others whose key
    /// has the same hash. None, without a look at any of them, where there is room however many of them are the subject's.
    fn in_question(&self, shard: &Shard, admission: &Admission, policy: &SocketPolicy) -> Vec<Arc<Socket>> {
        let Some(subject) = admission.subject() else { return Vec::new() };
        let key = self.key_of_rest(&subject.rest());
        let is_full = policy.per_subject.is_some_and(|most| shard.count(key) >= most);
        if is_full || admission.only_one().is_some() { shard.find(key) } else { Vec::new() }
    }

    /// Sockets of one subject are in one shard, so that who stays is decided under one lock.
    fn shard_of(&self, admission: &Admission, id: SocketId) -> u8 {
        let hash = match admission.subject() {
            Some(subject) => self.hasher.hash_one((admission.owner(), &subject.kind, &subject.pk)),
            None => self.hasher.hash_one(id),
        };
        (hash % u64::from(SHARDS)) as u8
    }

    fn flusher_of(&self, socket: &Socket) -> usize {
        usize::from(socket.place().shard) % self.flushers.len().max(1)
    }

    /// By what a socket of that id with that admission is found.
    pub(crate) fn keys_of<'s>(&'s self, id: SocketId, admission: &'s Admission) -> impl Iterator<Item = Key> + 's {
        std::iter::once(self.key_of_id(id)).chain(admission.rests_on().iter().map(|rest| self.key_of_rest(rest)))
    }

    pub(crate) fn key_of_id(&self, id: SocketId) -> Key {
        Key::of(self.hasher.hash_one(id))
    }

    pub(crate) fn key_of_rest(&self, rest: &Rest) -> Key {
        Key::of(self.hasher.hash_one(rest))
    }
}

impl std::fmt::Debug for Sockets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sockets").field("len", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::Target;
    use crate::support::{Over, World, climb, login, quiet};

    /// The socket of a user and a login of that number.
    pub(crate) async fn register(world: &World, number: usize) -> Arc<Socket> {
        let (transport, _) = world.stream(1).await;
        let admission = climb(login(&format!("user {number}"), &format!("s{number}")), world.sockets.cursor());
        world.sockets.register(admission, transport, quiet()).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn things_that_have_the_same_key_by_chance_are_told_apart() {
        let world = World::over(Over::Pipe);
        let mut sockets = Vec::new();
        for number in 0..50 {
            sockets.push(register(&world, number).await);
        }
        for (number, socket) in sockets.iter().enumerate() {
            assert!(socket.is_open());
            let what = Target::Rest(Rest::on("sid", format!("s{number}")));
            assert_eq!(world.sockets.end(None, &what, CloseReason::SessionEnded).sockets(), [socket.id()]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_gone_leaves_nothing_behind() {
        let world = World::over(Over::Pipe);
        for number in 0..1000 {
            drop(register(&world, number).await);
        }
        for shard in &world.sockets.shards {
            let (slots, entries) = lock(shard).size();
            assert!(slots <= 1 && entries == 0, "{slots} slots and {entries} entries");
        }
    }
}
