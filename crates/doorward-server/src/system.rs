//! Where the world comes in: the wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

use doorward_auth::ports::{Clock, Rng, SystemRng};
use doorward_types::Timestamp;

/// The wall clock of the system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place where the wall clock is read")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// 32 random bytes: a secret of 256 bits.
pub fn random() -> [u8; 32] {
    let rng: &dyn Rng = &SystemRng;
    rng.bytes32()
}
