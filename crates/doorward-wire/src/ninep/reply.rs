use super::{Data, Few, Frame, Malformed, Qid, Stat, Tag, fields::Fields, write::Writing};

/// What a server answers. The texts and data in it are pieces of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply<'a> {
    /// `Rversion`.
    Version {
        /// The largest message of the session.
        msize: u32,
        /// The dialect of the session; [`UNKNOWN`](super::UNKNOWN) where there is none that both speak.
        version: &'a str,
    },
    /// `Rauth`.
    Auth {
        /// The authentication file.
        qid: Qid,
    },
    /// `Rattach`.
    Attach {
        /// The root.
        qid: Qid,
    },
    /// `Rerror`: in place of any other answer but that of `Tflush`.
    Error {
        /// What is wrong.
        text: &'a str,
    },
    /// `Rflush`.
    Flush,
    /// `Rwalk`.
    Walk {
        /// The places on the way, as far as it went.
        qids: Few<Qid>,
    },
    /// `Ropen`.
    Open {
        /// The file.
        qid: Qid,
        /// How much is read or written at once, at the most; 0 where nobody says.
        iounit: u32,
    },
    /// `Rcreate`.
    Create {
        /// The file.
        qid: Qid,
        /// As in [`Reply::Open`].
        iounit: u32,
    },
    /// `Rread`.
    Read {
        /// The bytes; none at the end.
        data: Data<'a>,
    },
    /// `Rwrite`.
    Write {
        /// How many bytes were written.
        count: u32,
    },
    /// `Rclunk`.
    Clunk,
    /// `Rremove`.
    Remove,
    /// `Rstat`.
    Stat {
        /// What there is to say of the file.
        stat: Stat<'a>,
    },
    /// `Rwstat`.
    Wstat,
}

impl<'a> Reply<'a> {
    /// Reads an answer.
    ///
    /// # Errors
    /// [`Malformed`]: another type, or not the fields of that type.
    pub fn read(frame: &Frame<'a>) -> Result<Self, Malformed> {
        let mut fields = Fields(frame.body);
        let reply = match frame.kind {
            101 => Self::Version { msize: fields.u32("msize")?, version: fields.text("version")? },
            103 => Self::Auth { qid: fields.qid("aqid")? },
            105 => Self::Attach { qid: fields.qid("qid")? },
            107 => Self::Error { text: fields.text("ename")? },
            109 => Self::Flush,
            111 => Self::Walk { qids: fields.few("nwqid", |fields| fields.qid("wqid"))? },
            113 => Self::Open { qid: fields.qid("qid")?, iounit: fields.u32("iounit")? },
            115 => Self::Create { qid: fields.qid("qid")?, iounit: fields.u32("iounit")? },
            117 => Self::Read { data: Data(fields.data("data")?) },
            119 => Self::Write { count: fields.u32("count")? },
            121 => Self::Clunk,
            123 => Self::Remove,
            125 => Self::Stat { stat: fields.stat()? },
            127 => Self::Wstat,
            other => return Err(Malformed::Type(other)),
        };
        fields.end()?;
        Ok(reply)
    }

    /// Writes the answer as one message.
    pub fn write(&self, tag: Tag, out: &mut Vec<u8>) {
        let message = Writing::begin(tag, out);
        match self {
            Self::Version { msize, version } => message.kind(101).u32(*msize).text(version),
            Self::Auth { qid } => message.kind(103).qid(*qid),
            Self::Attach { qid } => message.kind(105).qid(*qid),
            Self::Error { text } => message.kind(107).text(text),
            Self::Flush => message.kind(109),
            Self::Walk { qids } => message.kind(111).few(qids, |writing, qid| writing.qid(*qid)),
            Self::Open { qid, iounit } => message.kind(113).qid(*qid).u32(*iounit),
            Self::Create { qid, iounit } => message.kind(115).qid(*qid).u32(*iounit),
            Self::Read { data } => message.kind(117).data(data),
            Self::Write { count } => message.kind(119).u32(*count),
            Self::Clunk => message.kind(121),
            Self::Remove => message.kind(123),
            Self::Stat { stat } => message.kind(125).stat(stat),
            Self::Wstat => message.kind(127),
        }
        .end();
    }
}
