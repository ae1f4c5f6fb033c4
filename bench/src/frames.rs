//! WebSocket frames (RFC 6455 section 5.2), as little as a load generator needs.
//!
//! Not the codec of Doorward on purpose: a benchmark must not measure a server with the server's own code.

use crate::error::{Error, Result};

/// Opcodes of RFC 6455.
pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// Longer payloads than this are a mistake of the peer: no row sends more than 64 KiB.
const LONGEST: u64 = 1 << 20;

/// Where the first frame in a buffer lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) opcode: u8,
    /// Last frame of its message.
    pub(crate) fin: bool,
    pub(crate) mask: Option<[u8; 4]>,
    /// Offset of the payload.
    pub(crate) start: usize,
    /// Offset behind the payload.
    pub(crate) end: usize,
}

/// The first frame of `bytes`; `None` while it is not there as a whole.
pub(crate) fn first(bytes: &[u8]) -> Result<Option<Frame>> {
    let [flags, second, rest @ ..] = bytes else { return Ok(None) };
    let (length, extended) = match (second & 0x7f, rest) {
        (126, [a, b, ..]) => (u64::from(u16::from_be_bytes([*a, *b])), 2),
        (127, [a, b, c, d, e, f, g, h, ..]) => (u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]), 8),
        (126 | 127, _) => return Ok(None),
        (short, _) => (u64::from(short), 0),
    };
    if length > LONGEST {
        return Err(Error::Server(format!("announced a frame of {length} bytes")));
    }
    let masked = second & 0x80 != 0;
    let key = rest.get(extended..).unwrap_or_default();
    let mask = match (masked, key) {
        (false, _) => None,
        (true, [a, b, c, d, ..]) => Some([*a, *b, *c, *d]),
        (true, _) => return Ok(None),
    };
    let start = 2 + extended + if masked { 4 } else { 0 };
    let end = start + length as usize;
    if bytes.len() < end {
        return Ok(None);
    }
    Ok(Some(Frame { opcode: flags & 0x0f, fin: flags & 0x80 != 0, mask, start, end }))
}

/// Appends one whole frame, masked if there is a key (a client's) and plain if not (a server's).
pub(crate) fn append(out: &mut Vec<u8>, opcode: u8, mask: Option<[u8; 4]>, payload: &[u8]) {
    let marker = if mask.is_some() { 0x80 } else { 0 };
    out.push(0x80 | opcode);
    match payload.len() {
        short @ 0..=125 => out.push(marker | short as u8),
        middle @ 126..=0xffff => {
            out.push(marker | 126);
            out.extend_from_slice(&(middle as u16).to_be_bytes());
        }
        long => {
            out.push(marker | 127);
            out.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&mask.unwrap_or_default()[..if mask.is_some() { 4 } else { 0 }]);
    let start = out.len();
    out.extend_from_slice(payload);
    if let Some(mask) = mask {
        unmask(&mut out[start..], mask);
    }
}

/// One whole frame by itself.
pub(crate) fn encode(opcode: u8, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 14);
    append(&mut out, opcode, mask, payload);
    out
}

/// Masks or unmasks: the same operation.
pub(crate) fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let mut groups = payload.chunks_exact_mut(4);
    for group in &mut groups {
        for (byte, key) in group.iter_mut().zip(mask) {
            *byte ^= key;
        }
    }
    for (byte, key) in groups.into_remainder().iter_mut().zip(mask) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standards_own_examples_are_read() {
        // RFC 6455 section 5.7: "Hello", unmasked and masked.
        let plain = [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];
        assert_eq!(first(&plain).unwrap(), Some(Frame { opcode: TEXT, fin: true, mask: None, start: 2, end: 7 }));
        let masked = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        let frame = first(&masked).unwrap().unwrap();
        let mut payload = masked[frame.start..frame.end].to_vec();
        unmask(&mut payload, frame.mask.unwrap());
        assert_eq!(payload, b"Hello");
        assert_eq!(encode(TEXT, Some([0x37, 0xfa, 0x21, 0x3d]), b"Hello"), masked);
        assert_eq!(encode(TEXT, None, b"Hello"), plain);
    }

    #[test]
    fn all_three_lengths_come_back() {
        for length in [0, 125, 126, 128, 65_535, 65_536, 100_000] {
            for mask in [None, Some([1, 2, 3, 4])] {
                let payload: Vec<u8> = (0..length).map(|i| i as u8).collect();
                let bytes = encode(BINARY, mask, &payload);
                let frame = first(&bytes).unwrap().unwrap();
                assert_eq!(frame.end, bytes.len());
                let mut read = bytes[frame.start..frame.end].to_vec();
                if let Some(mask) = frame.mask {
                    unmask(&mut read, mask);
                }
                assert_eq!(read, payload);
            }
        }
    }

    #[test]
    fn a_frame_that_is_not_whole_is_none() {
        let bytes = encode(TEXT, Some([9, 8, 7, 6]), &[b'x'; 300]);
        for cut in 0..bytes.len() {
            assert_eq!(first(&bytes[..cut]).unwrap(), None, "cut at {cut}");
        }
    }

    #[test]
    fn an_announced_length_beyond_reason_is_an_error() {
        assert!(first(&[0x82, 127, 0, 0, 1, 0, 0, 0, 0, 0]).is_err());
    }
}
