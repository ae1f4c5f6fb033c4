use std::{
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::open;
use crate::StoreError;

/// How many connections read side by side.
const READERS: usize = 2;

/// How many reads may wait for one reader before the next caller waits too.
const WAITING: usize = 256;

type Read = Box<dyn FnOnce(&Connection) + Send>;

/// Threads that read, each with its own connection. They end when this is dropped.
pub(super) struct Readers {
    threads: Vec<mpsc::Sender<Read>>,
    next: AtomicUsize,
}

impl Readers {
    pub(super) fn start(path: &Path, busy: Duration) -> Result<Self, StoreError> {
        let threads = (0..READERS)
            .map(|_| {
                let connection =
                    open::for_reading(path, busy).map_err(|error| StoreError::from_sqlite(path, &error))?;
                let (reads, mut read) = mpsc::channel::<Read>(WAITING);
                thread::Builder::new()
                    .name("store-reader".to_owned())
                    .spawn(move || {
                        while let Some(read) = read.blocking_recv() {
                            read(&connection);
                        }
                    })
                    .map_err(|error| StoreError::Failed { path: path.to_owned(), detail: error.to_string() })?;
                Ok(reads)
            })
            .collect::<Result<_, StoreError>>()?;
        Ok(Self { threads, next: AtomicUsize::new(0) })
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<rusqlite::Result<T>, StoreError> {
        let (answer, answered) = oneshot::channel();
        let read: Read = Box::new(move |connection| {
            // Nobody waits for the answer any more: it is nobody's loss.
            let _ = answer.send(work(connection));
        });
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % READERS;
        let reader = self.threads.get(turn).ok_or(StoreError::Closed)?;
        reader.send(read).await.map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)
    }
}
