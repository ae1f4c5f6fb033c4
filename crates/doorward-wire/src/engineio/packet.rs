use std::{borrow::Cow, fmt};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use super::{Malformed, Revision};

/// What one packet says, borrowed from the message that it came in.
#[derive(Clone, PartialEq, Eq)]
pub enum Packet<'a> {
    /// The connection is open: the JSON of an [`Open`](super::Open). A gate alone says so.
    Open(&'a str),
    /// The connection ends.
    Close,
    /// A sign of life is asked for; `probe` before an upgrade, nothing otherwise.
    Ping(&'a str),
    /// A sign of life, with the data of the ping.
    Pong(&'a str),
    /// A text of the application: a packet of Socket.IO.
    Message(&'a str),
    /// Bytes of the application: an attachment of a packet of Socket.IO.
    Binary(Cow<'a, [u8]>),
    /// The transport is changed to the one that this comes over.
    Upgrade,
    /// Nothing, to answer a poll.
    Noop,
}

impl<'a> Packet<'a> {
    /// Reads a packet that came as text: in a text message of a WebSocket, or in a payload.
    ///
    /// # Errors
    /// [`Malformed`]: no type, data where there is none, or base64 that is not.
    ///
    /// ```
    /// use doorward_wire::engineio::{Packet, Revision};
    /// assert_eq!(Packet::from_text(Revision::Four, "4hello")?, Packet::Message("hello"));
    /// assert_eq!(Packet::from_text(Revision::Four, "bAQID")?, Packet::Binary(vec![1, 2, 3].into()));
    /// # Ok::<(), doorward_wire::engineio::Malformed>(())
    /// ```
    pub fn from_text(revision: Revision, text: &'a str) -> Result<Self, Malformed> {
        let mut rest = text.chars();
        let digit = rest.next().ok_or(Malformed::Empty)?;
        let data = rest.as_str();
        let packet = match digit {
            '0' => return Ok(Self::Open(data)),
            '2' => return Ok(Self::Ping(data)),
            '3' => return Ok(Self::Pong(data)),
            '4' => return Ok(Self::Message(data)),
            'b' => return from_base64(revision, data),
            '1' => Self::Close,
            '5' => Self::Upgrade,
            '6' => Self::Noop,
            _ => return Err(Malformed::UnknownType),
        };
        if data.is_empty() { Ok(packet) } else { Err(Malformed::UnexpectedData { digit }) }
    }

    /// Reads a packet that came as bytes: in a binary message of a WebSocket, or in a binary payload.
    ///
    /// # Errors
    /// [`Malformed`]: in revision 3, one that does not begin with 4.
    pub fn from_binary(revision: Revision, bytes: &'a [u8]) -> Result<Self, Malformed> {
        let data = match revision {
            Revision::Four => bytes,
            Revision::Three => bytes.strip_prefix(&[4]).ok_or(Malformed::BinaryNotMessage)?,
        };
        Ok(Self::Binary(data.into()))
    }

    /// The packet as text, at the end of `out`; bytes as base64.
    pub fn write_text(&self, revision: Revision, out: &mut String) {
        let (digit, data) = match self {
            Self::Open(data) => ('0', *data),
            Self::Close => ('1', ""),
            Self::Ping(data) => ('2', *data),
            Self::Pong(data) => ('3', *data),
            Self::Message(data) => ('4', *data),
            Self::Upgrade => ('5', ""),
            Self::Noop => ('6', ""),
            Self::Binary(bytes) => {
                out.push_str(base64_prefix(revision));
                return BASE64.encode_string(bytes, out);
            }
        };
        out.push(digit);
        out.push_str(data);
    }
}

impl fmt::Debug for Packet<'_> {
    /// The type and the length alone: before admission a message holds credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, bytes) = match self {
            Self::Open(data) => ("Open", data.len()),
            Self::Close => ("Close", 0),
            Self::Ping(data) => ("Ping", data.len()),
            Self::Pong(data) => ("Pong", data.len()),
            Self::Message(data) => ("Message", data.len()),
            Self::Binary(data) => ("Binary", data.len()),
            Self::Upgrade => ("Upgrade", 0),
            Self::Noop => ("Noop", 0),
        };
        f.debug_struct(name).field("bytes", &bytes).finish()
    }
}

/// What stands before the bytes of a message where it is sent as bytes: as a binary message of a WebSocket, or in a binary payload.
pub const fn binary_prefix(revision: Revision) -> &'static [u8] {
    match revision {
        Revision::Three => &[4],
        Revision::Four => &[],
    }
}

const fn base64_prefix(revision: Revision) -> &'static str {
    match revision {
        Revision::Three => "b4",
        Revision::Four => "b",
    }
}

fn from_base64(revision: Revision, data: &str) -> Result<Packet<'_>, Malformed> {
    let data = match revision {
        Revision::Four => data,
        Revision::Three => data.strip_prefix('4').ok_or(Malformed::BinaryNotMessage)?,
    };
    let bytes = BASE64.decode(data).map_err(|_| Malformed::NotBase64)?;
    Ok(Packet::Binary(bytes.into()))
}
