use std::{
    fs::{self, OpenOptions},
    io::ErrorKind,
    path::Path,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};

use super::migrate;
use crate::{StoreError, location::Location};

/// How many statements a connection keeps prepared: more than the store has, so that each is parsed once. rusqlite's own default of 16
/// is less than what one login runs, in turn, and then none is there when it is needed again.
const STATEMENTS: usize = 128;

/// The connection that writes, with the newest schema.
pub(super) fn for_writing(location: &Location, busy: Duration) -> Result<Connection, StoreError> {
    let (path, connection) = match location {
        Location::Memory => (Path::new(":memory:"), Connection::open_in_memory()),
        Location::File(path) => {
            make_file(path)?;
            (path.as_path(), connect(path))
        }
    };
    let failed = |error: rusqlite::Error| StoreError::from_sqlite(path, &error);
    let mut connection = connection.map_err(failed)?;
    connection.busy_timeout(busy).map_err(failed)?;
    if connection.is_readonly("main").map_err(failed)? {
        return Err(StoreError::ReadOnly { path: path.to_owned() });
    }
    migrate::refuse_foreign(&connection, path)?;
    // FULL: a commit is on the disk before it is answered, so what was consumed stays consumed after a power cut. The cache is
    // half a mebibyte: what is written is seldom read again, and the system has its own.
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;
             PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -512;",
        )
        .map_err(failed)?;
    migrate::to_newest(&mut connection, path)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// A connection that only reads.
pub(super) fn for_reading(path: &Path, busy: Duration) -> rusqlite::Result<Connection> {
    let connection = connect(path)?;
    connection.busy_timeout(busy)?;
    connection.execute_batch("PRAGMA query_only = ON;")?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)
}

/// Makes the file where there is none, readable by nobody else; SQLite gives its side files the same mode.
fn make_file(path: &Path) -> Result<(), StoreError> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() => return Ok(()),
        Ok(_) => return Err(StoreError::NotAFile { path: path.to_owned() }),
        Err(_) => {}
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty())
        && !folder.is_dir()
    {
        return Err(StoreError::FolderMissing { folder: folder.to_owned() });
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(match error.kind() {
            ErrorKind::AlreadyExists => return Ok(()),
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                StoreError::ReadOnly { path: path.to_owned() }
            }
            ErrorKind::StorageFull => StoreError::Full { path: path.to_owned() },
            _ => StoreError::Failed { path: path.to_owned(), detail: error.to_string() },
        }),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    /// How often a statement has run since it was parsed.
    fn runs(connection: &Connection, number: usize) -> i32 {
        let mut statement = connection.prepare_cached(&format!("SELECT {number}")).unwrap();
        statement.query_row([], |_| Ok(())).unwrap();
        statement.get_status(StatementStatus::Run)
    }

    #[test]
    fn what_ran_once_is_not_parsed_again_however_many_others_run_in_between() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("doorward.db");
        let busy = Duration::from_secs(1);
        let writer = for_writing(&Location::File(path.clone()), busy).unwrap();
        for connection in [writer, for_reading(&path, busy).unwrap()] {
            for time in 1..=3 {
                assert!((0..100).all(|number| runs(&connection, number) == time));
            }
        }
    }
}
