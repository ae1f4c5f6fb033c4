use std::path::PathBuf;

use doorward_auth::ports::PortError;
use rusqlite::ErrorCode;

/// Why the store could not be opened or could not do its work: one line each, that says what is wrong and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The scheme is not one that this build knows. Nothing but the scheme is repeated: a url may hold a password.
    #[error("a store url begins with `sqlite://` or is `:memory:`, not with `{scheme}`")]
    Scheme {
        /// What the url begins with.
        scheme: String,
    },
    /// The url has no path.
    #[error("the store url `sqlite://` has no path: try `sqlite://doorward.db`")]
    NoPath,
    /// The folder of the file is not there.
    #[error("the store's folder `{}` does not exist", folder.display())]
    FolderMissing {
        /// The folder.
        folder: PathBuf,
    },
    /// The path is a folder, a device or the like.
    #[error("the store `{}` is not a file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The file or its folder cannot be written.
    #[error("the store `{}` cannot be written: the file or its folder is read-only", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("`{}` is not a SQLite database", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The file is a database, but not one of Doorward's.
    #[error("`{}` is a database of another program", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a newer version.
    #[error("the store `{}` has schema {found}, this version knows schemas up to {known}: use a newer Doorward", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The schema that was found.
        found: u32,
        /// The newest schema that this version knows.
        known: u32,
    },
    /// There is no space left; the store goes on by itself when there is.
    #[error("the disk of the store `{}` is full", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// Another process holds the write lock.
    #[error("the store `{}` is locked by another process", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged.
    #[error("the store `{}` is damaged: {detail}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite says, or which value could not be read.
        detail: String,
    },
    /// Anything else that SQLite or the operating system reports.
    #[error("the store `{}` failed: {detail}", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What SQLite or the operating system says.
        detail: String,
    },
    /// The audit log has no room for another row.
    #[error("the audit log has {waiting} rows waiting to be written and takes no more")]
    AuditFull {
        /// How many rows wait.
        waiting: usize,
    },
    /// The thread that does the work is gone.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// What SQLite reports, about the store at `path`.
    pub(crate) fn from_sqlite(path: &std::path::Path, error: &rusqlite::Error) -> Self {
        let path = path.to_owned();
        match error.sqlite_error_code() {
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => Self::ReadOnly { path },
            Some(ErrorCode::NotADatabase) => Self::NotADatabase { path },
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked { path },
            Some(ErrorCode::DatabaseCorrupt) => Self::Corrupt { path, detail: error.to_string() },
            Some(_) => Self::Failed { path, detail: error.to_string() },
            None => match error {
                rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::IntegralValueOutOfRange(..) => Self::Corrupt { path, detail: error.to_string() },
                _ => Self::Failed { path, detail: error.to_string() },
            },
        }
    }

    /// As the error of one of the ports.
    pub(crate) fn of_port(self, port: &'static str) -> PortError {
        PortError { port, detail: self.to_string() }
    }
}
