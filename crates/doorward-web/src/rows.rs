//! Live sockets and logins as the rows of a page: one markup for each of them, whoever looks.

use askama::{Template, filters::HtmlSafe};
use doorward_auth::{account::SecondFactor, ports::Session};
use doorward_types::{SessionId, SocketId};

use crate::{device, field::Ago, live::SocketView, visit::Visit};

/// Whose sockets are shown to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Somebody's own, each with a button that ends it.
    Own,
    /// Those of one account, to its owner.
    OfAccount,
    /// All of one owner's, to that owner, each with a button that ends it.
    OfOwner,
    /// All that there are, to the operator, each with a button that ends it.
    All,
}

impl Shown {
    /// What is said where there is none.
    fn nobody(self) -> &'static str {
        match self {
            Self::Own => "None of your connections is open at this moment.",
            Self::OfAccount => "No connection of this account is open at this moment.",
            Self::OfOwner | Self::All => "No connection is open at this moment.",
        }
    }

    fn names_subjects(self) -> bool {
        matches!(self, Self::OfOwner | Self::All)
    }

    fn names_owners(self) -> bool {
        self == Self::All
    }

    /// Where the button of a row leads.
    fn ends_at(self) -> Option<&'static str> {
        match self {
            Self::Own => Some("/account/sockets/end"),
            Self::OfAccount => None,
            Self::OfOwner | Self::All => Some("/console/sockets/end"),
        }
    }
}

/// Live sockets.
#[derive(Debug, Template)]
#[template(path = "socket_rows.html")]
pub(crate) struct SocketRows {
    rows: Vec<SocketRow>,
    shown: Shown,
}

#[derive(Debug)]
struct SocketRow {
    id: SocketId,
    owner: String,
    gate: String,
    subject: String,
    layers: String,
    source: String,
    since: Ago,
    seen: Ago,
    /// It rests on the login of whoever looks at their own.
    is_here: bool,
}

impl HtmlSafe for SocketRows {}

impl SocketRows {
    pub(crate) fn new(sockets: Vec<SocketView>, shown: Shown, visit: &Visit) -> Self {
        let here = visit.session.as_ref().filter(|_| shown == Shown::Own).map(|session| session.sid.to_string());
        let row = |socket: SocketView| SocketRow {
            id: socket.id,
            owner: socket.owner.to_string(),
            gate: socket.gate.to_string(),
            subject: socket.subject.map_or_else(|| "nobody in particular".to_owned(), |subject| subject.uuid),
            layers: if socket.layers.is_empty() { "none".to_owned() } else { socket.layers.join(", ") },
            source: socket.source.to_string(),
            since: Ago::new(socket.since, visit.now),
            seen: Ago::new(socket.last_seen, visit.now),
            is_here: socket.sid.is_some() && socket.sid == here,
        };
        Self { rows: sockets.into_iter().map(row).collect(), shown }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }
}

/// Logins of one account.
#[derive(Debug, Template)]
#[template(path = "login_rows.html")]
pub(crate) struct LoginRows {
    rows: Vec<LoginRow>,
    /// They are shown to whom they are of, each with by what it was made and a button that ends it.
    own: bool,
}

#[derive(Debug)]
struct LoginRow {
    sid: SessionId,
    device: String,
    source: String,
    began: Ago,
    seen: Ago,
    factors: &'static str,
    is_this: bool,
}

impl HtmlSafe for LoginRows {}

impl LoginRows {
    /// To whom they are of, who has come by the login `this`; to the account's owner for `None`.
    pub(crate) fn new(sessions: Vec<Session>, this: Option<SessionId>, visit: &Visit) -> Self {
        let row = |session: Session| LoginRow {
            sid: session.sid,
            device: device::in_words(&session.agent),
            source: session.source.to_string(),
            began: Ago::new(session.created_at, visit.now),
            seen: Ago::new(session.last_seen, visit.now),
            factors: in_words(&session.factors),
            is_this: this == Some(session.sid),
        };
        Self { rows: sessions.into_iter().map(row).collect(), own: this.is_some() }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are others than the one by which whoever looks has come.
    pub(crate) fn has_others(&self) -> bool {
        self.rows.iter().any(|row| !row.is_this)
    }
}

/// By what somebody has logged in.
fn in_words(factors: &[String]) -> &'static str {
    let has = |method: &str| factors.iter().any(|factor| factor == method);
    if has(SecondFactor::RecoveryCode.method()) {
        "password and recovery code"
    } else if has(SecondFactor::Totp.method()) {
        "password and code"
    } else {
        "password"
    }
}
