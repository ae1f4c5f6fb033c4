use std::{collections::VecDeque, sync::Mutex};

use doorward_auth::Admission;
use doorward_types::{CloseReason, Cursor, OwnerId, Rest};

use crate::{Target, lock::lock};

/// How many endings are remembered: enough for a climb of five minutes at fifty endings a second.
const REMEMBERED: usize = 16_384;

/// More has ended since than is remembered: nobody can say whether what an admission rests on still holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more has ended since {0:?} than is remembered")]
pub struct TailGone(pub Cursor);

/// A node's view of what has ended lately: a bounded tail in order, numbered without gaps.
///
/// A logout can land between a layer's look and the registration of the socket that it let in. An admission remembers where
/// this view stood when its climb began; whoever registers it asks [`since`](Self::since) first.
#[derive(Debug)]
pub struct Revocations {
    tail: Mutex<Tail>,
}

#[derive(Debug)]
struct Tail {
    /// The newest at the back; their cursors have no gaps.
    entries: VecDeque<Entry>,
    /// The cursor of the newest.
    last: u64,
    remembered: usize,
}

#[derive(Debug)]
struct Entry {
    /// Whose. `None`: everybody's.
    owner: Option<OwnerId>,
    /// `None`: everything of the owner's.
    rest: Option<Rest>,
    reason: CloseReason,
}

impl Default for Revocations {
    fn default() -> Self {
        Self::remembering(REMEMBERED)
    }
}

impl Revocations {
    /// Remembers the last `entries` endings.
    pub fn remembering(entries: usize) -> Self {
        Self { tail: Mutex::new(Tail { entries: VecDeque::new(), last: 0, remembered: entries }) }
    }

    /// Where it stands.
    pub fn cursor(&self) -> Cursor {
        Cursor(lock(&self.tail).last)
    }

    /// Adds an ending. The end of one socket by its id concerns no admission and is not remembered.
    pub fn append(&self, owner: Option<&OwnerId>, what: &Target, reason: CloseReason) -> Cursor {
        let mut tail = lock(&self.tail);
        let rest = match what {
            Target::Socket(_) => return Cursor(tail.last),
            Target::Rest(rest) => Some(rest.clone()),
            Target::Everything => None,
        };
        tail.last += 1;
        tail.entries.push_back(Entry { owner: owner.cloned(), rest, reason });
        while tail.entries.len() > tail.remembered {
            tail.entries.pop_front();
        }
        Cursor(tail.last)
    }

    /// Why what the admission rests on has ended since its climb began; `None` where it has not.
    ///
    /// # Errors
    /// [`TailGone`] where the answer is no longer known.
    pub fn since(&self, admission: &Admission) -> Result<Option<CloseReason>, TailGone> {
        let tail = lock(&self.tail);
        let Cursor(as_of) = admission.as_of();
        let missed = tail.last.saturating_sub(as_of);
        let Some(first) = tail.entries.len().checked_sub(usize::try_from(missed).unwrap_or(usize::MAX)) else {
            return Err(TailGone(Cursor(as_of)));
        };
        let newer = tail.entries.iter().skip(first);
        Ok(newer.filter(|entry| entry.concerns(admission)).map(|entry| entry.reason).next())
    }
}

impl Entry {
    fn concerns(&self, admission: &Admission) -> bool {
        self.owner.as_ref().is_none_or(|owner| owner == admission.owner())
            && self.rest.as_ref().is_none_or(|rest| admission.rests_on().contains(rest))
    }
}
