use std::fmt;

/// What a client calls a request, until it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub u16);

impl Tag {
    /// The tag of `Tversion` (`NOTAG`).
    pub const NONE: Self = Self(u16::MAX);
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a client calls a place in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fid(pub u32);

impl Fid {
    /// The one that stands for none (`NOFID`).
    pub const NONE: Self = Self(u32::MAX);
}

impl fmt::Display for Fid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a server calls a file: two are the same if their paths are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Qid {
    /// What sort of file it is: the highest byte of its mode.
    pub kind: u8,
    /// Grows when the file changes.
    pub version: u32,
    /// The same for no other file of the server.
    pub path: u64,
}

impl Qid {
    /// The [`kind`](Self::kind) of a directory (`QTDIR`).
    pub const DIRECTORY: u8 = 0x80;
    /// The [`kind`](Self::kind) of an authentication file (`QTAUTH`).
    pub const AUTH: u8 = 0x08;

    /// Whether it is a directory.
    pub const fn is_directory(&self) -> bool {
        self.kind & Self::DIRECTORY != 0
    }
}

/// What a file is opened for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OpenMode(pub u8);

impl OpenMode {
    /// To read it (`OREAD`).
    pub const READ: Self = Self(0);
    /// To write it (`OWRITE`).
    pub const WRITE: Self = Self(1);
    /// For both (`ORDWR`).
    pub const READ_WRITE: Self = Self(2);
    /// To run it, which is to read it (`OEXEC`).
    pub const EXECUTE: Self = Self(3);

    const TRUNCATE: u8 = 0x10;
    const REMOVE_ON_CLOSE: u8 = 0x40;

    /// Emptied when it is opened, too (`OTRUNC`).
    #[must_use]
    pub const fn truncating(self) -> Self {
        Self(self.0 | Self::TRUNCATE)
    }

    /// Removed when it is clunked, too (`ORCLOSE`).
    #[must_use]
    pub const fn removing_on_close(self) -> Self {
        Self(self.0 | Self::REMOVE_ON_CLOSE)
    }

    /// Whether nothing is asked for that has no meaning.
    pub const fn is_known(self) -> bool {
        self.0 & !(3 | Self::TRUNCATE | Self::REMOVE_ON_CLOSE) == 0
    }

    /// Whether it is opened to be read.
    pub const fn reads(self) -> bool {
        self.0 & 3 != Self::WRITE.0
    }

    /// Whether it is opened to be written.
    pub const fn writes(self) -> bool {
        matches!(Self(self.0 & 3), Self::WRITE | Self::READ_WRITE)
    }

    /// Whether it is emptied.
    pub const fn truncates(self) -> bool {
        self.0 & Self::TRUNCATE != 0
    }

    /// Whether it is removed when it is clunked.
    pub const fn removes_on_close(self) -> bool {
        self.0 & Self::REMOVE_ON_CLOSE != 0
    }
}

impl fmt::Debug for OpenMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenMode({:#x})", self.0)
    }
}
