//! A 101 that waits for what is said after it: for a connect that is one write, and one wake of the peer, less.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How the head of a response begins that ends HTTP on its connection.
const SWITCHING: &[u8] = b"HTTP/1.1 101 ";

/// A stream that keeps the head of a 101 back until more is written, or something is read.
#[derive(Debug)]
pub(crate) struct Held<S> {
    stream: S,
    head: Vec<u8>,
}

impl<S> Held<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, head: Vec::new() }
    }

    /// The stream, and the head that has yet to be written to it.
    pub(crate) fn into_parts(self) -> (S, Vec<u8>) {
        (self.stream, self.head)
    }
}

impl<S: AsyncWrite + Unpin> Held<S> {
    fn poll_let_go(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.head.is_empty() {
            let count = ready!(Pin::new(&mut self.stream).poll_write(context, &self.head))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.head.drain(..count);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Held<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_let_go(context))?;
        Pin::new(&mut self.stream).poll_read(context, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Held<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_let_go(context))?;
        if bytes.starts_with(SWITCHING) {
            self.head.extend_from_slice(bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_let_go(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

    use super::*;

    const HEAD: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\r\n";

    async fn holding() -> (Held<DuplexStream>, DuplexStream) {
        let (near, far) = tokio::io::duplex(1024);
        let mut held = Held::new(near);
        held.write_all(HEAD).await.unwrap();
        held.flush().await.unwrap();
        (held, far)
    }

    /// What has arrived, once the near side is gone.
    async fn all_of(mut far: DuplexStream) -> Vec<u8> {
        let mut bytes = Vec::new();
        far.read_to_end(&mut bytes).await.unwrap();
        bytes
    }

    #[tokio::test]
    async fn a_101_is_given_back_with_the_stream_and_has_not_been_written() {
        let (held, far) = holding().await;
        let (near, head) = held.into_parts();
        assert_eq!(head, HEAD);
        drop(near);
        assert_eq!(all_of(far).await, b"");
    }

    #[tokio::test]
    async fn a_101_goes_out_before_whatever_is_written_next() {
        let (mut held, far) = holding().await;
        held.write_all(b"next").await.unwrap();
        drop(held);
        assert_eq!(all_of(far).await, [HEAD, b"next"].concat());
    }

    #[tokio::test]
    async fn a_101_goes_out_before_anything_is_read() {
        let (mut held, mut far) = holding().await;
        far.write_all(b"word").await.unwrap();
        held.read_exact(&mut [0; 4]).await.unwrap();
        drop(held);
        assert_eq!(all_of(far).await, HEAD);
    }

    #[tokio::test]
    async fn every_other_response_passes_at_once() {
        let (near, far) = tokio::io::duplex(1024);
        let mut held = Held::new(near);
        held.write_all(b"HTTP/1.1 404 Not Found\r\n\r\n").await.unwrap();
        drop(held.into_parts());
        assert_eq!(all_of(far).await, b"HTTP/1.1 404 Not Found\r\n\r\n");
    }
}
