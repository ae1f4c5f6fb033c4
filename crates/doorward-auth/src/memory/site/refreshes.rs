use std::collections::HashMap;

use doorward_types::{OwnerId, Timestamp};

use super::{MemorySite, State};
use crate::{
    BoxFuture,
    ports::{PortError, Refresh, Refreshes, Rotated},
};

/// Refresh tokens by their hashes; those that were used too, to know them again.
#[derive(Debug, Default)]
pub(super) struct Chains(HashMap<[u8; 32], Link>);

#[derive(Debug)]
struct Link {
    refresh: Refresh,
    is_used: bool,
}

impl Chains {
    pub(super) fn prune(&mut self, now: Timestamp) {
        self.0.retain(|_, link| now < link.refresh.expires_at);
    }
}

impl State {
    fn rotate(&mut self, owner: &OwnerId, hash: [u8; 32], next: [u8; 32], now: Timestamp) -> Rotated {
        let Some(link) = self.chains.0.get_mut(&hash) else { return Rotated::Unknown };
        let refresh = link.refresh.clone();
        let login = self.logins.live(&self.accounts, refresh.sid, now);
        if refresh.owner != *owner || refresh.expires_at <= now || login.is_none() {
            return Rotated::Unknown;
        }
        if link.is_used {
            return Rotated::Reused(refresh);
        }
        link.is_used = true;
        self.chains.0.insert(next, Link { refresh: refresh.clone(), is_used: false });
        Rotated::Next(refresh)
    }
}

impl Refreshes for MemorySite {
    fn issue<'a>(&'a self, hash: [u8; 32], refresh: Refresh) -> BoxFuture<'a, Result<(), PortError>> {
        self.answer(move |state| {
            let login = state.logins.find(refresh.sid);
            if login.is_some_and(|login| login.owner == refresh.owner && login.account == refresh.account) {
                state.chains.0.insert(hash, Link { refresh, is_used: false });
            }
        })
    }

    fn rotate<'a>(
        &'a self,
        owner: &'a OwnerId,
        hash: [u8; 32],
        next: [u8; 32],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Rotated, PortError>> {
        self.answer(move |state| state.rotate(owner, hash, next, now))
    }
}
