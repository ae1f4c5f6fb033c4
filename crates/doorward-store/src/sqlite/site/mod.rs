//! What a site keeps: its accounts, their logins and factors, and the log of how they end.

mod accounts;
mod api_keys;
mod factors;
mod key_entries;
mod log;
mod prune;
mod refreshes;
mod revocations;
mod sessions;
mod throttle;

#[cfg(test)]
mod tests;

use doorward_auth::{BoxFuture, ports::PortError};
use doorward_types::Timestamp;
use rusqlite::Connection;

pub(super) use log::{Appended, has_ended, newest};
pub(super) use prune::prune;

use super::{
    Store, app_keys, earlier, number_at, optional_time_at, subject_at, tickets, time_at, to_column, to_integer,
    unreadable,
};

impl Store {
    /// A verb of a port that writes.
    pub(super) fn writes<'a, T: Send + 'static>(
        &'a self,
        port: &'static str,
        now: Option<Timestamp>,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> BoxFuture<'a, Result<T, PortError>> {
        Box::pin(async move { self.write(now, work).await.map_err(|error| error.of_port(port)) })
    }

    /// A verb of a port that reads.
    pub(super) fn reads<'a, T: Send + 'static>(
        &'a self,
        port: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> BoxFuture<'a, Result<T, PortError>> {
        Box::pin(async move { self.read(work).await.map_err(|error| error.of_port(port)) })
    }
}
