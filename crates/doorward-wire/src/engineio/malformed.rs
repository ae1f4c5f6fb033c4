/// A packet or a payload that is not what Engine.IO asks for: what is wrong, where, and what would be right.
///
/// It never holds what the peer sent, since that may be a credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// A packet without a type.
    #[error("a packet is empty; it begins with a digit from 0 to 6")]
    Empty,
    /// A type that is none.
    #[error("a packet does not begin with its type, a digit from 0 to 6, or with `b` where it is binary")]
    UnknownType,
    /// Something after a packet that has nothing to say.
    #[error("a packet of type {digit} holds data; send it as that digit alone")]
    UnexpectedData {
        /// The type.
        digit: char,
    },
    /// A binary packet of revision 3 that is no message.
    #[error("a binary packet is no message; begin it with 4")]
    BinaryNotMessage,
    /// Base64 that is not, or that spells its bytes in another way than the one.
    #[error("a binary packet is not base64; send it in the alphabet with `+` and `/`, and with its padding")]
    NotBase64,
    /// Bytes that are not UTF-8.
    #[error("what should be text is not UTF-8 at byte {at}")]
    NotText {
        /// Where, from 0: in the payload, or in the packet of a binary one.
        at: usize,
    },
    /// A payload without packets.
    #[error("a payload is empty; send at least one packet")]
    EmptyPayload,
    /// More packets than a payload can have.
    #[error("a payload has more than {limit} packets; send the others in the next one")]
    TooManyPackets {
        /// How many are allowed.
        limit: usize,
    },
    /// In revision 3, a packet without its length, or one whose length is not written as it should be.
    #[error("the length of a packet is missing or not a number of 1 to 9 digits without zeros before it")]
    BadLength,
    /// In revision 3, a length that does not end where a character does, or is more than there is.
    #[error("a packet ends before its length or within a character; the length counts {unit}")]
    WrongLength {
        /// What is counted.
        unit: &'static str,
    },
    /// In the bytes of revision 3, a packet that is neither text nor binary.
    #[error("a packet in a binary payload begins with neither 0 nor 1")]
    UnknownForm,
    /// A text that a payload of revision 4 would not give back.
    #[error("a packet holds U+001E, which stands between packets; leave it out or escape it")]
    Separator,
}
