use std::time::Duration;

use doorward_types::Timestamp;

use crate::moment::Moment;

/// How far the wall clock may be from what the monotonic one makes of it, from one look to the next.
const DRIFT: Duration = Duration::from_secs(1);

/// The wall clock, as it was looked at last.
pub(crate) struct Wall {
    at: Moment,
    said: Timestamp,
}

impl Wall {
    pub(crate) fn looked_at(at: Moment, said: Timestamp) -> Self {
        Self { at, said }
    }

    /// Whether it was set ahead since: what was far may have come. The log is told of that, and of a step back.
    pub(crate) fn was_set_ahead(&mut self, now: Moment, says: Timestamp) -> bool {
        let should = self.said.plus(now.since(self.at));
        (self.at, self.said) = (now, says);
        let (ahead, back) = (says.since(should), should.since(says));
        if back > DRIFT {
            tracing::warn!(by = ?back, "the wall clock was set back: who is here stays no longer for that");
        }
        if ahead > DRIFT {
            tracing::warn!(by = ?ahead, "the wall clock was set ahead: what has expired by it ends");
        }
        ahead > DRIFT
    }
}
