use doorward_types::{AccountId, OwnerId, Timestamp};

use super::PortError;
use crate::BoxFuture;

/// An account's authenticator app (RFC 6238).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totp {
    /// The secret, sealed under the server's key-encryption key.
    pub sealed: Vec<u8>,
    /// Since when it counts: one code has been shown to be right.
    pub confirmed_at: Option<Timestamp>,
    /// The step of the last code that was taken; no code of that step or an earlier one is taken again.
    pub last_step: u64,
}

/// Second factors of accounts.
pub trait Factors: Send + Sync {
    /// Keeps a sealed secret that has yet to be confirmed, in the place of an earlier one that never was. Answers `false`
    /// where the account has a confirmed one, or where there is no such account.
    fn enrol_totp<'a>(
        &'a self,
        owner: &'a OwnerId,
        account: AccountId,
        sealed: Vec<u8>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, PortError>>;

    /// The account's authenticator app, confirmed or not.
    fn totp<'a>(&'a self, owner: &'a OwnerId, account: AccountId) -> BoxFuture<'a, Result<Option<Totp>, PortError>>;

    /// Makes that secret count, with the step of the code that showed it and the hashes of the account's new recovery codes.
    /// Answers `false` where there is nothing to confirm, or where another secret is there by now: a code of one never confirms
    /// another.
    fn confirm_totp<'a>(
        &'a self,
        owner: &'a OwnerId,
        account: AccountId,
        sealed: Vec<u8>,
        step: u64,
        recovery: Vec<[u8; 32]>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, PortError>>;

    /// Takes the step of a right code, durably, before it answers: `true` once, and only for a step after the last, of a secret
    /// that counts.
    fn use_totp_step<'a>(
        &'a self,
        owner: &'a OwnerId,
        account: AccountId,
        step: u64,
    ) -> BoxFuture<'a, Result<bool, PortError>>;

    /// Takes a recovery code by its hash: `true` once.
    fn use_recovery_code<'a>(
        &'a self,
        owner: &'a OwnerId,
        account: AccountId,
        hash: [u8; 32],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, PortError>>;

    /// Puts new recovery codes in the place of the old ones.
    fn renew_recovery_codes<'a>(
        &'a self,
        owner: &'a OwnerId,
        account: AccountId,
        recovery: Vec<[u8; 32]>,
    ) -> BoxFuture<'a, Result<(), PortError>>;

    /// How many recovery codes are left.
    fn recovery_codes_left<'a>(
        &'a self,
        owner: &'a OwnerId,
        account: AccountId,
    ) -> BoxFuture<'a, Result<usize, PortError>>;
}
