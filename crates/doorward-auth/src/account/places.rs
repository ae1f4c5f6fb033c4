//! Who may have a password hashed, or wait for it.
//!
//! Places are few, so that nobody waits for long, and strangers can take all of them: each needs no more than a name. A quarter
//! as many are therefore kept for those whom a flood of strangers must not shut out.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places of all who hash or wait to.
pub(super) struct Places {
    for_anybody: Arc<Semaphore>,
    kept: Arc<Semaphore>,
}

/// One of them.
pub(super) struct Place(#[expect(dead_code, reason = "it is given back when it is dropped")] OwnedSemaphorePermit);

impl Places {
    /// For each core one who is at work and two who wait, and a quarter of that, but at least one, kept.
    pub(super) fn on(cores: usize) -> Self {
        let for_anybody = 3 * cores;
        let [for_anybody, kept] = [for_anybody, (for_anybody / 4).max(1)].map(|count| Arc::new(Semaphore::new(count)));
        Self { for_anybody, kept }
    }

    /// One for anybody.
    pub(super) fn take(&self) -> Option<Place> {
        Arc::clone(&self.for_anybody).try_acquire_owned().ok().map(Place)
    }

    /// One of those that are kept.
    pub(super) fn take_kept(&self) -> Option<Place> {
        Arc::clone(&self.kept).try_acquire_owned().ok().map(Place)
    }

    /// How many are free, for anybody and kept.
    #[cfg(test)]
    pub(super) fn free(&self) -> (usize, usize) {
        (self.for_anybody.available_permits(), self.kept.available_permits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c45_a_quarter_as_many_places_are_kept_and_at_least_one() {
        for (cores, free) in [(1, (3, 1)), (2, (6, 1)), (4, (12, 3)), (64, (192, 48))] {
            assert_eq!(Places::on(cores).free(), free, "{cores} cores");
        }
    }

    #[test]
    fn c45_what_is_kept_is_nobody_elses_and_comes_back() {
        let places = Places::on(1);
        let taken: Vec<_> = std::iter::from_fn(|| places.take()).collect();
        assert_eq!((taken.len(), places.free()), (3, (0, 1)));
        let kept = places.take_kept();
        assert!(kept.is_some() && places.take_kept().is_none());
        drop((kept, taken));
        assert_eq!(places.free(), (3, 1));
    }
}
