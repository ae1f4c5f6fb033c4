use std::{path::PathBuf, sync::Arc, thread, time::Duration};

use doorward_auth::ports::AuditRecord;
use doorward_types::Timestamp;
use rusqlite::Connection;
use tokio::{
    runtime,
    sync::{mpsc, oneshot},
    time::{Instant, timeout_at},
};

use super::{
    Options,
    audit::{AuditQueue, Writing},
    audit_row,
    sweep::Sweep,
};
use crate::StoreError;

/// How many commands one transaction takes at most.
const BATCH: usize = 512;

/// How long audit rows wait for company when nobody waits for an answer: a commit costs as much for a hundred rows as for one.
const COMPANY: Duration = Duration::from_millis(20);

/// How many commands may wait before the next caller waits too.
const WAITING: usize = 1024;

/// What the writer is sent.
pub(super) enum Message {
    /// Something to write.
    Job {
        /// What to do.
        job: Box<dyn Job>,
        /// What time it is, where the caller said so.
        now: Option<Timestamp>,
    },
    /// Answer when the audit rows that wait now are on disk.
    Flush(oneshot::Sender<Result<(), StoreError>>),
    /// There are audit rows.
    AuditWaits,
}

/// One command: it is run inside a transaction, and answered when that is committed or has failed.
pub(super) trait Job: Send {
    fn run(&mut self, connection: &Connection) -> rusqlite::Result<()>;
    fn answer(self: Box<Self>, written: Result<(), StoreError>);
}

struct Work<T, F, C> {
    work: Option<F>,
    value: Option<T>,
    then: C,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

/// Makes a command of a closure. `then` is done between its commit and its answer.
pub(super) fn job<T: Send + 'static>(
    work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    then: impl FnOnce(&T) + Send + 'static,
    answer: oneshot::Sender<Result<T, StoreError>>,
) -> Box<dyn Job> {
    Box::new(Work { work: Some(work), value: None, then, answer })
}

impl<T, F, C> Job for Work<T, F, C>
where
    T: Send,
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send,
    C: FnOnce(&T) + Send,
{
    fn run(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        if let Some(work) = self.work.take() {
            self.value = Some(work(connection)?);
        }
        Ok(())
    }

    fn answer(self: Box<Self>, written: Result<(), StoreError>) {
        // Where nobody waits any more, what was written stays written: a ticket is then used up, and nobody got it.
        let Self { value, then, answer, .. } = *self;
        let answered = written.and_then(|()| value.ok_or(StoreError::Closed));
        if let Ok(value) = &answered {
            then(value);
        }
        let _ = answer.send(answered);
    }
}

/// The one thread that writes. Dropping it writes what waits and waits for the thread's end.
pub(super) struct Writer {
    messages: Option<mpsc::Sender<Message>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(
        path: PathBuf,
        connection: Connection,
        audit: Arc<AuditQueue>,
        options: &Options,
    ) -> Result<Self, StoreError> {
        let (sender, messages) = mpsc::channel(WAITING);
        let desk = Desk { path: path.clone(), connection, audit, sweep: Sweep::new(options) };
        let failed = |error: std::io::Error| StoreError::Failed { path: path.clone(), detail: error.to_string() };
        // For its clock alone: everything else that this thread does blocks.
        let clock = runtime::Builder::new_current_thread().enable_time().build().map_err(failed)?;
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || clock.block_on(desk.work(messages)))
            .map_err(failed)?;
        Ok(Self { messages: Some(sender), thread: Some(thread) })
    }

    pub(super) async fn send(&self, message: Message) -> Result<(), StoreError> {
        let messages = self.messages.as_ref().ok_or(StoreError::Closed)?;
        messages.send(message).await.map_err(|_| StoreError::Closed)
    }

    /// Says that there are audit rows. Where the channel is full the writer is awake anyway.
    pub(super) fn wake(&self) -> Result<(), StoreError> {
        match self.messages.as_ref().map(|messages| messages.try_send(Message::AuditWaits)) {
            Some(Ok(()) | Err(mpsc::error::TrySendError::Full(_))) => Ok(()),
            Some(Err(mpsc::error::TrySendError::Closed(_))) | None => Err(StoreError::Closed),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.messages = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's writer had panicked");
        }
    }
}

/// What the writer's thread owns.
struct Desk {
    path: PathBuf,
    connection: Connection,
    audit: Arc<AuditQueue>,
    sweep: Sweep,
}

#[derive(Default)]
struct Batch {
    jobs: Vec<Box<dyn Job>>,
    flushes: Vec<oneshot::Sender<Result<(), StoreError>>>,
    now: Option<Timestamp>,
}

impl Batch {
    fn add(&mut self, message: Message) {
        match message {
            Message::Job { job, now } => {
                self.jobs.push(job);
                self.now = self.now.max(now);
            }
            Message::Flush(answer) => self.flushes.push(answer),
            Message::AuditWaits => {}
        }
    }

    /// Whether no one is to be answered, so that there is time.
    fn waits_for_nobody(&self) -> bool {
        self.jobs.is_empty() && self.flushes.is_empty()
    }
}

/// What came of a batch that was committed: for each command, and for the audit rows.
struct Written {
    jobs: Vec<Result<(), StoreError>>,
    audit: Result<(), StoreError>,
}

impl Desk {
    async fn work(mut self, mut messages: mpsc::Receiver<Message>) {
        let _writing = Writing(Arc::clone(&self.audit));
        while let Some(first) = messages.recv().await {
            let mut batch = Batch::default();
            batch.add(first);
            let company = Instant::now() + COMPANY;
            while batch.waits_for_nobody()
                && let Ok(Some(message)) = timeout_at(company, messages.recv()).await
            {
                batch.add(message);
            }
            while batch.jobs.len() < BATCH
                && let Ok(message) = messages.try_recv()
            {
                batch.add(message);
            }
            self.write(batch);
        }
        self.write(Batch::default());
    }

    /// Writes a batch and the audit rows that wait, commits, then answers.
    fn write(&mut self, mut batch: Batch) {
        let rows = self.audit.take();
        let audit = if batch.jobs.is_empty() && rows.is_empty() {
            Ok(())
        } else {
            let now = rows.iter().map(|row| row.at).max().max(batch.now);
            match self.transaction(&mut batch.jobs, &rows, now) {
                Ok(Written { jobs, audit }) => {
                    batch.jobs.into_iter().zip(jobs).for_each(|(job, written)| job.answer(written));
                    audit
                }
                Err(error) => {
                    batch.jobs.into_iter().for_each(|job| job.answer(Err(error.clone())));
                    // Where no row waited, no row could not be written.
                    if rows.is_empty() { Ok(()) } else { Err(error) }
                }
            }
        };
        self.audit.settle(rows, &audit);
        for flush in batch.flushes {
            let _ = flush.send(audit.clone());
        }
    }

    fn transaction(
        &mut self,
        jobs: &mut [Box<dyn Job>],
        rows: &[AuditRecord],
        now: Option<Timestamp>,
    ) -> Result<Written, StoreError> {
        let written = self.try_transaction(jobs, rows, now);
        // SQLite ends the transaction by itself after some errors, such as a full disk; after others it does not.
        if written.is_err() && !self.connection.is_autocommit() {
            let _ = self.execute("ROLLBACK");
        }
        written.map_err(|error| StoreError::from_sqlite(&self.path, &error))
    }

    fn try_transaction(
        &mut self,
        jobs: &mut [Box<dyn Job>],
        rows: &[AuditRecord],
        now: Option<Timestamp>,
    ) -> rusqlite::Result<Written> {
        self.execute("BEGIN IMMEDIATE")?;
        let jobs = jobs
            .iter_mut()
            .map(|job| self.part(|connection| job.run(connection)))
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let audit = self.part(|connection| rows.iter().try_for_each(|row| audit_row::insert(connection, row)))?;
        if let Some(now) = now
            && self.sweep.is_due(now)
        {
            let swept = self.part(|connection| self.sweep.run(connection, now))?;
            match swept {
                Ok(()) => self.sweep.was_run(now),
                Err(error) => tracing::warn!(%error, "expired rows could not be removed"),
            }
        }
        self.execute("COMMIT")?;
        Ok(Written { jobs, audit })
    }

    /// Runs a part of the transaction so that its failure undoes this part alone. The outer error means that the whole
    /// transaction is lost.
    fn part(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<()>) -> rusqlite::Result<Result<(), StoreError>> {
        self.execute("SAVEPOINT part")?;
        match work(&self.connection) {
            Ok(()) => {
                self.execute("RELEASE part")?;
                Ok(Ok(()))
            }
            Err(error) if self.connection.is_autocommit() => Err(error),
            Err(error) => {
                self.execute("ROLLBACK TO part")?;
                self.execute("RELEASE part")?;
                Ok(Err(StoreError::from_sqlite(&self.path, &error)))
            }
        }
    }

    fn execute(&self, statement: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(statement)?.execute([]).map(|_| ())
    }
}
