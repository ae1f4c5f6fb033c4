use super::{Fid, Qid, Tag};

/// A message that is being written. Its size is set when it is whole.
pub(super) struct Writing<'o> {
    out: &'o mut Vec<u8>,
    start: usize,
    tag: Tag,
}

impl<'o> Writing<'o> {
    /// Begins a message with that tag.
    pub(super) fn begin(tag: Tag, out: &'o mut Vec<u8>) -> Self {
        let start = out.len();
        Self { out, start, tag }
    }

    /// Its type: the first thing to say.
    pub(super) fn kind(self, kind: u8) -> Self {
        let tag = self.tag;
        self.u32(0).u8(kind).u16(tag.0)
    }

    pub(super) fn u8(self, value: u8) -> Self {
        self.raw(&[value])
    }

    pub(super) fn u16(self, value: u16) -> Self {
        self.raw(&value.to_le_bytes())
    }

    pub(super) fn u32(self, value: u32) -> Self {
        self.raw(&value.to_le_bytes())
    }

    pub(super) fn u64(self, value: u64) -> Self {
        self.raw(&value.to_le_bytes())
    }

    pub(super) fn fid(self, fid: Fid) -> Self {
        self.u32(fid.0)
    }

    pub(super) fn qid(self, qid: Qid) -> Self {
        self.u8(qid.kind).u32(qid.version).u64(qid.path)
    }

    pub(super) fn text(self, text: &str) -> Self {
        let (length, bytes) = fitting(text);
        self.u16(length).raw(bytes)
    }

    pub(super) fn data(self, data: &[u8]) -> Self {
        self.u32(u32::try_from(data.len()).unwrap_or(u32::MAX)).raw(data)
    }

    pub(super) fn raw(self, bytes: &[u8]) -> Self {
        self.out.extend_from_slice(bytes);
        self
    }

    /// Sets the size.
    pub(super) fn end(self) {
        let size = u32::try_from(self.out.len() - self.start).unwrap_or(u32::MAX);
        if let Some(place) = self.out.get_mut(self.start..).and_then(|message| message.first_chunk_mut()) {
            *place = size.to_le_bytes();
        }
    }
}

/// As much of a text as its length can say, cut at a character.
pub(super) fn fitting(text: &str) -> (u16, &[u8]) {
    let mut end = text.len().min(u16::MAX.into());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    (u16::try_from(end).unwrap_or(u16::MAX), text.as_bytes().get(..end).unwrap_or_default())
}
