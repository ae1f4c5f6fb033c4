use std::collections::{BTreeMap, HashMap};

use doorward_types::{AccountId, OwnerId, Secret, Timestamp};

use super::MemorySite;
use crate::{
    BoxFuture,
    ports::{Account, Accounts, Created, Invitation, NewAccount, PortError, Reset},
};

/// Accounts by number and by name, and invitations.
#[derive(Debug, Default)]
pub(super) struct Directory {
    accounts: BTreeMap<AccountId, Account>,
    names: HashMap<(OwnerId, String), AccountId>,
    invitations: HashMap<(OwnerId, [u8; 32]), Invitation>,
    resets: HashMap<AccountId, ([u8; 32], Reset)>,
}

impl Directory {
    /// The account, where it is one of the owner's; `None` for the owner means any.
    pub(super) fn find(&self, owner: Option<&OwnerId>, id: AccountId) -> Option<&Account> {
        self.accounts.get(&id).filter(|account| owner.is_none_or(|owner| account.owner == *owner))
    }

    pub(super) fn find_mut(&mut self, owner: Option<&OwnerId>, id: AccountId) -> Option<&mut Account> {
        self.accounts.get_mut(&id).filter(|account| owner.is_none_or(|owner| account.owner == *owner))
    }

    /// Another password; a link to set one is void.
    pub(super) fn change_password(&mut self, owner: Option<&OwnerId>, id: AccountId, hash: Secret) {
        if let Some(account) = self.find_mut(owner, id) {
            account.password = hash;
            self.resets.remove(&id);
        }
    }

    fn reset(&self, owner: &OwnerId, hash: [u8; 32], now: Timestamp) -> Option<Reset> {
        let held = self.resets.values().find(|(kept, reset)| *kept == hash && reset.owner == *owner);
        held.map(|(_, reset)| reset.clone()).filter(|reset| now < reset.expires_at)
    }

    /// Forgets invitations and links that are over.
    pub(super) fn prune(&mut self, now: Timestamp) {
        self.invitations.retain(|_, invitation| now < invitation.expires_at);
        self.resets.retain(|_, (_, reset)| now < reset.expires_at);
    }

    fn invite(&mut self, hash: [u8; 32], invitation: Invitation) {
        if invitation.first {
            self.invitations.retain(|(owner, _), held| !held.first || *owner != invitation.owner);
        }
        self.invitations.insert((invitation.owner.clone(), hash), invitation);
    }

    fn invitation(&self, key: &(OwnerId, [u8; 32]), now: Timestamp) -> Option<&Invitation> {
        let has_accounts = || self.accounts.values().any(|account| account.owner == key.0);
        self.invitations.get(key).filter(|held| now < held.expires_at && !(held.first && has_accounts()))
    }

    fn create(&mut self, new: NewAccount) -> Created {
        let NewAccount { owner, username, unique, role, password, invitation, at } = new;
        let invited = match invitation.map(|hash| (owner.clone(), hash)) {
            None => None,
            Some(key) => match self.invitation(&key, at) {
                None => return Created::NotInvited,
                Some(invitation) => Some((invitation.role, key)),
            },
        };
        let name = (owner.clone(), unique.clone());
        if self.names.contains_key(&name) {
            return Created::Taken;
        }
        let role = invited.map_or(role, |(role, key)| {
            self.invitations.remove(&key);
            role
        });
        // Accounts do not go away, so the number after the last is free.
        let id = AccountId(self.accounts.last_key_value().map_or(1, |(last, _)| last.0 + 1));
        let account = Account { owner, id, username, unique, role, password, created_at: at, disabled_at: None };
        self.names.insert(name, id);
        self.accounts.insert(id, account.clone());
        Created::Account(account)
    }
}

impl Accounts for MemorySite {
    fn create<'a>(&'a self, account: NewAccount) -> BoxFuture<'a, Result<Created, PortError>> {
        self.answer(move |state| state.accounts.create(account))
    }

    fn find<'a>(&'a self, owner: &'a OwnerId, id: AccountId) -> BoxFuture<'a, Result<Option<Account>, PortError>> {
        self.answer(move |state| state.accounts.find(Some(owner), id).cloned())
    }

    fn find_by_name<'a>(
        &'a self,
        owner: &'a OwnerId,
        unique: &'a str,
    ) -> BoxFuture<'a, Result<Option<Account>, PortError>> {
        self.answer(move |state| {
            let id = *state.accounts.names.get(&(owner.clone(), unique.to_owned()))?;
            state.accounts.find(Some(owner), id).cloned()
        })
    }

    fn list<'a>(
        &'a self,
        owner: Option<&'a OwnerId>,
        after: Option<AccountId>,
        at_most: usize,
    ) -> BoxFuture<'a, Result<Vec<Account>, PortError>> {
        self.answer(move |state| {
            let all = state.accounts.accounts.values();
            let asked = |account: &&Account| {
                owner.is_none_or(|owner| account.owner == *owner) && after.is_none_or(|after| account.id > after)
            };
            all.filter(asked).take(at_most).cloned().collect()
        })
    }

    fn rehash<'a>(
        &'a self,
        owner: &'a OwnerId,
        id: AccountId,
        before: Secret,
        after: Secret,
    ) -> BoxFuture<'a, Result<(), PortError>> {
        self.answer(move |state| {
            if let Some(account) = state.accounts.find_mut(Some(owner), id)
                && account.password == before
            {
                account.password = after;
            }
        })
    }

    fn enable<'a>(&'a self, owner: &'a OwnerId, id: AccountId) -> BoxFuture<'a, Result<bool, PortError>> {
        self.answer(move |state| {
            state.accounts.find_mut(Some(owner), id).is_some_and(|account| account.disabled_at.take().is_some())
        })
    }

    fn invite<'a>(&'a self, hash: [u8; 32], invitation: Invitation) -> BoxFuture<'a, Result<(), PortError>> {
        self.answer(move |state| state.accounts.invite(hash, invitation))
    }

    fn offer_reset<'a>(&'a self, hash: [u8; 32], reset: Reset) -> BoxFuture<'a, Result<(), PortError>> {
        self.answer(move |state| {
            if state.accounts.find(Some(&reset.owner), reset.account).is_some() {
                state.accounts.resets.insert(reset.account, (hash, reset));
            }
        })
    }

    fn reset<'a>(
        &'a self,
        owner: &'a OwnerId,
        hash: [u8; 32],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Reset>, PortError>> {
        self.answer(move |state| state.accounts.reset(owner, hash, now))
    }

    fn take_reset<'a>(
        &'a self,
        owner: &'a OwnerId,
        hash: [u8; 32],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Reset>, PortError>> {
        self.answer(move |state| {
            let reset = state.accounts.reset(owner, hash, now)?;
            state.accounts.resets.remove(&reset.account);
            Some(reset)
        })
    }

    fn invitation<'a>(
        &'a self,
        owner: &'a OwnerId,
        hash: [u8; 32],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Invitation>, PortError>> {
        self.answer(move |state| state.accounts.invitation(&(owner.clone(), hash), now).cloned())
    }
}
