use std::ops::Deref;

use doorward_auth::Admission;
use doorward_types::Timestamp;

/// What lets a socket be here: its admission, and when it had its first.
#[derive(Debug)]
pub struct Admitted {
    admission: Admission,
    first_at: Timestamp,
}

impl Admitted {
    /// The first.
    pub(crate) fn at_first(admission: Admission) -> Self {
        Self { first_at: admission.at(), admission }
    }

    /// Another one of the same socket.
    pub(crate) fn then(&self, admission: Admission) -> Self {
        Self { admission, first_at: self.first_at }
    }

    /// When the socket was admitted first.
    pub fn first_at(&self) -> Timestamp {
        self.first_at
    }
}

impl Deref for Admitted {
    type Target = Admission;

    fn deref(&self) -> &Admission {
        &self.admission
    }
}
