use doorward_types::{KeyId, OwnerId, Subject, Timestamp};

use super::PortError;
use crate::BoxFuture;

/// The public half of an app key: all that the server keeps of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppKey {
    /// Whose gates it opens.
    pub owner: OwnerId,
    /// The public id, made from the public half.
    pub id: KeyId,
    /// The Ed25519 public key (RFC 8032).
    pub public: [u8; 32],
    /// Who holds it.
    pub subject: Subject,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it opens nothing any more.
    pub revoked_at: Option<Timestamp>,
}

/// App keys by owner and id.
pub trait AppKeys: Send + Sync {
    /// Keeps a key. Answers `false` where the owner has one with that id already.
    fn add<'a>(&'a self, key: AppKey) -> BoxFuture<'a, Result<bool, PortError>>;

    /// The key, revoked or not.
    fn find<'a>(&'a self, owner: &'a OwnerId, id: &'a KeyId) -> BoxFuture<'a, Result<Option<AppKey>, PortError>>;

    /// The owner's keys, oldest first.
    fn list<'a>(&'a self, owner: &'a OwnerId) -> BoxFuture<'a, Result<Vec<AppKey>, PortError>>;

    /// Revokes a key. Answers `false` where there is none, or where it is revoked already.
    fn revoke<'a>(
        &'a self,
        owner: &'a OwnerId,
        id: &'a KeyId,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, PortError>>;
}
