use std::{cell::Cell, time::Duration};

use doorward_types::Timestamp;
use rusqlite::{Connection, params};

use super::{Options, to_column};

/// How often expired rows are looked for, by the time that callers give.
const EVERY: Duration = Duration::from_mins(1);

/// How many rows of a table go at once, so that nobody waits long behind a sweep.
const AT_ONCE: u32 = 2000;

/// How much longer than it must a used token's mark is kept: a clock that was ahead and goes back brings no token back.
const MARKS_ARE_KEPT: Duration = Duration::from_hours(24);

/// Removes what has expired: tickets, marks of used tokens, old audit rows.
pub(super) struct Sweep {
    audit_rows: i64,
    audit_age: Duration,
    last: Timestamp,
    /// Whether the last run left something to remove.
    more: Cell<bool>,
}

impl Sweep {
    pub(super) fn new(options: &Options) -> Self {
        Self {
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
        let earlier = |by: Duration| {
            let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
            to_column(Timestamp::from_millis(now.as_millis().saturating_sub(by)))
        };
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
                .execute(params![earlier(MARKS_ARE_KEPT), AT_ONCE])?,
            // Ids follow the time: the oldest rows are at the lower end, and no index by time is needed.
            connection
                .prepare_cached(
                    "DELETE FROM audit WHERE id IN
                     (SELECT id FROM (SELECT id, at FROM audit ORDER BY id LIMIT ?2) WHERE at < ?1)",
                )?
                .execute(params![earlier(self.audit_age), AT_ONCE])?,
            connection
                .prepare_cached(
                    "DELETE FROM audit WHERE id IN
                     (SELECT id FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?1 ORDER BY id LIMIT ?2)",
                )?
                .execute(params![self.audit_rows, AT_ONCE])?,
        ];
        self.more.set(removed.iter().any(|rows| u32::try_from(*rows).is_ok_and(|rows| rows == AT_ONCE)));
        Ok(())
    }
}
