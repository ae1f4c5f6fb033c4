//! 9P2000 (Plan 9, manual section 5), as little as a load generator needs: a client that writes and reads one file.
//!
//! client -> server   Tversion, Tattach                          the root is fid 0
//! client -> server   Twalk 0 to 1, Topen 1 to read and write
//! client -> server   Twrite 1, then Tread 1, and again
//!
//! Not the codec of Doorward on purpose: a benchmark must not measure a server with the server's own code.

use crate::error::{Error, Result};

/// Types of requests. An answer has the number of its request and one.
pub(crate) const VERSION: u8 = 100;
pub(crate) const ATTACH: u8 = 104;
pub(crate) const WALK: u8 = 110;
pub(crate) const OPEN: u8 = 112;
pub(crate) const READ: u8 = 116;
pub(crate) const WRITE: u8 = 118;

/// The type of the answer to any request that is not done.
const ERROR: u8 = 107;

/// The tag of everything but `Tversion`: there is one request at a time.
const TAG: u16 = 1;
const NO_TAG: u16 = u16::MAX;
const NO_FID: u32 = u32::MAX;

/// The root, and the file.
const ROOT: u32 = 0;
const FILE: u32 = 1;

/// The largest message that is offered.
const MSIZE: u32 = 64 * 1024;

/// What a message of data has around the data, at the most.
pub(crate) const AROUND_DATA: u32 = 24;

/// The most that is read or written at once.
pub(crate) const MOST: u32 = MSIZE - AROUND_DATA;

pub(crate) fn version() -> Vec<u8> {
    message(VERSION, NO_TAG, &[&MSIZE.to_le_bytes(), &text("9P2000")])
}

pub(crate) fn attach() -> Vec<u8> {
    message(ATTACH, TAG, &[&ROOT.to_le_bytes(), &NO_FID.to_le_bytes(), &text(""), &text("")])
}

pub(crate) fn walk(names: &[&str]) -> Vec<u8> {
    let path: Vec<u8> = names.iter().flat_map(|name| text(name)).collect();
    let count = (names.len() as u16).to_le_bytes();
    message(WALK, TAG, &[&ROOT.to_le_bytes(), &FILE.to_le_bytes(), &count, &path])
}

pub(crate) fn open_to_read_and_write() -> Vec<u8> {
    message(OPEN, TAG, &[&FILE.to_le_bytes(), &[2]])
}

pub(crate) fn read(count: u32) -> Vec<u8> {
    message(READ, TAG, &[&FILE.to_le_bytes(), &0_u64.to_le_bytes(), &count.to_le_bytes()])
}

pub(crate) fn write(data: &[u8]) -> Vec<u8> {
    let count = (data.len() as u32).to_le_bytes();
    message(WRITE, TAG, &[&FILE.to_le_bytes(), &0_u64.to_le_bytes(), &count, data])
}

/// The request that an answer is for, by its type.
pub(crate) fn answered(answer: &[u8]) -> Result<u8> {
    match answer {
        [_, _, _, _, ERROR, _, _, _, _, text @ ..] => {
            Err(Error::Server(format!("answered `{}`", String::from_utf8_lossy(text))))
        }
        [_, _, _, _, kind, _, _, ..] => Ok(kind.saturating_sub(1)),
        _ => Err(Error::Server(format!("answered 9P with {} bytes", answer.len()))),
    }
}

/// How many bytes the answer to a read has.
pub(crate) fn data_in(answer: &[u8]) -> usize {
    answer.len().saturating_sub(7 + 4)
}

/// The answer of the least server there could be. It takes whatever is written, has as much to be read as is asked for, and says
/// of all else that it is done.
pub(crate) fn least_answer(request: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let [_, _, _, _, kind, low, high, body @ ..] = request else {
        return Err(Error::Server(format!("was asked in {} bytes of 9P", request.len())));
    };
    let tag = u16::from_le_bytes([*low, *high]);
    let count = body.get(12..16).unwrap_or_default();
    match *kind {
        READ => {
            let count = count.first_chunk().map_or(0, |count| u32::from_le_bytes(*count)).min(MOST);
            append(out, READ + 1, tag, &[&count.to_le_bytes()], count as usize);
        }
        WRITE => append(out, WRITE + 1, tag, &[count], 0),
        other => append(out, other.saturating_add(1), tag, &[], 0),
    }
    Ok(())
}

fn message(kind: u8, tag: u16, fields: &[&[u8]]) -> Vec<u8> {
    let mut message = Vec::new();
    append(&mut message, kind, tag, fields, 0);
    message
}

/// Appends a message that ends with so many bytes of nothing in particular.
fn append(out: &mut Vec<u8>, kind: u8, tag: u16, fields: &[&[u8]], more: usize) {
    let size = 7 + fields.iter().map(|field| field.len()).sum::<usize>() + more;
    out.extend_from_slice(&(size as u32).to_le_bytes());
    out.push(kind);
    out.extend_from_slice(&tag.to_le_bytes());
    fields.iter().for_each(|field| out.extend_from_slice(field));
    out.resize(out.len() + more, b'x');
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u16).to_le_bytes(), text.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_the_bytes_of_the_manual() {
        let version = [19, 0, 0, 0, 100, 0xff, 0xff, 0, 0, 1, 0, 6, 0, b'9', b'P', b'2', b'0', b'0', b'0'];
        assert_eq!(super::version(), version);
        assert_eq!(attach(), [19, 0, 0, 0, 104, 1, 0, 0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0]);
        let walk = [23, 0, 0, 0, 110, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 1, 0, b'a', 1, 0, b'b'];
        assert_eq!(super::walk(&["a", "b"]), walk);
        assert_eq!(open_to_read_and_write(), [12, 0, 0, 0, 112, 1, 0, 1, 0, 0, 0, 2]);
        assert_eq!(read(5), [23, 0, 0, 0, 116, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0]);
        let write = [25, 0, 0, 0, 118, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, b'o', b'k'];
        assert_eq!(super::write(b"ok"), write);
    }

    #[test]
    fn the_least_answers_are_as_long_as_real_ones_and_an_error_is_told_in_its_words() {
        let answer = |request: &[u8]| {
            let mut out = Vec::new();
            least_answer(request, &mut out).unwrap();
            out
        };
        assert_eq!(answer(&write(b"ok")), [11, 0, 0, 0, 119, 1, 0, 2, 0, 0, 0]);
        assert_eq!(answer(&read(3)), [14, 0, 0, 0, 117, 1, 0, 3, 0, 0, 0, b'x', b'x', b'x']);
        assert_eq!(data_in(&answer(&read(4096))), 4096);
        assert_eq!((answered(&answer(&read(3))).unwrap(), answered(&answer(&version())).unwrap()), (READ, VERSION));
        let error = answered(&[13, 0, 0, 0, 107, 1, 0, 4, 0, b'd', b'o', b'w', b'n']).unwrap_err();
        assert_eq!(error.to_string(), "the server answered `down`");
        assert!(answered(&[7, 0, 0]).is_err() && least_answer(b"", &mut Vec::new()).is_err());
    }
}
