//! One SQLite file: a writer that commits all that waits at once, and readers beside it.

mod app_keys;
mod audit;
mod audit_row;
mod carts;
mod migrate;
mod open;
mod owners;
mod readers;
mod site;
mod sweep;
mod tickets;
mod used_tokens;
mod writer;

#[cfg(test)]
mod tests;

use std::{path::PathBuf, sync::Arc, time::Duration};

use doorward_types::{Subject, Timestamp};
use rusqlite::Connection;
use tokio::sync::oneshot;

pub use owners::Owner;

use crate::{StoreError, location::Location};
use audit::AuditQueue;
use readers::Readers;
use site::Appended;
use writer::{Message, Writer};

/// What can be set when a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many audit rows are kept; the oldest go first. Default: one million.
    pub audit_rows: u64,
    /// How long audit rows are kept. Default: 90 days.
    pub audit_age: Duration,
    /// How many audit rows may wait to be written before [`record`](doorward_auth::ports::Audit::record) refuses.
    /// Default: 4096.
    pub audit_queue: usize,
    /// How long entries of the revocation log are kept, which is for how long a node may be away and a token that was ended is
    /// known. Default: 30 days.
    pub log_age: Duration,
    /// How long the lock of another process is waited for. Default: 5 s.
    pub busy: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            audit_rows: 1_000_000,
            audit_age: Duration::from_hours(90 * 24),
            audit_queue: 4096,
            log_age: Duration::from_hours(30 * 24),
            busy: Duration::from_secs(5),
        }
    }
}

/// A store in SQLite. Cheap to clone; the file is closed when the last clone is dropped, after all that waits is written.
///
/// It implements the ports of `doorward-auth`: [`Tickets`](doorward_auth::ports::Tickets),
/// [`AppKeys`](doorward_auth::ports::AppKeys), [`UsedTokens`](doorward_auth::ports::UsedTokens),
/// [`Audit`](doorward_auth::ports::Audit), [`Carts`](doorward_auth::ports::Carts), and those of a site ([`SitePorts`](doorward_auth::ports::SitePorts)). What they answer is on disk before they answer. When the disk is full, or was
/// otherwise not to be written, they fail until it can be written again; nothing has to be restarted.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    audit: Arc<AuditQueue>,
    /// `None` in memory, where there is but one connection.
    readers: Option<Readers>,
    writer: Writer,
    appended: Appended,
}

impl Store {
    /// Opens the store at `sqlite://PATH`, a plain path, or `:memory:`. Makes the file (mode 0600) and brings its schema
    /// up to date where needed. Blocks while it does so.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_with(url, Options::default())
    }

    /// [`open`](Self::open) with settings.
    pub fn open_with(url: &str, options: Options) -> Result<Self, StoreError> {
        let location = Location::parse(url)?;
        let connection = open::for_writing(&location, options.busy)?;
        let (path, readers) = match location {
            Location::Memory => (PathBuf::from(":memory:"), None),
            Location::File(path) => (path.clone(), Some(Readers::start(&path, options.busy)?)),
        };
        let newest = site::newest(&connection).map_err(|error| StoreError::from_sqlite(&path, &error))?;
        let audit = Arc::new(AuditQueue::new(options.audit_queue));
        let writer = Writer::start(path.clone(), connection, Arc::clone(&audit), &options)?;
        Ok(Self { inner: Arc::new(Inner { path, audit, readers, writer, appended: Appended::at(newest) }) })
    }

    /// Runs `work` in the writer's next transaction and answers after its commit. `now` moves the sweep on.
    async fn write<T: Send + 'static>(
        &self,
        now: Option<Timestamp>,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.write_then(now, work, |_| ()).await
    }

    /// As [`write`](Self::write), and does `then` once it is committed, also where nobody waits for the answer any more.
    async fn write_then<T: Send + 'static>(
        &self,
        now: Option<Timestamp>,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
        then: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.inner.writer.send(Message::Job { job: writer::job(work, then, answer), now }).await?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// Runs `work` on a connection that sees all that was committed before, and never waits for the writer.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let Some(readers) = &self.inner.readers else {
            return self.write(None, work).await;
        };
        let read = readers.read(work).await?;
        read.map_err(|error| StoreError::from_sqlite(&self.inner.path, &error))
    }

    async fn flush_audit(&self) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        self.inner.writer.send(Message::Flush(answer)).await?;
        answered.await.map_err(|_| StoreError::Closed)?
    }
}

/// Times go into columns as they are; one beyond SQLite's integers is the last of them.
fn to_column(time: Timestamp) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// The time that is `by` earlier, for a column.
fn earlier(now: Timestamp, by: Duration) -> i64 {
    let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
    to_column(Timestamp::from_millis(now.as_millis().saturating_sub(by)))
}

fn time_at(row: &rusqlite::Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    row.get(column).map(|millis: i64| Timestamp::from_millis(u64::try_from(millis).unwrap_or(0)))
}

fn optional_time_at(row: &rusqlite::Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    let is_there = row.get::<_, Option<i64>>(column)?.is_some();
    is_there.then(|| time_at(row, column)).transpose()
}

fn subject_at(row: &rusqlite::Row<'_>) -> rusqlite::Result<Subject> {
    Ok(Subject { kind: row.get("subject_kind")?, pk: row.get("subject_pk")?, uuid: row.get("subject_uuid")? })
}

/// Numbers that count from one go into columns as they are; there are none beyond SQLite's integers.
fn to_integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn number_at(row: &rusqlite::Row<'_>, column: &str) -> rusqlite::Result<u64> {
    row.get(column).map(|number: i64| u64::try_from(number).unwrap_or(0))
}

/// A column that holds something else than it should: the file is damaged.
fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
}
