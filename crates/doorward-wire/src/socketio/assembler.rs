use std::fmt;

use super::{Malformed, Packet};
use crate::engineio::Revision;

/// Puts packets together with their attachments, which come after them as binary messages.
///
/// It holds nothing between packets, and never more than its limit.
///
/// ```
/// use doorward_wire::{engineio::Revision, socketio::Assembler};
/// let mut assembler = Assembler::new(Revision::Four, 65_536);
/// assert!(assembler.text(r#"51-["upload",{"_placeholder":true,"num":0}]"#)?.is_none());
/// let whole = assembler.binary(&[1, 2, 3])?.expect("it has one attachment");
/// assert_eq!(whole.attachments(), [[1, 2, 3]]);
/// # Ok::<(), doorward_wire::socketio::Malformed>(())
/// ```
#[derive(Debug)]
pub struct Assembler {
    revision: Revision,
    limit: usize,
    pending: Option<Box<Pending>>,
}

/// A packet that had attachments, and they.
#[derive(Clone)]
pub struct Assembled {
    revision: Revision,
    text: String,
    attachments: Vec<Vec<u8>>,
}

impl Assembler {
    /// One that holds at most `limit` bytes: of the text of a packet and its attachments together.
    pub const fn new(revision: Revision, limit: usize) -> Self {
        Self { revision, limit, pending: None }
    }

    /// Takes a text. What has no attachments is handed out as it is; `None` says that attachments have to come first.
    ///
    /// # Errors
    /// [`Malformed`]: what [`Packet::read`] refuses, a text while attachments are awaited, or a text over the limit whose attachments
    /// would have to be waited for. What was held is dropped.
    pub fn text<'a>(&mut self, text: &'a str) -> Result<Option<Packet<'a>>, Malformed> {
        if let Some(pending) = self.pending.take() {
            return Err(Malformed::TextAmongAttachments { missing: pending.missing() });
        }
        let packet = Packet::read(self.revision, text)?;
        let announced = packet.attachments();
        if announced == 0 {
            return Ok(Some(packet));
        }
        self.room_for(text.len(), 0)?;
        let (text, attachments) = (text.to_owned(), Vec::new());
        self.pending = Some(Box::new(Pending { text, announced, attachments }));
        Ok(None)
    }

    /// Takes an attachment; the last one gives the whole packet.
    ///
    /// # Errors
    /// [`Malformed`]: bytes that no packet has announced, or more than the limit. What was held is dropped.
    pub fn binary(&mut self, bytes: &[u8]) -> Result<Option<Assembled>, Malformed> {
        let mut pending = self.pending.take().ok_or(Malformed::UnexpectedBinary)?;
        self.room_for(pending.held(), bytes.len())?;
        pending.attachments.push(bytes.to_vec());
        if pending.missing() > 0 {
            self.pending = Some(pending);
            return Ok(None);
        }
        let Pending { text, attachments, .. } = *pending;
        Ok(Some(Assembled { revision: self.revision, text, attachments }))
    }

    /// Whether nothing is awaited: the next message must be a text.
    pub const fn is_between_packets(&self) -> bool {
        self.pending.is_none()
    }

    /// How many bytes of the peer are held.
    pub fn held(&self) -> usize {
        self.pending.as_ref().map_or(0, |pending| pending.held())
    }

    fn room_for(&self, held: usize, more: usize) -> Result<(), Malformed> {
        match held.checked_add(more) {
            Some(bytes) if bytes <= self.limit => Ok(()),
            _ => Err(Malformed::TooBig { limit: self.limit }),
        }
    }
}

impl Assembled {
    /// The packet, with its placeholders where the attachments belong.
    ///
    /// # Errors
    /// None: the text was read before.
    pub fn packet(&self) -> Result<Packet<'_>, Malformed> {
        Packet::read(self.revision, &self.text)
    }

    /// The attachments; the first is number 0.
    pub fn attachments(&self) -> &[Vec<u8>] {
        &self.attachments
    }
}

impl fmt::Debug for Assembled {
    /// The lengths alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attachments: Vec<usize> = self.attachments.iter().map(Vec::len).collect();
        f.debug_struct("Assembled").field("text", &self.text.len()).field("attachments", &attachments).finish()
    }
}

struct Pending {
    text: String,
    announced: usize,
    attachments: Vec<Vec<u8>>,
}

impl Pending {
    const fn missing(&self) -> usize {
        self.announced.saturating_sub(self.attachments.len())
    }

    fn held(&self) -> usize {
        self.text.len() + self.attachments.iter().map(Vec::len).sum::<usize>()
    }
}

impl fmt::Debug for Pending {
    /// The numbers alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("missing", &self.missing()).field("held", &self.held()).finish()
    }
}
