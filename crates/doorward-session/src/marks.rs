use std::{
    collections::{BTreeMap, HashMap, HashSet},
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use doorward_auth::Admission;
use doorward_types::{CloseReason, Cursor, OwnerId, Rest, Subject, Timestamp};

/// How long a mark holds, as long as the revocation log is kept: no proof may live longer than that after what it rests on.
const KEPT: Duration = Duration::from_secs(31 * 24 * 60 * 60);

/// Marks are forgotten together with all others of their week.
const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What has ended and does not come back, and from when on proofs count, for longer than the tail remembers.
///
/// A mark is eight bytes: a hash of whose and what, under a secret of this process. Equal things have equal hashes, so what
/// was marked is always found. Two different things that have the same would refuse somebody for nothing: among ten million
/// marks one admission in 10^11 would meet that by chance, and nobody can bring it about without the secret.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    hasher: RandomState,
    /// By the week in which they ended.
    ended: BTreeMap<u64, HashSet<u64>>,
    not_before: HashMap<u64, Vec<NotBefore>>,
    /// The week in which it was last looked at which marks are over.
    tidied: u64,
}

/// Proofs of somebody count from here on.
#[derive(Debug)]
struct NotBefore {
    at: Timestamp,
    /// But what rests on this counts however old it is.
    keep: Option<u64>,
    /// And so does what is newer than the entry at that place of the log, whatever a clock has said.
    place: Option<Cursor>,
}

impl NotBefore {
    /// Whether it refuses all that the other does.
    fn covers(&self, other: &Self) -> bool {
        self.at >= other.at
            && (self.keep.is_none() || self.keep == other.keep)
            && self.place.is_none_or(|place| other.place.is_some_and(|other| other <= place))
    }
}

impl Marks {
    /// Marks that something has ended for ever.
    pub(crate) fn end(&mut self, owner: Option<&OwnerId>, rest: &Rest, at: Timestamp) {
        self.forget(at);
        let hash = self.of_rest(owner, rest);
        self.ended.entry(week_of(at)).or_default().insert(hash);
    }

    /// Marks that what was issued before `at` counts no more: a subject's, or everybody's; but for what rests on `keep`, and for
    /// what is newer than the entry at `place`.
    pub(crate) fn not_before(
        &mut self,
        owner: Option<&OwnerId>,
        subject: Option<&Subject>,
        at: Timestamp,
        keep: Option<&Rest>,
        place: Option<Cursor>,
    ) {
        self.forget(at);
        let new = NotBefore { at, keep: keep.map(|keep| self.of_rest(owner, keep)), place };
        let whose = self.whose(owner, subject);
        let marks = self.not_before.entry(whose).or_default();
        if marks.iter().any(|mark| mark.covers(&new)) {
            return;
        }
        marks.retain(|mark| !new.covers(mark));
        marks.push(new);
    }

    /// The log is another one from here on: what is newer than its entries says nothing of what was marked.
    pub(crate) fn lose_places(&mut self) {
        self.not_before.values_mut().flatten().for_each(|mark| mark.place = None);
    }

    /// Why an admission must not be: it rests on something marked, or was issued before a time that concerns it.
    pub(crate) fn refuse(&self, admission: &Admission) -> Option<CloseReason> {
        let (owner, rests) = (admission.owner(), admission.rests_on());
        if !self.ended.is_empty() && rests.iter().any(|rest| self.is_ended(owner, rest)) {
            return Some(CloseReason::SessionEnded);
        }
        if self.not_before.is_empty() {
            return None;
        }
        let issued_at = admission.issued_at();
        let is_too_old = |owner, subject| {
            let marks = self.not_before.get(&self.whose(owner, subject)).into_iter().flatten();
            let kept = |keep: u64| rests.iter().any(|rest| self.of_rest(owner, rest) == keep);
            let newer = |place| place <= admission.newer_than();
            marks
                .into_iter()
                .any(|mark| issued_at < mark.at && !mark.keep.is_some_and(kept) && !mark.place.is_some_and(newer))
        };
        let too_old = [None, Some(owner)].into_iter().any(|owner| {
            is_too_old(owner, None) || admission.subject().is_some_and(|subject| is_too_old(owner, Some(subject)))
        });
        too_old.then_some(CloseReason::SessionEnded)
    }

    fn is_ended(&self, owner: &OwnerId, rest: &Rest) -> bool {
        let (own, everybodys) = (self.of_rest(Some(owner), rest), self.of_rest(None, rest));
        self.ended.values().any(|ended| ended.contains(&own) || ended.contains(&everybodys))
    }

    fn forget(&mut self, now: Timestamp) {
        if week_of(now) <= self.tidied {
            return;
        }
        self.tidied = week_of(now);
        let oldest = Timestamp::from_millis(now.as_millis().saturating_sub(millis(KEPT)));
        self.ended.retain(|week, _| week + 1 >= week_of(oldest));
        self.not_before.retain(|_, marks| {
            marks.retain(|mark| mark.at >= oldest);
            !marks.is_empty()
        });
    }

    fn of_rest(&self, owner: Option<&OwnerId>, rest: &Rest) -> u64 {
        self.hasher.hash_one((owner.map(OwnerId::as_str), &*rest.kind, &*rest.value))
    }

    fn whose(&self, owner: Option<&OwnerId>, subject: Option<&Subject>) -> u64 {
        let subject = subject.map(|subject| (subject.kind.as_str(), subject.pk.as_str()));
        self.hasher.hash_one((owner.map(OwnerId::as_str), subject))
    }
}

fn week_of(at: Timestamp) -> u64 {
    at.as_millis() / millis(WEEK)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_forgotten_when_the_log_is_no_longer_kept() {
        let (mut marks, owner) = (Marks::default(), OwnerId::new("acme"));
        let day = |days| Timestamp::from_secs(days * 24 * 60 * 60);
        let sid = |number: u64| Rest::on("sid", number.to_string());
        for number in 0..100 {
            marks.end(Some(&owner), &sid(number), day(number));
            marks.not_before(Some(&owner), None, day(number), Some(&sid(number)), None);
        }
        assert!((69..100).all(|number| marks.is_ended(&owner, &sid(number))));
        assert!((0..50).all(|number| !marks.is_ended(&owner, &sid(number))));
        let left: usize = marks.not_before.values().map(Vec::len).sum();
        assert!(left <= 45, "{left}");
    }

    #[test]
    fn times_before_which_nothing_counts_are_forgotten_also_where_nothing_else_ends() {
        let mut marks = Marks::default();
        for day in 0..400 {
            let subject = Subject { kind: "member".into(), pk: day.to_string(), uuid: day.to_string() };
            marks.not_before(None, Some(&subject), Timestamp::from_secs(day * 24 * 60 * 60), None, None);
        }
        assert!(marks.not_before.len() <= 45, "{}", marks.not_before.len());
    }

    #[test]
    fn a_later_time_takes_the_place_of_the_earlier_ones() {
        let mut marks = Marks::default();
        let (first, second) = (Rest::on("sid", "1"), Rest::on("sid", "2"));
        let mut count = |secs, keep, place: Option<u64>| {
            marks.not_before(None, None, Timestamp::from_secs(secs), keep, place.map(Cursor));
            marks.not_before.values().map(Vec::len).sum::<usize>()
        };
        assert_eq!(count(5, Some(&first), Some(1)), 1);
        assert_eq!(count(6, Some(&first), Some(2)), 1);
        assert_eq!(count(6, Some(&first), Some(1)), 1, "what the later entry means is meant already");
        assert_eq!(count(7, Some(&second), Some(3)), 2);
        assert_eq!(count(8, None, None), 1);
        assert_eq!(count(7, None, Some(4)), 1);
        assert_eq!(count(9, Some(&first), Some(5)), 2, "it leaves what is newer, and the other does not");
    }
}
