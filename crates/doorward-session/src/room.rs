//! Whether a subject may have one socket more, and which of its others go for it.

use std::sync::Arc;

use doorward_auth::{Admission, OnlyOne};
use doorward_types::CloseReason;

use crate::{Socket, SocketPolicy};

/// Whether there is room for one more socket of the subject that has these `others`.
pub(crate) fn make_room<'s>(
    admission: &Admission,
    policy: &SocketPolicy,
    others: impl Iterator<Item = &'s Arc<Socket>>,
) -> Result<(), CloseReason> {
    let (at_the_gate, elsewhere) = others.fold((0, 0), |(at_the_gate, elsewhere), other| {
        if at_the_same_gate(other, admission) { (at_the_gate + 1, elsewhere) } else { (at_the_gate, elsewhere + 1) }
    });
    let staying = match admission.only_one() {
        Some(OnlyOne::Oldest) if at_the_gate > 0 => return Err(CloseReason::Replaced),
        Some(OnlyOne::Newest) => elsewhere,
        Some(OnlyOne::Oldest) | None => elsewhere + at_the_gate,
    };
    if policy.per_subject.is_some_and(|most| staying >= most) {
        return Err(CloseReason::TooFast);
    }
    Ok(())
}

/// Those that live and are of the owner's same subject.
pub(crate) fn others_of<'s>(found: &'s [Arc<Socket>], admission: &Admission) -> impl Iterator<Item = &'s Arc<Socket>> {
    let same = |other: &&Arc<Socket>| {
        let others = other.admission();
        other.is_open()
            && others.owner() == admission.owner()
            && admission.subject().zip(others.subject()).is_some_and(|(mine, theirs)| mine.same_as(theirs))
    };
    found.iter().filter(same)
}

pub(crate) fn at_the_same_gate(other: &Socket, admission: &Admission) -> bool {
    other.admission().gate() == admission.gate()
}
