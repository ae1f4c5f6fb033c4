use std::{collections::VecDeque, sync::Mutex};

use doorward_auth::Admission;
use doorward_types::{CloseReason, Cursor, OwnerId, Timestamp};

use crate::{Target, lock::lock, marks::Marks};

/// How many endings are remembered: enough for a climb of five minutes at fifty endings a second.
const REMEMBERED: usize = 16_384;

/// More has ended since than is remembered: nobody can say whether what an admission rests on still holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more has ended since {0:?} than is remembered")]
pub struct TailGone(pub Cursor);

/// A node's view of what has ended: a bounded tail in order, numbered without gaps, and marks of what does not come back.
///
/// A logout can land between a layer's look and the registration of the socket that it let in. An admission remembers where
/// this view stood when its climb began; whoever registers it asks [`since`](Self::since) first. What ended long before the
/// climb is in the marks: a token whose login is over is good as far as its signature goes.
#[derive(Debug)]
pub struct Revocations {
    view: Mutex<View>,
}

#[derive(Debug)]
struct View {
    /// The newest at the back; their cursors have no gaps.
    tail: VecDeque<Entry>,
    /// The cursor of the newest.
    last: u64,
    remembered: usize,
    marks: Marks,
}

#[derive(Debug)]
struct Entry {
    /// Whose. `None`: everybody's.
    owner: Option<OwnerId>,
    what: Target,
    reason: CloseReason,
    /// Where it stands in the log, where it does.
    place: Option<Cursor>,
}

impl Entry {
    fn concerns(&self, admission: &Admission) -> bool {
        let is_older = || self.place.is_some_and(|place| self.what.is_older_than(place, admission));
        self.what.concerns(self.owner.as_ref(), admission) && !is_older()
    }
}

impl Default for Revocations {
    fn default() -> Self {
        Self::remembering(REMEMBERED)
    }
}

impl Revocations {
    /// Remembers the last `entries` endings, and marks besides.
    pub fn remembering(entries: usize) -> Self {
        let view = View { tail: VecDeque::new(), last: 0, remembered: entries, marks: Marks::default() };
        Self { view: Mutex::new(view) }
    }

    /// Where it stands.
    pub fn cursor(&self) -> Cursor {
        Cursor(lock(&self.view).last)
    }

    /// Adds an ending to the tail, with its place in the log where it stands there. The end of one socket by its id concerns no
    /// admission and is not remembered.
    pub fn append(&self, owner: Option<&OwnerId>, what: &Target, reason: CloseReason, place: Option<Cursor>) -> Cursor {
        let mut view = lock(&self.view);
        if let Target::Socket(_) = what {
            return Cursor(view.last);
        }
        view.last += 1;
        view.tail.push_back(Entry { owner: owner.cloned(), what: what.clone(), reason, place });
        while view.tail.len() > view.remembered {
            view.tail.pop_front();
        }
        Cursor(view.last)
    }

    /// Marks what ended at the time `at`: a thing that does not come back, where `for_ever` or its kind says so, and the time
    /// from which on proofs count. Anything else leaves no mark. `place` is where it stands in the log, where it does.
    pub fn mark(&self, owner: Option<&OwnerId>, what: &Target, for_ever: bool, at: Timestamp, place: Option<Cursor>) {
        let marks = &mut lock(&self.view).marks;
        match what {
            Target::Rest(rest) if for_ever || matches!(&*rest.kind, "sid" | "jti") => marks.end(owner, rest, at),
            Target::NotBefore { subject, at } => marks.not_before(owner, subject.as_ref(), *at, None, None),
            Target::Others { subject, keep } => marks.not_before(owner, Some(subject), at, Some(keep), place),
            Target::Rest(_) | Target::Socket(_) | Target::Everything => {}
        }
    }

    /// The log is another one from here on: the marks have no places in it.
    pub(crate) fn lose_places(&self) {
        lock(&self.view).marks.lose_places();
    }

    /// Why what the admission rests on has ended: ever, where that leaves a mark; since its climb began, where it does not.
    /// `None` where it has not.
    ///
    /// # Errors
    /// [`TailGone`] where the answer is no longer known.
    pub fn since(&self, admission: &Admission) -> Result<Option<CloseReason>, TailGone> {
        let view = lock(&self.view);
        if let Some(reason) = view.marks.refuse(admission) {
            return Ok(Some(reason));
        }
        let Cursor(as_of) = admission.as_of();
        let missed = view.last.saturating_sub(as_of);
        let Some(first) = view.tail.len().checked_sub(usize::try_from(missed).unwrap_or(usize::MAX)) else {
            return Err(TailGone(Cursor(as_of)));
        };
        let newer = view.tail.iter().skip(first);
        Ok(newer.filter(|entry| entry.concerns(admission)).map(|entry| entry.reason).next())
    }
}
