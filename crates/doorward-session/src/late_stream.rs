use std::{
    io,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use crate::Transport;

/// The place of a stream that has yet to come, so that a socket can be registered before its upgrade is answered.
///
/// Until then it takes and gives nothing, and wakes nobody: the socket's connection begins with the stream itself. To reset it
/// resets the stream when that comes.
#[derive(Default)]
pub struct LateStream {
    stream: OnceLock<Arc<dyn Transport>>,
    reset: AtomicBool,
}

impl LateStream {
    /// The stream has come. A second one is not taken.
    pub fn arrive(&self, stream: Arc<dyn Transport>) {
        let stream = self.stream.get_or_init(|| stream);
        // Either this sees the reset, or the reset sees the stream.
        if self.reset.load(Ordering::SeqCst) {
            stream.reset();
        }
    }
}

impl Transport for LateStream {
    fn poll_read(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.stream.get().map_or(Poll::Pending, |stream| stream.poll_read(context, buffer))
    }

    fn poll_write(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.stream.get().map_or(Poll::Pending, |stream| stream.poll_write(context, bytes))
    }

    fn poll_flush(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.get().map_or(Poll::Pending, |stream| stream.poll_flush(context))
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.get().map_or_else(|| Err(io::ErrorKind::WouldBlock.into()), |stream| stream.try_write(bytes))
    }

    fn try_flush(&self) -> io::Result<()> {
        self.stream.get().map_or_else(|| Err(io::ErrorKind::WouldBlock.into()), |stream| stream.try_flush())
    }

    fn poll_shutdown(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.get().map_or(Poll::Pending, |stream| stream.poll_shutdown(context))
    }

    fn reset(&self) {
        self.reset.store(true, Ordering::SeqCst);
        if let Some(stream) = self.stream.get() {
            stream.reset();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::tcp;
    use tokio::io::AsyncReadExt as _;

    #[tokio::test]
    async fn a_reset_before_the_stream_is_there_resets_it_when_it_comes() {
        let late = LateStream::default();
        assert_eq!(late.try_write(b"too early").unwrap_err().kind(), io::ErrorKind::WouldBlock);
        late.reset();
        let (ours, mut theirs) = tcp().await;
        late.arrive(Arc::new(ours));
        drop(late);
        let error = theirs.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }
}
