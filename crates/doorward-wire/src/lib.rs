//! Bytes to messages and back: the WebSocket codec of RFC 6455, the JSON protocol `doorward.v1`, the packets of Socket.IO, and
//! 9P2000.
//!
//! **What it is:** pure machines. [`websocket::Decoder`] takes bytes in any split and hands out whole messages, in place where
//! it can; [`websocket::frame`] writes a message once, as the bytes that every subscriber gets; [`websocket::FrameTracker`]
//! follows the frames of somebody else's stream and checks their headers; [`json`] reads what a user says and writes what a
//! gate says; [`engineio`] and [`socketio`] do the same for clients of Socket.IO, over WebSocket and over long-polling; [`ninep`]
//! reads and writes the messages of a file server.
//!
//! **What it is not:** a connection. There is no I/O here, no clock, no task and no HTTP: the caller reads, writes and decides
//! when to stop. Nothing here panics on what a peer sent, and nothing allocates by an announced length.
//!
//! ```text
//!  bytes ──▶ websocket::Decoder ──▶ Message ──▶ json::answer, json::Inbound ──▶ the gate
//!  bytes ◀── websocket::frame   ◀── text    ◀── json::prompt, json::admitted ◀──
//!
//!  Message, body ──▶ engineio::Packet, engineio::payload ──▶ socketio::Assembler ──▶ the gate
//! ```
//!
//! ```
//! use doorward_wire::websocket::{Decoder, Event, Input, Limits, frame};
//!
//! // What a client sends is masked; what a server sends is not.
//! let mut read = Vec::new();
//! frame::write(frame::Opcode::Text, b"hello", Some([1, 2, 3, 4]), &mut read);
//!
//! let mut decoder = Decoder::server(Limits { message: 4096 });
//! let mut input = Input::new(&mut read);
//! while let Some(event) = decoder.next(&mut input)? {
//!     if let Event::Message(message) = event {
//!         assert_eq!(message.text(), Some("hello"));
//!     }
//! }
//! assert_eq!(&frame::text(b"hello")[..], b"\x81\x05hello");
//! # Ok::<(), doorward_wire::websocket::Violation>(())
//! ```
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unreachable)
)]

pub mod engineio;
pub mod json;
pub mod ninep;
pub mod socketio;
pub mod websocket;

mod keep;
mod raw;
mod write;
