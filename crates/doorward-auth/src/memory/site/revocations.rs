use doorward_types::{Cursor, OwnerId};
use tokio::sync::watch;

use super::{MemorySite, State};
use crate::{
    BoxFuture,
    ports::{Change, Ending, Page, PortError, Revocations, What},
};

impl State {
    /// Ends the logins that are meant, and changes what changes with them. One from beyond the present ends by an entry of its own.
    fn end(&mut self, ending: &Ending) {
        let of_owner = |owner: &OwnerId| ending.owner.as_ref().is_none_or(|ending| ending == owner);
        for (owner, rest) in self.logins.ahead_of(ending) {
            self.log.append(ending.at, Some(owner), What::Rest(rest), ending.why);
        }
        self.logins.end(|session| {
            of_owner(&session.owner)
                && ending.what.ends(Some(&session.subject()), &[session.rest()], session.created_at, ending.at)
        });
        let owner = ending.owner.as_ref();
        match &ending.change {
            Some(Change::Password(id, hash)) => self.accounts.change_password(owner, *id, hash.clone()),
            Some(Change::Disable(id)) => {
                if let Some(account) = self.accounts.find_mut(owner, *id) {
                    account.disabled_at.get_or_insert(ending.at);
                    self.logins.end(|session| session.account == *id);
                }
            }
            Some(Change::RemoveTotp(id)) => {
                if self.accounts.find(owner, *id).is_some() {
                    self.authenticators.remove(*id);
                }
            }
            Some(Change::RevokeAppKey(_)) | None => {}
        }
    }
}

impl Revocations for MemorySite {
    fn end<'a>(&'a self, ending: Ending) -> BoxFuture<'a, Result<Cursor, PortError>> {
        Box::pin(async move {
            if matches!(ending.what, What::LoggedIn { .. }) {
                return Err(PortError { port: "revocations", detail: "a login is not an ending".to_owned() });
            }
            Ok(self.act(|state| {
                state.end(&ending);
                // Under the same lock: nobody sees the one without the other.
                if let Some(tickets) = &self.tickets {
                    tickets.void(&ending);
                }
                if let (Some(app_keys), Some(Change::RevokeAppKey(id))) = (&self.app_keys, &ending.change) {
                    app_keys.revoke_of(ending.owner.as_ref(), id, ending.at);
                }
                let Ending { owner, what, why, at, .. } = ending;
                state.log.append(at, owner, what, why)
            }))
        })
    }

    fn read_after<'a>(&'a self, cursor: Cursor, at_most: usize) -> BoxFuture<'a, Result<Page, PortError>> {
        self.answer(move |state| state.log.page_after(cursor, at_most))
    }

    fn appended(&self) -> watch::Receiver<Cursor> {
        self.appended.subscribe()
    }
}
