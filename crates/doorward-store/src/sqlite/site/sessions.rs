use std::time::Duration;

use doorward_auth::{
    BoxFuture,
    ports::{NewSession, PortError, Session, Sessions, What, Why},
};
use doorward_types::{AccountId, Cursor, OwnerId, Rest, SessionId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Params, Row, params, types::Null};

use super::{
    Store,
    accounts::{self, role_at},
    log, number_at, time_at, to_column, to_integer, unreadable,
};

const PORT: &str = "sessions";

/// The longest time without use that there is, so that a sum of times stays a time: a hundred years.
const IDLE: Duration = Duration::from_hours(24 * 36_525);

/// Logins that hold at `?1`, with what their accounts say.
const LIVE: &str = "SELECT sessions.*, accounts.username, accounts.role
                    FROM sessions JOIN accounts ON accounts.id = sessions.account
                    WHERE over_at > ?1 AND sessions.created_at <= ?1 + 300000 AND disabled_at IS NULL";

// The queries have it in figures.
const _: () = assert!(Session::AHEAD.as_millis() == 300_000);

impl Sessions for Store {
    fn open<'a>(&'a self, session: NewSession) -> BoxFuture<'a, Result<Option<Cursor>, PortError>> {
        Box::pin(async move {
            let (now, tell) = (session.session.created_at, self.inner.appended.teller());
            let opened = self.write_then(
                Some(now),
                move |connection| open(connection, &session),
                move |cursor| cursor.iter().for_each(|cursor| tell(*cursor)),
            );
            opened.await.map_err(|error| error.of_port(PORT))
        })
    }

    fn find<'a>(
        &'a self,
        owner: &'a OwnerId,
        hash: [u8; 32],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Session>, PortError>> {
        let owner = owner.clone();
        self.reads(PORT, move |connection| {
            connection
                .prepare_cached(&format!("{LIVE} AND sessions.owner = ?2 AND hash = ?3"))?
                .query_row(params![to_column(now), owner.as_str(), hash], read)
                .optional()
        })
    }

    fn find_by_id<'a>(
        &'a self,
        owner: &'a OwnerId,
        sid: SessionId,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Session>, PortError>> {
        let owner = owner.clone();
        self.reads(PORT, move |connection| {
            connection
                .prepare_cached(&format!("{LIVE} AND sessions.owner = ?2 AND sid = ?3"))?
                .query_row(params![to_column(now), owner.as_str(), sid.as_bytes()], read)
                .optional()
        })
    }

    fn of_account<'a>(
        &'a self,
        owner: &'a OwnerId,
        account: AccountId,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Session>, PortError>> {
        let owner = owner.clone();
        self.reads(PORT, move |connection| {
            let theirs = "AND sessions.owner = ?2 AND account = ?3";
            list(connection, theirs, params![to_column(now), owner.as_str(), to_integer(account.0), i64::MAX])
        })
    }

    fn list<'a>(
        &'a self,
        owner: Option<&'a OwnerId>,
        now: Timestamp,
        at_most: usize,
    ) -> BoxFuture<'a, Result<Vec<Session>, PortError>> {
        let owner = owner.cloned();
        self.reads(PORT, move |connection| {
            let (now, at_most) = (to_column(now), i64::try_from(at_most).unwrap_or(i64::MAX));
            match &owner {
                Some(owner) => list(connection, "AND sessions.owner = ?2", params![now, owner.as_str(), Null, at_most]),
                None => list(connection, "", params![now, Null, Null, at_most]),
            }
        })
    }

    fn seen<'a>(&'a self, seen: Vec<(SessionId, Timestamp)>) -> BoxFuture<'a, Result<(), PortError>> {
        let now = seen.iter().map(|(_, at)| *at).max();
        self.writes(PORT, now, move |connection| {
            let mut update = connection.prepare_cached(
                "UPDATE sessions SET last_seen = ?2 WHERE sid = ?1 AND last_seen < ?2 AND over_at > ?2",
            )?;
            for (sid, at) in seen {
                update.execute(params![sid.as_bytes(), to_column(at)])?;
            }
            Ok(())
        })
    }

    fn knows_browser<'a>(
        &'a self,
        owner: &'a OwnerId,
        account: AccountId,
        browser: [u8; 32],
    ) -> BoxFuture<'a, Result<bool, PortError>> {
        let owner = owner.clone();
        self.reads(PORT, move |connection| {
            connection
                .prepare_cached(
                    "SELECT 1 FROM browsers JOIN accounts ON accounts.id = browsers.account
                     WHERE account = ?1 AND hash = ?2 AND owner = ?3",
                )?
                .exists(params![to_integer(account.0), browser, owner.as_str()])
        })
    }

    fn sweep<'a>(&'a self, now: Timestamp, at_most: usize) -> BoxFuture<'a, Result<Vec<Session>, PortError>> {
        Box::pin(async move {
            // Looked for first: this is asked every second, and the writer has better to do.
            let is_any = self.read(move |connection| is_any_over(connection, now)).await;
            if !is_any.map_err(|error| error.of_port(PORT))? {
                return Ok(Vec::new());
            }
            let tell = self.inner.appended.teller();
            let swept = self.write_then(
                Some(now),
                move |connection| sweep(connection, now, at_most),
                move |(_, newest)| newest.iter().for_each(|newest| tell(*newest)),
            );
            swept.await.map(|(over, _)| over).map_err(|error| error.of_port(PORT))
        })
    }
}

fn open(connection: &Connection, new: &NewSession) -> rusqlite::Result<Option<Cursor>> {
    let NewSession { hash, session, replaces, at_most, as_of } = new;
    let account = connection
        .prepare_cached("SELECT * FROM accounts WHERE id = ?1 AND owner = ?2 AND disabled_at IS NULL")?
        .query_row(params![to_integer(session.account.0), session.owner.as_str()], accounts::read)
        .optional()?;
    let Some(account) = account else { return Ok(None) };
    // As the account is called now: it is who the log is about.
    let session = Session { username: account.username, role: account.role, ..session.clone() };
    if is_overtaken(connection, &session, *as_of)? {
        return Ok(None);
    }
    let (at, owner) = (session.created_at, Some(&session.owner));
    if let Some(before) = replaces
        && remove(connection, &session.owner, before)?
    {
        log::append(connection, at, owner, &ended(before), Why::Replaced)?;
    }
    for sid in too_many(connection, session.account, *at_most)? {
        remove(connection, &session.owner, &sid)?;
        log::append(connection, at, owner, &ended(&sid), Why::Replaced)?;
    }
    let what = What::LoggedIn { subject: session.subject(), sid: session.sid, browser: session.browser };
    let opened = log::append(connection, at, owner, &what, Why::LoggedIn)?;
    insert(connection, hash.as_ref(), &Session { opened, ..session })?;
    Ok(Some(opened))
}

/// The oldest logins of an account that are too many beside a new one.
fn too_many(connection: &Connection, account: AccountId, at_most: usize) -> rusqlite::Result<Vec<SessionId>> {
    let beside = i64::try_from(at_most.saturating_sub(1)).unwrap_or(i64::MAX);
    connection
        .prepare_cached("SELECT sid FROM sessions WHERE account = ?1 ORDER BY created_at DESC, sid LIMIT -1 OFFSET ?2")?
        .query_map(params![to_integer(account.0), beside], |row| Ok(SessionId::from_bytes(row.get("sid")?)))?
        .collect()
}

/// Whether something has ended since that would have ended the login, or nobody knows.
fn is_overtaken(connection: &Connection, session: &Session, as_of: Cursor) -> rusqlite::Result<bool> {
    let newest = log::newest(connection)?;
    if newest <= as_of {
        return Ok(false);
    }
    let oldest: Option<i64> =
        connection.prepare_cached("SELECT min(cursor) FROM revocations")?.query_row([], |row| row.get(0))?;
    if oldest.is_none_or(|oldest| oldest > to_integer(as_of.0.saturating_add(1))) {
        return Ok(true);
    }
    let (subject, rests_on) = (session.subject(), [session.rest()]);
    let mut since = connection.prepare_cached(
        "SELECT * FROM revocations WHERE cursor > ?1 AND (owner IS NULL OR owner = ?2) AND what <> 'logged_in'",
    )?;
    for entry in since.query_map(params![to_integer(as_of.0), session.owner.as_str()], log::read)? {
        let entry = entry?;
        if entry.what.ends(Some(&subject), &rests_on, session.created_at, entry.at) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn insert(connection: &Connection, hash: Option<&[u8; 32]>, session: &Session) -> rusqlite::Result<()> {
    let idle = u64::try_from(session.idle.min(IDLE).as_millis()).unwrap_or(u64::MAX);
    connection
        .prepare_cached(
            "INSERT INTO sessions
             (sid, owner, hash, account, browser, factors, source, agent, created_at, last_seen, idle_ms, expires_at,
              opened)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?
        .execute(params![
            session.sid.as_bytes(),
            session.owner.as_str(),
            hash,
            to_integer(session.account.0),
            session.browser,
            serde_json::to_string(&session.factors).map_err(unreadable)?,
            session.source.to_string(),
            session.agent,
            to_column(session.created_at),
            to_column(session.last_seen),
            to_integer(idle),
            to_column(session.expires_at),
            to_integer(session.opened.0),
        ])?;
    if let Some(browser) = session.browser {
        connection
            .prepare_cached("INSERT OR REPLACE INTO browsers (account, hash, used_at) VALUES (?1, ?2, ?3)")?
            .execute(params![to_integer(session.account.0), browser, to_column(session.created_at)])?;
    }
    Ok(())
}

pub(super) fn remove(connection: &Connection, owner: &OwnerId, sid: &SessionId) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("DELETE FROM sessions WHERE sid = ?1 AND owner = ?2")?
        .execute(params![sid.as_bytes(), owner.as_str()])
        .map(|rows| rows == 1)
}

pub(super) fn ended(sid: &SessionId) -> What {
    What::Rest(Rest::on("sid", sid.to_string()))
}

/// Whether any login is over.
fn is_any_over(connection: &Connection, now: Timestamp) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT 1 FROM sessions WHERE over_at <= ?1")?.exists(params![to_column(now)])
}

/// Ends what is over; what that was, and where the log stands then.
fn sweep(connection: &Connection, now: Timestamp, at_most: usize) -> rusqlite::Result<(Vec<Session>, Option<Cursor>)> {
    let over = connection
        .prepare_cached(
            "SELECT sessions.*, accounts.username, accounts.role
             FROM sessions JOIN accounts ON accounts.id = sessions.account
             WHERE over_at <= ?1 ORDER BY over_at LIMIT ?2",
        )?
        .query_map(params![to_column(now), i64::try_from(at_most).unwrap_or(i64::MAX)], read)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let mut newest = None;
    for Session { sid, owner, .. } in &over {
        remove(connection, owner, sid)?;
        newest = Some(log::append(connection, now, Some(owner), &ended(sid), Why::Expired)?);
    }
    Ok((over, newest))
}

/// Logins that are meant, newest first, at most `?4` of them.
fn list(connection: &Connection, which: &str, params: impl Params) -> rusqlite::Result<Vec<Session>> {
    connection
        .prepare_cached(&format!("{LIVE} {which} ORDER BY sessions.created_at DESC, sid LIMIT ?4"))?
        .query_map(params, read)?
        .collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        owner: OwnerId::new(row.get::<_, String>("owner")?),
        sid: SessionId::from_bytes(row.get("sid")?),
        account: AccountId(number_at(row, "account")?),
        username: row.get("username")?,
        role: role_at(row)?,
        browser: row.get("browser")?,
        factors: serde_json::from_str(&row.get::<_, String>("factors")?).map_err(unreadable)?,
        source: row.get::<_, String>("source")?.parse().map_err(unreadable)?,
        agent: row.get("agent")?,
        created_at: time_at(row, "created_at")?,
        last_seen: time_at(row, "last_seen")?,
        idle: Duration::from_millis(number_at(row, "idle_ms")?),
        expires_at: time_at(row, "expires_at")?,
        opened: Cursor(number_at(row, "opened")?),
    })
}
