use std::{
    fmt, io,
    pin::{Pin, pin},
    sync::Mutex,
    task::{Context, Poll, Waker, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    task::unconstrained,
};

use crate::{Transport, lock::lock};

/// Any stream of tokio's as a [`Transport`]: TLS, a pipe in memory, whatever can be read and written.
///
/// A write that is tried leaves no waker behind; where it is not taken at once, the connection's task polls and leaves its own.
pub struct AnyStream<S>(Mutex<Inner<S>>);

struct Inner<S> {
    /// Until it is reset.
    stream: Option<S>,
    /// Something was written and is not known to have gone out.
    unflushed: bool,
}

impl<S> AnyStream<S> {
    /// Takes the stream.
    pub fn new(stream: S) -> Self {
        Self(Mutex::new(Inner { stream: Some(stream), unflushed: false }))
    }
}

impl<S> fmt::Debug for AnyStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyStream").finish_non_exhaustive()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Inner<S> {
    fn stream(&mut self) -> io::Result<Pin<&mut S>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::ConnectionAborted.into())
    }

    fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let count = ready!(self.stream()?.poll_write(context, bytes))?;
        self.unflushed = true;
        Poll::Ready(Ok(count))
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.stream()?.poll_flush(context))?;
        self.unflushed = false;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Transport for AnyStream<S> {
    fn poll_read(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        ready!(lock(&self.0).stream()?.poll_read(context, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    fn poll_write(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        lock(&self.0).poll_write(context, bytes)
    }

    fn poll_flush(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        lock(&self.0).poll_flush(context)
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut inner = lock(&self.0);
        at_once(|context| inner.poll_write(context, bytes))
    }

    fn try_flush(&self) -> io::Result<()> {
        let mut inner = lock(&self.0);
        if inner.unflushed { at_once(|context| inner.poll_flush(context)) } else { Ok(()) }
    }

    fn poll_shutdown(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        lock(&self.0).stream()?.poll_shutdown(context)
    }

    /// There is no reset to be had from any stream: it is dropped here, which is as abrupt as it gets.
    fn reset(&self) {
        lock(&self.0).stream = None;
    }
}

/// Polls once, whoever asks: it is not on the budget of the task that happens to run.
fn at_once<T>(poll: impl FnMut(&mut Context<'_>) -> Poll<io::Result<T>>) -> io::Result<T> {
    let polled = pin!(unconstrained(std::future::poll_fn(poll)));
    match polled.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}
