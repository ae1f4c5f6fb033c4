use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
};

use doorward_types::{AccountId, Cursor, OwnerId, Rest, SessionId, Subject, Timestamp};

use super::{MemorySite, State, accounts::Directory, log::Log};
use crate::{
    BoxFuture,
    ports::{Account, Ending, LogEntry, NewSession, PortError, Session, Sessions, What, Why},
};

/// Logins that have not ended, and the browsers that there have been logins in.
#[derive(Debug, Default)]
pub(super) struct Logins {
    sessions: HashMap<SessionId, Session>,
    by_hash: HashMap<[u8; 32], SessionId>,
    /// With the time of their last login.
    browsers: HashMap<(AccountId, [u8; 32]), Timestamp>,
}

impl Logins {
    /// The login, where it holds: name and role are the account's.
    pub(super) fn live(&self, accounts: &Directory, sid: SessionId, now: Timestamp) -> Option<Session> {
        let session = self.sessions.get(&sid).filter(|session| session.is_live(now))?;
        let account = accounts.find(Some(&session.owner), session.account).filter(|account| account.is_enabled())?;
        Some(called_as(account, session))
    }

    /// The login, where it has not ended; its time may be over.
    pub(super) fn find(&self, sid: SessionId) -> Option<&Session> {
        self.sessions.get(&sid)
    }

    /// The logins that a not-before ends because they say to have begun after it is said, with whose they are.
    pub(super) fn ahead_of(&self, ending: &Ending) -> Vec<(OwnerId, Rest)> {
        let is_meant = |session: &&Session| {
            matches!(ending.what, What::NotBefore { .. })
                && session.created_at > ending.at
                && ending.owner.as_ref().is_none_or(|owner| *owner == session.owner)
                && ending.what.ends(Some(&session.subject()), &[], session.created_at, ending.at)
        };
        self.sessions.values().filter(is_meant).map(|session| (session.owner.clone(), session.rest())).collect()
    }

    /// Takes out what is over.
    pub(super) fn end(&mut self, is_over: impl Fn(&Session) -> bool) {
        self.sessions.retain(|_, session| !is_over(session));
        self.by_hash.retain(|_, sid| self.sessions.contains_key(sid));
    }

    /// Ends the oldest logins of the account that are too many beside a new one; what rested on them.
    fn give_way_to(&mut self, new: &Session, at_most: usize) -> Vec<Rest> {
        let mut theirs: Vec<_> = self.sessions.values().filter(|session| session.account == new.account).collect();
        theirs.sort_by_key(|session| (Reverse(session.created_at), session.sid));
        let too_many: Vec<_> = theirs.iter().skip(at_most.saturating_sub(1)).map(|session| session.sid).collect();
        self.end(|session| too_many.contains(&session.sid));
        too_many.iter().map(|sid| Rest::on("sid", sid.to_string())).collect()
    }

    fn list(
        &self,
        accounts: &Directory,
        now: Timestamp,
        is_meant: impl Fn(&Session) -> bool,
        at_most: usize,
    ) -> Vec<Session> {
        let meant = self.sessions.values().filter(|session| is_meant(session));
        let mut found: Vec<_> = meant.filter_map(|session| self.live(accounts, session.sid, now)).collect();
        found.sort_by_key(|session| (Reverse(session.created_at), session.sid));
        found.truncate(at_most);
        found
    }
}

impl State {
    fn open(&mut self, NewSession { hash, session, replaces, at_most, as_of }: NewSession) -> Option<Cursor> {
        let account =
            self.accounts.find(Some(&session.owner), session.account).filter(|account| account.is_enabled())?;
        let subject = account.subject();
        if self.log.since(as_of).is_none_or(|mut since| since.any(|entry| entry.ends(&session, &subject))) {
            return None;
        }
        let (at, owner) = (session.created_at, session.owner.clone());
        if let Some(before) = replaces.and_then(|sid| self.logins.sessions.get(&sid)).filter(|it| it.owner == owner) {
            let (sid, rest) = (before.sid, before.rest());
            self.logins.end(|session| session.sid == sid);
            self.log.append(at, Some(owner.clone()), What::Rest(rest), Why::Replaced);
        }
        for rest in self.logins.give_way_to(&session, at_most) {
            self.log.append(at, Some(owner.clone()), What::Rest(rest), Why::Replaced);
        }
        let what = What::LoggedIn { subject, sid: session.sid, browser: session.browser };
        let cursor = self.log.append(at, Some(owner), what, Why::LoggedIn);
        self.logins.browsers.extend(session.browser.map(|browser| ((session.account, browser), at)));
        self.logins.by_hash.extend(hash.map(|hash| (hash, session.sid)));
        self.logins.sessions.insert(session.sid, Session { opened: cursor, ..session });
        Some(cursor)
    }

    fn sweep(&mut self, now: Timestamp, at_most: usize) -> Vec<Session> {
        let Self { accounts, logins, log, .. } = self;
        let is_over = logins.sessions.values().filter(|session| session.is_over(now)).take(at_most);
        let called = |session: &Session| {
            let account = accounts.find(Some(&session.owner), session.account);
            account.map_or_else(|| session.clone(), |account| called_as(account, session))
        };
        let over: Vec<_> = is_over.map(called).collect();
        let sids: HashSet<_> = over.iter().map(|session| session.sid).collect();
        append_expired(log, now, &over);
        logins.end(|session| sids.contains(&session.sid));
        self.forget(now);
        over
    }

    /// Forgets what time has made worthless.
    fn forget(&mut self, now: Timestamp) {
        self.log.prune(now);
        self.accounts.prune(now);
        self.logins.browsers.retain(|_, last| now.since(*last) < Session::BROWSER_KNOWN_FOR);
        self.counts.prune(now);
        self.keys.prune(now);
        self.chains.prune(now);
    }
}

impl LogEntry {
    fn ends(&self, session: &Session, subject: &Subject) -> bool {
        self.owner.as_ref().is_none_or(|owner| *owner == session.owner)
            && self.what.ends(Some(subject), &[session.rest()], session.created_at, self.at)
    }
}

/// The login, with what its account is called now.
fn called_as(account: &Account, session: &Session) -> Session {
    Session { username: account.username.clone(), role: account.role, ..session.clone() }
}

fn append_expired(log: &mut Log, now: Timestamp, over: &[Session]) {
    for session in over {
        log.append(now, Some(session.owner.clone()), What::Rest(session.rest()), Why::Expired);
    }
}

impl Sessions for MemorySite {
    fn open<'a>(&'a self, session: NewSession) -> BoxFuture<'a, Result<Option<Cursor>, PortError>> {
        self.answer(move |state| state.open(session))
    }

    fn find<'a>(
        &'a self,
        owner: &'a OwnerId,
        hash: [u8; 32],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Session>, PortError>> {
        self.answer(move |state| {
            let sid = *state.logins.by_hash.get(&hash)?;
            state.logins.live(&state.accounts, sid, now).filter(|session| session.owner == *owner)
        })
    }

    fn find_by_id<'a>(
        &'a self,
        owner: &'a OwnerId,
        sid: SessionId,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Session>, PortError>> {
        self.answer(move |state| state.logins.live(&state.accounts, sid, now).filter(|session| session.owner == *owner))
    }

    fn of_account<'a>(
        &'a self,
        owner: &'a OwnerId,
        account: AccountId,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Session>, PortError>> {
        self.answer(move |state| {
            let is_meant = |session: &Session| session.owner == *owner && session.account == account;
            state.logins.list(&state.accounts, now, is_meant, usize::MAX)
        })
    }

    fn list<'a>(
        &'a self,
        owner: Option<&'a OwnerId>,
        now: Timestamp,
        at_most: usize,
    ) -> BoxFuture<'a, Result<Vec<Session>, PortError>> {
        self.answer(move |state| {
            let is_meant = |session: &Session| owner.is_none_or(|owner| session.owner == *owner);
            state.logins.list(&state.accounts, now, is_meant, at_most)
        })
    }

    fn seen<'a>(&'a self, seen: Vec<(SessionId, Timestamp)>) -> BoxFuture<'a, Result<(), PortError>> {
        self.answer(move |state| {
            for (sid, at) in seen {
                let live = state.logins.sessions.get_mut(&sid).filter(|session| !session.is_over(at));
                if let Some(session) = live {
                    session.last_seen = session.last_seen.max(at);
                }
            }
        })
    }

    fn knows_browser<'a>(
        &'a self,
        owner: &'a OwnerId,
        account: AccountId,
        browser: [u8; 32],
    ) -> BoxFuture<'a, Result<bool, PortError>> {
        self.answer(move |state| {
            let is_theirs = state.accounts.find(Some(owner), account).is_some();
            is_theirs && state.logins.browsers.contains_key(&(account, browser))
        })
    }

    fn sweep<'a>(&'a self, now: Timestamp, at_most: usize) -> BoxFuture<'a, Result<Vec<Session>, PortError>> {
        self.answer(move |state| state.sweep(now, at_most))
    }
}
