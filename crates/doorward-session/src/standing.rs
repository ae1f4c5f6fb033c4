use std::sync::atomic::{AtomicU8, Ordering};

/// What is to be seen of a socket without the lock of its outbox, in one byte. Whoever changes the outbox changes it too, under
/// that lock.
#[derive(Default)]
pub(crate) struct Standing(AtomicU8);

const SUSPENDED: u8 = 1;
const ENDED: u8 = 2;
const EXPIRING: u8 = 4;

impl Standing {
    /// It has not ended, suspended or not.
    pub(crate) fn is_open(&self) -> bool {
        self.has(ENDED, 0)
    }

    /// It lives, and nothing of the application may go in or out.
    pub(crate) fn is_suspended(&self) -> bool {
        self.has(ENDED | SUSPENDED, SUSPENDED)
    }

    /// A proof has expired for which the user is to be asked again.
    pub(crate) fn is_expiring(&self) -> bool {
        self.has(EXPIRING, EXPIRING)
    }

    /// Ends it, for ever. Gives whether it lived.
    pub(crate) fn end(&self) -> bool {
        !self.set(ENDED, true)
    }

    pub(crate) fn suspend(&self, is: bool) {
        self.set(SUSPENDED, is);
    }

    /// Gives what it was before.
    pub(crate) fn expire(&self, is: bool) -> bool {
        self.set(EXPIRING, is)
    }

    fn has(&self, of: u8, these: u8) -> bool {
        self.0.load(Ordering::Acquire) & of == these
    }

    fn set(&self, bit: u8, is: bool) -> bool {
        let before = if is { self.0.fetch_or(bit, Ordering::AcqRel) } else { self.0.fetch_and(!bit, Ordering::AcqRel) };
        before & bit != 0
    }
}
