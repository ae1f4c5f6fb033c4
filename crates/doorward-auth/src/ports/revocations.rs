use doorward_types::{AccountId, CloseReason, Cursor, KeyId, OwnerId, Rest, Secret, SessionId, Subject, Timestamp};
use tokio::sync::watch;

use super::PortError;
use crate::BoxFuture;

/// What an entry of the revocation log is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Everything that rests on this has ended. For a `sid`, a `jti` and a `key` it is for ever; a `subject` may come again.
    Rest(Rest),
    /// Everything of the subject has ended, but what rests on the session `keep`.
    Others {
        /// Whose.
        subject: Subject,
        /// The login that goes on.
        keep: SessionId,
    },
    /// Everything that was issued before `at` has ended; so has what says to be issued later than this is said: the clock that says so
    /// was ahead, and when that was nobody knows.
    NotBefore {
        /// Of this subject; of everybody for `None`.
        subject: Option<Subject>,
        /// The time.
        at: Timestamp,
    },
    /// Nothing has ended: somebody has logged in, and what is suspended in that browser may go on.
    LoggedIn {
        /// Who.
        subject: Subject,
        /// The login.
        sid: SessionId,
        /// The hash of the browser's own cookie.
        browser: Option<[u8; 32]>,
    },
}

impl What {
    /// Whether it ends, said at the time `said_at`, what was issued at that time, proves that subject and rests on these.
    pub fn ends(&self, subject: Option<&Subject>, rests_on: &[Rest], issued_at: Timestamp, said_at: Timestamp) -> bool {
        let is_subject = |of: &Subject| subject.is_some_and(|subject| subject.same_as(of));
        match self {
            Self::Rest(rest) => rests_on.contains(rest) || subject.is_some_and(|subject| subject.rest() == *rest),
            Self::Others { subject, keep } => {
                is_subject(subject) && !rests_on.contains(&Rest::on("sid", keep.to_string()))
            }
            Self::NotBefore { subject, at } => {
                subject.as_ref().is_none_or(is_subject) && (issued_at < *at || issued_at > said_at)
            }
            Self::LoggedIn { .. } => false,
        }
    }

    /// What has ended for ever with it: a login, a token, a key ..., whose names do not come again as those of subjects do.
    pub fn for_ever(&self) -> Option<&Rest> {
        match self {
            Self::Rest(rest) if rest.kind != "subject" => Some(rest),
            _ => None,
        }
    }
}

/// Why something ended, for the log and for what a live socket does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// Its user has logged out.
    LoggedOut,
    /// Its user has logged in again in the same browser, or so often that it was the oldest of too many logins.
    Replaced,
    /// It was not used for too long, or was too old.
    Expired,
    /// Its user has changed the password, or a factor.
    CredentialChanged,
    /// The account was disabled.
    Disabled,
    /// An owner or the operator ended it.
    Revoked,
    /// Nothing has ended: the entry is a login ([`What::LoggedIn`]).
    LoggedIn,
}

impl Why {
    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::LoggedOut,
        Self::Replaced,
        Self::Expired,
        Self::CredentialChanged,
        Self::Disabled,
        Self::Revoked,
        Self::LoggedIn,
    ];

    /// The word in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LoggedOut => "logged_out",
            Self::Replaced => "replaced",
            Self::Expired => "expired",
            Self::CredentialChanged => "credential_changed",
            Self::Disabled => "disabled",
            Self::Revoked => "revoked",
            Self::LoggedIn => "logged_in",
        }
    }

    /// The one of that word.
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.as_str() == word)
    }

    /// What a socket that ends by it is told.
    pub const fn close_reason(self) -> CloseReason {
        match self {
            Self::Expired => CloseReason::Expired,
            _ => CloseReason::SessionEnded,
        }
    }

    /// Whether the login may come back, so that a socket may wait for it; otherwise it closes whatever its gate says.
    pub const fn may_return(self) -> bool {
        matches!(self, Self::LoggedOut | Self::Replaced | Self::Expired)
    }
}

/// One entry of the revocation log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Its place. The first has 1; in the order in which they were committed, without gaps.
    pub cursor: Cursor,
    /// When it was written.
    pub at: Timestamp,
    /// Whose; everybody's for `None`.
    pub owner: Option<OwnerId>,
    /// What it is about.
    pub what: What,
    /// Why.
    pub why: Why,
}

/// What changes in the same act as an ending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The account gets another password: the hash, as a PHC string. A link to set one is void.
    Password(AccountId, Secret),
    /// The account lets nobody in any more, and its logins end; say so of its subject too, for the sockets.
    Disable(AccountId),
    /// The account's authenticator app and recovery codes are forgotten.
    RemoveTotp(AccountId),
    /// The app key opens nothing any more.
    RevokeAppKey(KeyId),
}

/// Something that is to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Whose; everybody's for `None`, which only the operator may say.
    pub owner: Option<OwnerId>,
    /// What. (`LoggedIn` is not an ending; it is written by [`Sessions::open`](super::Sessions::open).)
    pub what: What,
    /// Why.
    pub why: Why,
    /// What changes with it.
    pub change: Option<Change>,
    /// When.
    pub at: Timestamp,
}

/// A part of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The entries after the cursor that was asked for, oldest first, without gaps among them.
    pub entries: Vec<LogEntry>,
    /// The cursor of the newest entry that there is.
    pub newest: Cursor,
}

/// The revocation log: the durable, ordered record of what has ended.
///
/// The store is the truth: [`end`](Self::end) marks what ends (sessions, tickets, refresh tokens and keys that rest on it) and
/// appends to the log in one transaction, and every node follows the log from its cursor. The cursor is counted in that same
/// transaction, so that its order is the order of the commits and a reader can never step over an entry.
pub trait Revocations: Send + Sync {
    /// Ends something, durably, before it answers; where in the log that stands. A login is no ending and is refused.
    fn end<'a>(&'a self, ending: Ending) -> BoxFuture<'a, Result<Cursor, PortError>>;

    /// The entries after a cursor. What is older than the log is kept is not there any more: after a cursor below that the
    /// first entry has a higher number than the next.
    fn read_after<'a>(&'a self, cursor: Cursor, at_most: usize) -> BoxFuture<'a, Result<Page, PortError>>;

    /// Where the log stands, by the store's own word.
    fn newest(&self) -> BoxFuture<'_, Result<Cursor, PortError>> {
        Box::pin(async move { Ok(self.read_after(Cursor(u64::MAX), 0).await?.newest) })
    }

    /// Tells that entries may have been appended, by the cursor of the newest that is known here: a signal, never authority.
    fn appended(&self) -> watch::Receiver<Cursor>;
}
