use super::{Data, Few, Fid, Frame, Malformed, OpenMode, Stat, Tag, fields::Fields, write::Writing};

/// What a client asks. The texts and data in it are pieces of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// `Tversion`: which dialect, and how large a message can be. It begins a session anew.
    Version {
        /// The largest message that the client takes.
        msize: u32,
        /// The dialect.
        version: &'a str,
    },
    /// `Tauth`: to be authenticated, over a file that is none of the tree.
    Auth {
        /// What the client will call that file.
        afid: Fid,
        /// Who the user says to be.
        uname: &'a str,
        /// Which tree it will be.
        aname: &'a str,
    },
    /// `Tattach`: to the root of a tree.
    Attach {
        /// What the client will call the root.
        fid: Fid,
        /// The file of an authentication that is done; [`Fid::NONE`] without.
        afid: Fid,
        /// Who the user says to be.
        uname: &'a str,
        /// Which tree.
        aname: &'a str,
    },
    /// `Tflush`: not to be answered any more.
    Flush {
        /// What not to answer.
        old: Tag,
    },
    /// `Twalk`: from a place to another one.
    Walk {
        /// From where.
        fid: Fid,
        /// What the client will call the other place. It may be the same.
        new: Fid,
        /// By which names.
        names: Few<&'a str>,
    },
    /// `Topen`: to read or write a file.
    Open {
        /// The file.
        fid: Fid,
        /// What for.
        mode: OpenMode,
    },
    /// `Tcreate`: a file that is opened at once.
    Create {
        /// The directory; the file from then on.
        fid: Fid,
        /// The name.
        name: &'a str,
        /// The permissions, and [`DIRECTORY`](super::DIRECTORY).
        permissions: u32,
        /// What it is opened for.
        mode: OpenMode,
    },
    /// `Tread`.
    Read {
        /// An open file.
        fid: Fid,
        /// From which byte on.
        offset: u64,
        /// How many bytes at the most.
        count: u32,
    },
    /// `Twrite`.
    Write {
        /// An open file.
        fid: Fid,
        /// From which byte on.
        offset: u64,
        /// The bytes.
        data: Data<'a>,
    },
    /// `Tclunk`: to forget a place.
    Clunk {
        /// The place.
        fid: Fid,
    },
    /// `Tremove`: to remove a file, and to forget its place.
    Remove {
        /// The file.
        fid: Fid,
    },
    /// `Tstat`.
    Stat {
        /// The file.
        fid: Fid,
    },
    /// `Twstat`: to change what [`Stat`] says.
    Wstat {
        /// The file.
        fid: Fid,
        /// What it shall say.
        stat: Stat<'a>,
    },
}

impl<'a> Request<'a> {
    /// Reads a request.
    ///
    /// # Errors
    /// [`Malformed`]: another type, or not the fields of that type.
    pub fn read(frame: &Frame<'a>) -> Result<Self, Malformed> {
        let mut fields = Fields(frame.body);
        let request = match frame.kind {
            100 => Self::Version { msize: fields.u32("msize")?, version: fields.text("version")? },
            102 => Self::Auth { afid: fields.fid("afid")?, uname: fields.text("uname")?, aname: fields.text("aname")? },
            104 => Self::Attach {
                fid: fields.fid("fid")?,
                afid: fields.fid("afid")?,
                uname: fields.text("uname")?,
                aname: fields.text("aname")?,
            },
            108 => Self::Flush { old: fields.tag("oldtag")? },
            110 => Self::Walk {
                fid: fields.fid("fid")?,
                new: fields.fid("newfid")?,
                names: fields.few("nwname", |fields| fields.text("wname"))?,
            },
            112 => Self::Open { fid: fields.fid("fid")?, mode: OpenMode(fields.u8("mode")?) },
            114 => Self::Create {
                fid: fields.fid("fid")?,
                name: fields.text("name")?,
                permissions: fields.u32("perm")?,
                mode: OpenMode(fields.u8("mode")?),
            },
            116 => Self::Read { fid: fields.fid("fid")?, offset: fields.u64("offset")?, count: fields.u32("count")? },
            118 => {
                Self::Write { fid: fields.fid("fid")?, offset: fields.u64("offset")?, data: Data(fields.data("data")?) }
            }
            120 => Self::Clunk { fid: fields.fid("fid")? },
            122 => Self::Remove { fid: fields.fid("fid")? },
            124 => Self::Stat { fid: fields.fid("fid")? },
            126 => Self::Wstat { fid: fields.fid("fid")?, stat: fields.stat()? },
            other => return Err(Malformed::Type(other)),
        };
        fields.end()?;
        Ok(request)
    }

    /// Writes the request as one message.
    pub fn write(&self, tag: Tag, out: &mut Vec<u8>) {
        let message = Writing::begin(tag, out);
        match self {
            Self::Version { msize, version } => message.kind(100).u32(*msize).text(version),
            Self::Auth { afid, uname, aname } => message.kind(102).fid(*afid).text(uname).text(aname),
            Self::Attach { fid, afid, uname, aname } => message.kind(104).fid(*fid).fid(*afid).text(uname).text(aname),
            Self::Flush { old } => message.kind(108).u16(old.0),
            Self::Walk { fid, new, names } => {
                message.kind(110).fid(*fid).fid(*new).few(names, |writing, name| writing.text(name))
            }
            Self::Open { fid, mode } => message.kind(112).fid(*fid).u8(mode.0),
            Self::Create { fid, name, permissions, mode } => {
                message.kind(114).fid(*fid).text(name).u32(*permissions).u8(mode.0)
            }
            Self::Read { fid, offset, count } => message.kind(116).fid(*fid).u64(*offset).u32(*count),
            Self::Write { fid, offset, data } => message.kind(118).fid(*fid).u64(*offset).data(data),
            Self::Clunk { fid } => message.kind(120).fid(*fid),
            Self::Remove { fid } => message.kind(122).fid(*fid),
            Self::Stat { fid } => message.kind(124).fid(*fid),
            Self::Wstat { fid, stat } => message.kind(126).fid(*fid).stat(stat),
        }
        .end();
    }
}
