use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Weak},
};

use crate::Socket;

/// Where a socket is in the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) shard: u16,
    slot: u32,
}

/// One shard of the registry: sockets in numbered slots, and which slots belong to which key.
///
/// A key is a hash under a secret of this process, so whoever finds a socket by a key has to compare what it stands for.
#[derive(Default)]
pub(crate) struct Shard {
    slots: Vec<Option<Weak<Socket>>>,
    free: Vec<u32>,
    by_key: HashMap<u64, Slots>,
}

/// Most keys lead to one socket.
enum Slots {
    One(u32),
    #[expect(clippy::box_collection, reason = "most are `One`, and there is one for each thing a socket rests on")]
    Many(Box<HashSet<u32>>),
}

impl Shard {
    /// The place that the next socket will have.
    pub(crate) fn next_place(&self, shard: u16) -> Place {
        let slot = self.free.last().copied();
        Place { shard, slot: slot.unwrap_or_else(|| u32::try_from(self.slots.len()).unwrap_or(u32::MAX)) }
    }

    /// Puts a socket where [`next_place`](Self::next_place) said it would be.
    pub(crate) fn insert(&mut self, socket: &Arc<Socket>, keys: impl Iterator<Item = u64>) {
        let slot = socket.place().slot;
        if self.free.last() == Some(&slot) {
            self.free.pop();
        } else {
            self.slots.push(None);
        }
        if let Some(place) = self.slots.get_mut(slot as usize) {
            *place = Some(Arc::downgrade(socket));
        }
        for key in keys {
            self.by_key.entry(key).and_modify(|slots| slots.add(slot)).or_insert(Slots::One(slot));
        }
    }

    /// Takes a socket out.
    pub(crate) fn remove(&mut self, place: Place, keys: impl Iterator<Item = u64>) {
        for key in keys {
            if self.by_key.get_mut(&key).is_some_and(|slots| slots.remove(place.slot)) {
                self.by_key.remove(&key);
            }
        }
        if let Some(slot @ Some(_)) = self.slots.get_mut(place.slot as usize) {
            *slot = None;
            self.free.push(place.slot);
        }
    }

    /// The sockets with a key that still live, and perhaps others whose key has the same hash.
    pub(crate) fn find(&self, key: u64) -> Vec<Arc<Socket>> {
        let at = |slot: &u32| self.slots.get(*slot as usize)?.as_ref()?.upgrade();
        match self.by_key.get(&key) {
            None => Vec::new(),
            Some(Slots::One(slot)) => at(slot).into_iter().collect(),
            Some(Slots::Many(slots)) => slots.iter().filter_map(at).collect(),
        }
    }

    /// All sockets.
    pub(crate) fn all(&self) -> Vec<Arc<Socket>> {
        self.slots.iter().flatten().filter_map(Weak::upgrade).collect()
    }
}

impl Slots {
    fn add(&mut self, slot: u32) {
        match self {
            Self::One(first) => *self = Self::Many(Box::new([*first, slot].into())),
            Self::Many(slots) => {
                slots.insert(slot);
            }
        }
    }

    /// Takes a slot out; gives whether none is left.
    fn remove(&mut self, slot: u32) -> bool {
        match self {
            Self::One(only) => *only == slot,
            Self::Many(slots) => {
                slots.remove(&slot);
                slots.is_empty()
            }
        }
    }
}
