use std::{collections::VecDeque, time::Duration};

use doorward_types::{Cursor, OwnerId, Timestamp};

use crate::ports::{LogEntry, Page, What, Why};

/// How long an entry is kept.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// The revocation log. Its newest entry is always at the back; older ones go with time.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: VecDeque<LogEntry>,
    newest: u64,
}

impl Log {
    pub(super) fn append(&mut self, at: Timestamp, owner: Option<OwnerId>, what: What, why: Why) -> Cursor {
        self.newest += 1;
        let cursor = Cursor(self.newest);
        self.entries.push_back(LogEntry { cursor, at, owner, what, why });
        cursor
    }

    pub(super) fn newest(&self) -> Cursor {
        Cursor(self.newest)
    }

    /// The entries after a cursor; `None` where the log does not go back so far.
    pub(super) fn since(&self, cursor: Cursor) -> Option<impl Iterator<Item = &LogEntry>> {
        let missed = usize::try_from(self.newest.saturating_sub(cursor.0)).ok()?;
        Some(self.entries.iter().skip(self.entries.len().checked_sub(missed)?))
    }

    pub(super) fn page_after(&self, cursor: Cursor, at_most: usize) -> Page {
        let first = self.entries.partition_point(|entry| entry.cursor <= cursor);
        Page { entries: self.entries.iter().skip(first).take(at_most).cloned().collect(), newest: self.newest() }
    }

    /// Forgets what is older than entries are kept.
    pub(super) fn prune(&mut self, now: Timestamp) {
        while self.entries.front().is_some_and(|entry| now.since(entry.at) > KEPT) {
            self.entries.pop_front();
        }
    }
}
