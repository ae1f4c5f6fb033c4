//! TLS before HTTP: the handshake, and what becomes of one who speaks without it.
//!
//! ```text
//!  first byte ─▶ 0x16: a TLS record ─▶ handshake ─▶ HTTP within
//!      └ a letter: HTTP ─▶ 400 in plain text     └ anything else: closed
//! ```

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// The first byte of a TLS connection: a record that carries a handshake (RFC 8446, section 5.1).
const HANDSHAKE_RECORD: u8 = 0x16;

/// How much a session keeps of what the peer's side does not take. It is beside the limits of an outbox, and would be 64 KiB.
const UNSENT: usize = 16 * 1024;

/// How much is read of one who speaks without TLS, so that the answer is not lost with what was left unread.
const UNREAD: u64 = 64 * 1024;

/// What one who speaks HTTP without TLS is told.
const PLAIN: &str = "this port speaks TLS: connect by `wss://` or `https://`\n";

/// What the public port is served with, and may be given anew while it is.
pub struct Tls(ArcSwap<ServerConfig>);

/// Marks a request, among its extensions, that came over TLS which ended here. An application that ends TLS itself puts it there.
#[derive(Clone, Copy, Debug)]
pub struct OverTls;

/// A TCP connection with TLS on it.
pub(crate) type TlsOverTcp = TlsStream<Begun<TcpStream>>;

/// Why a connection did not come to speak TLS.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoTls {
    #[error("it speaks without TLS")]
    Plain,
    #[error("TLS handshake: {0}")]
    Handshake(#[from] io::Error),
}

impl Tls {
    /// Serves with that.
    pub fn new(config: Arc<ServerConfig>) -> Arc<Self> {
        Arc::new(Self(ArcSwap::new(config)))
    }

    /// Serves those who come from here on with that. A connection that is there keeps what it was made with.
    pub fn replace(&self, config: Arc<ServerConfig>) {
        self.0.store(config);
    }

    /// The handshake, without a bound for its time.
    pub(super) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        mut stream: S,
    ) -> Result<TlsStream<Begun<S>>, NoTls> {
        let first = stream.read_u8().await?;
        if first != HANDSHAKE_RECORD {
            if first.is_ascii_uppercase() {
                say_plainly(stream).await?;
            }
            return Err(NoTls::Plain);
        }
        let mut stream = TlsAcceptor::from(self.0.load_full()).accept(Begun { first: Some(first), stream }).await?;
        stream.get_mut().1.set_buffer_limit(Some(UNSENT));
        Ok(stream)
    }
}

async fn say_plainly<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) -> io::Result<()> {
    let head = "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n";
    let answer = format!("{head}content-length: {}\r\n\r\n{PLAIN}", PLAIN.len());
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    tokio::io::copy(&mut stream.take(UNREAD), &mut tokio::io::sink()).await?;
    Ok(())
}

/// Makes the drop of a connection that follows a reset: what has not been delivered is thrown away.
pub(crate) fn reset(stream: &TlsOverTcp) {
    if let Err(error) = stream.get_ref().0.stream.set_zero_linger() {
        tracing::debug!(%error, "a connection could not be made to reset");
    }
}

/// A stream whose first byte was looked at.
#[derive(Debug)]
pub(crate) struct Begun<S> {
    first: Option<u8>,
    stream: S,
}

impl<S: AsyncRead + Unpin> AsyncRead for Begun<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if buf.remaining() > 0
            && let Some(first) = self.first.take()
        {
            buf.put_slice(&[first]);
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(context, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Begun<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
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
    use std::future::poll_fn;

    use rcgen::{CertificateParams, KeyPair};
    use rustls::{
        ClientConfig, RootCertStore,
        crypto::aws_lc_rs,
        pki_types::{PrivateKeyDer, ServerName},
    };
    use tokio::io::duplex;
    use tokio_rustls::TlsConnector;

    use super::*;

    #[tokio::test]
    async fn a_session_keeps_sixteen_kibibytes_at_most_of_what_the_peer_does_not_take() {
        const PIPE: usize = 4096;
        let key = KeyPair::generate().unwrap();
        let cert = CertificateParams::new(vec!["gate.example".to_owned()]).unwrap().self_signed(&key).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
        let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let server = server.unwrap().with_no_client_auth().with_single_cert(vec![cert.der().clone()], private);
        let mut roots = RootCertStore::empty();
        roots.add(cert.der().clone()).unwrap();
        let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let client = client.unwrap().with_root_certificates(roots).with_no_client_auth();

        let (near, far) = duplex(PIPE);
        let (tls, connector) = (Tls::new(Arc::new(server.unwrap())), TlsConnector::from(Arc::new(client)));
        let name = ServerName::try_from("gate.example").unwrap();
        let (ours, theirs) = tokio::join!(tls.accept(near), connector.connect(name, far));
        let (mut ours, _theirs) = (ours.unwrap(), theirs.unwrap());
        let mut taken = 0;
        poll_fn(|context| {
            // As long as it takes something.
            while let Poll::Ready(count) = Pin::new(&mut ours).poll_write(context, &[0; 64 * 1024]) {
                taken += count.unwrap();
            }
            Poll::Ready(())
        })
        .await;
        assert!((UNSENT..=UNSENT + PIPE + 1024).contains(&taken), "{taken} bytes");
    }
}
