//! What a site need not know any more. Logins are not among it: they end with an entry in the log.

use std::time::Duration;

use doorward_auth::{
    ports::Session,
    throttle::{DAY, DISABLED_AFTER, FORGOTTEN_AFTER},
};
use doorward_types::Timestamp;
use rusqlite::{Connection, params};

use super::{earlier, to_column};

/// Removes at most so many rows of each table; how many it were of the one with the most.
pub(in super::super) fn prune(
    connection: &Connection,
    now: Timestamp,
    log_age: Duration,
    at_once: u32,
) -> rusqlite::Result<usize> {
    let expired = to_column(now);
    let by_time = [
        ("invitations", "(owner, hash)", "owner, hash", "expires_at <= ?1", expired),
        ("resets", "account", "account", "expires_at <= ?1", expired),
        ("key_entries", "(owner, id)", "owner, id", "expires_at <= ?1", expired),
        ("refreshes", "(owner, hash)", "owner, hash", "expires_at <= ?1", expired),
        ("penalties", "source", "source", "until <= ?1", expired),
        ("attempts", "id", "id", "at <= ?1", earlier(now, DAY)),
        ("browsers", "(account, hash)", "account, hash", "used_at <= ?1", earlier(now, Session::BROWSER_KNOWN_FOR)),
    ];
    let mut most = prune_log(connection, earlier(now, log_age), at_once)?;
    for (table, key, columns, is_old, than) in by_time {
        let removed = connection
            .prepare_cached(&format!(
                "DELETE FROM {table} WHERE {key} IN (SELECT {columns} FROM {table} WHERE {is_old} LIMIT ?2)"
            ))?
            .execute(params![than, at_once])?;
        most = most.max(removed);
    }
    // What has disabled a factor is remembered until it is recovered.
    let forgotten = connection
        .prepare_cached(
            "DELETE FROM failures WHERE (owner, factor, subject, device) IN
             (SELECT owner, factor, subject, device FROM failures WHERE last <= ?1 AND count < ?3 LIMIT ?2)",
        )?
        .execute(params![earlier(now, FORGOTTEN_AFTER), at_once, DISABLED_AFTER])?;
    Ok(most.max(forgotten))
}

/// The oldest entries up to the first that is young enough, so that none is missing among those that stay. The counter stays.
fn prune_log(connection: &Connection, than: i64, at_once: u32) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "DELETE FROM revocations WHERE cursor IN (SELECT cursor FROM revocations ORDER BY cursor LIMIT ?2)
             AND cursor < coalesce(
                 (SELECT min(cursor) FROM (SELECT cursor, at FROM revocations ORDER BY cursor LIMIT ?2) WHERE at >= ?1),
                 9223372036854775807)",
        )?
        .execute(params![than, at_once])
}
