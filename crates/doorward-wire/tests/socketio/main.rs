//! Engine.IO and Socket.IO, held against what the common parsers write and read, against whoever means harm, and against themselves.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

mod engineio;
mod hostile;
mod roundtrips;
mod socketio;
mod vectors;
