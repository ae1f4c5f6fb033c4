use doorward_types::{AccountId, OwnerId, SessionId, Timestamp};

use super::PortError;
use crate::BoxFuture;

/// What a new access token is fetched with. It opens no socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refresh {
    /// At whose site.
    pub owner: OwnerId,
    /// Whose.
    pub account: AccountId,
    /// The login that it goes on with, and is void without.
    pub sid: SessionId,
    /// From when on it fetches nothing.
    pub expires_at: Timestamp,
}

/// What became of a refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotated {
    /// It was the newest of its login; the next one is in its place.
    Next(Refresh),
    /// It had been used before: somebody has a copy. Its login is to end.
    Reused(Refresh),
    /// There is none, or not any more.
    Unknown,
}

/// Refresh tokens that are used once each (RFC 6749, section 10.4; RFC 9700, section 4.14).
pub trait Refreshes: Send + Sync {
    /// Keeps the first one of a login. Where that login is over, nothing is kept.
    fn issue<'a>(&'a self, hash: [u8; 32], refresh: Refresh) -> BoxFuture<'a, Result<(), PortError>>;

    /// Takes one, and keeps the next in its place. The next one ends when the first would have.
    fn rotate<'a>(
        &'a self,
        owner: &'a OwnerId,
        hash: [u8; 32],
        next: [u8; 32],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Rotated, PortError>>;
}
