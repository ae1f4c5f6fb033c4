use doorward_types::{AccountId, OwnerId, SessionId, Timestamp};

use super::PortError;
use crate::BoxFuture;

/// A key that the site shows to somebody who is logged in, to be typed into a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyEntry {
    /// At whose site.
    pub owner: OwnerId,
    /// The key's public part: by it a wrong try is counted against the right key.
    pub id: String,
    /// Whose key it is.
    pub account: AccountId,
    /// The account's name as it is shown.
    pub username: String,
    /// The login that it was made in, and is void without.
    pub sid: SessionId,
    /// From when on it opens nothing.
    pub expires_at: Timestamp,
}

/// What a try of a key came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entered {
    /// It was right, and is used up.
    Right(KeyEntry),
    /// There is no such key, or not any more.
    Unknown,
    /// The public part is right, the rest is not: this many wrong tries there were. After the tenth the key is void.
    Wrong(u32),
}

/// How many wrong tries void a key.
pub const WRONG_TRIES: u32 = 10;

/// Keys for the layer `key_entry`. An account has one at a time: a new one voids the one before.
pub trait KeyEntries: Send + Sync {
    /// Keeps a key under the hash of its secret part. Answers `false`, and keeps nothing, where another account's key has that
    /// public part, or where the login is over.
    fn put<'a>(&'a self, hash: [u8; 32], entry: KeyEntry) -> BoxFuture<'a, Result<bool, PortError>>;

    /// Tries a key: at most one of any number of callers gets it. A key whose login has ended is unknown.
    fn enter<'a>(
        &'a self,
        owner: &'a OwnerId,
        id: &'a str,
        hash: [u8; 32],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Entered, PortError>>;
}
