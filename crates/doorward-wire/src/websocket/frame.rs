//! Writing frames. A server's frame is written once as [`Bytes`] and shared by all who get it.

use bytes::Bytes;
use doorward_types::CloseReason;

use super::mask;

/// The most payload that a control frame can have (RFC 6455, section 5.5).
pub const CONTROL_PAYLOAD: usize = 125;

/// What a frame is (RFC 6455, section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Opcode {
    /// A further fragment of a message.
    Continuation,
    /// A text message or its first fragment.
    Text,
    /// A binary message or its first fragment.
    Binary,
    /// The peer closes.
    Close,
    /// A sign of life is asked for.
    Ping,
    /// A sign of life.
    Pong,
}

impl Opcode {
    pub(super) const fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    const fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0,
            Self::Text => 1,
            Self::Binary => 2,
            Self::Close => 8,
            Self::Ping => 9,
            Self::Pong => 10,
        }
    }

    /// Close, ping or pong: one frame of at most 125 bytes, which may stand between the fragments of a message.
    pub const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// A server's text message. `payload` must be UTF-8, or the peer will close.
pub fn text(payload: &[u8]) -> Bytes {
    parts(Opcode::Text, &[payload])
}

/// A server's text message made of several pieces: an envelope around an untouched payload, encoded once.
pub fn text_parts(pieces: &[&[u8]]) -> Bytes {
    parts(Opcode::Text, pieces)
}

/// A server's binary message.
pub fn binary(payload: &[u8]) -> Bytes {
    parts(Opcode::Binary, &[payload])
}

/// A server's ping. What is over 125 bytes of payload is left out.
pub fn ping(payload: &[u8]) -> Bytes {
    parts(Opcode::Ping, &[control(payload)])
}

/// A server's pong, with the bytes of the ping that it answers. What is over 125 bytes of payload is left out.
pub fn pong(payload: &[u8]) -> Bytes {
    parts(Opcode::Pong, &[control(payload)])
}

/// A server's Close frame: the code of the reason, and its name for the log of the other side.
pub fn close(reason: CloseReason) -> Bytes {
    close_code(reason.code(), reason.name())
}

/// A server's Close frame with any code, and a reason of at most 123 bytes (cut at a character). A code that must not be sent
/// (1005, 1006 and 1015 among them) gives a Close frame without a code.
pub fn close_code(code: u16, reason: &str) -> Bytes {
    if !may_be_sent(code) {
        return close_without_code();
    }
    let mut end = reason.len().min(CONTROL_PAYLOAD - 2);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    let reason = reason.as_bytes().get(..end).unwrap_or_default();
    parts(Opcode::Close, &[&code.to_be_bytes(), reason])
}

/// A server's Close frame that says nothing.
pub fn close_without_code() -> Bytes {
    parts(Opcode::Close, &[])
}

/// Whether a close code may stand in a Close frame (RFC 6455, section 7.4, and the codes registered since).
pub const fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// Writes one whole message or control frame; clients give a fresh random `mask` for each. What is over 125 bytes of a control
/// frame's payload is left out.
pub fn write(opcode: Opcode, payload: &[u8], mask: Option<[u8; 4]>, out: &mut Vec<u8>) {
    write_fragment(opcode, true, payload, mask, out);
}

/// Writes one frame that is the last of its message (`fin`) or not.
pub fn write_fragment(opcode: Opcode, fin: bool, payload: &[u8], mask: Option<[u8; 4]>, out: &mut Vec<u8>) {
    let payload = if opcode.is_control() { control(payload) } else { payload };
    let (header, size) = header(opcode, fin || opcode.is_control(), mask.is_some(), payload.len());
    out.reserve(size + 4 + payload.len());
    out.extend_from_slice(header.get(..size).unwrap_or_default());
    out.extend_from_slice(mask.as_ref().map_or(&[], |mask| mask.as_slice()));
    let start = out.len();
    out.extend_from_slice(payload);
    if let (Some(mask), Some(written)) = (mask, out.get_mut(start..)) {
        mask::apply(mask, 0, written);
    }
}

fn parts(opcode: Opcode, pieces: &[&[u8]]) -> Bytes {
    let length = pieces.iter().map(|piece| piece.len()).sum();
    let (header, size) = header(opcode, true, false, length);
    // Exactly as much as it takes, so that `Bytes` need not move it.
    let mut out = Vec::with_capacity(size + length);
    out.extend_from_slice(header.get(..size).unwrap_or_default());
    for piece in pieces {
        out.extend_from_slice(piece);
    }
    out.into()
}

fn header(opcode: Opcode, fin: bool, masked: bool, length: usize) -> ([u8; 10], usize) {
    let first = opcode.bits() | if fin { 0x80 } else { 0 };
    let bit = if masked { 0x80 } else { 0 };
    let [a, b, c, d, e, f, g, h] = (length as u64).to_be_bytes();
    match length {
        0..=125 => ([first, bit | h, 0, 0, 0, 0, 0, 0, 0, 0], 2),
        126..=0xffff => ([first, bit | 126, g, h, 0, 0, 0, 0, 0, 0], 4),
        _ => ([first, bit | 127, a, b, c, d, e, f, g, h], 10),
    }
}

fn control(payload: &[u8]) -> &[u8] {
    payload.get(..CONTROL_PAYLOAD).unwrap_or(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_standard_are_written_as_it_prints_them() {
        // RFC 6455, section 5.7.
        assert_eq!(text(b"Hello"), [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f].as_slice());
        let mut masked = Vec::new();
        write(Opcode::Text, b"Hello", Some([0x37, 0xfa, 0x21, 0x3d]), &mut masked);
        assert_eq!(masked, [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
        let mut fragments = Vec::new();
        write_fragment(Opcode::Text, false, b"Hel", None, &mut fragments);
        write_fragment(Opcode::Continuation, true, b"lo", None, &mut fragments);
        assert_eq!(fragments, [0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f]);
        assert_eq!(ping(b"Hello"), [0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f].as_slice());
        assert_eq!(binary(&[7; 256])[..4], [0x82, 0x7E, 0x01, 0x00]);
        assert_eq!(binary(&[7; 65536])[..10], [0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn a_length_takes_the_fewest_bytes_that_hold_it() {
        for (length, header) in [(0, 2), (125, 2), (126, 4), (65535, 4), (65536, 10)] {
            assert_eq!(binary(&vec![0; length]).len(), header + length, "length {length}");
        }
    }

    #[test]
    fn pieces_become_one_frame() {
        assert_eq!(text_parts(&[b"{\"m\":", b"1", b"}"]), text(b"{\"m\":1}"));
    }

    #[test]
    fn a_close_frame_carries_the_code_and_the_name_of_its_reason() {
        assert_eq!(close(CloseReason::SessionEnded), b"\x88\x0f\x11\x3asession_ended".as_slice());
        assert_eq!(close_code(1000, ""), [0x88, 2, 0x03, 0xe8].as_slice());
    }

    #[test]
    fn a_code_that_must_not_be_sent_is_not_sent() {
        for code in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000] {
            assert_eq!(close_code(code, "x"), [0x88, 0].as_slice(), "code {code}");
        }
    }

    #[test]
    fn a_long_reason_is_cut_at_a_character_and_a_long_ping_at_125_bytes() {
        let frame = close_code(1000, &"ß".repeat(80));
        assert_eq!(frame.len(), 2 + 2 + 122);
        assert!(std::str::from_utf8(&frame[4..]).is_ok());
        assert_eq!(ping(&[1; 200]).len(), 2 + 125);
        let mut masked = Vec::new();
        write(Opcode::Pong, &[1; 200], Some([0; 4]), &mut masked);
        assert_eq!(masked[..2], [0x8a, 0x80 | 125]);
    }
}
