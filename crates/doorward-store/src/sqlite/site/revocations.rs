use doorward_auth::{
    BoxFuture,
    ports::{Change, Ending, Page, PortError, Revocations, What},
};
use doorward_types::{AccountId, Cursor, OwnerId, SessionId, Subject};
use rusqlite::{Connection, params};
use tokio::sync::watch;

use super::{Store, app_keys, log, number_at, sessions, tickets, to_column, to_integer};

const PORT: &str = "revocations";

impl Revocations for Store {
    fn end<'a>(&'a self, ending: Ending) -> BoxFuture<'a, Result<Cursor, PortError>> {
        Box::pin(async move {
            if matches!(ending.what, What::LoggedIn { .. }) {
                return Err(PortError { port: PORT, detail: "a login is not an ending".to_owned() });
            }
            let tell = self.inner.appended.teller();
            let ended = self.write_then(
                Some(ending.at),
                move |connection| end(connection, &ending),
                move |cursor| tell(*cursor),
            );
            ended.await.map_err(|error| error.of_port(PORT))
        })
    }

    fn read_after<'a>(&'a self, cursor: Cursor, at_most: usize) -> BoxFuture<'a, Result<Page, PortError>> {
        Box::pin(async move {
            let page = self.read(move |connection| page_after(connection, cursor, at_most)).await;
            let page = page.map_err(|error| error.of_port(PORT))?;
            // Another process on the same file may have appended.
            self.inner.appended.teller()(page.newest);
            Ok(page)
        })
    }

    fn appended(&self) -> watch::Receiver<Cursor> {
        self.inner.appended.subscribe()
    }
}

/// All of an ending, in the transaction that it is called in.
fn end(connection: &Connection, ending: &Ending) -> rusqlite::Result<Cursor> {
    end_logins(connection, ending)?;
    if let What::NotBefore { subject, .. } = &ending.what {
        end_what_is_ahead(connection, ending, subject.as_ref())?;
    }
    tickets::void(connection, ending)?;
    if let Some(change) = &ending.change {
        change_with(connection, ending, change)?;
    }
    log::append(connection, ending.at, ending.owner.as_ref(), &ending.what, ending.why)
}

fn end_logins(connection: &Connection, ending: &Ending) -> rusqlite::Result<()> {
    let owner = ending.owner.as_ref().map(OwnerId::as_str);
    match &ending.what {
        What::Rest(rest) => match (&*rest.kind, rest.value.parse::<SessionId>(), account_of(&rest.value)) {
            ("sid", Ok(sid), _) => connection
                .prepare_cached("DELETE FROM sessions WHERE sid = ?1 AND (?2 IS NULL OR owner = ?2)")?
                .execute(params![sid.as_bytes(), owner]),
            ("subject", _, Some(account)) => connection
                .prepare_cached("DELETE FROM sessions WHERE account = ?1 AND (?2 IS NULL OR owner = ?2)")?
                .execute(params![to_integer(account.0), owner]),
            _ => Ok(0),
        },
        What::Others { subject, keep } => connection
            .prepare_cached("DELETE FROM sessions WHERE account = ?1 AND (?2 IS NULL OR owner = ?2) AND sid <> ?3")?
            .execute(params![AccountId::of(subject).map(|id| to_integer(id.0)), owner, keep.as_bytes()]),
        What::NotBefore { subject: Some(subject), at } => connection
            .prepare_cached(
                "DELETE FROM sessions WHERE account = ?1 AND (?2 IS NULL OR owner = ?2) AND created_at < ?3",
            )?
            .execute(params![AccountId::of(subject).map(|id| to_integer(id.0)), owner, to_column(*at)]),
        What::NotBefore { subject: None, at } => connection
            .prepare_cached("DELETE FROM sessions WHERE created_at < ?1 AND (?2 IS NULL OR owner = ?2)")?
            .execute(params![to_column(*at), owner]),
        What::LoggedIn { .. } => Ok(0),
    }
    .map(|_| ())
}

/// Ends the logins that say to have begun after a not-before is said, each by an entry of its own: nothing else tells its sockets.
fn end_what_is_ahead(connection: &Connection, ending: &Ending, subject: Option<&Subject>) -> rusqlite::Result<()> {
    let (owner, account) = (ending.owner.as_ref().map(OwnerId::as_str), subject.map(AccountId::of));
    let is_meant = |of: &AccountId| account.is_none_or(|account| account == Some(*of));
    let ahead = connection
        .prepare_cached(
            "SELECT sid, owner, account FROM sessions WHERE created_at > ?1 AND (?2 IS NULL OR owner = ?2)",
        )?
        .query_map(params![to_column(ending.at), owner], |row| {
            let (sid, owner) = (SessionId::from_bytes(row.get("sid")?), OwnerId::new(row.get::<_, String>("owner")?));
            Ok((sid, owner, AccountId(number_at(row, "account")?)))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    for (sid, owner, _) in ahead.iter().filter(|(_, _, account)| is_meant(account)) {
        sessions::remove(connection, owner, sid)?;
        log::append(connection, ending.at, Some(owner), &sessions::ended(sid), ending.why)?;
    }
    Ok(())
}

/// The account that `member:NUMBER` is.
fn account_of(subject: &str) -> Option<AccountId> {
    let (kind, number) = subject.split_once(':')?;
    (kind == AccountId::KIND).then(|| number.parse().ok()).flatten()
}

fn change_with(connection: &Connection, ending: &Ending, change: &Change) -> rusqlite::Result<()> {
    let owner = ending.owner.as_ref().map(OwnerId::as_str);
    let theirs = "account IN (SELECT id FROM accounts WHERE id = ?1 AND (?2 IS NULL OR owner = ?2))";
    match change {
        Change::Password(id, hash) => {
            connection
                .prepare_cached("UPDATE accounts SET password = ?3 WHERE id = ?1 AND (?2 IS NULL OR owner = ?2)")?
                .execute(params![to_integer(id.0), owner, hash.reveal("it is kept")])?;
            connection
                .prepare_cached(&format!("DELETE FROM resets WHERE {theirs}"))?
                .execute(params![to_integer(id.0), owner])?;
        }
        Change::Disable(id) => {
            connection
                .prepare_cached(
                    "UPDATE accounts SET disabled_at = coalesce(disabled_at, ?3)
                     WHERE id = ?1 AND (?2 IS NULL OR owner = ?2)",
                )?
                .execute(params![to_integer(id.0), owner, to_column(ending.at)])?;
            connection
                .prepare_cached("DELETE FROM sessions WHERE account = ?1 AND (?2 IS NULL OR owner = ?2)")?
                .execute(params![to_integer(id.0), owner])?;
        }
        Change::RemoveTotp(id) => {
            for table in ["totp", "recovery_codes"] {
                connection
                    .prepare_cached(&format!("DELETE FROM {table} WHERE {theirs}"))?
                    .execute(params![to_integer(id.0), owner])?;
            }
        }
        Change::RevokeAppKey(id) => app_keys::revoke(connection, owner, id, ending.at)?,
    }
    Ok(())
}

fn page_after(connection: &Connection, cursor: Cursor, at_most: usize) -> rusqlite::Result<Page> {
    // The newest first: what is appended in between is not in this page.
    let newest = log::newest(connection)?;
    let entries = connection
        .prepare_cached("SELECT * FROM revocations WHERE cursor > ?1 AND cursor <= ?2 ORDER BY cursor LIMIT ?3")?
        .query_map(
            params![to_integer(cursor.0), to_integer(newest.0), i64::try_from(at_most).unwrap_or(i64::MAX)],
            log::read,
        )?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Page { entries, newest })
}
