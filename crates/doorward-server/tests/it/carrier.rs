//! What carries the bytes between a peer and a door: a pipe in memory, where time can be moved, or TCP, where it cannot.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What carries the bytes. The door does not care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    Memory,
    Tcp,
}

impl AsyncRead for Carried {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_read(context, buf)
    }
}

impl AsyncWrite for Carried {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.as_mut().poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_shutdown(context)
    }
}

/// What a peer writes to and reads from.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send {}
impl<S: AsyncRead + AsyncWrite + Send> Stream for S {}

/// A pipe or a TCP connection.
pub(crate) struct Carried(pub(crate) Pin<Box<dyn Stream>>);

/// Every `both!` test runs twice: over a pipe with the clock of tokio paused, and over TCP.
macro_rules! both {
    ($(async fn $name:ident($carrier:ident: Carrier) $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn run($carrier: $crate::carrier::Carrier) $body

            #[tokio::test(start_paused = true)]
            async fn in_memory() {
                run($crate::carrier::Carrier::Memory).await;
            }

            #[tokio::test]
            async fn over_tcp() {
                run($crate::carrier::Carrier::Tcp).await;
            }
        }
    )*};
}
pub(crate) use both;
