use doorward_auth::{
    BoxFuture,
    ports::{Entered, KeyEntries, KeyEntry, PortError, WRONG_TRIES},
};
use doorward_types::{AccountId, OwnerId, SessionId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Store, number_at, time_at, to_column, to_integer};

const PORT: &str = "key entries";

impl KeyEntries for Store {
    fn put<'a>(&'a self, hash: [u8; 32], entry: KeyEntry) -> BoxFuture<'a, Result<bool, PortError>> {
        self.writes(PORT, None, move |connection| put(connection, &hash, &entry))
    }

    fn enter<'a>(
        &'a self,
        owner: &'a OwnerId,
        id: &'a str,
        hash: [u8; 32],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Entered, PortError>> {
        Box::pin(async move {
            // Looked for first: whoever guesses names must not be able to keep the writer busy.
            let (looked_for, name) = (owner.clone(), id.to_owned());
            if !self.reads(PORT, move |connection| exists(connection, &looked_for, &name)).await? {
                return Ok(Entered::Unknown);
            }
            let (owner, id) = (owner.clone(), id.to_owned());
            self.writes(PORT, Some(now), move |connection| enter(connection, &owner, &id, &hash, now)).await
        })
    }
}

fn put(connection: &Connection, hash: &[u8; 32], entry: &KeyEntry) -> rusqlite::Result<bool> {
    let KeyEntry { owner, id, account, sid, expires_at, .. } = entry;
    let is_anothers = connection
        .prepare_cached("SELECT 1 FROM key_entries WHERE owner = ?1 AND id = ?2 AND account <> ?3")?
        .exists(params![owner.as_str(), id, to_integer(account.0)])?;
    if is_anothers {
        return Ok(false);
    }
    // In the place of the account's key before, whatever that was called.
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO key_entries (owner, id, hash, account, sid, expires_at, wrong)
             SELECT owner, ?2, ?3, account, sid, ?6, 0 FROM sessions WHERE sid = ?5 AND owner = ?1 AND account = ?4",
        )?
        .execute(params![owner.as_str(), id, hash, to_integer(account.0), sid.as_bytes(), to_column(*expires_at)])
        .map(|rows| rows == 1)
}

fn enter(
    connection: &Connection,
    owner: &OwnerId,
    id: &str,
    hash: &[u8; 32],
    now: Timestamp,
) -> rusqlite::Result<Entered> {
    let key = connection
        .prepare_cached(
            "SELECT key_entries.*, accounts.username
             FROM key_entries JOIN sessions USING (sid) JOIN accounts ON accounts.id = key_entries.account
             WHERE key_entries.owner = ?1 AND key_entries.id = ?2
               AND key_entries.expires_at > ?3 AND over_at > ?3 AND sessions.created_at <= ?3 + 300000 AND disabled_at IS NULL",
        )?
        .query_row(params![owner.as_str(), id, to_column(now)], |row| {
            Ok((read(row)?, row.get::<_, [u8; 32]>("hash")?, row.get::<_, u32>("wrong")?))
        })
        .optional()?;
    let Some((entry, known, wrong)) = key else {
        remove(connection, owner, id)?;
        return Ok(Entered::Unknown);
    };
    if known == *hash {
        remove(connection, owner, id)?;
        return Ok(Entered::Right(entry));
    }
    let wrong = wrong.saturating_add(1);
    if wrong >= WRONG_TRIES {
        remove(connection, owner, id)?;
    } else {
        connection
            .prepare_cached("UPDATE key_entries SET wrong = ?3 WHERE owner = ?1 AND id = ?2")?
            .execute(params![owner.as_str(), id, wrong])?;
    }
    Ok(Entered::Wrong(wrong))
}

fn exists(connection: &Connection, owner: &OwnerId, id: &str) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM key_entries WHERE owner = ?1 AND id = ?2")?
        .exists(params![owner.as_str(), id])
}

fn remove(connection: &Connection, owner: &OwnerId, id: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM key_entries WHERE owner = ?1 AND id = ?2")?
        .execute(params![owner.as_str(), id])
        .map(|_| ())
}

fn read(row: &Row<'_>) -> rusqlite::Result<KeyEntry> {
    Ok(KeyEntry {
        owner: OwnerId::new(row.get::<_, String>("owner")?),
        id: row.get("id")?,
        account: AccountId(number_at(row, "account")?),
        username: row.get("username")?,
        sid: SessionId::from_bytes(row.get("sid")?),
        expires_at: time_at(row, "expires_at")?,
    })
}
