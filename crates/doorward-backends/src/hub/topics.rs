use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use doorward_auth::Admission;
use doorward_session::{Socket, Sockets};
use doorward_types::{GateName, OwnerId};

use super::reader::Reader;

const SHARDS: usize = 16;

/// Who is subscribed to what: one topic for each object of a channel of a gate of an owner that has a subscriber.
///
/// Everybody who is subscribed to a topic gets its messages in the same order. To leave takes the same time however many
/// others there are.
pub(super) struct Topics {
    hasher: RandomState,
    shards: Vec<Mutex<Shard>>,
}

/// Topics by their names.
type Shard = HashMap<Box<[u8]>, Arc<Topic>>;

struct Topic {
    name: Box<[u8]>,
    seats: Mutex<Seats>,
}

/// Sockets that get frames, and readers that get messages. They sit apart, so that a frame goes past sockets alone.
#[derive(Default)]
struct Seats {
    sockets: Row<Arc<Socket>>,
    readers: Row<Arc<Reader>>,
    /// The topic is no longer in its shard: whoever wants to sit down has to look for another.
    closed: bool,
}

struct Row<T>(Vec<Seat<T>>);

struct Seat<T> {
    who: T,
    /// Its place in the row: changed under the lock of the row alone, when somebody else leaves.
    place: Arc<AtomicUsize>,
}

/// A seat from the side of whoever sits there. It has to be given back with [`Topics::leave`].
pub(super) struct Subscription {
    topic: Arc<Topic>,
    place: Arc<AtomicUsize>,
    sort: Sort,
}

/// In which row a seat is.
#[derive(Clone, Copy)]
enum Sort {
    Socket,
    Reader,
}

impl<T> Default for Row<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Row<T> {
    fn take(&mut self, who: T) -> Arc<AtomicUsize> {
        let place = Arc::new(AtomicUsize::new(self.0.len()));
        self.0.push(Seat { who, place: Arc::clone(&place) });
        place
    }

    /// Gives whoever has left: it is let go when no lock is held.
    fn leave(&mut self, place: &AtomicUsize) -> Option<T> {
        let place = place.load(Ordering::Relaxed);
        let left = (place < self.0.len()).then(|| self.0.swap_remove(place).who);
        if let Some(moved) = self.0.get(place) {
            moved.place.store(place, Ordering::Relaxed);
        }
        left
    }

    fn taken(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|seat| &seat.who)
    }
}

/// Who sits where.
pub(super) struct Taken {
    pub(super) socket: Arc<Socket>,
    pub(super) channel: String,
    pub(super) pk: Option<String>,
}

impl Default for Topics {
    fn default() -> Self {
        Self { hasher: RandomState::new(), shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }
}

impl Subscription {
    /// Whether it is to this object of this channel, at whatever gate.
    pub(super) fn is_to(&self, socket: &Socket, channel: &str, pk: Option<&str>) -> bool {
        *self.topic.name == *name_of(gate_of(&socket.admission()), (channel, pk))
    }

    /// The channel, and the object of it where it is to one.
    pub(super) fn channel(&self) -> (String, Option<String>) {
        channel_of(&self.topic.name)
    }

    /// Whether it is to any object of this channel, or to the channel as a whole.
    pub(super) fn is_in(&self, socket: &Socket, channel: &str) -> bool {
        self.topic.name.starts_with(&name_up_to_pk(gate_of(&socket.admission()), channel))
    }
}

impl Topics {
    /// Takes a seat for the socket.
    pub(super) fn join(&self, socket: &Arc<Socket>, channel: &str, pk: Option<&str>) -> Subscription {
        let name = name_of(gate_of(&socket.admission()), (channel, pk));
        let (topic, place) = self.sit_down(&name, |seats| seats.sockets.take(Arc::clone(socket)));
        Subscription { topic, place, sort: Sort::Socket }
    }

    /// Takes a seat for a reader.
    pub(super) fn join_to_read(&self, reader: &Arc<Reader>, channel: &str, pk: Option<&str>) -> Subscription {
        let name = name_of(gate_of(&reader.socket().admission()), (channel, pk));
        let (topic, place) = self.sit_down(&name, |seats| seats.readers.take(Arc::clone(reader)));
        Subscription { topic, place, sort: Sort::Reader }
    }

    fn sit_down(
        &self,
        name: &[u8],
        take: impl FnOnce(&mut Seats) -> Arc<AtomicUsize>,
    ) -> (Arc<Topic>, Arc<AtomicUsize>) {
        loop {
            let topic = {
                let mut shard = lock(self.shard(name));
                match shard.get(name) {
                    Some(topic) => Arc::clone(topic),
                    None => {
                        let topic = Arc::new(Topic { name: name.into(), seats: Mutex::default() });
                        shard.insert(name.into(), Arc::clone(&topic));
                        topic
                    }
                }
            };
            let mut seats = lock(&topic.seats);
            if seats.closed {
                // It was left empty between the two locks, and is being taken away.
                drop(seats);
                std::thread::yield_now();
                continue;
            }
            let place = take(&mut seats);
            drop(seats);
            return (topic, place);
        }
    }

    /// Gives the seat back.
    pub(super) fn leave(&self, Subscription { topic, place, sort }: Subscription) {
        let mut seats = lock(&topic.seats);
        let left = match sort {
            Sort::Socket => (seats.sockets.leave(&place), None),
            Sort::Reader => (None, seats.readers.leave(&place)),
        };
        let closed = seats.sockets.0.is_empty() && seats.readers.0.is_empty();
        seats.closed = closed;
        drop(seats);
        drop(left);
        if closed {
            lock(self.shard(&topic.name)).remove(&topic.name);
        }
    }

    /// Puts a message out for everybody who is subscribed: for sockets the frame, encoded once, and for readers the payload as a
    /// line. Gives for how many.
    pub(super) fn publish(
        &self,
        sockets: &Sockets,
        gate: (&OwnerId, &GateName),
        (channel, pk): (&str, Option<&str>),
        payload: &str,
        frame: impl FnOnce() -> Bytes,
    ) -> usize {
        let name = name_of(gate, (channel, pk));
        let Some(topic) = lock(self.shard(&name)).get(&*name).cloned() else { return 0 };
        let seats = lock(&topic.seats);
        if !seats.sockets.0.is_empty() {
            sockets.fan_out(seats.sockets.taken(), &frame());
        }
        if !seats.readers.0.is_empty() {
            let line = Bytes::from([payload.as_bytes(), b"\n"].concat());
            seats.readers.taken().for_each(|reader| reader.take(&line));
        }
        seats.sockets.0.len() + seats.readers.0.len()
    }

    /// Every seat that is taken, topic by topic; no lock is held between one topic and the next.
    pub(super) fn taken(&self) -> impl Iterator<Item = Taken> {
        let topics = self.shards.iter().flat_map(|shard| lock(shard).values().cloned().collect::<Vec<_>>());
        topics.flat_map(|topic| {
            let (channel, pk) = channel_of(&topic.name);
            let sockets: Vec<_> = {
                let seats = lock(&topic.seats);
                let readers = seats.readers.taken().map(|reader| reader.socket());
                seats.sockets.taken().chain(readers).cloned().collect()
            };
            sockets.into_iter().map(move |socket| Taken { socket, channel: channel.clone(), pk: pk.clone() })
        })
    }

    fn shard(&self, name: &[u8]) -> &Mutex<Shard> {
        let number = self.hasher.hash_one(name) as usize % self.shards.len();
        &self.shards[number]
    }
}

/// The gate that an admission is for, and whose it is.
pub(super) fn gate_of(admission: &Admission) -> (&OwnerId, &GateName) {
    (admission.owner(), admission.gate())
}

/// One text for all four, each with its length before it: nothing that one of them holds can be taken for another.
fn name_of(gate: (&OwnerId, &GateName), (channel, pk): (&str, Option<&str>)) -> Vec<u8> {
    let mut name = name_up_to_pk(gate, channel);
    if let Some(pk) = pk {
        put(&mut name, pk);
    }
    name
}

fn name_up_to_pk((owner, gate): (&OwnerId, &GateName), channel: &str) -> Vec<u8> {
    let mut name = Vec::with_capacity(64);
    for part in [owner.as_str(), gate.as_str(), channel] {
        put(&mut name, part);
    }
    name
}

/// The channel in a topic's name, and the primary key where there is one.
fn channel_of(name: &[u8]) -> (String, Option<String>) {
    let mut parts = Parts(name).skip(2);
    (parts.next().unwrap_or_default(), parts.next())
}

/// The parts of a topic's name, one after the other.
struct Parts<'a>(&'a [u8]);

impl Iterator for Parts<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let (length, rest) = self.0.split_first_chunk()?;
        let (part, rest) = rest.split_at_checked(usize::try_from(u64::from_be_bytes(*length)).ok()?)?;
        self.0 = rest;
        Some(String::from_utf8_lossy(part).into_owned())
    }
}

fn put(name: &mut Vec<u8>, part: &str) {
    name.extend_from_slice(&(part.len() as u64).to_be_bytes());
    name.extend_from_slice(part.as_bytes());
}

/// Locks; a panic of somebody else is no reason to panic here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
