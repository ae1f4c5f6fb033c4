use doorward_auth::{
    BoxFuture,
    ports::{AppKey, AppKeys, PortError},
};
use doorward_types::{KeyId, OwnerId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Store, optional_time_at, subject_at, time_at, to_column};
use crate::StoreError;

const PORT: &str = "app keys";

fn of_port(error: StoreError) -> PortError {
    error.of_port(PORT)
}

impl AppKeys for Store {
    fn add<'a>(&'a self, key: AppKey) -> BoxFuture<'a, Result<bool, PortError>> {
        let added = self.write(None, move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO app_keys
                     (owner, id, public, subject_kind, subject_pk, subject_uuid, created_at, revoked_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (owner, id) DO NOTHING",
                )?
                .execute(params![
                    key.owner.as_str(),
                    key.id.as_str(),
                    key.public,
                    key.subject.kind,
                    key.subject.pk,
                    key.subject.uuid,
                    to_column(key.created_at),
                    key.revoked_at.map(to_column),
                ])
                .map(|rows| rows == 1)
        });
        Box::pin(async move { added.await.map_err(of_port) })
    }

    fn find<'a>(&'a self, owner: &'a OwnerId, id: &'a KeyId) -> BoxFuture<'a, Result<Option<AppKey>, PortError>> {
        let (owner, id) = (owner.clone(), id.clone());
        let found = self.read(move |connection| {
            connection
                .prepare_cached("SELECT * FROM app_keys WHERE owner = ?1 AND id = ?2")?
                .query_row(params![owner.as_str(), id.as_str()], read)
                .optional()
        });
        Box::pin(async move { found.await.map_err(of_port) })
    }

    fn list<'a>(&'a self, owner: &'a OwnerId) -> BoxFuture<'a, Result<Vec<AppKey>, PortError>> {
        let owner = owner.clone();
        let listed = self.read(move |connection| {
            connection
                .prepare_cached("SELECT * FROM app_keys WHERE owner = ?1 ORDER BY created_at, id")?
                .query_map(params![owner.as_str()], read)?
                .collect()
        });
        Box::pin(async move { listed.await.map_err(of_port) })
    }

    fn revoke<'a>(
        &'a self,
        owner: &'a OwnerId,
        id: &'a KeyId,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, PortError>> {
        let (owner, id) = (owner.clone(), id.clone());
        let revoked = self.write(Some(now), move |connection| {
            connection
                .prepare_cached(
                    "UPDATE app_keys SET revoked_at = ?3 WHERE owner = ?1 AND id = ?2 AND revoked_at IS NULL",
                )?
                .execute(params![owner.as_str(), id.as_str(), to_column(now)])
                .map(|rows| rows == 1)
        });
        Box::pin(async move { revoked.await.map_err(of_port) })
    }
}

/// Revokes the key with that id, of that owner or of anybody for `None`.
pub(super) fn revoke(connection: &Connection, owner: Option<&str>, id: &KeyId, now: Timestamp) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE app_keys SET revoked_at = ?3 WHERE id = ?2 AND (?1 IS NULL OR owner = ?1) AND revoked_at IS NULL",
        )?
        .execute(params![owner, id.as_str(), to_column(now)])
        .map(|_| ())
}

fn read(row: &Row<'_>) -> rusqlite::Result<AppKey> {
    Ok(AppKey {
        owner: OwnerId::new(row.get::<_, String>("owner")?),
        id: KeyId::new(row.get::<_, String>("id")?),
        public: row.get("public")?,
        subject: subject_at(row)?,
        created_at: time_at(row, "created_at")?,
        revoked_at: optional_time_at(row, "revoked_at")?,
    })
}
