use doorward_types::{OwnerId, Timestamp};
use rusqlite::{Row, params};

use super::{Store, time_at, to_column};
use crate::StoreError;

/// An owner, as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The id that is part of the key of everything that belongs to the owner.
    pub id: OwnerId,
    /// The name that people see.
    pub name: String,
    /// The host name that is the owner's alone, where there is one.
    pub host: Option<String>,
    /// When the owner was first seen.
    pub created_at: Timestamp,
}

impl Store {
    /// Keeps an owner where there is none with that id. Answers `false` where there is, and leaves that one as it is.
    ///
    /// Fails where another owner has the host name already.
    pub async fn ensure_owner(&self, owner: Owner) -> Result<bool, StoreError> {
        self.write(Some(owner.created_at), move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO owners (id, name, host, created_at) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (id) DO NOTHING",
                )?
                .execute(params![owner.id.as_str(), owner.name, owner.host, to_column(owner.created_at)])
                .map(|rows| rows == 1)
        })
        .await
    }

    /// All owners, by their ids.
    pub async fn owners(&self) -> Result<Vec<Owner>, StoreError> {
        self.read(|connection| {
            connection.prepare_cached("SELECT * FROM owners ORDER BY id")?.query_map([], read)?.collect()
        })
        .await
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Owner> {
    Ok(Owner {
        id: OwnerId::new(row.get::<_, String>("id")?),
        name: row.get("name")?,
        host: row.get("host")?,
        created_at: time_at(row, "created_at")?,
    })
}
