//! The memory that passwords are hashed in.
//!
//! A hash fills 19 MiB, and the system takes nearly as long to hand out that much as argon2 to fill it twice. So whoever is done
//! leaves theirs to whoever comes next. It is there for as long as anybody hashes or waits to: then all of it goes back, with what
//! hashes have left in it.

use std::{
    collections::TryReserveError,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use argon2::Block;

/// The way to the memory of those who are there just now, if anybody is.
#[derive(Default)]
pub(super) struct Lobby(Mutex<Weak<Blocks>>);

/// What those who are there have left to each other. The last of them takes it along.
#[derive(Default)]
pub(super) struct Blocks(Mutex<Vec<Memory>>);

/// The memory of one hash.
#[derive(Default)]
pub(super) struct Memory(Vec<Block>);

impl Lobby {
    /// The memory that is shared by everybody who is there.
    pub(super) fn enter(&self) -> Arc<Blocks> {
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let first = Arc::default();
            *shared = Arc::downgrade(&first);
            first
        })
    }
}

impl Blocks {
    /// What somebody has left, or none yet.
    pub(super) fn take(&self) -> Memory {
        self.left().unwrap_or_default()
    }

    /// What somebody has left.
    pub(super) fn left(&self) -> Option<Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// For whoever comes next.
    pub(super) fn leave(&self, memory: Memory) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
    }
}

impl Memory {
    /// So many blocks, or more. What they contain is of no account: argon2 writes each before it reads it.
    ///
    /// # Errors
    /// Where the system has not that much.
    pub(super) fn at_least(&mut self, count: usize) -> Result<&mut [Block], TryReserveError> {
        let more = count.saturating_sub(self.0.len());
        self.0.try_reserve_exact(more)?;
        self.0.resize(self.0.len() + more, Block::new());
        Ok(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_leaves_the_next_has_and_the_last_takes_it_along() {
        let lobby = Lobby::default();
        let (one, other) = (lobby.enter(), lobby.enter());
        let mut memory = one.take();
        assert_eq!(memory.at_least(8).unwrap().len(), 8);
        one.leave(memory);
        drop(one);
        let mut memory = other.take();
        assert_eq!(memory.at_least(3).unwrap().len(), 8, "it has not been taken anew");
        assert_eq!(other.take().0.len(), 0, "nobody else has left any");
        other.leave(memory);
        drop(other);
        assert_eq!(lobby.enter().take().0.len(), 0, "nobody was there any more");
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        assert!(Memory::default().at_least(usize::MAX / Block::SIZE).is_err());
    }
}
