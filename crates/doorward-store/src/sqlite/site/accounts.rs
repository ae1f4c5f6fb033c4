use doorward_auth::{
    BoxFuture,
    ports::{Account, Accounts, Created, Invitation, NewAccount, PortError, Reset, Role},
};
use doorward_types::{AccountId, OwnerId, Secret, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Store, number_at, optional_time_at, time_at, to_column, to_integer, unreadable};

const PORT: &str = "accounts";

impl Accounts for Store {
    fn create<'a>(&'a self, account: NewAccount) -> BoxFuture<'a, Result<Created, PortError>> {
        self.writes(PORT, Some(account.at), move |connection| create(connection, account))
    }

    fn find<'a>(&'a self, owner: &'a OwnerId, id: AccountId) -> BoxFuture<'a, Result<Option<Account>, PortError>> {
        let owner = owner.clone();
        self.reads(PORT, move |connection| {
            connection
                .prepare_cached("SELECT * FROM accounts WHERE id = ?1 AND owner = ?2")?
                .query_row(params![to_integer(id.0), owner.as_str()], read)
                .optional()
        })
    }

    fn find_by_name<'a>(
        &'a self,
        owner: &'a OwnerId,
        unique: &'a str,
    ) -> BoxFuture<'a, Result<Option<Account>, PortError>> {
        let (owner, unique) = (owner.clone(), unique.to_owned());
        self.reads(PORT, move |connection| {
            connection
                .prepare_cached("SELECT * FROM accounts WHERE owner = ?1 AND name_key = ?2")?
                .query_row(params![owner.as_str(), unique], read)
                .optional()
        })
    }

    fn list<'a>(
        &'a self,
        owner: Option<&'a OwnerId>,
        after: Option<AccountId>,
        at_most: usize,
    ) -> BoxFuture<'a, Result<Vec<Account>, PortError>> {
        let owner = owner.cloned();
        self.reads(PORT, move |connection| {
            let after = after.map_or(0, |after| to_integer(after.0));
            let at_most = i64::try_from(at_most).unwrap_or(i64::MAX);
            match &owner {
                Some(owner) => connection
                    .prepare_cached("SELECT * FROM accounts WHERE owner = ?1 AND id > ?2 ORDER BY id LIMIT ?3")?
                    .query_map(params![owner.as_str(), after, at_most], read)?
                    .collect(),
                None => connection
                    .prepare_cached("SELECT * FROM accounts WHERE id > ?1 ORDER BY id LIMIT ?2")?
                    .query_map(params![after, at_most], read)?
                    .collect(),
            }
        })
    }

    fn rehash<'a>(
        &'a self,
        owner: &'a OwnerId,
        id: AccountId,
        before: Secret,
        after: Secret,
    ) -> BoxFuture<'a, Result<(), PortError>> {
        let owner = owner.clone();
        self.writes(PORT, None, move |connection| {
            let [before, after] = [&before, &after].map(|hash| hash.reveal("it is kept"));
            connection
                .prepare_cached("UPDATE accounts SET password = ?4 WHERE id = ?1 AND owner = ?2 AND password = ?3")?
                .execute(params![to_integer(id.0), owner.as_str(), before, after])
                .map(|_| ())
        })
    }

    fn enable<'a>(&'a self, owner: &'a OwnerId, id: AccountId) -> BoxFuture<'a, Result<bool, PortError>> {
        let owner = owner.clone();
        self.writes(PORT, None, move |connection| {
            connection
                .prepare_cached(
                    "UPDATE accounts SET disabled_at = NULL WHERE id = ?1 AND owner = ?2 AND disabled_at IS NOT NULL",
                )?
                .execute(params![to_integer(id.0), owner.as_str()])
                .map(|rows| rows == 1)
        })
    }

    fn invite<'a>(&'a self, hash: [u8; 32], invitation: Invitation) -> BoxFuture<'a, Result<(), PortError>> {
        self.writes(PORT, None, move |connection| {
            let Invitation { owner, role, expires_at, first } = invitation;
            if first {
                connection
                    .prepare_cached("DELETE FROM invitations WHERE owner = ?1 AND first = 1")?
                    .execute(params![owner.as_str()])?;
            }
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO invitations (owner, hash, role, expires_at, first) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![owner.as_str(), hash, role.as_str(), to_column(expires_at), first])
                .map(|_| ())
        })
    }

    fn offer_reset<'a>(&'a self, hash: [u8; 32], reset: Reset) -> BoxFuture<'a, Result<(), PortError>> {
        self.writes(PORT, None, move |connection| {
            let Reset { owner, account, expires_at } = reset;
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO resets (account, owner, hash, expires_at)
                     SELECT id, owner, ?3, ?4 FROM accounts WHERE id = ?1 AND owner = ?2",
                )?
                .execute(params![to_integer(account.0), owner.as_str(), hash, to_column(expires_at)])
                .map(|_| ())
        })
    }

    fn reset<'a>(
        &'a self,
        owner: &'a OwnerId,
        hash: [u8; 32],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Reset>, PortError>> {
        let owner = owner.clone();
        self.reads(PORT, move |connection| {
            connection
                .prepare_cached("SELECT * FROM resets WHERE owner = ?1 AND hash = ?2 AND expires_at > ?3")?
                .query_row(params![owner.as_str(), hash, to_column(now)], read_reset)
                .optional()
        })
    }

    fn take_reset<'a>(
        &'a self,
        owner: &'a OwnerId,
        hash: [u8; 32],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Reset>, PortError>> {
        let owner = owner.clone();
        self.writes(PORT, Some(now), move |connection| {
            connection
                .prepare_cached("DELETE FROM resets WHERE owner = ?1 AND hash = ?2 AND expires_at > ?3 RETURNING *")?
                .query_row(params![owner.as_str(), hash, to_column(now)], read_reset)
                .optional()
        })
    }

    fn invitation<'a>(
        &'a self,
        owner: &'a OwnerId,
        hash: [u8; 32],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Invitation>, PortError>> {
        let owner = owner.clone();
        self.reads(PORT, move |connection| invitation(connection, &owner, &hash, now))
    }
}

/// Makes an account; an invitation is used up where that has gone well, and only there.
fn create(connection: &Connection, new: NewAccount) -> rusqlite::Result<Created> {
    let role = match &new.invitation {
        None => new.role,
        Some(hash) => match invitation(connection, &new.owner, hash, new.at)? {
            None => return Ok(Created::NotInvited),
            Some(invitation) => invitation.role,
        },
    };
    let account = connection
        .prepare_cached(
            "INSERT INTO accounts (owner, username, name_key, role, password, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (owner, name_key) DO NOTHING RETURNING *",
        )?
        .query_row(
            params![
                new.owner.as_str(),
                new.username,
                new.unique,
                role.as_str(),
                new.password.reveal("it is kept"),
                to_column(new.at),
            ],
            read,
        )
        .optional()?;
    let Some(account) = account else { return Ok(Created::Taken) };
    if let Some(hash) = new.invitation {
        connection
            .prepare_cached("DELETE FROM invitations WHERE owner = ?1 AND hash = ?2")?
            .execute(params![new.owner.as_str(), hash])?;
    }
    Ok(Created::Account(account))
}

fn invitation(
    connection: &Connection,
    owner: &OwnerId,
    hash: &[u8; 32],
    now: Timestamp,
) -> rusqlite::Result<Option<Invitation>> {
    connection
        .prepare_cached(
            "SELECT * FROM invitations WHERE owner = ?1 AND hash = ?2 AND expires_at > ?3
             AND (first = 0 OR NOT EXISTS (SELECT 1 FROM accounts WHERE owner = ?1))",
        )?
        .query_row(params![owner.as_str(), hash, to_column(now)], |row| {
            let (role, expires_at) = (role_at(row)?, time_at(row, "expires_at")?);
            Ok(Invitation { owner: owner.clone(), role, expires_at, first: row.get("first")? })
        })
        .optional()
}

fn read_reset(row: &Row<'_>) -> rusqlite::Result<Reset> {
    Ok(Reset {
        owner: OwnerId::new(row.get::<_, String>("owner")?),
        account: AccountId(number_at(row, "account")?),
        expires_at: time_at(row, "expires_at")?,
    })
}

pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        owner: OwnerId::new(row.get::<_, String>("owner")?),
        id: AccountId(number_at(row, "id")?),
        username: row.get("username")?,
        unique: row.get("name_key")?,
        role: role_at(row)?,
        password: Secret::new(row.get::<_, Vec<u8>>("password")?),
        created_at: time_at(row, "created_at")?,
        disabled_at: optional_time_at(row, "disabled_at")?,
    })
}

pub(super) fn role_at(row: &Row<'_>) -> rusqlite::Result<Role> {
    let word = row.get::<_, String>("role")?;
    Role::read(&word).ok_or_else(|| unreadable(UnknownRole(word)))
}

#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a role")]
struct UnknownRole(String);
