//! What a person reads when the store cannot be opened.

use std::{fs, path::Path, time::Duration};

use doorward_store::{Options, Store, StoreError};
use rusqlite::Connection;

fn refusal(path: &Path) -> Option<StoreError> {
    Store::open(&path.to_string_lossy()).err()
}

fn said(path: &Path) -> String {
    refusal(path).map_or_else(|| "it was opened".to_owned(), |error| error.to_string())
}

#[cfg(unix)]
#[test]
fn a_new_store_and_its_side_files_are_readable_by_nobody_else() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let _store = Store::open(folder.path().join("store.db").to_str().unwrap()).unwrap();
    for file in ["store.db", "store.db-wal", "store.db-shm"] {
        let mode = fs::metadata(folder.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn a_missing_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    assert_eq!(said(&missing.join("store.db")), format!("the store's folder `{}` does not exist", missing.display()));
}

#[test]
fn a_folder_is_not_a_store() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(said(folder.path()), format!("the store `{}` is not a file", folder.path().display()));
}

/// Permissions do not bind the superuser, so the folder is one in which the kernel lets nobody make files.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_is_read_only_is_said_to_be() {
    let path = Path::new("/sys/kernel/doorward.db");
    let expected = "the store `/sys/kernel/doorward.db` cannot be written: the file or its folder is read-only";
    assert_eq!(said(path), expected);
}

#[test]
fn a_text_file_is_not_a_database_and_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let text = "dear diary, ".repeat(200);
    fs::write(&path, &text).unwrap();
    assert_eq!(said(&path), format!("`{}` is not a SQLite database", path.display()));
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("theirs.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    let before = fs::read(&path).unwrap();
    assert_eq!(said(&path), format!("`{}` is a database of another program", path.display()));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_newer_schema_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    drop(Store::open(path.to_str().unwrap()).unwrap());
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 77").unwrap();
    assert_eq!(refusal(&path), Some(StoreError::Newer { path: path.clone(), found: 77, known: 8 }));
    let line = "has schema 77, this version knows schemas up to 8: use a newer Doorward";
    assert_eq!(said(&path), format!("the store `{}` {line}", path.display()));
}

#[test]
fn a_store_that_another_process_keeps_locked_is_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    drop(Store::open(path.to_str().unwrap()).unwrap());
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let options = Options { busy: Duration::ZERO, ..Options::default() };
    let error = Store::open_with(path.to_str().unwrap(), options).err();
    assert_eq!(error, Some(StoreError::Locked { path }));
}

#[test]
fn a_store_opens_again_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("store.db").display());
    for _ in 0..3 {
        drop(Store::open(&url).unwrap());
    }
}
