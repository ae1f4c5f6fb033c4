//! The layers: one file each, with its script at the head; and the rungs of a ladder as an owner writes them.

pub mod conversation;
pub mod handshake;

mod access_token;
mod build;
mod config;
mod site;

pub use build::{BuildContext, BuildError, Problem};
pub use config::RungConfig;
pub use site::SiteTools;

use crate::settings::Span;

/// What a machine has for one step.
const MACHINE: Span = Span::from_secs(5);
/// What a person has for one step.
const PERSON: Span = Span::from_secs(60);

/// [`MACHINE`], where serde asks for a function.
const fn machine() -> Span {
    MACHINE
}
