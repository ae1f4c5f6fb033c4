use std::ops::Deref;

use doorward_auth::Admission;
use doorward_types::Timestamp;

use crate::moment::Moment;

/// What lets a socket be here: its admission, and when it had its first.
#[derive(Debug)]
pub struct Admitted {
    admission: Admission,
    first_at: Timestamp,
    /// When the socket was given the admission, by both clocks.
    given: (Moment, Timestamp),
}

impl Admitted {
    /// The first.
    pub(crate) fn at_first(admission: Admission, given: (Moment, Timestamp)) -> Self {
        Self { first_at: admission.at(), admission, given }
    }

    /// Another one of the same socket.
    pub(crate) fn then(&self, admission: Admission, given: (Moment, Timestamp)) -> Self {
        Self { admission, first_at: self.first_at, given }
    }

    /// When the socket was admitted first.
    pub fn first_at(&self) -> Timestamp {
        self.first_at
    }

    /// The time by which it expires: what the wall clock says, but not less than it would say if nobody had set it back since.
    pub(crate) fn time(&self, now: Moment, wall: Timestamp) -> Timestamp {
        let (at, was) = self.given;
        wall.max(was.plus(now.since(at)))
    }
}

impl Deref for Admitted {
    type Target = Admission;

    fn deref(&self) -> &Admission {
        &self.admission
    }
}
