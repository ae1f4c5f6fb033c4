use std::{fmt, ops::Deref};

use super::NAMES;

/// As many as one walk can have of something, kept where it stands: reading them allocates nothing.
#[derive(Clone, Copy)]
pub struct Few<T> {
    items: [T; NAMES],
    count: usize,
}

impl<T: Copy + Default> Few<T> {
    /// All of them; `None` where they are more than [`NAMES`].
    pub fn new(items: &[T]) -> Option<Self> {
        let mut few = Self::default();
        items.iter().all(|item| few.push(*item)).then_some(few)
    }

    /// One more. Gives whether there was room for it.
    pub fn push(&mut self, item: T) -> bool {
        let place = self.items.get_mut(self.count);
        let has_room = place.is_some();
        if let Some(place) = place {
            *place = item;
            self.count += 1;
        }
        has_room
    }
}

impl<T: Copy + Default> Default for Few<T> {
    fn default() -> Self {
        Self { items: [T::default(); NAMES], count: 0 }
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.items.get(..self.count).unwrap_or_default()
    }
}

impl<T: PartialEq> PartialEq for Few<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Eq> Eq for Few<T> {}

impl<T: fmt::Debug> fmt::Debug for Few<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
