use std::{io, net::IpAddr, time::Duration};

use doorward_client::TlsError;
use http::StatusCode;

use super::LONGEST;
use crate::Reach;

/// Why nothing was fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// It is not an address of a document.
    #[error("it is no address: {0}")]
    Url(&'static str),
    /// Without TLS whoever is on the way can answer.
    #[error("it is not `https://`, and private addresses are not allowed (`allow_private`)")]
    NoTls,
    /// The name cannot be resolved.
    #[error("the name cannot be resolved: {0}")]
    Unresolved(io::Error),
    /// The name has no address that may be connected to. Says one of those that it has.
    #[error("{0} may not be connected to{hint}", hint = hint(.0))]
    Forbidden(IpAddr),
    /// Nobody accepts the connection.
    #[error("nobody answers there: {0}")]
    Unreachable(io::Error),
    /// There is no TLS with whoever answers.
    #[error("{}", tls_in_words(.0))]
    Tls(TlsError),
    /// The connection broke, or what came over it is no HTTP.
    #[error("the answer broke off, or is no HTTP: {0}")]
    Broken(String),
    /// It leads elsewhere, and no redirect is followed.
    #[error("it is answered by a redirect ({0}), and none is followed; name the address that it leads to")]
    Redirect(StatusCode),
    /// It is answered by another status than 200.
    #[error("it is answered by {0}")]
    Status(StatusCode),
    /// It is no JSON by its own word.
    #[error("the answer is no JSON by its `Content-Type`")]
    NotJson,
    /// The document is too long.
    #[error("the answer is longer than {} KiB", LONGEST / 1024)]
    TooLong,
    /// The time is over.
    #[error("there was no whole answer within {0:?}")]
    TooSlow(Duration),
}

fn hint(address: &IpAddr) -> &'static str {
    match Reach::of(*address) {
        Reach::Private => ", it is a private one; `allow_private = true` allows that",
        Reach::Public | Reach::Never => "",
    }
}

/// What is wrong with the TLS of a publisher, and what its reader can do.
fn tls_in_words(error: &TlsError) -> String {
    match error {
        TlsError::UnknownIssuer => {
            "its certificate was issued by nobody who is trusted here; if the issuer is your own, name its certificate (`ca_file`)".to_owned()
        }
        TlsError::NobodyTrusted => {
            "no issuer of certificates is trusted on this machine; install its list (often the package `ca-certificates`), or name one (`ca_file`)".to_owned()
        }
        TlsError::NotSpoken => "what answers there speaks no TLS".to_owned(),
        other => other.to_string(),
    }
}
