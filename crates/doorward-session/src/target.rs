use doorward_auth::{Admission, ports::What};
use doorward_types::{Cursor, OwnerId, Rest, SocketId, Subject, Timestamp};

use crate::Socket;

/// What to end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// Every socket whose admission rests on this.
    Rest(Rest),
    /// Every socket of a subject, but those that rest on this: "log out everywhere else".
    Others {
        /// Whose.
        subject: Subject,
        /// The login that goes on.
        keep: Rest,
    },
    /// Every socket that was let in by something issued before a time.
    NotBefore {
        /// Of this subject; of everybody for `None`.
        subject: Option<Subject>,
        /// The time.
        at: Timestamp,
    },
    /// One socket.
    Socket(SocketId),
    /// Every socket.
    Everything,
}

impl Target {
    /// What an entry of the revocation log ends; `None` where it ends nothing.
    pub(crate) fn of(what: &What) -> Option<Self> {
        Some(match what {
            What::Rest(rest) => Self::Rest(rest.clone()),
            What::Others { subject, keep } => {
                Self::Others { subject: subject.clone(), keep: Rest::on("sid", keep.to_string()) }
            }
            What::NotBefore { subject, at } => Self::NotBefore { subject: subject.clone(), at: *at },
            What::LoggedIn { .. } => return None,
        })
    }

    /// Whether it means this socket, where the owner does who says so; `None` is the operator.
    pub(crate) fn means(&self, owner: Option<&OwnerId>, socket: &Socket) -> bool {
        match self {
            Self::Socket(id) => *id == socket.id() && is_whose(owner, &socket.admission()),
            _ => self.concerns(owner, &socket.admission()),
        }
    }

    /// Whether it means a socket that was let in by a clock that was ahead of `now`: when that was nobody knows, so it counts as
    /// before any time.
    pub(crate) fn means_what_is_ahead_of(&self, now: Timestamp, owner: Option<&OwnerId>, socket: &Socket) -> bool {
        let admission = socket.admission();
        let Self::NotBefore { subject, .. } = self else { return false };
        admission.issued_at() > now
            && is_whose(owner, &admission)
            && subject.as_ref().is_none_or(|subject| is_of(subject, &admission))
    }

    /// Whether it concerns whoever has this admission, socket or not.
    pub(crate) fn concerns(&self, owner: Option<&OwnerId>, admission: &Admission) -> bool {
        is_whose(owner, admission)
            && match self {
                Self::Rest(rest) => admission.rests_on().contains(rest),
                Self::Others { subject, keep } => is_of(subject, admission) && !admission.rests_on().contains(keep),
                Self::NotBefore { subject, at } => {
                    admission.issued_at() < *at && subject.as_ref().is_none_or(|subject| is_of(subject, admission))
                }
                Self::Socket(_) => false,
                Self::Everything => true,
            }
    }

    /// Whether an entry of the log at that place means only what is older than this admission: it ends whatever its subject had then,
    /// and the subject has come again since.
    pub(crate) fn is_older_than(&self, entry: Cursor, admission: &Admission) -> bool {
        let ends_what_there_is = match self {
            Self::Rest(rest) => rest.kind == "subject",
            Self::Others { .. } => true,
            Self::NotBefore { .. } | Self::Socket(_) | Self::Everything => false,
        };
        ends_what_there_is && entry <= admission.newer_than()
    }

    /// What all sockets that it means rest on, where that is one thing.
    pub(crate) fn rest(&self) -> Option<Rest> {
        match self {
            Self::Rest(rest) => Some(rest.clone()),
            Self::Others { subject, .. } | Self::NotBefore { subject: Some(subject), .. } => Some(subject.rest()),
            Self::NotBefore { subject: None, .. } | Self::Socket(_) | Self::Everything => None,
        }
    }
}

fn is_whose(owner: Option<&OwnerId>, admission: &Admission) -> bool {
    owner.is_none_or(|owner| owner == admission.owner())
}

fn is_of(subject: &Subject, admission: &Admission) -> bool {
    admission.subject().is_some_and(|proven| proven.same_as(subject))
}
