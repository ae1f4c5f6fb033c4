use super::{
    Malformed, Qid,
    fields::Fields,
    write::{fitting, length16},
};

/// The bit of a mode that makes it a directory's (`DMDIR`).
pub const DIRECTORY: u32 = 0x8000_0000;

/// What is before the texts of a record, its own size not counted.
const FIXED: usize = 39;

/// A stat record: what a directory says about one of its entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat<'a> {
    /// For the kernel's use.
    pub kind: u16,
    /// For the kernel's use.
    pub device: u32,
    /// Which file it is.
    pub qid: Qid,
    /// Permissions, and [`DIRECTORY`].
    pub mode: u32,
    /// When it was read last, in seconds since 1970.
    pub read_at: u32,
    /// When it was written last, in seconds since 1970.
    pub written_at: u32,
    /// How long it is, in bytes.
    pub length: u64,
    /// Its name.
    pub name: &'a str,
    /// Whose it is.
    pub owner: &'a str,
    /// Which group's it is.
    pub group: &'a str,
    /// Who wrote it last.
    pub writer: &'a str,
}

impl<'a> Stat<'a> {
    /// What a `Twstat` holds that changes nothing: every number all ones, every text empty.
    pub const UNTOUCHED: Stat<'static> = Stat {
        kind: u16::MAX,
        device: u32::MAX,
        qid: Qid { kind: u8::MAX, version: u32::MAX, path: u64::MAX },
        mode: u32::MAX,
        read_at: u32::MAX,
        written_at: u32::MAX,
        length: u64::MAX,
        name: "",
        owner: "",
        group: "",
        writer: "",
    };

    /// Reads one record, and leaves what is behind it: a directory is read as one record after the other.
    ///
    /// # Errors
    /// [`Malformed`]: the record is not whole, or not what its own size says.
    pub fn read(bytes: &mut &'a [u8]) -> Result<Self, Malformed> {
        let mut outer = Fields(bytes);
        let size = outer.u16("stat size")?;
        let record = outer.bytes("stat", size.into())?;
        let mut fields = Fields(record);
        let stat = Self {
            kind: fields.u16("stat type")?,
            device: fields.u32("stat dev")?,
            qid: fields.qid("stat qid")?,
            mode: fields.u32("stat mode")?,
            read_at: fields.u32("stat atime")?,
            written_at: fields.u32("stat mtime")?,
            length: fields.u64("stat length")?,
            name: fields.text("stat name")?,
            owner: fields.text("stat uid")?,
            group: fields.text("stat gid")?,
            writer: fields.text("stat muid")?,
        };
        if !fields.0.is_empty() {
            return Err(Malformed::StatSize { said: record.len(), there: record.len() - fields.0.len() });
        }
        *bytes = outer.0;
        Ok(stat)
    }

    /// How many bytes [`write`](Self::write) takes.
    pub fn size(&self) -> usize {
        2 + FIXED + self.texts().iter().map(|text| 2 + text.len()).sum::<usize>()
    }

    /// Writes the record, with its size before it. Of the texts what goes beyond 65,535 bytes in all is left out.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut room = usize::from(u16::MAX) - 2 - FIXED - 2 * self.texts().len();
        let texts = self.texts().map(|text| {
            let text = fitting(text, room);
            room -= text.len();
            text
        });
        let size = FIXED + texts.iter().map(|text| 2 + text.len()).sum::<usize>();
        out.reserve(2 + size);
        out.extend_from_slice(&length16(size).to_le_bytes());
        out.extend_from_slice(&self.kind.to_le_bytes());
        out.extend_from_slice(&self.device.to_le_bytes());
        out.push(self.qid.kind);
        out.extend_from_slice(&self.qid.version.to_le_bytes());
        out.extend_from_slice(&self.qid.path.to_le_bytes());
        out.extend_from_slice(&self.mode.to_le_bytes());
        out.extend_from_slice(&self.read_at.to_le_bytes());
        out.extend_from_slice(&self.written_at.to_le_bytes());
        out.extend_from_slice(&self.length.to_le_bytes());
        for text in texts {
            out.extend_from_slice(&length16(text.len()).to_le_bytes());
            out.extend_from_slice(text.as_bytes());
        }
    }

    fn texts(&self) -> [&'a str; 4] {
        [self.name, self.owner, self.group, self.writer]
    }
}
