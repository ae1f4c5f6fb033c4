use doorward_auth::{
    BoxFuture,
    ports::{Factors, PortError, Totp},
};
use doorward_types::{AccountId, OwnerId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Store, number_at, optional_time_at, to_column, to_integer};

const PORT: &str = "factors";

/// Of a table about accounts: those of the account `?1`, where it is the owner's `?2`.
const THEIRS: &str = "account IN (SELECT id FROM accounts WHERE id = ?1 AND owner = ?2)";

impl Factors for Store {
    fn enrol_totp<'a>(
        &'a self,
        owner: &'a OwnerId,
        account: AccountId,
        sealed: Vec<u8>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, PortError>> {
        let owner = owner.clone();
        self.writes(PORT, Some(now), move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO totp (account, sealed, enrolled_at, last_step)
                     SELECT id, ?3, ?4, 0 FROM accounts WHERE id = ?1 AND owner = ?2
                     ON CONFLICT (account) DO UPDATE SET sealed = excluded.sealed, enrolled_at = excluded.enrolled_at
                     WHERE confirmed_at IS NULL",
                )?
                .execute(params![to_integer(account.0), owner.as_str(), sealed, to_column(now)])
                .map(|rows| rows == 1)
        })
    }

    fn totp<'a>(&'a self, owner: &'a OwnerId, account: AccountId) -> BoxFuture<'a, Result<Option<Totp>, PortError>> {
        let owner = owner.clone();
        self.reads(PORT, move |connection| {
            connection
                .prepare_cached(&format!("SELECT * FROM totp WHERE {THEIRS}"))?
                .query_row(params![to_integer(account.0), owner.as_str()], |row| {
                    Ok(Totp {
                        sealed: row.get("sealed")?,
                        confirmed_at: optional_time_at(row, "confirmed_at")?,
                        last_step: number_at(row, "last_step")?,
                    })
                })
                .optional()
        })
    }

    fn confirm_totp<'a>(
        &'a self,
        owner: &'a OwnerId,
        account: AccountId,
        sealed: Vec<u8>,
        step: u64,
        recovery: Vec<[u8; 32]>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, PortError>> {
        let owner = owner.clone();
        self.writes(PORT, Some(now), move |connection| {
            let confirmed = connection
                .prepare_cached(&format!(
                    "UPDATE totp SET confirmed_at = ?3, last_step = ?4
                     WHERE {THEIRS} AND sealed = ?5 AND confirmed_at IS NULL"
                ))?
                .execute(params![to_integer(account.0), owner.as_str(), to_column(now), to_integer(step), sealed])?;
            if confirmed == 1 {
                renew_codes(connection, &owner, account, &recovery)?;
            }
            Ok(confirmed == 1)
        })
    }

    fn use_totp_step<'a>(
        &'a self,
        owner: &'a OwnerId,
        account: AccountId,
        step: u64,
    ) -> BoxFuture<'a, Result<bool, PortError>> {
        let owner = owner.clone();
        self.writes(PORT, None, move |connection| {
            connection
                .prepare_cached(&format!(
                    "UPDATE totp SET last_step = ?3 WHERE {THEIRS} AND last_step < ?3 AND confirmed_at IS NOT NULL"
                ))?
                .execute(params![to_integer(account.0), owner.as_str(), to_integer(step)])
                .map(|rows| rows == 1)
        })
    }

    fn use_recovery_code<'a>(
        &'a self,
        owner: &'a OwnerId,
        account: AccountId,
        hash: [u8; 32],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, PortError>> {
        let owner = owner.clone();
        self.writes(PORT, Some(now), move |connection| {
            connection
                .prepare_cached(&format!("DELETE FROM recovery_codes WHERE {THEIRS} AND hash = ?3"))?
                .execute(params![to_integer(account.0), owner.as_str(), hash])
                .map(|rows| rows == 1)
        })
    }

    fn renew_recovery_codes<'a>(
        &'a self,
        owner: &'a OwnerId,
        account: AccountId,
        recovery: Vec<[u8; 32]>,
    ) -> BoxFuture<'a, Result<(), PortError>> {
        let owner = owner.clone();
        self.writes(PORT, None, move |connection| renew_codes(connection, &owner, account, &recovery))
    }

    fn recovery_codes_left<'a>(
        &'a self,
        owner: &'a OwnerId,
        account: AccountId,
    ) -> BoxFuture<'a, Result<usize, PortError>> {
        let owner = owner.clone();
        self.reads(PORT, move |connection| {
            connection
                .prepare_cached(&format!("SELECT count(*) AS left FROM recovery_codes WHERE {THEIRS}"))?
                .query_row(params![to_integer(account.0), owner.as_str()], |row| number_at(row, "left"))
                .map(|left| usize::try_from(left).unwrap_or(usize::MAX))
        })
    }
}

fn renew_codes(
    connection: &Connection,
    owner: &OwnerId,
    account: AccountId,
    recovery: &[[u8; 32]],
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(&format!("DELETE FROM recovery_codes WHERE {THEIRS}"))?
        .execute(params![to_integer(account.0), owner.as_str()])?;
    let mut insert = connection.prepare_cached(
        "INSERT OR IGNORE INTO recovery_codes (account, hash) SELECT id, ?3 FROM accounts WHERE id = ?1 AND owner = ?2",
    )?;
    for hash in recovery {
        insert.execute(params![to_integer(account.0), owner.as_str(), hash])?;
    }
    Ok(())
}
