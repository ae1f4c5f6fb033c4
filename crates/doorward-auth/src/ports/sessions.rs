use std::{net::IpAddr, time::Duration};

use doorward_types::{AccountId, Cursor, OwnerId, Rest, SessionId, Subject, Timestamp};

use super::{PortError, Role};
use crate::BoxFuture;

/// One login at the built-in site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// At whose site.
    pub owner: OwnerId,
    /// Its public id.
    pub sid: SessionId,
    /// Who has logged in.
    pub account: AccountId,
    /// The account's name as it is shown.
    pub username: String,
    /// What the account may do.
    pub role: Role,
    /// The hash of the browser's own cookie; `None` for a login by a program.
    pub browser: Option<[u8; 32]>,
    /// By which factors: RFC 8176 words, `pwd`, `otp`.
    pub factors: Vec<String>,
    /// From where.
    pub source: IpAddr,
    /// What the program calls itself (`User-Agent`), cut to a length; for the eyes of its user alone.
    pub agent: String,
    /// When.
    pub created_at: Timestamp,
    /// When it was used last: a request, or a message on one of its sockets.
    pub last_seen: Timestamp,
    /// After how long without use it ends.
    pub idle: Duration,
    /// When it ends however much it is used.
    pub expires_at: Timestamp,
    /// Where in the revocation log it stands that it has begun: what stands there before means logins that are older. The store
    /// says so; before the first entry in one that has yet to begin, and in one of which the store does not know it.
    pub opened: Cursor,
}

impl Session {
    /// How long a browser stays known after its last login: its cookie lives for a year, and a little more does no harm.
    pub const BROWSER_KNOWN_FOR: Duration = Duration::from_hours(24 * 400);

    /// Use is noted at most once in such a part of the idle time: each note is a durable write, and a login that was used since the
    /// last ends that much earlier at the most.
    pub const NOTED_ONCE_IN: u32 = 20;

    /// Whether use at that time is to be noted.
    pub fn is_use_noted(&self, now: Timestamp) -> bool {
        now.since(self.last_seen) >= self.idle / Self::NOTED_ONCE_IN && now > self.last_seen
    }

    /// Whom it proves.
    pub fn subject(&self) -> Subject {
        self.account.subject(self.username.clone())
    }

    /// What proofs that are made of it rest on.
    pub fn rest(&self) -> Rest {
        Rest::on("sid", self.sid.to_string())
    }

    /// How far ahead of the present clock one may have begun. Clocks are set by seconds, and those of two machines differ; one that
    /// began later than that does not hold before its time has come: otherwise a clock that is set back would make logins last.
    pub const AHEAD: Duration = Duration::from_mins(5);

    /// Whether it holds at that time, as far as time goes.
    pub fn is_live(&self, now: Timestamp) -> bool {
        !self.is_over(now) && self.created_at <= now.plus(Self::AHEAD)
    }

    /// Whether its time is over.
    pub fn is_over(&self, now: Timestamp) -> bool {
        now >= self.expires_at || now >= self.last_seen.plus(self.idle)
    }
}

/// A login as it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    /// The hash of the cookie's text; `None` for a login that has no cookie.
    pub hash: Option<[u8; 32]>,
    /// The rest of it. What it says of name and role is not kept: those are the account's; nor is where it stands in the log.
    pub session: Session,
    /// The login that it takes the place of, in the same browser: it ends in the same act.
    pub replaces: Option<SessionId>,
    /// How many logins its account may have, this one among them: the oldest that are too many end in the same act.
    pub at_most: usize,
    /// Where the revocation log stood before the account was looked up, in the store's own words
    /// ([`Revocations::newest`](super::Revocations::newest)) and not in those of a signal: a login during which everything of its
    /// account ended, by a new password say, does not begin.
    pub as_of: Cursor,
}

/// Logins at the built-in site. How they end is [`Revocations::end`](super::Revocations::end)'s business.
///
/// A session is found only while it holds: one that has ended, is past its time, or whose account is disabled is not there.
pub trait Sessions: Send + Sync {
    /// Keeps a login, and writes it into the revocation log: sockets that are suspended in that browser wait for it. `None`
    /// where the account is gone or disabled, where what it had has ended since [`as_of`](NewSession::as_of), or where the log
    /// does not go back so far.
    fn open<'a>(&'a self, session: NewSession) -> BoxFuture<'a, Result<Option<Cursor>, PortError>>;

    /// The login at that owner's site whose cookie has that hash.
    fn find<'a>(
        &'a self,
        owner: &'a OwnerId,
        hash: [u8; 32],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Session>, PortError>>;

    /// The login with that id.
    fn find_by_id<'a>(
        &'a self,
        owner: &'a OwnerId,
        sid: SessionId,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Session>, PortError>>;

    /// The logins of an account, newest first.
    fn of_account<'a>(
        &'a self,
        owner: &'a OwnerId,
        account: AccountId,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Session>, PortError>>;

    /// Logins, newest first; of all owners for `None`.
    fn list<'a>(
        &'a self,
        owner: Option<&'a OwnerId>,
        now: Timestamp,
        at_most: usize,
    ) -> BoxFuture<'a, Result<Vec<Session>, PortError>>;

    /// Notes when logins were used last. A time before the one that is known changes nothing, nor does one of a login that is
    /// over.
    fn seen<'a>(&'a self, seen: Vec<(SessionId, Timestamp)>) -> BoxFuture<'a, Result<(), PortError>>;

    /// Whether a browser has been used for a login of that account before: it is then a known device.
    fn knows_browser<'a>(
        &'a self,
        owner: &'a OwnerId,
        account: AccountId,
        browser: [u8; 32],
    ) -> BoxFuture<'a, Result<bool, PortError>>;

    /// Ends logins whose time is over, at most so many, each with an entry in the revocation log, and gives those that it has ended:
    /// of several sweeps each login is given by one.
    fn sweep<'a>(&'a self, now: Timestamp, at_most: usize) -> BoxFuture<'a, Result<Vec<Session>, PortError>>;
}
