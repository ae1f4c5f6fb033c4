//! Offer: the user knows what to send, and sends all of it without being asked; there is one verdict at the end.
//!
//! user   -> socket    send every part
//! socket              require every part

use serde::Deserialize;

use crate::{
    layers::{MACHINE, RungConfig},
    settings::Span,
};

/// `{ offer = { of = [...] } }`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferConfig {
    /// The layers, in the order in which their answers come. Each must need no prompt: `jwt`, or `app_key` with `plain`.
    pub of: Vec<RungConfig>,
    /// How long all parts together are waited for.
    #[serde(default = "machine")]
    pub timeout: Span,
}

const fn machine() -> Span {
    MACHINE
}
