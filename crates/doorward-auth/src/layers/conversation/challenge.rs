//! Challenge: the socket poses a statement; the user picks the right part of it, and proves to hold a secret.
//!
//! user   -> socket    send partial and proof
//! socket              require partial and proof

use std::path::PathBuf;

use serde::Deserialize;

use crate::settings::{SecretText, Span};

/// How a challenge is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    /// By a machine, with a proof over what was posed: the secret itself is never sent.
    #[default]
    Proof,
    /// By a person, with two words out of a phrase that they know. Proves little; keeps strangers out.
    Words,
}

/// `{ challenge = { ... } }`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChallengeConfig {
    /// `proof` (default) or `words`.
    pub variant: Variant,
    /// The secret of the `proof` variant, as `doorward keygen --challenge` makes it (`dwc_...`).
    pub secret: Option<SecretText>,
    /// The file that holds the secret.
    pub secret_file: Option<PathBuf>,
    /// For `words`: the phrase that the user knows, at least four words. For `proof`: the words that statements are made of;
    /// may be left out.
    pub words: Vec<String>,
    /// How long the answer is waited for: 30 s, or 60 s for a person, where it is left out.
    pub timeout: Option<Span>,
}
