use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks. A panic of one who held the lock is no reason for all others to panic as well: what is guarded here is never left
/// halfway by code that can panic.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
