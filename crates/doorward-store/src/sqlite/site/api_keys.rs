use doorward_auth::{
    BoxFuture,
    ports::{ApiKey, ApiKeys, PortError},
};
use doorward_types::{OwnerId, Timestamp};
use rusqlite::{OptionalExtension, Row, params};

use super::{Store, optional_time_at, time_at, to_column, unreadable};

const PORT: &str = "API keys";

impl ApiKeys for Store {
    fn add<'a>(&'a self, hash: [u8; 32], key: ApiKey) -> BoxFuture<'a, Result<(), PortError>> {
        self.writes(PORT, Some(key.created_at), move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO api_keys (hash, owner, id, name, scopes, created_at, expires_at, revoked_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (hash) DO NOTHING",
                )?
                .execute(params![
                    hash,
                    key.owner.as_ref().map(OwnerId::as_str),
                    key.id,
                    key.name,
                    serde_json::to_string(&key.scopes).map_err(unreadable)?,
                    to_column(key.created_at),
                    key.expires_at.map(to_column),
                    key.revoked_at.map(to_column),
                ])
                .map(|_| ())
        })
    }

    fn find<'a>(&'a self, hash: [u8; 32], now: Timestamp) -> BoxFuture<'a, Result<Option<ApiKey>, PortError>> {
        self.reads(PORT, move |connection| {
            connection
                .prepare_cached(
                    "SELECT * FROM api_keys
                     WHERE hash = ?1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?2)",
                )?
                .query_row(params![hash, to_column(now)], read)
                .optional()
        })
    }

    fn list<'a>(&'a self, owner: Option<&'a OwnerId>) -> BoxFuture<'a, Result<Vec<ApiKey>, PortError>> {
        let owner = owner.cloned();
        self.reads(PORT, move |connection| {
            let which = if owner.is_some() { "WHERE owner = ?1" } else { "WHERE ?1 IS NULL" };
            connection
                .prepare_cached(&format!("SELECT * FROM api_keys {which} ORDER BY created_at, id"))?
                .query_map(params![owner.as_ref().map(OwnerId::as_str)], read)?
                .collect()
        })
    }

    fn revoke<'a>(
        &'a self,
        owner: Option<&'a OwnerId>,
        id: &'a str,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, PortError>> {
        let (owner, id) = (owner.cloned(), id.to_owned());
        self.writes(PORT, Some(now), move |connection| {
            connection
                .prepare_cached(
                    "UPDATE api_keys SET revoked_at = ?3
                     WHERE id = ?1 AND (?2 IS NULL OR owner = ?2) AND revoked_at IS NULL",
                )?
                .execute(params![id, owner.as_ref().map(OwnerId::as_str), to_column(now)])
                .map(|rows| rows > 0)
        })
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<ApiKey> {
    Ok(ApiKey {
        owner: row.get::<_, Option<String>>("owner")?.map(OwnerId::new),
        id: row.get("id")?,
        name: row.get("name")?,
        scopes: serde_json::from_str(&row.get::<_, String>("scopes")?).map_err(unreadable)?,
        created_at: time_at(row, "created_at")?,
        expires_at: optional_time_at(row, "expires_at")?,
        revoked_at: optional_time_at(row, "revoked_at")?,
    })
}
