use doorward_auth::{
    BoxFuture,
    ports::{PortError, Refresh, Refreshes, Rotated},
};
use doorward_types::{AccountId, OwnerId, SessionId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Store, number_at, time_at, to_column, to_integer};

const PORT: &str = "refreshes";

impl Refreshes for Store {
    fn issue<'a>(&'a self, hash: [u8; 32], refresh: Refresh) -> BoxFuture<'a, Result<(), PortError>> {
        self.writes(PORT, None, move |connection| insert(connection, &hash, &refresh))
    }

    fn rotate<'a>(
        &'a self,
        owner: &'a OwnerId,
        hash: [u8; 32],
        next: [u8; 32],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Rotated, PortError>> {
        Box::pin(async move {
            // Looked for first: whoever guesses must not be able to keep the writer busy.
            let looked_for = owner.clone();
            if self.reads(PORT, move |connection| find(connection, &looked_for, &hash, now)).await?.is_none() {
                return Ok(Rotated::Unknown);
            }
            let owner = owner.clone();
            self.writes(PORT, Some(now), move |connection| rotate(connection, &owner, &hash, &next, now)).await
        })
    }
}

fn rotate(
    connection: &Connection,
    owner: &OwnerId,
    hash: &[u8; 32],
    next: &[u8; 32],
    now: Timestamp,
) -> rusqlite::Result<Rotated> {
    let Some((refresh, is_used)) = find(connection, owner, hash, now)? else { return Ok(Rotated::Unknown) };
    if is_used {
        return Ok(Rotated::Reused(refresh));
    }
    connection
        .prepare_cached("UPDATE refreshes SET is_used = 1 WHERE owner = ?1 AND hash = ?2")?
        .execute(params![owner.as_str(), hash])?;
    insert(connection, next, &refresh)?;
    Ok(Rotated::Next(refresh))
}

/// A token that is worth something, and whether it was used; its login holds.
fn find(
    connection: &Connection,
    owner: &OwnerId,
    hash: &[u8; 32],
    now: Timestamp,
) -> rusqlite::Result<Option<(Refresh, bool)>> {
    connection
        .prepare_cached(
            "SELECT refreshes.*, sessions.account
             FROM refreshes JOIN sessions USING (sid) JOIN accounts ON accounts.id = sessions.account
             WHERE refreshes.owner = ?1 AND refreshes.hash = ?2
               AND refreshes.expires_at > ?3 AND over_at > ?3 AND sessions.created_at <= ?3 + 300000 AND disabled_at IS NULL",
        )?
        .query_row(params![owner.as_str(), hash, to_column(now)], |row| {
            let refresh = Refresh {
                owner: owner.clone(),
                account: AccountId(number_at(row, "account")?),
                sid: SessionId::from_bytes(row.get("sid")?),
                expires_at: time_at(row, "expires_at")?,
            };
            Ok((refresh, row.get("is_used")?))
        })
        .optional()
}

/// Keeps a token where its login is there.
fn insert(connection: &Connection, hash: &[u8; 32], refresh: &Refresh) -> rusqlite::Result<()> {
    let Refresh { owner, account, sid, expires_at } = refresh;
    connection
        .prepare_cached(
            "INSERT INTO refreshes (owner, hash, sid, expires_at, is_used)
             SELECT owner, ?2, sid, ?5, 0 FROM sessions WHERE sid = ?4 AND owner = ?1 AND account = ?3",
        )?
        .execute(params![owner.as_str(), hash, to_integer(account.0), sid.as_bytes(), to_column(*expires_at)])
        .map(|_| ())
}
