use std::collections::HashMap;

use doorward_types::{OwnerId, Timestamp};

use super::{MemorySite, State};
use crate::{
    BoxFuture,
    ports::{Entered, KeyEntries, KeyEntry, PortError, WRONG_TRIES},
};

/// Keys that may still be typed, by owner and public part.
#[derive(Debug, Default)]
pub(super) struct Keys(HashMap<(OwnerId, String), Key>);

#[derive(Debug)]
struct Key {
    hash: [u8; 32],
    entry: KeyEntry,
    wrong: u32,
}

impl Keys {
    pub(super) fn prune(&mut self, now: Timestamp) {
        self.0.retain(|_, key| now < key.entry.expires_at);
    }
}

impl State {
    fn put_key(&mut self, hash: [u8; 32], entry: KeyEntry) -> bool {
        let place = (entry.owner.clone(), entry.id.clone());
        let is_taken = self.keys.0.get(&place).is_some_and(|key| key.entry.account != entry.account);
        let login = self.logins.find(entry.sid);
        if is_taken || login.is_none_or(|login| login.owner != entry.owner || login.account != entry.account) {
            return false;
        }
        self.keys.0.retain(|_, key| key.entry.account != entry.account);
        self.keys.0.insert(place, Key { hash, entry, wrong: 0 });
        true
    }

    fn enter_key(&mut self, owner: &OwnerId, id: &str, hash: [u8; 32], now: Timestamp) -> Entered {
        let place = (owner.clone(), id.to_owned());
        let Some(key) = self.keys.0.get_mut(&place) else { return Entered::Unknown };
        let login = self.logins.live(&self.accounts, key.entry.sid, now);
        let Some(login) = login.filter(|_| now < key.entry.expires_at) else {
            self.keys.0.remove(&place);
            return Entered::Unknown;
        };
        if key.hash == hash {
            let entry = KeyEntry { username: login.username, ..key.entry.clone() };
            self.keys.0.remove(&place);
            return Entered::Right(entry);
        }
        key.wrong += 1;
        let wrong = key.wrong;
        if wrong >= WRONG_TRIES {
            self.keys.0.remove(&place);
        }
        Entered::Wrong(wrong)
    }
}

impl KeyEntries for MemorySite {
    fn put<'a>(&'a self, hash: [u8; 32], entry: KeyEntry) -> BoxFuture<'a, Result<bool, PortError>> {
        self.answer(move |state| state.put_key(hash, entry))
    }

    fn enter<'a>(
        &'a self,
        owner: &'a OwnerId,
        id: &'a str,
        hash: [u8; 32],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Entered, PortError>> {
        self.answer(move |state| state.enter_key(owner, id, hash, now))
    }
}
