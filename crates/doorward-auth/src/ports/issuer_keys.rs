use super::PortError;
use crate::{
    BoxFuture,
    token::{KeyPlace, KeySet},
};

/// The keys that issuers publish at an address of theirs.
pub trait IssuerKeys: Send + Sync {
    /// The keys as they are published now. It is asked once at a time for each place, and waited for no longer than the place
    /// says ([`KeyPlace::within`]).
    ///
    /// # Errors
    /// They cannot be had, or what is published there is no set of keys: for whoever waits for one that is the same.
    fn fetch<'a>(&'a self, place: &'a KeyPlace) -> BoxFuture<'a, Result<KeySet, PortError>>;
}
