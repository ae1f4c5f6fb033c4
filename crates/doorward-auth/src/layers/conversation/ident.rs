//! Ident: the gate shows who it is, and the user agrees or leaves.
//!
//! socket -> user      show glyph
//! user   -> socket    answer glyph
//! socket              require consent
//! user   -> socket    answer question
//! socket              require answer

use serde::Deserialize;

use crate::{layers::PERSON, settings::Span};

/// `{ ident = { ... } }`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentConfig {
    /// What the gate shows of itself, for the user to recognise.
    pub glyph: String,
    /// A question that the user has to answer, where recognising the glyph is not enough.
    #[serde(default)]
    pub question: Option<String>,
    /// The answers that are taken; case and space around them do not count.
    #[serde(default)]
    pub answers: Vec<String>,
    /// How long each answer is waited for.
    #[serde(default = "person")]
    pub timeout: Span,
}

const fn person() -> Span {
    PERSON
}
