//! TLS below the WebSocket: whom to trust, and what to say when nobody is.

use std::{
    io,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};

use rustls::{
    CertificateError, ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{Address, ConnectError};

/// What is spoken within TLS (ALPN).
const PROTOCOL: &[u8] = b"http/1.1";

/// Issuers of certificates that are trusted instead of those that this machine trusts.
#[derive(Clone, Debug)]
pub struct Issuers(Arc<RootCertStore>);

/// A file that names no issuer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it holds no certificate of an issuer: {0}; each one stands between `-----BEGIN CERTIFICATE-----` and `-----END CERTIFICATE-----`"
)]
pub struct NoIssuers(String);

impl Issuers {
    /// Reads certificates in PEM.
    ///
    /// # Errors
    /// There is none, or one of them cannot be read.
    pub fn from_pem(text: &[u8]) -> Result<Self, NoIssuers> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(text) {
            let certificate = certificate.map_err(|error| NoIssuers(error.to_string()))?;
            roots.add(certificate).map_err(|error| NoIssuers(error.to_string()))?;
        }
        if roots.is_empty() { Err(NoIssuers("there is none".to_owned())) } else { Ok(Self(Arc::new(roots))) }
    }

    /// Those that this machine trusts, looked for once. `SSL_CERT_FILE` and `SSL_CERT_DIR` name other places for them.
    fn of_this_machine() -> Result<Self, TlsError> {
        static FOUND: OnceLock<Issuers> = OnceLock::new();
        if let Some(found) = FOUND.get() {
            return Ok(found.clone());
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(TlsError::NobodyTrusted);
        }
        Ok(FOUND.get_or_init(|| Self(Arc::new(roots))).clone())
    }
}

/// Why no TLS could be spoken with a server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// Whoever issued the certificate is not trusted. [`Options::issuers`](crate::Options::issuers) names others.
    #[error(
        "its certificate was issued by nobody who is trusted here; if the issuer is your own, its certificate has to be named"
    )]
    UnknownIssuer,
    /// The certificate is for other names.
    #[error(
        "its certificate is not for `{host}`{}; connect by a name that it is for, or have it issued for this one",
        for_names(names)
    )]
    WrongName {
        /// The host that was connected to.
        host: String,
        /// The names in the certificate, as rustls tells them.
        names: Vec<String>,
    },
    /// The certificate has expired.
    #[error("its certificate has expired; whoever runs it has to renew it, unless the clock of this machine is wrong")]
    Expired,
    /// The certificate is not valid yet.
    #[error("its certificate is not valid yet; the clock of this machine may be wrong")]
    NotYet,
    /// What answers is no TLS.
    #[error("what answers there speaks no TLS; `ws://` is without")]
    NotSpoken,
    /// There are no trusted issuers on this machine. [`Options::issuers`](crate::Options::issuers) names some.
    #[error(
        "no issuer of certificates is trusted on this machine; install its list (often the package `ca-certificates`), or name one"
    )]
    NobodyTrusted,
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

fn for_names(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!(" but for {}", names.join(", ")) }
}

impl TlsError {
    fn of(error: &rustls::Error, host: &str) -> Self {
        let host = host.to_owned();
        match error {
            rustls::Error::InvalidMessage(_) => Self::NotSpoken,
            rustls::Error::InvalidCertificate(wrong) => match wrong {
                // A bad signature is that of an issuer with a trusted one's name: mostly one's own of yesterday.
                CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::UnknownIssuer,
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYet,
                CertificateError::NotValidForName => Self::WrongName { host, names: Vec::new() },
                CertificateError::NotValidForNameContext { presented, .. } => {
                    Self::WrongName { host, names: presented.clone() }
                }
                _ => Self::Other(error.to_string()),
            },
            _ => Self::Other(error.to_string()),
        }
    }
}

/// Why there is no TLS over a stream.
#[derive(Debug, thiserror::Error)]
pub enum NoTls {
    /// It cannot be spoken with whoever is behind it.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The stream broke.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Speaks TLS with whoever is behind `stream`, as the host of `address`.
pub(crate) async fn connect(
    stream: TcpStream,
    address: &Address,
    issuers: Option<&Issuers>,
) -> Result<TlsStream<TcpStream>, ConnectError> {
    over_tls(stream, address.host(), issuers).await.map_err(|error| match error {
        NoTls::Tls(error) => ConnectError::Tls { authority: address.authority().to_owned(), error },
        NoTls::Io(error) => ConnectError::Io(error),
    })
}

/// Speaks TLS with whoever is behind `stream`, for HTTP/1.1 in it. Its certificate has to be for `host`, a name or an address
/// without brackets, and from one of `issuers`; without those from whom this machine trusts. There is no time limit in here.
///
/// # Errors
/// There is no TLS, or none with whom it should be with.
pub async fn over_tls(stream: TcpStream, host: &str, issuers: Option<&Issuers>) -> Result<TlsStream<TcpStream>, NoTls> {
    let config = config(issuers)?;
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| TlsError::Other(format!("`{host}` is no name that a certificate can have")))?;
    TlsConnector::from(config).connect(name, stream).await.map_err(|error| {
        match error.get_ref().and_then(|within| within.downcast_ref::<rustls::Error>()) {
            Some(said) => TlsError::of(said, host).into(),
            None => error.into(),
        }
    })
}

fn config(issuers: Option<&Issuers>) -> Result<Arc<ClientConfig>, TlsError> {
    let Issuers(roots) = issuers.map_or_else(Issuers::of_this_machine, |issuers| Ok(issuers.clone()))?;
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::Other(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(Arc::new(config))
}

/// What [`Client::connect`](crate::Client::connect) speaks over: TCP, and TLS on it for `wss://`.
#[derive(Debug)]
pub struct Stream(Inner);

#[derive(Debug)]
enum Inner {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl From<TcpStream> for Stream {
    fn from(stream: TcpStream) -> Self {
        Self(Inner::Plain(stream))
    }
}

impl From<TlsStream<TcpStream>> for Stream {
    fn from(stream: TlsStream<TcpStream>) -> Self {
        Self(Inner::Tls(Box::new(stream)))
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Inner::Plain(stream) => Pin::new(stream).poll_read(context, buf),
            Inner::Tls(stream) => Pin::new(stream).poll_read(context, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.0 {
            Inner::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Inner::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Inner::Plain(stream) => Pin::new(stream).poll_flush(context),
            Inner::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Inner::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Inner::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_an_issuer_is_told_apart_from_one_with() {
        let made = rcgen::generate_simple_self_signed(["gate.example".to_owned()]).unwrap();
        assert!(Issuers::from_pem(made.cert.pem().as_bytes()).is_ok());
        for text in ["", "no PEM at all", &made.signing_key.serialize_pem()] {
            assert_eq!(Issuers::from_pem(text.as_bytes()).err(), Some(NoIssuers("there is none".to_owned())));
        }
        let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(Issuers::from_pem(damaged.as_bytes()).unwrap_err().to_string().starts_with("it holds no certificate"));
    }
}
