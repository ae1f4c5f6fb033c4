use std::fmt;

use bytes::Bytes;

use super::{Violation, frame};

/// What a peer sent. Every whole frame is one event, so that whoever counts events counts frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A message, put together from its fragments.
    Message(Message<'a>),
    /// A fragment of a message whose end has not come. There is nothing to do but to count it.
    Fragment,
    /// A ping, to be answered by a pong with the same bytes.
    Ping(&'a [u8]),
    /// A pong.
    Pong(&'a [u8]),
    /// The peer closes. Nothing after it is decoded.
    Close(CloseFrame<'a>),
}

/// The two kinds of message (RFC 6455, section 5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// UTF-8, checked.
    Text,
    /// Any bytes.
    Binary,
}

/// A whole message. Its `Debug` tells the length alone: before admission a message holds credentials.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// Text or binary.
    pub kind: MessageKind,
    /// The bytes, unmasked.
    pub payload: &'a [u8],
}

impl<'a> Message<'a> {
    /// The text of a text message; `None` for a binary one.
    pub fn text(&self) -> Option<&'a str> {
        match self.kind {
            MessageKind::Text => std::str::from_utf8(self.payload).ok(),
            MessageKind::Binary => None,
        }
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("kind", &self.kind).field("bytes", &self.payload.len()).finish()
    }
}

/// What a Close frame says (RFC 6455, section 5.5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseFrame<'a> {
    /// The close code; a Close frame may have none.
    pub code: Option<u16>,
    /// The reason; empty where none was given.
    pub reason: &'a str,
}

impl<'a> CloseFrame<'a> {
    /// The frame to answer with: the same code, without a reason (RFC 6455, section 5.5.1: "typically echoes the status code").
    pub fn echo(&self) -> Bytes {
        match self.code {
            Some(code) => frame::close_code(code, ""),
            None => frame::close_without_code(),
        }
    }

    pub(super) fn read(payload: &'a [u8]) -> Result<Self, Violation> {
        let (code, reason) = match payload {
            [] => return Ok(Self { code: None, reason: "" }),
            [_] => return Err(Violation::HalfCloseCode),
            [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
        };
        if !frame::may_be_sent(code) {
            return Err(Violation::CloseCode(code));
        }
        let reason = std::str::from_utf8(reason).map_err(|_| Violation::CloseReasonNotUtf8)?;
        Ok(Self { code: Some(code), reason })
    }
}
