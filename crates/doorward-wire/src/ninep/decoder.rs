use std::fmt;

use super::{Frame, SMALLEST, Violation};
use crate::keep::keep;

/// Bytes in any split to whole messages.
///
/// Between messages it owns no memory: a message that is whole is handed out in place, from the input. Only what is
/// incomplete is copied, is freed when it has been handed out, and takes at most twice what has arrived.
pub struct Decoder {
    msize: u32,
    held: Vec<u8>,
    handed_out: bool,
    /// After a violation.
    ended: bool,
}

impl Decoder {
    /// A decoder of messages of at most `msize` bytes.
    pub const fn new(msize: u32) -> Self {
        Self { msize, held: Vec::new(), handed_out: false, ended: false }
    }

    /// Sets another limit, from the next message on: one that was agreed on.
    pub const fn set_msize(&mut self, msize: u32) {
        self.msize = msize;
    }

    /// Whether everything that arrived has been handed out.
    pub const fn is_at_boundary(&self) -> bool {
        self.held.is_empty() || self.handed_out
    }

    /// What has arrived of a message that is not whole, for whoever decodes on from there. The decoder has nothing of it any more.
    pub fn take_begun(&mut self) -> Vec<u8> {
        let held = std::mem::take(&mut self.held);
        if std::mem::take(&mut self.handed_out) { Vec::new() } else { held }
    }

    /// The heap memory held, in bytes.
    pub const fn held(&self) -> usize {
        self.held.capacity()
    }

    /// The next whole message of `input`, which is moved on behind it; `None` when all of it is consumed and more is wanted.
    ///
    /// After a violation everything further is thrown away.
    ///
    /// # Errors
    /// A [`Violation`] as soon as four bytes say a size that no message has here.
    pub fn next<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Result<Option<Frame<'a>>, Violation> {
        if std::mem::take(&mut self.handed_out) || self.ended {
            self.held = Vec::new();
        }
        if self.ended {
            *input = &[];
            return Ok(None);
        }
        let next = self.advance(input);
        if let Err(violation) = next {
            (self.ended, self.held) = (true, Vec::new());
            return Err(violation);
        }
        Ok(next?.and_then(|whole| match whole {
            Whole::Here(message) => Frame::of(message),
            Whole::Held => Frame::of(&self.held),
        }))
    }

    fn advance<'i>(&mut self, input: &mut &'i [u8]) -> Result<Option<Whole<'i>>, Violation> {
        if self.held.is_empty()
            && let Some(size) = self.size_of(input)?
            && let Some((message, rest)) = input.split_at_checked(size)
        {
            *input = rest;
            return Ok(Some(Whole::Here(message)));
        }
        // First what says the size, then the rest.
        while !input.is_empty() {
            let size = self.size_of(&self.held)?;
            let lacks = size.unwrap_or(4).saturating_sub(self.held.len());
            let (taken, rest) = input.split_at(lacks.min(input.len()));
            *input = rest;
            keep(&mut self.held, taken, if size.is_some() { lacks - taken.len() } else { usize::MAX });
            if self.size_of(&self.held)? == Some(self.held.len()) {
                self.handed_out = true;
                return Ok(Some(Whole::Held));
            }
        }
        Ok(None)
    }

    /// The size that a message says it has, as soon as it has said it.
    fn size_of(&self, message: &[u8]) -> Result<Option<usize>, Violation> {
        let Some(size) = message.first_chunk().map(|size| u32::from_le_bytes(*size)) else { return Ok(None) };
        match size {
            ..SMALLEST => Err(Violation::TooSmall { size }),
            size if size > self.msize => Err(Violation::TooBig { size, msize: self.msize }),
            _ => Ok(usize::try_from(size).ok()),
        }
    }
}

/// A whole message, and where it lies.
enum Whole<'i> {
    Here(&'i [u8]),
    Held,
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder").field("msize", &self.msize).field("held", &self.held()).finish_non_exhaustive()
    }
}
