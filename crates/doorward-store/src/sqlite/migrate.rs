use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::StoreError;

/// The schema, step by step: `user_version` counts how many of these a file has. A step is never changed once released.
const STEPS: &[&str] = &[
    include_str!("../../migrations/sqlite/0001_tenants.sql"),
    include_str!("../../migrations/sqlite/0002_audit.sql"),
    include_str!("../../migrations/sqlite/0003_site.sql"),
    include_str!("../../migrations/sqlite/0004_audit_of_the_site.sql"),
    include_str!("../../migrations/sqlite/0005_resets.sql"),
    include_str!("../../migrations/sqlite/0006_first_invitations.sql"),
    include_str!("../../migrations/sqlite/0007_carts.sql"),
    include_str!("../../migrations/sqlite/0008_logins_in_the_log.sql"),
];

/// Marks a file as Doorward's (`PRAGMA application_id`): the letters `DWRD`.
const APPLICATION: i32 = i32::from_be_bytes(*b"DWRD");

/// Refuses a database that another program made, before anything in it is touched.
pub(super) fn refuse_foreign(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |error: rusqlite::Error| StoreError::from_sqlite(path, &error);
    let application: i32 = number(connection, "PRAGMA application_id").map_err(failed)?;
    let tables: i32 = number(connection, "SELECT count(*) FROM sqlite_schema").map_err(failed)?;
    if application == APPLICATION || (application == 0 && tables == 0) {
        Ok(())
    } else {
        Err(StoreError::Foreign { path: path.to_owned() })
    }
}

/// Takes the steps that the file has not taken yet, each in a transaction of its own.
pub(super) fn to_newest(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |error: rusqlite::Error| StoreError::from_sqlite(path, &error);
    let known = STEPS.len();
    loop {
        // The lock comes first: another process may be at the same step.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let found: u32 = number(&transaction, "PRAGMA user_version").map_err(failed)?;
        let taken = usize::try_from(found).unwrap_or(usize::MAX);
        if taken > known {
            let known = u32::try_from(known).unwrap_or(u32::MAX);
            return Err(StoreError::Newer { path: path.to_owned(), found, known });
        }
        let Some(step) = STEPS.get(taken) else { return Ok(()) };
        transaction.execute_batch(step).map_err(failed)?;
        transaction.pragma_update(None, "user_version", found + 1).map_err(failed)?;
        transaction.pragma_update(None, "application_id", APPLICATION).map_err(failed)?;
        transaction.commit().map_err(failed)?;
    }
}

fn number<T: rusqlite::types::FromSql>(connection: &Connection, question: &str) -> rusqlite::Result<T> {
    connection.query_row(question, [], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_of_an_older_schema_keeps_its_rows_when_it_is_brought_forward() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(STEPS[0]).unwrap();
        connection
            .execute_batch("PRAGMA user_version = 1; INSERT INTO owners VALUES ('acme', 'Acme', NULL, 5);")
            .unwrap();
        to_newest(&mut connection, Path::new("old.db")).unwrap();
        assert_eq!(number::<String>(&connection, "SELECT id FROM owners"), Ok("acme".to_owned()));
        assert_eq!(number::<i64>(&connection, "SELECT count(*) FROM audit"), Ok(0));
        assert_eq!(number::<i64>(&connection, "PRAGMA user_version"), Ok(8));
    }

    #[test]
    fn a_step_that_fails_leaves_the_schema_as_it_was() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE tickets (stands_in_the_way)").unwrap();
        assert!(to_newest(&mut connection, Path::new("odd.db")).is_err());
        assert_eq!(number::<i64>(&connection, "PRAGMA user_version"), Ok(0));
        assert_eq!(number::<i64>(&connection, "SELECT count(*) FROM sqlite_schema"), Ok(1));
    }
}
