//! The few words that all of Doorward shares.
//!
//! **What it is:** secrets that do not print, identifiers, the numbered reasons why a socket ends, what a ladder says to a
//! user ([`Prompt`]) and hears from one ([`Answer`]), and the exact bytes that a proof signs ([`Transcript`]).
//!
//! **What it is not:** a protocol. Nothing here knows JSON, HTTP or WebSocket frames; each transport writes a [`Prompt`] and
//! reads an [`Answer`] in its own way.
//!
//! ```text
//!             Prompt                      Prompt as JSON, Socket.IO, 9P ...
//!  ladder ───────────────▶ transport ───────────────────────────────────▶ user
//!         ◀───────────────           ◀───────────────────────────────────
//!             Answer                      Answer as JSON, Socket.IO, 9P ...
//! ```
//!
//! ```
//! use doorward_types::{CloseReason, Secret};
//!
//! let key = Secret::from_text("correct horse battery staple");
//! assert_eq!(format!("{key:?}"), "****");
//! assert!(key.same_as(b"correct horse battery staple"));
//! assert_eq!(CloseReason::NotAuthenticated.code(), 4401);
//! ```

mod answer;
mod close;
mod cookie;
mod id;
mod key;
mod prompt;
mod secret;
mod time;
mod transcript;

pub use answer::Answer;
pub use close::{CloseReason, Reconnect};
pub use cookie::CookieNames;
pub use id::{
    AccountId, Cursor, GateName, KeyId, OwnerId, Rest, SessionId, SocketId, Subject, TraceId, UnreadableId, is_name,
};
pub use key::{KeyText, UnreadableKey};
pub use prompt::{Prompt, Shown};
pub use secret::Secret;
pub use time::{Timestamp, UnreadableTime};
pub use transcript::Transcript;
