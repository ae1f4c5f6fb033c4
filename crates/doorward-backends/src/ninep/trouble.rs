use std::borrow::Cow;

/// Why something is not done, in the words that 9P servers use for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// A fid that is not in use.
    #[error("unknown fid")]
    UnknownFid,
    /// A fid that is in use.
    #[error("duplicate fid")]
    DuplicateFid,
    /// A tag that is in use.
    #[error("duplicate tag")]
    DuplicateTag,
    /// A request on a fid on which another one is at work.
    #[error("fid is busy")]
    Busy,
    /// More fids than [`Limits`](super::Limits) allow.
    #[error("too many fids")]
    TooManyFids,
    /// More requests at once than [`Limits`](super::Limits) allow.
    #[error("too many requests at once")]
    TooManyRequests,
    /// Larger listings than [`Limits`](super::Limits) allow.
    #[error("too many directories are being read")]
    TooManyListings,
    /// There is no such file, or none that this login may know of.
    #[error("file not found")]
    NotFound,
    /// There is such a file already.
    #[error("file already exists")]
    Exists,
    /// That may not be done there.
    #[error("permission denied")]
    PermissionDenied,
    /// Nobody is asked here.
    #[error("no authentication required")]
    NoAuthentication,
    /// Everybody is asked here.
    #[error("authentication required")]
    AuthenticationRequired,
    /// No version has been agreed on.
    #[error("no version has been agreed on")]
    NoVersion,
    /// An answer would not fit into what the client takes.
    #[error("msize is too small")]
    SmallMsize,
    /// A walk from something that is no directory.
    #[error("walk in non-directory")]
    WalkInNonDirectory,
    /// A walk from an open file.
    #[error("cannot walk an open fid")]
    WalkOfOpen,
    /// To create something in what is no directory.
    #[error("create in non-directory")]
    CreateInNonDirectory,
    /// To create something where nothing can be.
    #[error("create prohibited")]
    CreateProhibited,
    /// To remove what stays.
    #[error("remove prohibited")]
    RemoveProhibited,
    /// To ask about what nothing is said of.
    #[error("stat prohibited")]
    StatProhibited,
    /// To change what stays as it is.
    #[error("wstat prohibited")]
    WstatProhibited,
    /// To write a directory.
    #[error("is a directory")]
    IsADirectory,
    /// To open what is open.
    #[error("file already open for I/O")]
    AlreadyOpen,
    /// To read what is not open, or not to be read.
    #[error("file not open for reading")]
    NotOpenForReading,
    /// To write what is not open, or not to be written.
    #[error("file not open for writing")]
    NotOpenForWriting,
    /// A mode that means nothing.
    #[error("unknown open mode")]
    BadMode,
    /// To read or write where nothing is.
    #[error("bad offset")]
    BadOffset,
    /// A name that none can have.
    #[error("bad character in file name")]
    BadName,
    /// The fid of a read that waited was clunked.
    #[error("fid was clunked")]
    Clunked,
    /// The socket is suspended.
    #[error("suspended")]
    Suspended,
    /// What it depends on is down.
    #[error("try again later")]
    TryLater,
    /// Anything else, in one sentence for a person.
    #[error("{0}")]
    Other(Cow<'static, str>),
}
