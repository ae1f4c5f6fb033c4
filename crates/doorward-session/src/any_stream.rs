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
pub struct AnyStream<S> {
    inner: Mutex<Inner<S>>,
    reset: Option<fn(&S)>,
}

struct Inner<S> {
    /// Until it is reset.
    stream: Option<S>,
    /// Something was written and is not known to have gone out.
    unflushed: bool,
}

impl<S> AnyStream<S> {
    /// Takes the stream.
    pub fn new(stream: S) -> Self {
        Self { inner: Mutex::new(Inner { stream: Some(stream), unflushed: false }), reset: None }
    }

    /// Takes the stream, and what makes its drop a reset: for one that lies over TCP.
    pub fn resetting(stream: S, reset: fn(&S)) -> Self {
        Self { reset: Some(reset), ..Self::new(stream) }
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
        ready!(lock(&self.inner).stream()?.poll_read(context, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    fn poll_write(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        lock(&self.inner).poll_write(context, bytes)
    }

    fn poll_flush(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        lock(&self.inner).poll_flush(context)
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut inner = lock(&self.inner);
        at_once(|context| inner.poll_write(context, bytes))
    }

    fn try_flush(&self) -> io::Result<()> {
        let mut inner = lock(&self.inner);
        if inner.unflushed { at_once(|context| inner.poll_flush(context)) } else { Ok(()) }
    }

    fn poll_shutdown(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        lock(&self.inner).stream()?.poll_shutdown(context)
    }

    /// There is no reset to be had from any stream: it is dropped here, which without [`resetting`](Self::resetting) is as abrupt
    /// as it gets.
    fn reset(&self) {
        let stream = lock(&self.inner).stream.take();
        if let (Some(stream), Some(reset)) = (stream, self.reset) {
            reset(&stream);
        }
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, DuplexStream};

    use super::*;
    use crate::support::tcp;

    #[tokio::test]
    async fn a_stream_over_tcp_is_reset_where_it_is_said_how_and_dropped_where_it_is_not() {
        let (ours, mut theirs) = tcp().await;
        AnyStream::resetting(ours, |stream| stream.set_zero_linger().unwrap()).reset();
        assert_eq!(theirs.read_u8().await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        let (ours, mut theirs): (DuplexStream, _) = tokio::io::duplex(16);
        let ours = AnyStream::new(ours);
        ours.reset();
        assert_eq!(theirs.read_u8().await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert!(ours.try_write(b"more").is_err());
    }
}
