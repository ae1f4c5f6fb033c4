use doorward_types::{OwnerId, Timestamp};

use super::PortError;
use crate::BoxFuture;

/// Ids of tokens that may be used once.
pub trait UsedTokens: Send + Sync {
    /// Marks an id as used, durably, before it answers. `true` for the first caller, `false` for all others.
    ///
    /// `issuer` is part of the key: two issuers may use the same id. After `expires_at` the mark may be forgotten.
    fn use_once<'a>(
        &'a self,
        owner: &'a OwnerId,
        issuer: &'a str,
        id: &'a str,
        expires_at: Timestamp,
    ) -> BoxFuture<'a, Result<bool, PortError>>;
}
