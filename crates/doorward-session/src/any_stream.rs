use std::{
    fmt, io,
    pin::Pin,
    sync::Mutex,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{Transport, lock::lock};

/// Any stream of tokio's as a [`Transport`]: TLS, a pipe in memory, whatever can be read and written.
///
/// Writing cannot be tried from outside its task, so what others send always goes through a wake of the connection.
pub struct AnyStream<S>(Mutex<Option<S>>);

impl<S> AnyStream<S> {
    /// Takes the stream.
    pub fn new(stream: S) -> Self {
        Self(Mutex::new(Some(stream)))
    }
}

impl<S> fmt::Debug for AnyStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyStream").finish_non_exhaustive()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> AnyStream<S> {
    fn with<T>(&self, act: impl FnOnce(Pin<&mut S>) -> Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match &mut *lock(&self.0) {
            Some(stream) => act(Pin::new(stream)),
            None => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Transport for AnyStream<S> {
    fn poll_read(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        ready!(self.with(|stream| stream.poll_read(context, &mut buffer)))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    fn poll_write(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.with(|stream| stream.poll_write(context, bytes))
    }

    fn poll_flush(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_flush(context))
    }

    fn try_write(&self, _bytes: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn poll_shutdown(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_shutdown(context))
    }

    /// There is no reset to be had from any stream: it is dropped here, which is as abrupt as it gets.
    fn reset(&self) {
        *lock(&self.0) = None;
    }
}
