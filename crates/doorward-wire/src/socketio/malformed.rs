/// A packet that is not what Socket.IO asks for, or more than a gate takes: what is wrong, where, and what would be right.
///
/// It never holds a value that the peer sent, since that may be a credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// A type that is none.
    #[error("a packet does not begin with its type, a digit from 0 to 6")]
    UnknownType,
    /// A type that a gate alone sends.
    #[error("a packet is of type 4, which a client does not send")]
    NotFromAClient,
    /// No number of attachments where there must be one, or zero, or one with zeros before it.
    #[error("a packet of type 5 or 6 does not say how many attachments follow; write it as in `51-[...]`")]
    BadAttachments,
    /// More attachments than a packet can have.
    #[error("a packet has more than {limit} attachments")]
    TooManyAttachments {
        /// How many are allowed.
        limit: usize,
    },
    /// A namespace that cannot be one.
    #[error("a namespace is not `/` and a name, 255 bytes in all, without control characters, `,` and `?`")]
    BadNamespace,
    /// An id that is too high or has zeros before it.
    #[error("the id of a packet is not a number up to 2^53 - 1 without zeros before it")]
    BadId,
    /// An id where nothing can be acknowledged.
    #[error("a packet of type 0 or 1 has an id; leave it out")]
    UnexpectedId,
    /// An acknowledgement of nothing.
    #[error("an acknowledgement has no id; send that of the event")]
    MissingId,
    /// Data where there is none.
    #[error("a packet holds data where its type has none; leave it out")]
    UnexpectedData,
    /// Not JSON, or more than one piece of it.
    #[error("the data of a packet is not JSON: {what}")]
    NotJson {
        /// What the parser met, with line and column.
        what: String,
    },
    /// JSON, but not of the sort that the type has.
    #[error("the data of a packet is not {expected}")]
    Unfit {
        /// What it has to be.
        expected: &'static str,
    },
    /// An event whose name cannot be one.
    #[error("the name of an event is not a text of 1 to 255 bytes")]
    BadEventName,
    /// An event by a name that the protocol keeps for itself.
    #[error(
        "the name of an event is reserved; `connect`, `connect_error`, `disconnect`, `disconnecting`, `newListener` and `removeListener` are"
    )]
    ReservedEventName,
    /// An event of an application's by a name that the gate itself speaks by.
    #[error(
        "the name of an event is the gate's own; `authentication`, `authenticated`, `unauthorized` and `doorward` are"
    )]
    GatesOwnEventName,
    /// More arguments than an event or an acknowledgement can have.
    #[error("an event or an acknowledgement has more than {limit} arguments")]
    TooManyArguments {
        /// How many are allowed.
        limit: usize,
    },
    /// Arrays or objects within each other, too many of them.
    #[error("the data of a packet is nested deeper than {limit}")]
    TooDeep {
        /// How deep it can be.
        limit: usize,
    },
    /// Data in which `\u` escapes half a character, which many parsers refuse together with all that is around it.
    #[error(
        "the data of a packet has half a character (an unpaired `\\ud800` to `\\udfff`); send it whole or leave it out"
    )]
    HalfACharacter,
    /// An object that stands for an attachment, and does not name one.
    #[error(
        "a placeholder is not `{{\"_placeholder\":true,\"num\":N}}`, N from 0 to one less than there are attachments"
    )]
    BadPlaceholder,
    /// An attachment that stands at two places or at none.
    #[error("an attachment does not have exactly one placeholder")]
    NotOnePlaceholder,
    /// A text while attachments are awaited.
    #[error("a text came while {missing} attachments of the packet before were missing")]
    TextAmongAttachments {
        /// How many.
        missing: usize,
    },
    /// Bytes while no attachment is awaited.
    #[error("bytes came that no packet has announced")]
    UnexpectedBinary,
    /// A packet that is too large together with its attachments.
    #[error("a packet and its attachments are more than {limit} bytes")]
    TooBig {
        /// How many are allowed.
        limit: usize,
    },
}
