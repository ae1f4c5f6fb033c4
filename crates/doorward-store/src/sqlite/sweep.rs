use std::{cell::Cell, time::Duration};

use doorward_types::Timestamp;
use rusqlite::{Connection, params};

use super::{Options, earlier, site, to_column};

/// How often expired rows are looked for, by the time that callers give.
const EVERY: Duration = Duration::from_mins(1);

/// How many rows of a table go at once, so that nobody waits long behind a sweep.
const AT_ONCE: u32 = 2000;

/// How much longer than it must a used token's mark is kept: a clock that was ahead and goes back brings no token back.
const MARKS_ARE_KEPT: Duration = Duration::from_hours(24);

/// Removes what has expired: tickets, marks of used tokens, old audit rows, and what a site need not know any more.
pub(super) struct Sweep {
    log_age: Duration,
    audit_rows: i64,
    audit_age: Duration,
    last: Timestamp,
    /// Whether the last run left something to remove.
    more: Cell<bool>,
}

impl Sweep {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            log_age: options.log_age,
            audit_rows: i64::try_from(options.audit_rows).unwrap_or(i64::MAX),
            audit_age: options.audit_age,
            last: Timestamp::default(),
            more: Cell::new(false),
        }
    }

    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        // A clock that went back must not stop the sweep until it has caught up.
        self.more.get() || now < self.last || now.since(self.last) >= EVERY
    }

    pub(super) fn was_run(&mut self, now: Timestamp) {
        self.last = now;
    }

    pub(super) fn run(&self, connection: &Connection, now: Timestamp) -> rusqlite::Result<()> {
        let removed = [
            connection
                .prepare_cached(
                    "DELETE FROM tickets WHERE (owner, hash) IN
                     (SELECT owner, hash FROM tickets WHERE expires_at <= ?1 LIMIT ?2)",
                )?
                .execute(params![to_column(now), AT_ONCE])?,
            connection
                .prepare_cached(
                    "DELETE FROM used_tokens WHERE (owner, issuer, id) IN
                     (SELECT owner, issuer, id FROM used_tokens WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)",
                )?
                .execute(params![earlier(now, MARKS_ARE_KEPT), AT_ONCE])?,
            // Ids follow the time: the oldest rows are at the lower end, and no index by time is needed.
            connection
                .prepare_cached(
                    "DELETE FROM audit WHERE id IN
                     (SELECT id FROM (SELECT id, at FROM audit ORDER BY id LIMIT ?2) WHERE at < ?1)",
                )?
                .execute(params![earlier(now, self.audit_age), AT_ONCE])?,
            connection
                .prepare_cached(
                    "DELETE FROM audit WHERE id IN
                     (SELECT id FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?1 ORDER BY id LIMIT ?2)",
                )?
                .execute(params![self.audit_rows, AT_ONCE])?,
        ];
        let of_site = site::prune(connection, now, self.log_age, AT_ONCE)?;
        let most = removed.into_iter().max().unwrap_or(0).max(of_site);
        self.more.set(u32::try_from(most).is_ok_and(|rows| rows >= AT_ONCE));
        Ok(())
    }
}
