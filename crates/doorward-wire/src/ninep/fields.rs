use super::{Few, Fid, Malformed, NAMES, Qid, Stat, Tag};

/// What is left of a message, field by field.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    /// The next `count` bytes.
    pub(super) fn bytes(&mut self, field: &'static str, count: usize) -> Result<&'a [u8], Malformed> {
        let (bytes, rest) = self.0.split_at_checked(count).ok_or(Malformed::EndsWithin { field })?;
        self.0 = rest;
        Ok(bytes)
    }

    fn chunk<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], Malformed> {
        let (chunk, rest) = self.0.split_first_chunk().ok_or(Malformed::EndsWithin { field })?;
        self.0 = rest;
        Ok(*chunk)
    }

    pub(super) fn u8(&mut self, field: &'static str) -> Result<u8, Malformed> {
        self.chunk::<1>(field).map(u8::from_le_bytes)
    }

    pub(super) fn u16(&mut self, field: &'static str) -> Result<u16, Malformed> {
        self.chunk(field).map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self, field: &'static str) -> Result<u32, Malformed> {
        self.chunk(field).map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self, field: &'static str) -> Result<u64, Malformed> {
        self.chunk(field).map(u64::from_le_bytes)
    }

    pub(super) fn tag(&mut self, field: &'static str) -> Result<Tag, Malformed> {
        self.u16(field).map(Tag)
    }

    pub(super) fn fid(&mut self, field: &'static str) -> Result<Fid, Malformed> {
        self.u32(field).map(Fid)
    }

    pub(super) fn qid(&mut self, field: &'static str) -> Result<Qid, Malformed> {
        Ok(Qid { kind: self.u8(field)?, version: self.u32(field)?, path: self.u64(field)? })
    }

    /// A text: UTF-8 without NUL.
    pub(super) fn text(&mut self, field: &'static str) -> Result<&'a str, Malformed> {
        let length = self.u16(field)?;
        let bytes = self.bytes(field, length.into())?;
        if bytes.contains(&0) {
            return Err(Malformed::Nul { field });
        }
        std::str::from_utf8(bytes).map_err(|_| Malformed::NotText { field })
    }

    /// Bytes with their number before them, in four bytes.
    pub(super) fn data(&mut self, field: &'static str) -> Result<&'a [u8], Malformed> {
        let count = self.u32(field)?;
        self.bytes(field, usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// So many of something, their number before them in two bytes.
    pub(super) fn few<T: Copy + Default>(
        &mut self,
        field: &'static str,
        mut one: impl FnMut(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Few<T>, Malformed> {
        let count = self.u16(field)?;
        if usize::from(count) > NAMES {
            return Err(Malformed::TooManyNames { count });
        }
        let mut few = Few::default();
        for _ in 0..count {
            few.push(one(self)?);
        }
        Ok(few)
    }

    /// A stat record as it stands in a message: with its length once more before it.
    pub(super) fn stat(&mut self) -> Result<Stat<'a>, Malformed> {
        let length = usize::from(self.u16("nstat")?);
        let mut record = self.bytes("stat", length)?;
        let stat = Stat::read(&mut record)?;
        if !record.is_empty() {
            return Err(Malformed::StatSize { said: length, there: length - record.len() });
        }
        Ok(stat)
    }

    /// That this was all.
    pub(super) fn end(&self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed::TooLong { bytes: self.0.len() }) }
    }
}
