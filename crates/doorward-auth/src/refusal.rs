use std::fmt;

use doorward_types::CloseReason;

/// Whose fault a refusal is; each answers to one [`CloseReason`], and that is all the peer learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A credential is missing, unknown, wrong, locked, used up or another person's.
    Credential,
    /// Known, but not allowed here: a foreign origin, a gate of somebody else.
    NotAllowed,
    /// An answer was not what the protocol asks for.
    Malformed,
    /// A step was not answered in time.
    TooSlow,
    /// Too many messages or attempts.
    TooFast,
    /// The user said no to what the gate showed of itself.
    Declined,
    /// Something that a proof rests on ended while the ladder was climbed.
    Ended,
    /// Something that the decision depends on is down; nobody is let through meanwhile.
    Dependency,
    /// Something broke on our side.
    Internal,
}

/// Why a ladder refuses: whose fault it is, at which layer and step, and the precise reason for the log.
///
/// The reason goes into the audit log under the trace id; it must not contain a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{layer}: {step}: {detail}")]
pub struct Refusal {
    /// Whose fault it is.
    pub fault: Fault,
    /// The layer that refused; empty until the ladder fills it in.
    pub layer: &'static str,
    /// The step of the layer's script.
    pub step: &'static str,
    /// The precise reason, for the owner's eyes.
    pub detail: String,
}

impl Refusal {
    /// A refusal at a step of the layer that is running.
    pub fn new(fault: Fault, step: &'static str, detail: impl fmt::Display) -> Self {
        Self { fault, layer: "", step, detail: detail.to_string() }
    }

    /// A wrong credential, whatever part of it.
    pub fn credential(step: &'static str, detail: impl fmt::Display) -> Self {
        Self::new(Fault::Credential, step, detail)
    }

    /// What the peer is told.
    pub fn close_reason(&self) -> CloseReason {
        match self.fault {
            Fault::Credential => CloseReason::NotAuthenticated,
            Fault::NotAllowed => CloseReason::NotAllowed,
            Fault::Malformed => CloseReason::Malformed,
            Fault::TooSlow => CloseReason::TooSlow,
            Fault::TooFast => CloseReason::TooFast,
            Fault::Declined => CloseReason::Declined,
            Fault::Ended => CloseReason::SessionEnded,
            Fault::Dependency => CloseReason::TryLater,
            Fault::Internal => CloseReason::InternalError,
        }
    }

    /// Whether it says nothing of the user: something of ours is down.
    pub(crate) fn is_ours(&self) -> bool {
        self.fault == Fault::Dependency
    }

    /// Whether it says no more than that the user has not satisfied what was looked at.
    pub(crate) fn is_the_users(&self) -> bool {
        self.lets_climb_on() || self.fault == Fault::TooSlow
    }

    /// Whether a ladder with [`crate::Verdict::End`] may climb on after this, as nobody.
    pub(crate) fn lets_climb_on(&self) -> bool {
        matches!(self.fault, Fault::Credential | Fault::NotAllowed)
    }
}
