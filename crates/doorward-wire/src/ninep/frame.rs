use std::fmt;

use super::Tag;

/// A whole message, of which the header has been read. Its `Debug` tells the length of the rest alone: what is written to an
/// authentication file is a credential.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The type.
    pub kind: u8,
    /// The tag.
    pub tag: Tag,
    /// Everything behind the header.
    pub body: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Out of the bytes of one message, its size among them.
    pub(super) fn of(message: &'a [u8]) -> Option<Self> {
        match message {
            [_, _, _, _, kind, low, high, body @ ..] => {
                Some(Self { kind: *kind, tag: Tag(u16::from_le_bytes([*low, *high])), body })
            }
            _ => None,
        }
    }
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, tag, body } = self;
        f.debug_struct("Frame").field("kind", kind).field("tag", tag).field("bytes", &body.len()).finish()
    }
}
