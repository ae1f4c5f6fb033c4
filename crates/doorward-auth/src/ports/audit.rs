use std::net::IpAddr;

use doorward_types::{CloseReason, GateName, OwnerId, SocketId, Subject, Timestamp, TraceId};

use super::PortError;
use crate::{BoxFuture, Refusal, trail::RungTrail};

/// How a decision came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Let in, as this socket.
    Admitted(SocketId),
    /// Refused: what the peer was told, and what only the log knows.
    Refused {
        /// What the peer was told.
        reason: CloseReason,
        /// The layer that refused, or the part of the server that did before any layer.
        layer: String,
        /// The step of its script.
        step: String,
        /// The precise reason.
        detail: String,
    },
    /// The user left before a verdict.
    HungUp,
    /// This live socket was let in once more: its login has come back, or what it was let in by was renewed.
    Readmitted(SocketId),
    /// No decision: something has happened at the built-in site.
    Happened {
        /// What, in one word.
        event: String,
        /// Who has brought it about, in words.
        by: String,
        /// What else there is to say of it.
        detail: String,
    },
}

/// How a decision came out, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Let in.
    Admitted,
    /// Refused.
    Refused,
    /// The user left before a verdict.
    HungUp,
    /// A live socket was let in once more.
    Readmitted,
    /// No decision: something has happened at the site.
    Happened,
}

impl Verdict {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Admitted, Self::Refused, Self::HungUp, Self::Readmitted, Self::Happened];

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admitted => "admitted",
            Self::Refused => "refused",
            Self::HungUp => "hung_up",
            Self::Readmitted => "readmitted",
            Self::Happened => "happened",
        }
    }
}

impl Outcome {
    /// The word for it.
    pub const fn verdict(&self) -> Verdict {
        match self {
            Self::Admitted(_) => Verdict::Admitted,
            Self::Refused { .. } => Verdict::Refused,
            Self::HungUp => Verdict::HungUp,
            Self::Readmitted(_) => Verdict::Readmitted,
            Self::Happened { .. } => Verdict::Happened,
        }
    }

    /// The socket that was let in, or let in once more.
    pub const fn socket(&self) -> Option<SocketId> {
        match self {
            Self::Admitted(socket) | Self::Readmitted(socket) => Some(*socket),
            _ => None,
        }
    }
}

impl From<&Refusal> for Outcome {
    fn from(refusal: &Refusal) -> Self {
        Self::Refused {
            reason: refusal.close_reason(),
            layer: if refusal.layer.is_empty() { "server".to_owned() } else { refusal.layer.to_owned() },
            step: refusal.step.to_owned(),
            detail: refusal.detail.clone(),
        }
    }
}

/// Which decisions; those for which all holds that is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// At gates, or at the site, of this owner.
    pub owner: Option<OwnerId>,
    /// At a gate of this name.
    pub gate: Option<GateName>,
    /// That came out so.
    pub verdict: Option<Verdict>,
    /// That this layer refused.
    pub layer: Option<String>,
    /// What happened at the site under this word.
    pub event: Option<String>,
    /// That let this socket in, or let it in once more.
    pub socket: Option<SocketId>,
    /// Of this subject: of its kind and primary key.
    pub subject: Option<Subject>,
    /// Not before this time.
    pub since: Option<Timestamp>,
    /// Written before the decision with this trace id; none, where there is no such decision.
    pub before: Option<TraceId>,
    /// At most so many.
    pub at_most: usize,
}

impl AuditQuery {
    /// Whether a decision is among them, as far as it can be told from that one alone.
    pub fn asks_for(&self, record: &AuditRecord) -> bool {
        let refused_by = match &record.outcome {
            Outcome::Refused { layer, .. } => Some(layer),
            _ => None,
        };
        let happened = match &record.outcome {
            Outcome::Happened { event, .. } => Some(event),
            _ => None,
        };
        let is_subject = |asked: &Subject| record.subject.as_ref().is_some_and(|subject| subject.same_as(asked));
        self.owner.as_ref().is_none_or(|owner| record.owner.as_ref() == Some(owner))
            && self.gate.as_ref().is_none_or(|gate| record.gate.as_ref() == Some(gate))
            && self.verdict.is_none_or(|verdict| verdict == record.outcome.verdict())
            && self.layer.as_ref().is_none_or(|layer| refused_by == Some(layer))
            && self.event.as_ref().is_none_or(|event| happened == Some(event))
            && self.socket.is_none_or(|socket| record.outcome.socket() == Some(socket))
            && self.subject.as_ref().is_none_or(is_subject)
            && self.since.is_none_or(|since| record.at >= since)
    }
}

/// One decision of one ladder, or something that has happened at the site: a row in the audit log. It holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// Its trace id.
    pub trace: TraceId,
    /// When the climb ended, or it happened.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Whose gate, or at whose site; `None` for what concerns all owners, which the operator alone sees.
    pub owner: Option<OwnerId>,
    /// Which gate; `None` for what happens at the site.
    pub gate: Option<GateName>,
    /// From where; `None` where it was brought about on the machine itself, or where nobody knows.
    pub source: Option<IpAddr>,
    /// Who was proven, also where a later layer refused; whose account it is about.
    pub subject: Option<Subject>,
    /// How it came out.
    pub outcome: Outcome,
    /// What happened, rung by rung.
    pub trail: Vec<RungTrail>,
}

impl AuditRecord {
    /// What stands in the place of the layer where the built-in site has let nobody in.
    pub const SITE: &'static str = "site";
}

/// The audit log. Rows are written in batches; when they cannot be, nobody is let in.
pub trait Audit: Send + Sync {
    /// Takes a row without waiting for the disk. An error means that the log cannot take rows now.
    fn record(&self, record: AuditRecord) -> Result<(), PortError>;

    /// Whether rows are taken now. Where the last could not be written this brings a new try, so that whoever asks from time to
    /// time hears when they are taken again, also while nobody comes.
    fn is_taking(&self) -> Result<(), PortError> {
        Ok(())
    }

    /// How many rows have been taken and are not on disk yet.
    fn waiting(&self) -> usize {
        0
    }

    /// Waits until all that was taken before is on disk.
    fn flush<'a>(&'a self) -> BoxFuture<'a, Result<(), PortError>>;

    /// The decision with that trace id.
    fn find<'a>(&'a self, trace: TraceId) -> BoxFuture<'a, Result<Option<AuditRecord>, PortError>>;

    /// The decisions that are asked for, newest first.
    fn search<'a>(&'a self, query: AuditQuery) -> BoxFuture<'a, Result<Vec<AuditRecord>, PortError>>;

    /// The newest decisions of an owner, newest first; of all owners for `None`.
    fn newest<'a>(
        &'a self,
        owner: Option<&'a OwnerId>,
        at_most: usize,
    ) -> BoxFuture<'a, Result<Vec<AuditRecord>, PortError>> {
        self.search(AuditQuery { owner: owner.cloned(), at_most, ..AuditQuery::default() })
    }
}
