use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Weak},
};

use crate::Socket;

/// Where a socket is in the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) shard: u8,
    pub(crate) slot: u32,
}

/// A hash of something that sockets rest on, or of the id of one, under a secret of this process. Others may have the same, so whoever finds a
/// socket by its key has to compare what it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key(u32);

impl Key {
    pub(crate) fn of(hash: u64) -> Self {
        // In tests they are few, so that every key is shared by things that have nothing to do with each other.
        let bits = if cfg!(test) { 1 } else { u32::MAX };
        Self((hash >> 32) as u32 & bits)
    }
}

/// One shard of the registry: sockets in numbered slots, and which slots belong to which key.
///
/// Every socket has an entry for its id and one for each thing that it rests on, so entries are three numbers.
#[derive(Default)]
pub(crate) struct Shard {
    slots: Vec<Option<Weak<Socket>>>,
    free: Vec<u32>,
    by_key: HashMap<Key, Slots>,
    sets: Vec<HashSet<u32>>,
    free_sets: Vec<u32>,
}

/// Most keys lead to one socket; for the others there is a set.
#[derive(Clone, Copy)]
enum Slots {
    One(u32),
    Set(u32),
}

impl Shard {
    /// The place that the next socket will have.
    pub(crate) fn next_place(&self, shard: u8) -> Place {
        let slot = self.free.last().copied();
        Place { shard, slot: slot.unwrap_or_else(|| number(self.slots.len())) }
    }

    /// Puts a socket where [`next_place`](Self::next_place) said it would be.
    pub(crate) fn insert(&mut self, socket: &Arc<Socket>, keys: impl Iterator<Item = Key>) {
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
            self.add(key, slot);
        }
    }

    /// Takes a socket out.
    pub(crate) fn remove(&mut self, place: Place, keys: impl Iterator<Item = Key>) {
        for key in keys {
            self.take(key, place.slot);
        }
        if let Some(slot @ Some(_)) = self.slots.get_mut(place.slot as usize) {
            *slot = None;
            self.free.push(place.slot);
        }
    }

    /// Has a socket be found by other keys.
    pub(crate) fn change_keys(
        &mut self,
        place: Place,
        before: impl Iterator<Item = Key>,
        after: impl Iterator<Item = Key>,
    ) {
        before.for_each(|key| self.take(key, place.slot));
        after.for_each(|key| self.add(key, place.slot));
    }

    /// The sockets with a key that still live, and perhaps others.
    pub(crate) fn find(&self, key: Key) -> Vec<Arc<Socket>> {
        let at = |slot: &u32| self.slots.get(*slot as usize)?.as_ref()?.upgrade();
        match self.by_key.get(&key) {
            None => Vec::new(),
            Some(Slots::One(slot)) => at(slot).into_iter().collect(),
            Some(Slots::Set(set)) => self.sets.get(*set as usize).into_iter().flatten().filter_map(at).collect(),
        }
    }

    /// At most so many sockets have a key.
    pub(crate) fn count(&self, key: Key) -> usize {
        match self.by_key.get(&key) {
            None => 0,
            Some(Slots::One(_)) => 1,
            Some(Slots::Set(set)) => self.sets.get(*set as usize).map_or(0, HashSet::len),
        }
    }

    /// All sockets.
    pub(crate) fn all(&self) -> Vec<Arc<Socket>> {
        self.slots.iter().flatten().filter_map(Weak::upgrade).collect()
    }

    fn add(&mut self, key: Key, slot: u32) {
        match self.by_key.get(&key).copied() {
            None => {
                self.by_key.insert(key, Slots::One(slot));
            }
            // Two things that one socket rests on may have the same key.
            Some(Slots::One(first)) if first == slot => {}
            Some(Slots::One(first)) => {
                let set = self.free_sets.pop().unwrap_or_else(|| {
                    self.sets.push(HashSet::new());
                    number(self.sets.len() - 1)
                });
                if let Some(slots) = self.sets.get_mut(set as usize) {
                    slots.extend([first, slot]);
                }
                self.by_key.insert(key, Slots::Set(set));
            }
            Some(Slots::Set(set)) => {
                if let Some(slots) = self.sets.get_mut(set as usize) {
                    slots.insert(slot);
                }
            }
        }
    }

    fn take(&mut self, key: Key, slot: u32) {
        match self.by_key.get(&key).copied() {
            Some(Slots::One(only)) if only == slot => {
                self.by_key.remove(&key);
            }
            Some(Slots::Set(set)) => {
                let Some(slots) = self.sets.get_mut(set as usize) else { return };
                slots.remove(&slot);
                if slots.is_empty() {
                    *slots = HashSet::new();
                    self.free_sets.push(set);
                    self.by_key.remove(&key);
                }
            }
            Some(Slots::One(_)) | None => {}
        }
    }
}

#[cfg(test)]
impl Shard {
    /// How many slots, and how many entries there are.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.slots.len(), self.by_key.len())
    }
}

fn number(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}
