use std::{
    io,
    net::Shutdown,
    os::fd::AsFd,
    task::{Context, Poll, ready},
};

use tokio::{io::Interest, net::TcpStream};

/// A byte stream that the task of its connection polls and that anybody who holds its outbox may try to write to.
///
/// Everything takes `&self`. The `poll_` methods belong to the connection's task: they leave its waker behind.
pub trait Transport: Send + Sync + 'static {
    /// Reads what is there; 0 bytes mean that the peer will send nothing more.
    fn poll_read(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Writes what the stream takes, or waits until it takes something.
    fn poll_write(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;

    /// Hands on what an earlier write has kept back, or waits until it can. Streams that keep nothing back have nothing to do.
    fn poll_flush(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let _ = context;
        Poll::Ready(Ok(()))
    }

    /// Writes what the stream takes at once.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) where it takes nothing now. A stream whose writing cannot be tried from
    /// outside its own task may always say that: the task is then woken, and polls.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;

    /// Hands on what an earlier write has kept back, as far as that goes at once.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) where something is left: the connection's task is then woken, and polls.
    fn try_flush(&self) -> io::Result<()> {
        Ok(())
    }

    /// Tells the peer that nothing more will be sent (FIN). Reading goes on.
    fn poll_shutdown(&self, context: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Makes the drop that follows a reset (RST): what has not been delivered is thrown away.
    fn reset(&self);
}

impl Transport for TcpStream {
    fn poll_read(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            match read_and_note_the_end(self, buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready!(self.poll_read_ready(context))?,
                done => return Poll::Ready(done),
            }
        }
    }

    fn poll_write(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            match TcpStream::try_write(self, bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready!(self.poll_write_ready(context))?,
                done => return Poll::Ready(done),
            }
        }
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        TcpStream::try_write(self, bytes)
    }

    fn poll_shutdown(&self, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // tokio's own shutdown wants the stream for itself; a second descriptor of the same socket does not.
        let stream = self.as_fd().try_clone_to_owned().map(std::net::TcpStream::from);
        Poll::Ready(stream.and_then(|stream| stream.shutdown(Shutdown::Write)))
    }

    fn reset(&self) {
        if let Err(error) = self.set_zero_linger() {
            tracing::debug!(%error, "a connection could not be made to reset");
        }
    }
}

/// Reads; and where less came than there was room for, tells tokio that the socket is empty, as its own `AsyncRead` does.
/// That spares the read that would be there only to be told so.
///
/// It is right where the kernel reports edges (epoll): whatever comes after the read is a new one.
fn read_and_note_the_end(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    if !cfg!(target_os = "linux") {
        return stream.try_read(buffer);
    }
    let mut short = None;
    let outcome = stream.try_io(Interest::READABLE, || {
        let count = stream.try_read(buffer)?;
        if count > 0 && count < buffer.len() {
            short = Some(count);
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(count)
    });
    short.map_or(outcome, Ok)
}
