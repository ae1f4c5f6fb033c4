//! What hyper does not tell of a head: two `Content-Length` lines of one value reach a service as one. A proxy before us may
//! have read them otherwise, so the lines are counted while they pass.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const NAME: &[u8] = b"content-length";

/// Whether the head that has passed names its length more than once.
#[derive(Clone, Debug, Default)]
pub(super) struct LengthTwice(Arc<AtomicBool>);

impl LengthTwice {
    /// The head is whole when it is asked.
    pub(super) fn is_so(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A stream whose first head is looked at while it passes; nothing of it is held or changed.
#[derive(Debug)]
pub(crate) struct Counted<S> {
    stream: S,
    lines: Lines,
    twice: LengthTwice,
}

impl<S> Counted<S> {
    pub(super) fn new(stream: S) -> (Self, LengthTwice) {
        let twice = LengthTwice::default();
        (Self { stream, lines: Lines::default(), twice: twice.clone() }, twice)
    }

    /// The stream under it.
    pub(crate) fn into_inner(self) -> S {
        self.stream
    }
}

/// The lines of one head, in any split.
#[derive(Debug, Default)]
struct Lines {
    /// Lines that were not empty.
    whole: usize,
    /// Whether the line under way has a byte yet.
    begun: bool,
    /// How much of the line under way is the name, from its first byte on; `None` where it is another.
    named: Option<usize>,
    lengths: usize,
    ended: bool,
}

impl Lines {
    fn pass(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if self.ended {
                return;
            }
            self.take(byte.to_ascii_lowercase());
        }
    }

    fn take(&mut self, byte: u8) {
        match byte {
            b'\n' => {
                // Empty lines before the request line are passed over (RFC 9112, section 2.2).
                self.ended = !self.begun && self.whole > 0;
                self.whole += usize::from(self.begun);
                (self.begun, self.named) = (false, Some(0));
            }
            b'\r' => self.named = None,
            byte => {
                self.begun = true;
                self.named = match self.named {
                    Some(at) if NAME.get(at) == Some(&byte) => Some(at + 1),
                    Some(at) if at == NAME.len() && byte == b':' => {
                        self.lengths += 1;
                        None
                    }
                    _ => None,
                };
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buf))?;
        if !self.lines.ended {
            self.lines.pass(buf.filled().get(before..).unwrap_or_default());
            if self.lines.lengths > 1 {
                self.twice.0.store(true, Ordering::Release);
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many lengths a head names, and whether it is over, when it comes in pieces of that size.
    fn counted(head: &str, piece: usize) -> (usize, bool) {
        let mut lines = Lines::default();
        head.as_bytes().chunks(piece).for_each(|piece| lines.pass(piece));
        (lines.lengths, lines.ended)
    }

    #[test]
    fn c17_lengths_are_counted_up_to_the_end_of_the_head_in_any_split() {
        let two = "Content-Length: 0\r\ncontent-LENGTH:0\r\n";
        for (head, lengths) in [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), 0),
            ("GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n".to_owned(), 1),
            (format!("GET / HTTP/1.1\r\n{two}\r\n"), 2),
            (format!("\r\n\n\r\nGET / HTTP/1.1\r\n{two}\r\n"), 2),
            ("GET / HTTP/1.1\nContent-Length: 0\nContent-Length: 0\n\n".to_owned(), 2),
            (format!("GET / HTTP/1.1\r\nX-Content-Length: 0\r\nContent-Lengths: 0\r\nA: {two}\r\n"), 1),
            (format!("GET / HTTP/1.1\r\nHost: a\r\n\r\n{two}\r\n"), 0),
        ] {
            for piece in [1, 2, 7, 1000] {
                assert_eq!(counted(&head, piece), (lengths, true), "{head:?} by {piece}");
            }
        }
        assert!(!counted(&format!("GET / HTTP/1.1\r\n{two}"), 3).1);
    }
}
