use std::net::IpAddr;

use doorward_types::{OwnerId, Timestamp};

use super::PortError;
use crate::BoxFuture;

/// A try of a secret that can be guessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// At whose gate or site.
    pub owner: OwnerId,
    /// Which factor: `password`, `totp`, `recovery_code`, `register`. Each counts for itself.
    pub factor: &'static str,
    /// Whose factor it is, as a hash of the name that was given: an unknown one counts as a known one does.
    pub subject: [u8; 32],
    /// The hash of the browser's own cookie, where that browser has logged in as the subject before: it has a count of its
    /// own, so that nobody else can use that up.
    pub device: Option<[u8; 32]>,
    /// From where.
    pub source: IpAddr,
    /// When.
    pub at: Timestamp,
}

/// A try that may be made. It counts as a failure until it is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AttemptId(pub u64);

/// What a throttle says to a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// It may be made.
    Go(AttemptId),
    /// Not before then.
    Wait(Timestamp),
    /// The factor is disabled until it is recovered by another way.
    Disabled,
}

/// Counts failures per source, subject and factor, and says what the next try costs. Durable.
///
/// A try is reserved before it is looked at and counts as a failure from then on: whoever sends a hundred at once, or leaves
/// before the answer, gains nothing.
pub trait Throttle: Send + Sync {
    /// Takes a try.
    fn reserve<'a>(&'a self, attempt: Attempt) -> BoxFuture<'a, Result<Reserved, PortError>>;

    /// Says that a try was right: what its subject (on that device) had failed with that factor is forgotten, and the source
    /// has back what the try had cost it. Other factors' counts stay.
    fn was_right<'a>(&'a self, attempt: AttemptId) -> BoxFuture<'a, Result<(), PortError>>;

    /// Forgets what a subject has failed with a factor, on all devices: a recovery.
    fn forgive<'a>(
        &'a self,
        owner: &'a OwnerId,
        factor: &'static str,
        subject: [u8; 32],
    ) -> BoxFuture<'a, Result<(), PortError>>;
}
