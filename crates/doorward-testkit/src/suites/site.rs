//! What the suites of a site begin with: accounts of `acme` and logins of theirs.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use doorward_auth::ports::{
    Account, Change, Created, Ending, LogEntry, NewAccount, NewSession, Role, Session, SitePorts, What, Why,
};
use doorward_types::{Cursor, OwnerId, Rest, Secret, SessionId, Timestamp};

use super::acme;
use crate::{beginning, login_of};

/// When what is made here is made.
pub(super) const NOW: Timestamp = Timestamp::from_secs(1_000_000);

pub(super) fn after(secs: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(secs))
}

/// Bytes that nothing else here has been made with.
pub(super) fn unique() -> [u8; 32] {
    static DRAWN: AtomicU64 = AtomicU64::new(0);
    let mut bytes = [0xD0; 32];
    bytes[8..16].copy_from_slice(&DRAWN.fetch_add(1, Ordering::SeqCst).to_be_bytes());
    bytes
}

pub(super) fn new_account(owner: OwnerId, name: &str) -> NewAccount {
    NewAccount {
        owner,
        username: name.to_owned(),
        unique: name.to_lowercase(),
        role: Role::User,
        password: Secret::from_text("$argon2id$of the first"),
        invitation: None,
        at: NOW,
    }
}

pub(super) async fn account_of(site: &SitePorts, owner: OwnerId, name: &str) -> Account {
    match site.accounts.create(new_account(owner, name)).await.unwrap() {
        Created::Account(account) => account,
        other => panic!("{name} was not made: {other:?}"),
    }
}

/// A new account of `acme`.
pub(super) async fn account(site: &SitePorts, name: &str) -> Account {
    account_of(site, acme(), name).await
}

pub(super) fn newest(site: &SitePorts) -> Cursor {
    *site.revocations.appended().borrow()
}

/// A login of the account that has yet to begin: idle for half an hour, twelve hours at the longest.
pub(super) fn new_login(site: &SitePorts, account: &Account) -> NewSession {
    let [hash, id] = [unique(), unique()];
    let mut sid = [0; 16];
    sid.copy_from_slice(&id[..16]);
    let session = Session {
        browser: Some(unique()),
        factors: vec!["pwd".to_owned(), "otp".to_owned()],
        agent: "Mozilla/5.0 (☂; \"quoted\")".to_owned(),
        ..login_of(account, SessionId::from_bytes(sid), NOW)
    };
    beginning(session, Some(hash), newest(site))
}

/// A login of the account.
pub(super) async fn login(site: &SitePorts, account: &Account) -> Session {
    open(site, new_login(site, account)).await
}

/// As it is kept: with where it stands in the log.
pub(super) async fn open(site: &SitePorts, login: NewSession) -> Session {
    let session = login.session.clone();
    let opened = site.sessions.open(login).await.unwrap().unwrap();
    Session { opened, ..session }
}

/// Whether a login holds.
pub(super) async fn holds(site: &SitePorts, session: &Session) -> bool {
    site.sessions.find_by_id(&session.owner, session.sid, NOW).await.unwrap().is_some()
}

pub(super) fn ending(what: What) -> Ending {
    Ending { owner: Some(acme()), what, why: Why::Revoked, change: None, at: NOW }
}

pub(super) fn changing(account: &Account, why: Why, change: Change) -> Ending {
    Ending { why, change: Some(change), ..ending(What::Rest(account.subject().rest())) }
}

/// Ends what rests on that.
pub(super) async fn end(site: &SitePorts, rest: Rest) -> Cursor {
    site.revocations.end(ending(What::Rest(rest))).await.unwrap()
}

/// What stands in the log after a cursor.
pub(super) async fn logged(site: &SitePorts, after: Cursor) -> Vec<LogEntry> {
    site.revocations.read_after(after, 1000).await.unwrap().entries
}

/// What those entries say and why.
pub(super) fn said(entries: Vec<LogEntry>) -> Vec<(What, Why)> {
    entries.into_iter().map(|entry| (entry.what, entry.why)).collect()
}
