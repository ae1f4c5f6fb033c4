//! WebSocket (RFC 6455) as machines over bytes: decoding, writing, following, and the handshake's own strings.
//!
//! ```text
//!   0               1               2 .. 9                    then
//!  ┌─┬───┬────────┬─┬─────────────┬─────────────────────────┬──────────────┬─────────────
//!  │F│RSV│ opcode │M│ length      │ 16 or 64 bits of length │ masking key, │ payload
//!  │I│ 0 │        │ │ 0..125,     │ where it says 126, 127  │ 4 bytes if M │
//!  │N│   │        │ │ 126 or 127  │                         │              │
//!  └─┴───┴────────┴─┴─────────────┴─────────────────────────┴──────────────┴─────────────
//! ```
//!
//! Extensions are not spoken, so the reserved bits are always zero.

mod decoder;
mod event;
pub mod frame;
pub mod handshake;
mod header;
mod mask;
mod tracker;
mod utf8;
mod violation;

pub use decoder::{Decoder, Input, Limits};
pub use event::{CloseFrame, Event, Message, MessageKind};
pub use tracker::{FrameTracker, Frames};
pub use violation::Violation;
