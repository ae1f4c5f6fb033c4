use doorward_types::CloseReason;

/// A rule of RFC 6455 that a peer broke. The connection cannot go on after one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// A reserved bit was set though no extension was agreed on (section 5.2).
    #[error("a reserved bit of a frame is set, but no extension was agreed on")]
    ReservedBits,
    /// An opcode that means nothing (section 5.2: 3 to 7 and 11 to 15).
    #[error("opcode {0} means nothing; 0, 1, 2, 8, 9 and 10 do")]
    ReservedOpcode(u8),
    /// A control frame without FIN (section 5.5).
    #[error("a control frame came in fragments")]
    FragmentedControl,
    /// A control frame with more than 125 bytes (section 5.5).
    #[error("a control frame announced more than 125 bytes")]
    LongControl,
    /// A client's frame without a mask (section 5.1).
    #[error("a frame from a client was not masked")]
    NotMasked,
    /// A server's frame with a mask (section 5.1).
    #[error("a frame from a server was masked")]
    Masked,
    /// A length written in more bytes than it needs (section 5.2: "the minimal number of bytes MUST be used").
    #[error("a length was written in more bytes than it needs")]
    LengthNotMinimal,
    /// A length of 2^63 or more (section 5.2: "the most significant bit MUST be 0").
    #[error("a length of 2^63 or more was announced")]
    ImpossibleLength,
    /// A continuation frame with nothing to continue (section 5.4).
    #[error("a continuation came without a message to continue")]
    NothingToContinue,
    /// A new message before the one before was finished (section 5.4).
    #[error("a new message began before the one before had ended")]
    MessageUnfinished,
    /// A message over the limit, told by its header alone.
    #[error("a message of at least {announced} bytes was announced, and {limit} are allowed")]
    TooBig {
        /// The bytes of the message that had come or were announced.
        announced: u64,
        /// The most that was allowed.
        limit: usize,
    },
    /// A text message that is not UTF-8 (section 8.1).
    #[error("a text message is not UTF-8")]
    TextNotUtf8,
    /// A Close frame of one byte (section 5.5.1: a body begins with a two-byte code).
    #[error("a Close frame had half a code")]
    HalfCloseCode,
    /// A close code that must not be sent (section 7.4).
    #[error("close code {0} must not be sent")]
    CloseCode(u16),
    /// A close reason that is not UTF-8 (section 5.5.1).
    #[error("the reason of a Close frame is not UTF-8")]
    CloseReasonNotUtf8,
}

impl Violation {
    /// With which close reason to answer: 1009 for too big, 1007 for what is not UTF-8, 1002 for all else.
    pub const fn close_reason(&self) -> CloseReason {
        match self {
            Self::TooBig { .. } => CloseReason::TooBig,
            Self::TextNotUtf8 | Self::CloseReasonNotUtf8 => CloseReason::InvalidData,
            _ => CloseReason::ProtocolError,
        }
    }
}
