//! The payloads of revision 3, each packet after its length.
//!
//! ```text
//!  text     6:4hello 2:4€ 10:b4AQIDBA==               the length in UTF-16 units, as JavaScript counts
//!  binary   0 6 255 "4hello"  0 4 255 "4€"  1 4 255 4 1 2 3    0 text, 1 bytes; the length in bytes, a byte for each decimal digit
//! ```

use super::{Malformed, Packet, Revision, binary_prefix};

/// The most digits of a length: more than any body has.
const DIGITS: usize = 9;
const TEXT: u8 = 0;
const BINARY: u8 = 1;
const END_OF_LENGTH: u8 = 255;

/// A packet as it stands in a binary payload.
pub(super) enum Piece<'a> {
    /// Text.
    Text(&'a str),
    /// Bytes, the type first.
    Binary(&'a [u8]),
}

/// The packets of a text payload.
pub(super) fn texts(mut rest: &str) -> impl Iterator<Item = Result<&str, Malformed>> {
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let one = text(rest);
        // After a mistake there is nothing to go on from.
        rest = one.as_ref().map_or("", |(_, after)| after);
        Some(one.map(|(text, _)| text))
    })
}

/// The packets of a binary payload.
pub(super) fn pieces(mut rest: &[u8]) -> impl Iterator<Item = Result<Piece<'_>, Malformed>> {
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let one = piece(rest);
        rest = one.as_ref().map_or(&[][..], |(_, after)| after);
        Some(one.map(|(piece, _)| piece))
    })
}

/// Writes a text payload.
pub(super) fn write_text(packets: &[Packet<'_>]) -> String {
    let mut out = String::new();
    let mut text = String::new();
    for packet in packets {
        text.clear();
        packet.write_text(Revision::Three, &mut text);
        out.push_str(&text.encode_utf16().count().to_string());
        out.push(':');
        out.push_str(&text);
    }
    out
}

/// Writes a binary payload.
pub(super) fn write_bytes(packets: &[Packet<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut text = String::new();
    for packet in packets {
        if let Packet::Binary(bytes) = packet {
            write_piece(BINARY, &[binary_prefix(Revision::Three), bytes], &mut out);
        } else {
            text.clear();
            packet.write_text(Revision::Three, &mut text);
            write_piece(TEXT, &[text.as_bytes()], &mut out);
        }
    }
    out
}

fn text(from: &str) -> Result<(&str, &str), Malformed> {
    const WRONG: Malformed = Malformed::WrongLength { unit: "UTF-16 units" };
    let (digits, rest) = from.split_once(':').ok_or(Malformed::BadLength)?;
    let mut left = length(digits.as_bytes(), b'0').ok_or(Malformed::BadLength)?;
    for (place, character) in rest.char_indices() {
        if left == 0 {
            return rest.split_at_checked(place).ok_or(WRONG);
        }
        left = left.checked_sub(character.len_utf16()).ok_or(WRONG)?;
    }
    if left == 0 { Ok((rest, "")) } else { Err(WRONG) }
}

fn piece(from: &[u8]) -> Result<(Piece<'_>, &[u8]), Malformed> {
    const WRONG: Malformed = Malformed::WrongLength { unit: "bytes" };
    let (form, rest) = from.split_first().ok_or(Malformed::UnknownForm)?;
    let end = rest.iter().take(DIGITS + 1).position(|byte| *byte == END_OF_LENGTH).ok_or(Malformed::BadLength)?;
    let (digits, rest) = rest.split_at_checked(end).ok_or(Malformed::BadLength)?;
    let (_, rest) = rest.split_first().ok_or(Malformed::BadLength)?;
    let length = length(digits, 0).ok_or(Malformed::BadLength)?;
    let (data, after) = rest.split_at_checked(length).ok_or(WRONG)?;
    let piece = match *form {
        TEXT => Piece::Text(std::str::from_utf8(data).map_err(|error| Malformed::NotText { at: error.valid_up_to() })?),
        BINARY => Piece::Binary(data),
        _ => return Err(Malformed::UnknownForm),
    };
    Ok((piece, after))
}

/// A length of its decimal digits, as one writes it, counted from `zero`: `None` for none, too many, a zero before others, and what is
/// no digit.
fn length(digits: &[u8], zero: u8) -> Option<usize> {
    match digits {
        [] => return None,
        _ if digits.len() > DIGITS => return None,
        [first, _, ..] if *first == zero => return None,
        _ => {}
    }
    digits.iter().try_fold(0, |sum: usize, byte| {
        let digit = byte.checked_sub(zero).filter(|digit| *digit < 10)?;
        Some(sum * 10 + usize::from(digit))
    })
}

fn write_piece(form: u8, parts: &[&[u8]], out: &mut Vec<u8>) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    out.push(form);
    out.extend(length.to_string().bytes().map(|digit| digit - b'0'));
    out.push(END_OF_LENGTH);
    parts.iter().for_each(|part| out.extend_from_slice(part));
}
