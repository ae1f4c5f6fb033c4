use doorward_types::{OwnerId, Timestamp};

use super::PortError;
use crate::BoxFuture;

/// A program's way to the HTTP API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Whose it is; `None` for the operator's, which means everybody's.
    pub owner: Option<OwnerId>,
    /// Its public id: the first eight bytes of the hash of its text, in hex.
    pub id: String,
    /// What it is for, in words.
    pub name: String,
    /// What it may do: `sockets:read`, `sessions:end` ...
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it opens nothing.
    pub expires_at: Option<Timestamp>,
    /// Since when it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Keys to the HTTP API.
pub trait ApiKeys: Send + Sync {
    /// Keeps a key under the hash of its text.
    fn add<'a>(&'a self, hash: [u8; 32], key: ApiKey) -> BoxFuture<'a, Result<(), PortError>>;

    /// The key of that hash, where it holds.
    fn find<'a>(&'a self, hash: [u8; 32], now: Timestamp) -> BoxFuture<'a, Result<Option<ApiKey>, PortError>>;

    /// Keys, oldest first; of all owners for `None`.
    fn list<'a>(&'a self, owner: Option<&'a OwnerId>) -> BoxFuture<'a, Result<Vec<ApiKey>, PortError>>;

    /// Revokes a key by its id; of that owner's alone, or of anybody's for `None`. Answers `false` where there is none, or it
    /// was revoked before.
    fn revoke<'a>(
        &'a self,
        owner: Option<&'a OwnerId>,
        id: &'a str,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, PortError>>;
}
