//! Payloads: the packets of one HTTP body, which long-polling is made of.
//!
//! A payload is taken whole or not at all, so that nothing of a body is done whose end is nonsense.

use super::{Malformed, Packet, Revision, lengths};

/// The most packets of one payload. A polling client posts at once all that it has said since its last post, so a small number
/// cuts off who is merely lively (sixteen, the default of others, does); 256 is more than twenty events with ten attachments each.
/// A payload is read as a whole before any of it counts against the limits of a client, so it cannot be without an end.
pub const PACKETS: usize = 256;

/// Between the packets of revision 4.
const SEPARATOR: char = '\x1e';

/// A payload to be sent, which goes with a content type of its own.
#[derive(Clone, PartialEq, Eq)]
pub enum Payload {
    /// `text/plain; charset=UTF-8`.
    Text(String),
    /// `application/octet-stream`.
    Binary(Vec<u8>),
}

/// Reads the body of a request whose content type is text.
///
/// # Errors
/// [`Malformed`]: not UTF-8, no packet, more than [`PACKETS`], a length that is not right, or a packet that is none.
///
/// ```
/// use doorward_wire::engineio::{Packet, Revision, payload};
/// let packets = payload::read_text(Revision::Three, "6:4hello2:4€".as_bytes())?;
/// assert_eq!(packets, [Packet::Message("hello"), Packet::Message("€")]);
/// # Ok::<(), doorward_wire::engineio::Malformed>(())
/// ```
pub fn read_text(revision: Revision, body: &[u8]) -> Result<Vec<Packet<'_>>, Malformed> {
    let text = std::str::from_utf8(body).map_err(|error| Malformed::NotText { at: error.valid_up_to() })?;
    if text.is_empty() {
        return Err(Malformed::EmptyPayload);
    }
    match revision {
        Revision::Three => collect(lengths::texts(text), |text| Packet::from_text(revision, text)),
        Revision::Four => collect(text.split(SEPARATOR).map(Ok), |text| Packet::from_text(revision, text)),
    }
}

/// Reads the body of a request whose content type is `application/octet-stream`. Revision 3 alone has such.
///
/// # Errors
/// [`Malformed`]: no packet, more than [`PACKETS`], a length that is not right, or a packet that is none.
pub fn read_binary(body: &[u8]) -> Result<Vec<Packet<'_>>, Malformed> {
    if body.is_empty() {
        return Err(Malformed::EmptyPayload);
    }
    collect(lengths::pieces(body), |piece| match piece {
        lengths::Piece::Text(text) => Packet::from_text(Revision::Three, text),
        lengths::Piece::Binary(bytes) => Packet::from_binary(Revision::Three, bytes),
    })
}

/// Writes packets as one payload. `takes_bytes` is whether the client can read a binary one: one of revision 3 that did not say
/// `b64=1`. All else gets text, its bytes as base64.
///
/// # Errors
/// [`Malformed::EmptyPayload`] for no packets at all; [`Malformed::Separator`] for a text that revision 4 would read as two.
pub fn write(revision: Revision, takes_bytes: bool, packets: &[Packet<'_>]) -> Result<Payload, Malformed> {
    if packets.is_empty() {
        return Err(Malformed::EmptyPayload);
    }
    let has_bytes = packets.iter().any(|packet| matches!(packet, Packet::Binary(_)));
    match revision {
        Revision::Three if takes_bytes && has_bytes => Ok(Payload::Binary(lengths::write_bytes(packets))),
        Revision::Three => Ok(Payload::Text(lengths::write_text(packets))),
        Revision::Four => separated(packets).map(Payload::Text),
    }
}

impl Payload {
    /// The content type to send it with.
    pub const fn content_type(&self) -> &'static str {
        match self {
            Self::Text(_) => "text/plain; charset=UTF-8",
            Self::Binary(_) => "application/octet-stream",
        }
    }

    /// The body.
    pub fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.into_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }
}

impl std::fmt::Debug for Payload {
    /// The form and the length alone.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (name, bytes) = match self {
            Self::Text(text) => ("Text", text.len()),
            Self::Binary(bytes) => ("Binary", bytes.len()),
        };
        f.debug_struct(name).field("bytes", &bytes).finish()
    }
}

fn collect<'a, T>(
    pieces: impl Iterator<Item = Result<T, Malformed>>,
    read: impl Fn(T) -> Result<Packet<'a>, Malformed>,
) -> Result<Vec<Packet<'a>>, Malformed> {
    let mut packets = Vec::new();
    for piece in pieces {
        if packets.len() == PACKETS {
            return Err(Malformed::TooManyPackets { limit: PACKETS });
        }
        packets.push(read(piece?)?);
    }
    Ok(packets)
}

fn separated(packets: &[Packet<'_>]) -> Result<String, Malformed> {
    let mut out = String::new();
    for (place, packet) in packets.iter().enumerate() {
        if place > 0 {
            out.push(SEPARATOR);
        }
        let start = out.len();
        packet.write_text(Revision::Four, &mut out);
        if out.get(start..).is_some_and(|written| written.contains(SEPARATOR)) {
            return Err(Malformed::Separator);
        }
    }
    Ok(out)
}
