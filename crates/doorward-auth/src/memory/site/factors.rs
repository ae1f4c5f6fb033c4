use std::collections::{HashMap, HashSet};

use doorward_types::{AccountId, OwnerId, Timestamp};

use super::{MemorySite, State};
use crate::{
    BoxFuture,
    ports::{Factors, PortError, Totp},
};

/// Authenticator apps and recovery codes.
#[derive(Debug, Default)]
pub(super) struct Authenticators {
    totp: HashMap<AccountId, Totp>,
    recovery: HashMap<AccountId, HashSet<[u8; 32]>>,
}

impl Authenticators {
    pub(super) fn remove(&mut self, account: AccountId) {
        self.totp.remove(&account);
        self.recovery.remove(&account);
    }

    fn enrol(&mut self, account: AccountId, sealed: Vec<u8>) -> bool {
        let is_confirmed = self.totp.get(&account).is_some_and(|totp| totp.confirmed_at.is_some());
        if !is_confirmed {
            self.totp.insert(account, Totp { sealed, confirmed_at: None, last_step: 0 });
        }
        !is_confirmed
    }

    fn confirm(
        &mut self,
        account: AccountId,
        sealed: &[u8],
        step: u64,
        recovery: Vec<[u8; 32]>,
        now: Timestamp,
    ) -> bool {
        let waiting = self.totp.get_mut(&account);
        let Some(totp) = waiting.filter(|totp| totp.confirmed_at.is_none() && totp.sealed == sealed) else {
            return false;
        };
        (totp.confirmed_at, totp.last_step) = (Some(now), step);
        self.recovery.insert(account, recovery.into_iter().collect());
        true
    }

    fn use_step(&mut self, account: AccountId, step: u64) -> bool {
        let counts = |totp: &&mut Totp| totp.confirmed_at.is_some() && totp.last_step < step;
        self.totp.get_mut(&account).filter(counts).map(|totp| totp.last_step = step).is_some()
    }
}

impl State {
    /// The factors of the owner's accounts; `None` where the account is not one of them.
    fn factors(&mut self, owner: &OwnerId, account: AccountId) -> Option<&mut Authenticators> {
        self.accounts.find(Some(owner), account)?;
        Some(&mut self.authenticators)
    }
}

impl Factors for MemorySite {
    fn enrol_totp<'a>(
        &'a self,
        owner: &'a OwnerId,
        account: AccountId,
        sealed: Vec<u8>,
        _now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, PortError>> {
        self.answer(move |state| state.factors(owner, account).is_some_and(|factors| factors.enrol(account, sealed)))
    }

    fn totp<'a>(&'a self, owner: &'a OwnerId, account: AccountId) -> BoxFuture<'a, Result<Option<Totp>, PortError>> {
        self.answer(move |state| state.factors(owner, account)?.totp.get(&account).cloned())
    }

    fn confirm_totp<'a>(
        &'a self,
        owner: &'a OwnerId,
        account: AccountId,
        sealed: Vec<u8>,
        step: u64,
        recovery: Vec<[u8; 32]>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, PortError>> {
        self.answer(move |state| {
            let factors = state.factors(owner, account);
            factors.is_some_and(|factors| factors.confirm(account, &sealed, step, recovery, now))
        })
    }

    fn use_totp_step<'a>(
        &'a self,
        owner: &'a OwnerId,
        account: AccountId,
        step: u64,
    ) -> BoxFuture<'a, Result<bool, PortError>> {
        self.answer(move |state| state.factors(owner, account).is_some_and(|factors| factors.use_step(account, step)))
    }

    fn use_recovery_code<'a>(
        &'a self,
        owner: &'a OwnerId,
        account: AccountId,
        hash: [u8; 32],
        _now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, PortError>> {
        self.answer(move |state| {
            let codes = state.factors(owner, account).and_then(|factors| factors.recovery.get_mut(&account));
            codes.is_some_and(|codes| codes.remove(&hash))
        })
    }

    fn renew_recovery_codes<'a>(
        &'a self,
        owner: &'a OwnerId,
        account: AccountId,
        recovery: Vec<[u8; 32]>,
    ) -> BoxFuture<'a, Result<(), PortError>> {
        self.answer(move |state| {
            if let Some(factors) = state.factors(owner, account) {
                factors.recovery.insert(account, recovery.into_iter().collect());
            }
        })
    }

    fn recovery_codes_left<'a>(
        &'a self,
        owner: &'a OwnerId,
        account: AccountId,
    ) -> BoxFuture<'a, Result<usize, PortError>> {
        self.answer(move |state| {
            let codes = state.factors(owner, account).and_then(|factors| factors.recovery.get(&account));
            codes.map_or(0, HashSet::len)
        })
    }
}
