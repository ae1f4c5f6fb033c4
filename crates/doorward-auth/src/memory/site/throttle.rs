use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
};

use doorward_types::{OwnerId, Timestamp};

use super::MemorySite;
use crate::{
    BoxFuture,
    ports::{Attempt, AttemptId, PortError, Reserved, Throttle},
    throttle::{DAY, Failures, Next, Penalty, network_of, next_of, per_day},
};

/// What is counted together: tries of a factor of a subject, on a device that it knows or on all others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Of {
    owner: OwnerId,
    factor: &'static str,
    subject: [u8; 32],
    device: Option<[u8; 32]>,
}

/// A try that counts as a failure.
#[derive(Debug)]
struct Try {
    of: Of,
    source: IpAddr,
    at: Timestamp,
}

/// Failures by subject and penalties by source.
#[derive(Debug, Default)]
pub(super) struct Counts {
    failures: HashMap<Of, Failures>,
    penalties: HashMap<IpAddr, Penalty>,
    /// Of the last day, by their numbers.
    tries: BTreeMap<u64, Try>,
    last: u64,
}

impl Counts {
    fn reserve(&mut self, attempt: &Attempt) -> Reserved {
        let Attempt { owner, factor, subject, device, source, at: now } = attempt.clone();
        let (of, source) = (Of { owner, factor, subject, device }, network_of(source));
        let failures = self.failures.entry(of.clone()).or_default();
        *failures = failures.by(now);
        let penalty = self.penalties.entry(source).or_default();
        *penalty = penalty.by(now);
        let so_many_ago = per_day(factor).and_then(|limit| nth_newest(&mut self.tries, &of, limit, now));
        match next_of(attempt, *failures, *penalty, so_many_ago) {
            Next::Disabled => Reserved::Disabled,
            Next::NotBefore(time) => Reserved::Wait(time),
            Next::Now => {
                *failures = failures.and_one(now);
                *penalty = penalty.and_one(now);
                self.last += 1;
                self.tries.insert(self.last, Try { of, source, at: now });
                Reserved::Go(AttemptId(self.last))
            }
        }
    }

    fn was_right(&mut self, AttemptId(number): AttemptId) {
        let Some(Try { of, source, .. }) = self.tries.remove(&number) else { return };
        self.failures.remove(&of);
        if let Some(penalty) = self.penalties.get_mut(&source) {
            *penalty = penalty.less_one();
        }
    }

    fn forgive(&mut self, owner: &OwnerId, factor: &str, subject: [u8; 32]) {
        let is_meant = |of: &Of| of.owner == *owner && of.factor == factor && of.subject == subject;
        self.failures.retain(|of, _| !is_meant(of));
        self.tries.retain(|_, one| !is_meant(&one.of));
    }

    pub(super) fn prune(&mut self, now: Timestamp) {
        self.failures.retain(|_, failures| !failures.is_forgotten(now));
        self.penalties.retain(|_, penalty| penalty.until > now);
        self.tries.retain(|_, one| now.since(one.at) < DAY);
    }
}

/// When the try was made that is so many ago, of those of the last day.
fn nth_newest(tries: &mut BTreeMap<u64, Try>, of: &Of, nth: u32, now: Timestamp) -> Option<Timestamp> {
    let nth = usize::try_from(nth).ok()?.checked_sub(1)?;
    let theirs = tries.values_mut().rev().filter(|one| one.of == *of);
    let times = theirs.map(|one| {
        one.at = one.at.min(now);
        one.at
    });
    times.filter(|at| now.since(*at) < DAY).nth(nth)
}

impl Throttle for MemorySite {
    fn reserve<'a>(&'a self, attempt: Attempt) -> BoxFuture<'a, Result<Reserved, PortError>> {
        self.answer(move |state| state.counts.reserve(&attempt))
    }

    fn was_right<'a>(&'a self, attempt: AttemptId) -> BoxFuture<'a, Result<(), PortError>> {
        self.answer(move |state| state.counts.was_right(attempt))
    }

    fn forgive<'a>(
        &'a self,
        owner: &'a OwnerId,
        factor: &'static str,
        subject: [u8; 32],
    ) -> BoxFuture<'a, Result<(), PortError>> {
        self.answer(move |state| state.counts.forgive(owner, factor, subject))
    }
}
