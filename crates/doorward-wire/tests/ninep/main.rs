//! The codec of 9P2000: bytes that another implementation has written, what is refused, and properties of any messages in any
//! split.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod any;
mod golden;
mod refused;
mod splits;
