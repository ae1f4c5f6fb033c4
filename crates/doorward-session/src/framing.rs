//! What a socket says on its own account, beside the application, in the words of its wire.
//!
//! A socket over a plain WebSocket pings, and closes, by frames of their own (RFC 6455, section 5.5). Other wires lie over the
//! same frames, or over bare bytes, and have their own signs of life and their own last words.

use std::fmt;

use bytes::Bytes;
use doorward_wire::websocket::{Message, frame};

use crate::Ended;

/// How signs of life and last words look on a wire. Everything that it gives is ready to be written as it is.
pub trait Framing: fmt::Debug + Send + Sync {
    /// Bytes of the application as one message.
    fn binary(&self, payload: &[u8]) -> Bytes {
        frame::binary(payload)
    }

    /// Asks the peer for a sign of life. Empty where a peer cannot be asked: it is then one whose silence alone counts.
    fn ping(&self) -> Bytes;

    /// Whether the peer wants to be asked at equal intervals, whatever it says meanwhile.
    fn pings_regularly(&self) -> bool {
        false
    }

    /// The last that goes out. Empty where the end of the stream says it all.
    fn farewell(&self, ended: Ended) -> Bytes;

    /// Whether a message is a sign of life of this wire, and nothing for the application.
    fn heartbeat(&self, message: &Message<'_>) -> Option<Heartbeat> {
        let _application = message;
        None
    }
}

/// A message that is no more than a sign of life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// What is to be answered, where the peer has asked for it.
    pub answer: Option<Bytes>,
}

/// The frames of RFC 6455, and nothing over them.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlainFrames;

impl Framing for PlainFrames {
    fn ping(&self) -> Bytes {
        frame::ping(b"")
    }

    fn farewell(&self, ended: Ended) -> Bytes {
        ended.close_frame()
    }
}

/// Bare bytes over a stream: nothing can be asked, and its end says it all.
#[derive(Clone, Copy, Debug, Default)]
pub struct BareBytes;

impl Framing for BareBytes {
    fn binary(&self, payload: &[u8]) -> Bytes {
        Bytes::copy_from_slice(payload)
    }

    fn ping(&self) -> Bytes {
        Bytes::new()
    }

    fn farewell(&self, _ended: Ended) -> Bytes {
        Bytes::new()
    }
}
