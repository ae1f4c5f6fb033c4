//! The server behind the relay rows: a WebSocket that echoes whole frames.
//!
//! client   -> upstream  GET, Upgrade: websocket
//! upstream -> client    101
//! client   -> upstream  frame, masked
//! upstream -> client    the same payload and opcode, unmasked
//! client   -> upstream  close
//! upstream -> client    close, then end

use crate::{
    epoll::{self, Peers, Service},
    error::{Error, Result},
    frames,
};
use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{collections::HashSet, time::Duration};

/// Runs the upstream until `life` is over.
pub(crate) fn run(life: Duration) -> Result<()> {
    epoll::serve(&mut Echo::default(), life)
}

#[derive(Default)]
struct Echo {
    /// Peers that have had their 101.
    upgraded: HashSet<usize>,
    /// Frames of one read, sent together.
    out: Vec<u8>,
}

impl Service for Echo {
    fn heard(&mut self, from: usize, bytes: &mut [u8], peers: &mut Peers) -> Result<usize> {
        let mut done = 0;
        if !self.upgraded.contains(&from) {
            let Some((head, key)) = request(bytes)? else { return Ok(0) };
            peers.send(from, response(&key).as_bytes());
            self.upgraded.insert(from);
            done = head;
        }
        self.out.clear();
        let mut closed = false;
        while let Some(left) = bytes.get_mut(done..) {
            let Some(frame) = frames::first(left)? else { break };
            let payload = left.get_mut(frame.start..frame.end).unwrap_or_default();
            frames::unmask(payload, frame.mask.ok_or_else(|| Error::Server("left a frame unmasked".into()))?);
            match frame.opcode {
                frames::PING => frames::append(&mut self.out, frames::PONG, None, payload),
                frames::PONG => {}
                opcode => frames::append(&mut self.out, opcode, None, payload),
            }
            closed |= frame.opcode == frames::CLOSE;
            done += frame.end;
        }
        if !self.out.is_empty() {
            peers.send(from, &self.out);
        }
        if closed {
            self.upgraded.remove(&from);
            return Err(Error::Server("closed".into()));
        }
        Ok(done)
    }
}

/// Length of the request's head and its `Sec-WebSocket-Key`; `None` while the head is not there as a whole.
fn request(bytes: &[u8]) -> Result<Option<(usize, String)>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    let status = request.parse(bytes).map_err(|error| Error::Server(format!("sent a bad request: {error}")))?;
    let httparse::Status::Complete(length) = status else { return Ok(None) };
    let key = request
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("sec-websocket-key"))
        .and_then(|header| std::str::from_utf8(header.value).ok())
        .ok_or_else(|| Error::Server("sent no `Sec-WebSocket-Key`".into()))?;
    Ok(Some((length, key.to_owned())))
}

fn response(key: &str) -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        accept(key)
    )
}

/// The proof that the request was understood (RFC 6455 section 4.2.2).
fn accept(key: &str) -> String {
    let joined = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    STANDARD.encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, joined.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accept_key_is_that_of_the_standards_example() {
        assert_eq!(accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn a_request_is_waited_for_as_a_whole() {
        let head = b"GET /echo HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: abc\r\n\r\n";
        for cut in 0..head.len() {
            assert_eq!(request(&head[..cut]).unwrap(), None);
        }
        assert_eq!(request(head).unwrap(), Some((head.len(), "abc".to_owned())));
    }

    #[test]
    fn a_request_without_a_key_is_refused() {
        assert!(request(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").is_err());
    }
}
