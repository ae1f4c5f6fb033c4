//! Reading a directory: whole records, from the beginning or from where the last read ended.

use bytes::Bytes;
use doorward_wire::ninep::{DIRECTORY, Stat};

use super::{Entry, Trouble};

/// Whose the files of a connection are, and since when: every file is its user's own.
pub(super) struct Whose {
    pub(super) user: Box<str>,
    /// Seconds since 1970.
    pub(super) since: u32,
}

impl Whose {
    pub(super) fn stat<'e>(&'e self, entry: &'e Entry) -> Stat<'e> {
        let directory = if entry.qid.is_directory() { DIRECTORY } else { 0 };
        Stat {
            kind: 0,
            device: 0,
            qid: entry.qid,
            mode: directory | entry.permissions,
            read_at: self.since,
            written_at: self.since,
            length: entry.length,
            name: &entry.name,
            owner: &self.user,
            group: &self.user,
            writer: &self.user,
        }
    }
}

/// What an open directory has said so far, and has still to say. It is what lay there when the first part was read.
#[derive(Default)]
pub(super) struct Listing {
    to_come: Bytes,
    /// Where the next part begins.
    next: u64,
}

impl Listing {
    pub(super) fn of(entries: &[Entry], whose: &Whose) -> Self {
        let mut records = Vec::new();
        entries.iter().for_each(|entry| whose.stat(entry).write(&mut records));
        Self { to_come: records.into(), next: 0 }
    }

    /// The bytes that are held.
    pub(super) fn held(&self) -> usize {
        self.to_come.len()
    }

    /// As many whole records as fit.
    pub(super) fn read(&mut self, offset: u64, count: usize) -> Result<Bytes, Trouble> {
        if offset != self.next {
            return Err(Trouble::BadOffset);
        }
        let mut end = 0;
        while let Some(size) = self.to_come.get(end..).and_then(|rest| rest.first_chunk()) {
            let after = end + 2 + usize::from(u16::from_le_bytes(*size));
            if after > count {
                break;
            }
            end = after;
        }
        if end == 0 && !self.to_come.is_empty() {
            return Err(Trouble::Other("an entry has more bytes than that".into()));
        }
        let records = self.to_come.split_to(end.min(self.to_come.len()));
        if self.to_come.is_empty() {
            // The rest of a `Bytes` keeps all of it alive.
            self.to_come = Bytes::new();
        }
        self.next += records.len() as u64;
        Ok(records)
    }
}
