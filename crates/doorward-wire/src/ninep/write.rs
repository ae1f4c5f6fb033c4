use super::{Few, Fid, Qid, Stat, Tag};

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
        let text = fitting(text, u16::MAX.into());
        self.u16(length16(text.len())).raw(text.as_bytes())
    }

    pub(super) fn data(self, data: &[u8]) -> Self {
        self.u32(u32::try_from(data.len()).unwrap_or(u32::MAX)).raw(data)
    }

    pub(super) fn raw(self, bytes: &[u8]) -> Self {
        self.out.extend_from_slice(bytes);
        self
    }

    /// So many of something, their number before them.
    pub(super) fn few<T>(self, items: &Few<T>, one: impl Fn(Self, &T) -> Self) -> Self {
        items.iter().fold(self.u16(length16(items.len())), one)
    }

    /// A stat record as it stands in a message: with its length once more before it.
    pub(super) fn stat(self, stat: &Stat<'_>) -> Self {
        let place = self.out.len();
        let writing = self.u16(0);
        stat.write(writing.out);
        let length = writing.out.len() - place - 2;
        put(writing.out, place, length16(length).to_le_bytes());
        writing
    }

    /// Sets the size.
    pub(super) fn end(self) {
        let size = u32::try_from(self.out.len() - self.start).unwrap_or(u32::MAX);
        put(self.out, self.start, size.to_le_bytes());
    }
}

/// Puts a number where room was left for it.
fn put<const N: usize>(out: &mut [u8], place: usize, number: [u8; N]) {
    if let Some(room) = out.get_mut(place..).and_then(|rest| rest.first_chunk_mut()) {
        *room = number;
    }
}

/// A length of what is known to be no longer than two bytes can say.
pub(super) fn length16(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

/// As much of a text as there is room for, in bytes, cut at a character.
pub(super) fn fitting(text: &str, room: usize) -> &str {
    text.get(..text.floor_char_boundary(room)).unwrap_or_default()
}
