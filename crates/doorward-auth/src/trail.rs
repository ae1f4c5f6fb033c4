//! What happened on a climb, step by step: the part of the audit log that `doorward why` prints.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Which of the four verbs of a [`Conversation`](crate::Conversation) a step was, or the check of a handshake layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// A handshake layer looked at the request.
    Check,
    /// The socket said something.
    Tell,
    /// The user was heard.
    Ask,
    /// Something elsewhere was waited for.
    Wait,
    /// Something had to hold.
    Require,
}

/// How a step or a rung came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It held.
    Hit,
    /// It did not.
    Miss,
    /// The user skipped it, which the owner allows.
    Skipped,
    /// The climb ended before it.
    NotReached,
}

/// One step that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The layer.
    pub layer: Cow<'static, str>,
    /// The step of its script.
    pub step: Cow<'static, str>,
    /// The verb.
    pub verb: Verb,
    /// How it came out.
    pub outcome: Outcome,
    /// Milliseconds since the climb began.
    pub after_ms: u64,
    /// The precise reason of a miss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// One rung of a ladder, and what happened on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RungTrail {
    /// The layer, or the layers of an alternative: `jwt`, `any of ticket | jwt`, `optional totp`.
    pub rung: String,
    /// How it came out.
    pub outcome: Outcome,
    /// Its steps, in the order they were taken.
    #[serde(default)]
    pub steps: Vec<Step>,
}
