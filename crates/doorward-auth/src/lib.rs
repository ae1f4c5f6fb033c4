//! How someone is let in: an owner composes a [`Ladder`] of layers, a user climbs it, and only a climbed ladder yields an
//! [`Admission`].
//!
//! **What it is:** the ladder and its climb, the layers (one file each, its script at the head), and the ports they need, each
//! also in memory. It can be used alone, without any of the other crates but `doorward-types`.
//!
//! **What it is not:** a server. It never sees HTTP, JSON, WebSocket frames, SQL or a broker; it does not read the clock and
//! draws no random numbers of its own. A driver carries prompts and answers over whatever transport there is.
//!
//! ```text
//!  upgrade request                          prompts ▲  ▼ answers
//!        │                                          │  │
//!        ▼                                          │  │
//!  handshake layers ──▶ 101 ──▶ conversation layers ┴──┴──▶ Admission ──▶ a backend
//!        │ refused                     │ refused
//!        ▼                             ▼
//!   401 / 403                     close reason
//! ```

pub mod layers;
pub mod memory;
pub mod ports;
pub mod settings;
pub mod token;
pub mod trail;

mod admission;
mod claimant;
mod climb;
mod conversation;
mod crypto;
mod handshake;
mod ladder;
mod layer;
mod refusal;

pub use admission::Admission;
pub use claimant::{Claimant, Evidence, Level, OnExpiry, OnlyOne, Proof};
pub use climb::{Beginning, Climb, ClimbEvent, Progress, Start};
pub use conversation::{Ask, Conversation};
pub use handshake::{Handshake, PresentedTicket, TicketVia};
pub use ladder::{Ladder, LadderError, Rung, Step, Verdict};
pub use layer::{BoxFuture, HandshakeLayer, Layer};
pub use refusal::{Fault, Refusal};
