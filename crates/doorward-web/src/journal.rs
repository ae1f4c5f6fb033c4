//! What happens at the built-in site, as rows of the audit log: the one place where an event becomes a row.
//!
//! ```text
//!   page, HTTP API, command line ──▶ Event { whose, by whom, from where, what } ──▶ Journal ──▶ Audit
//!
//!   gives something out (a login, a key, a ticket)   not given where the row is not taken
//!   ends or takes something                          done all the same: an ending waits for no disk
//! ```
//!
//! A row holds names, ids and reasons and nothing that opens anything.

use std::{fmt, net::IpAddr, sync::Arc};

use doorward_auth::{
    account::NotRight,
    ports::{Account, Audit, AuditRecord, Clock, Outcome, PortError, Rng, Role, Session},
};
use doorward_types::{CloseReason, GateName, KeyId, OwnerId, SessionId, SocketId, Subject, Timestamp, TraceId};

/// Something that happened at a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// At whose site; `None` where it is everybody's, which only the operator brings about.
    pub owner: Option<OwnerId>,
    /// Whose account it is about, if any.
    pub whose: Option<Subject>,
    /// From where it was asked; `None` where that is this machine, or is not known.
    pub source: Option<IpAddr>,
    /// Who has brought it about.
    pub by: By,
    /// What.
    pub what: Happening,
}

/// Who has brought something about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// Whoever holds the account.
    Holder,
    /// Somebody of whom nothing is known.
    Somebody,
    /// Another account: an owner's or the operator's.
    Account(Subject),
    /// A key to the HTTP API, by its public id.
    ApiKey(String),
    /// The operator, on the command line.
    CommandLine,
    /// The server itself.
    Server,
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holder => f.write_str("its holder"),
            Self::Somebody => f.write_str("somebody"),
            Self::Account(subject) => write!(f, "{} ({subject})", subject.uuid),
            Self::ApiKey(id) => write!(f, "API key {id}"),
            Self::CommandLine => f.write_str("the operator, on the command line"),
            Self::Server => f.write_str("the server"),
        }
    }
}

/// What can happen at a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// An account was made.
    Registered {
        /// What it may do.
        role: Role,
        /// Whether an invitation was used up.
        invited: bool,
    },
    /// Somebody may make an account.
    Invited(Role),
    /// A login has begun.
    LoggedIn {
        /// Its id.
        sid: SessionId,
        /// By which factors.
        factors: Vec<String>,
    },
    /// A password or a code has let nobody in.
    LoginRefused {
        /// What was asked for.
        step: &'static str,
        /// Why not.
        why: NotRight,
    },
    /// A login was ended by who had it.
    LoggedOut(SessionId),
    /// One login was ended.
    SessionEnded(SessionId),
    /// A login was ended by time.
    SessionExpired {
        /// Its id.
        sid: SessionId,
        /// Whether it was not used for too long; otherwise it was too old.
        unused: bool,
    },
    /// All logins were ended but this one.
    OtherSessionsEnded(SessionId),
    /// All logins were ended.
    SessionsEnded,
    /// One live socket was ended.
    SocketEnded(SocketId),
    /// What rests on something was ended: `kind=value`.
    RestEnded(String),
    /// What was issued before a time was ended.
    NotBefore(Timestamp),
    /// There is another password.
    PasswordChanged,
    /// The old password opens nothing any more, and a link was made by which there will be a new one.
    ResetLinkMade(Timestamp),
    /// The link was used: there is another password.
    PasswordReset,
    /// An authenticator app counts from now on.
    TotpEnrolled,
    /// The authenticator app and the recovery codes are forgotten.
    TotpRemoved,
    /// A recovery code stood in for the phone.
    RecoveryCodeUsed,
    /// There are new recovery codes, and the old ones are void.
    RecoveryCodesRenewed,
    /// The account lets nobody in any more.
    Disabled,
    /// The account lets its holder in again.
    Enabled,
    /// What was tried wrong is forgotten.
    Unlocked,
    /// A one-time ticket was made for a gate, or for all that take it.
    TicketMinted(Option<GateName>),
    /// An access token and a refresh token were made for a login.
    TokenMinted(SessionId),
    /// A refresh token came a second time, and its login was ended.
    TokenReused(SessionId),
    /// A key to be typed into a socket was shown, by its public part.
    KeyShown(String),
    /// A key to the HTTP API was made, by its public id.
    ApiKeyMade(String),
    /// A key to the HTTP API was revoked.
    ApiKeyRevoked(String),
    /// A key for a machine was made.
    AppKeyMade(KeyId),
    /// A key for a machine was revoked.
    AppKeyRevoked(KeyId),
}

impl Happening {
    /// The word for it: what [`AuditQuery::event`](doorward_auth::ports::AuditQuery::event) asks for.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Registered { .. } => "registered",
            Self::Invited(_) => "invited",
            Self::LoggedIn { .. } => "logged_in",
            Self::LoginRefused { .. } => "login_refused",
            Self::LoggedOut(_) => "logged_out",
            Self::SessionEnded(_) => "session_ended",
            Self::SessionExpired { .. } => "session_expired",
            Self::OtherSessionsEnded(_) => "other_sessions_ended",
            Self::SessionsEnded => "sessions_ended",
            Self::SocketEnded(_) => "socket_ended",
            Self::RestEnded(_) => "rest_ended",
            Self::NotBefore(_) => "not_before",
            Self::PasswordChanged => "password_changed",
            Self::ResetLinkMade(_) => "reset_link_made",
            Self::PasswordReset => "password_reset",
            Self::TotpEnrolled => "totp_enrolled",
            Self::TotpRemoved => "totp_removed",
            Self::RecoveryCodeUsed => "recovery_code_used",
            Self::RecoveryCodesRenewed => "recovery_codes_renewed",
            Self::Disabled => "account_disabled",
            Self::Enabled => "account_enabled",
            Self::Unlocked => "account_unlocked",
            Self::TicketMinted(_) => "ticket_minted",
            Self::TokenMinted(_) => "token_minted",
            Self::TokenReused(_) => "token_reused",
            Self::KeyShown(_) => "key_shown",
            Self::ApiKeyMade(_) => "api_key_made",
            Self::ApiKeyRevoked(_) => "api_key_revoked",
            Self::AppKeyMade(_) => "app_key_made",
            Self::AppKeyRevoked(_) => "app_key_revoked",
        }
    }

    /// What there is to say beside the word.
    fn detail(&self) -> String {
        match self {
            Self::Registered { role, invited } => {
                let how = if *invited { "by invitation" } else { "without invitation" };
                format!("role {}, {how}", role.as_str())
            }
            Self::Invited(role) => format!("role {}", role.as_str()),
            Self::LoggedIn { sid, factors } => format!("login {sid}, by {}", factors.join(" and ")),
            Self::LoginRefused { why, .. } => why.to_string(),
            Self::LoggedOut(sid) | Self::SessionEnded(sid) | Self::TokenMinted(sid) => format!("login {sid}"),
            Self::SessionExpired { sid, unused: true } => format!("login {sid}, which was not used for too long"),
            Self::SessionExpired { sid, unused: false } => format!("login {sid}, which was too old"),
            Self::OtherSessionsEnded(sid) => format!("all but login {sid}"),
            Self::TokenReused(sid) => format!("login {sid}, which was ended"),
            Self::SocketEnded(socket) => format!("socket {socket}"),
            Self::RestEnded(rest) => format!("what rests on {rest}"),
            Self::NotBefore(at) => format!("what was issued before {at}"),
            Self::ResetLinkMade(until) => format!("holds until {until}"),
            Self::TicketMinted(Some(gate)) => format!("for the gate {gate}"),
            Self::TicketMinted(None) => "for every gate that takes it".to_owned(),
            Self::KeyShown(id) | Self::ApiKeyMade(id) | Self::ApiKeyRevoked(id) => format!("key {id}"),
            Self::AppKeyMade(id) | Self::AppKeyRevoked(id) => format!("key {id}"),
            Self::SessionsEnded
            | Self::PasswordChanged
            | Self::PasswordReset
            | Self::TotpEnrolled
            | Self::TotpRemoved
            | Self::RecoveryCodeUsed
            | Self::RecoveryCodesRenewed
            | Self::Disabled
            | Self::Enabled
            | Self::Unlocked => String::new(),
        }
    }

    fn gate(&self) -> Option<GateName> {
        match self {
            Self::TicketMinted(gate) => gate.clone(),
            _ => None,
        }
    }
}

impl Event {
    /// What happened to an account, by whom.
    pub fn of(account: &Account, by: By, what: Happening) -> Self {
        Self { owner: Some(account.owner.clone()), whose: Some(account.subject()), source: None, by, what }
    }

    /// The time of a login was over at `now`.
    pub fn expired(session: &Session, now: Timestamp) -> Self {
        let what = Happening::SessionExpired { sid: session.sid, unused: now < session.expires_at };
        Self { owner: Some(session.owner.clone()), whose: Some(session.subject()), source: None, by: By::Server, what }
    }

    /// The same, asked for from that address.
    #[must_use]
    pub fn from(self, source: IpAddr) -> Self {
        Self { source: Some(source), ..self }
    }

    /// The row of the audit log.
    fn into_record(self, trace: TraceId, at: Timestamp) -> AuditRecord {
        let (gate, detail) = (self.what.gate(), self.what.detail());
        let outcome = match self.what {
            Happening::LoginRefused { step, why } => Outcome::Refused {
                reason: match why {
                    NotRight::Busy(_) | NotRight::Down(_) => CloseReason::TryLater,
                    NotRight::Unusable(_) => CloseReason::InternalError,
                    _ => CloseReason::NotAuthenticated,
                },
                layer: AuditRecord::SITE.to_owned(),
                step: step.to_owned(),
                detail,
            },
            what => Outcome::Happened { event: what.word().to_owned(), by: self.by.to_string(), detail },
        };
        let (owner, source, subject) = (self.owner, self.source, self.whose);
        AuditRecord { trace, at, took_ms: 0, owner, gate, source, subject, outcome, trail: Vec::new() }
    }
}

/// Writes down what happens at a site. Cheap to clone.
#[derive(Clone)]
pub struct Journal {
    audit: Arc<dyn Audit>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
}

impl Journal {
    /// One that writes into that log; trace ids are drawn.
    pub fn new(audit: Arc<dyn Audit>, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Self {
        Self { audit, clock, rng }
    }

    /// Whether rows are taken: asked before something is given out that cannot be taken back.
    ///
    /// # Errors
    /// They are not.
    pub fn is_taking(&self) -> Result<(), PortError> {
        self.audit.is_taking()
    }

    /// Writes down that something was given out, before whoever asked for it has it.
    ///
    /// # Errors
    /// The row is not taken: then it must not be handed out.
    pub fn given(&self, event: Event) -> Result<(), PortError> {
        let trace = TraceId::from_bytes(self.rng.bytes16());
        let record = event.into_record(trace, self.clock.now());
        let whose = record.subject.as_ref().map(ToString::to_string).unwrap_or_default();
        match &record.outcome {
            Outcome::Happened { event, by, detail } => tracing::info!(%trace, event, whose, by, detail, "at the site"),
            Outcome::Refused { step, detail, .. } => {
                tracing::info!(%trace, step, whose, detail, "somebody was not let in at the site");
            }
            _ => {}
        }
        self.audit.record(record)
    }

    /// Writes down what was done, or refused. Where the row is not taken it is done all the same, and the log says so.
    pub fn done(&self, event: Event) {
        let word = event.what.word();
        if let Err(error) = self.given(event) {
            tracing::error!(event = word, %error, "the audit log has not taken what happened at the site");
        }
    }

    /// Waits until all of it is on disk.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn flush(&self) -> Result<(), PortError> {
        self.audit.flush().await
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").finish_non_exhaustive()
    }
}
