use std::{
    num::NonZeroU64,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// A point of the registry's monotonic time, to the millisecond. There are several in every socket, so it is one word, and so
/// is an `Option` of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(NonZeroU64);

impl Moment {
    /// When the registry began.
    pub(crate) const BEGINNING: Self = Self(NonZeroU64::MIN);

    /// So long after the registry began.
    pub(crate) fn after(elapsed: Duration) -> Self {
        Self::BEGINNING.plus(elapsed)
    }

    /// So much later.
    pub(crate) fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }

    /// Milliseconds since shortly before the registry began.
    pub(crate) fn as_millis(self) -> u64 {
        self.0.get()
    }

    /// How long after `earlier` it is; zero where it is not after it.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.get().saturating_sub(earlier.0.get()))
    }
}

/// A moment that is set by one task and seen by others.
pub(crate) struct LastMoment(AtomicU64);

impl LastMoment {
    pub(crate) fn at(moment: Moment) -> Self {
        Self(AtomicU64::new(moment.0.get()))
    }

    pub(crate) fn set(&self, moment: Moment) {
        self.0.store(moment.0.get(), Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> Moment {
        NonZeroU64::new(self.0.load(Ordering::Relaxed)).map_or(Moment::BEGINNING, Moment)
    }
}
